"""From a sample to tokens: what the model is given, and which of its tokens are learned.

A prompt is tokenised as the model will be given it when it answers, by its own chat template; the
target is tokenised apart from it and joined. So no token can span the border between the two, and
where the target begins is known and never searched for. That it is the same text as the template's
own rendering of the whole conversation is checked for every sample.

What is learned is everything that the model has to write after the prompt: the target, whatever
the template puts before it (Qwen3's empty block of thought), and the token that ends the turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol

from untwist.errors import ConfigError, DataError
from untwist.tune.examples import Sample, Stream

IGNORED = -100
"""The label of a token that is not learned, as torch's cross-entropy has it."""

_PROBE = "7q7"
"""Stands for an answer when a template is asked what it puts around one."""


class Tokenizer(Protocol):
    """What is used of a tokenizer of transformers."""

    chat_template: Any
    eos_token_id: Any
    all_special_ids: list[int]
    added_tokens_decoder: dict[int, Any]

    def apply_chat_template(self, conversation: Any, **options: Any) -> Any:  # noqa: ANN401
        """The conversation as the model reads it."""

    def __call__(self, text: str, **options: Any) -> Any:  # noqa: ANN401
        """The tokens of a text, under the key "input_ids"."""

    def decode(self, token_ids: Any, **options: Any) -> Any:  # noqa: ANN401
        """The text of tokens."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens of an encoded sample.

    Attributes:
        prompt: what the model is given.
        target: what is learned, the end of the turn included.
    """

    prompt: int
    target: int

    @property
    def total(self) -> int:
        """Both together."""
        return self.prompt + self.target


@dataclass(frozen=True, slots=True)
class Encoded:
    """A sample as tokens.

    Attributes:
        input_ids: prompt and target.
        labels: the target's tokens in their places, `IGNORED` in all others.
        stream: which part of the loss the target belongs to.
        dropped_turns: turns left out of the start of the history so that the rest fits.
        lengths: of prompt and target.

    Raises:
        DataError: no token is learned, or the labels do not fit the tokens.
    """

    input_ids: tuple[int, ...]
    labels: tuple[int, ...]
    stream: Stream
    dropped_turns: int
    lengths: Lengths

    def __post_init__(self) -> None:
        start = self.lengths.prompt
        if self.lengths.target < 1:
            raise DataError("no token is learned: the target is empty in this tokenizer")
        if self.lengths.total != len(self.input_ids):
            raise DataError("the lengths of prompt and target are not those of the tokens")
        if self.labels != (IGNORED,) * start + self.input_ids[start:]:
            raise DataError("the labels are not the target's tokens in their places")


@dataclass(frozen=True, slots=True)
class Template:
    """A tokenizer with its chat template, and what the template puts around an answer.

    Attributes:
        tokenizer: of the model.
        options: for the template, such as {"enable_thinking": False}.

    Raises:
        ConfigError: there is no chat template, or it cannot be used for learning.
    """

    tokenizer: Tokenizer
    options: Mapping[str, Any] = field(default_factory=dict)
    _before: str = field(init=False, repr=False)
    _after: str = field(init=False, repr=False)
    _end: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.tokenizer.chat_template:
            raise ConfigError(
                "the tokenizer has no chat template: take the model's instruct or chat variant, "
                "or put its template into the tokenizer's folder as chat_template.jinja"
            )
        asked = [{"role": "user", "content": "Hello"}]
        prompt = self.render(asked, answering=True)
        whole = self.render([*asked, {"role": "assistant", "content": _PROBE}], answering=False)
        before, found, after = whole.rpartition(_PROBE)
        if not found:
            raise ConfigError("the chat template does not repeat an answer as it is: take another")
        # some templates open a thought when they ask, and close none when they quote
        scaffold = before[len(prompt) :] if before.startswith(prompt) else ""
        object.__setattr__(self, "_before", scaffold)
        object.__setattr__(self, "_after", after)
        object.__setattr__(self, "_end", self._turn_end(after))

    def render(self, messages: Sequence[Mapping[str, str]], *, answering: bool) -> str:
        """The messages as text, by the chat template.

        Args:
            messages: role and content of each.
            answering: end with what asks the model to answer.

        Raises:
            DataError: the template refuses the messages.
        """
        try:
            text: str = self.tokenizer.apply_chat_template(
                list(messages), tokenize=False, add_generation_prompt=answering, **self.options
            )
        except _refusals() as error:
            raise DataError(f"the chat template refuses the messages: {error}") from error
        return text

    def ids(self, text: str) -> tuple[int, ...]:
        """The tokens of a text, none added."""
        return tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def text(self, ids: Sequence[int]) -> str:
        """The text of tokens, special ones included."""
        options = {"skip_special_tokens": False, "clean_up_tokenization_spaces": False}
        return str(self.tokenizer.decode(list(ids), **options))

    def prompt(self, sample: Sample, dropped: int = 0) -> str:
        """What the model is given, without the first turns of the history."""
        return self.render(_shown(sample, dropped), answering=True)

    def target(self, sample: Sample) -> tuple[int, ...]:
        """What is to be learned, the end of the turn included.

        Raises:
            DataError: the template renders the answer otherwise than it asks for it.
        """
        shown = _shown(sample, 0)
        answer = {"role": "assistant", "content": sample.target}
        whole = self.render([*shown, answer], answering=False)
        asked = self.render(shown, answering=True) + self._before
        if whole.startswith(asked) and whole.endswith(self._after):
            said = whole[len(asked) : len(whole) - len(self._after)]
            # templates strip what they quote
            if said.strip() == sample.target.strip():
                return self.ids(self._before + said) + self._end
        elif whole.endswith(sample.target.strip() + self._after):
            # a prompt that opens a thought is no beginning of the whole; its answer ends it still
            return self.ids(sample.target.strip()) + self._end
        raise DataError(
            "the chat template renders this answer otherwise than it asks for it: "
            "look at the sample with `untwist tune inspect`"
        )

    def _turn_end(self, after: str) -> tuple[int, ...]:
        """The tokens that end a turn: as the template has them, else the tokenizer's own end."""
        special = set(self.tokenizer.all_special_ids)
        for id, token in self.tokenizer.added_tokens_decoder.items():
            if getattr(token, "special", False):
                special.add(id)
        ids = self.ids(after)
        places = [place for place, id in enumerate(ids) if id in special]
        if places:
            return ids[: places[0] + 1]
        if self.tokenizer.eos_token_id is None:
            raise ConfigError("the tokenizer has no token that ends an answer: set its eos_token")
        return (int(self.tokenizer.eos_token_id),)


def encode(sample: Sample, tokenizer: Tokenizer | Template, max_length: int) -> Encoded:
    """The tokens of a sample; the earliest turns are left out until it fits, the target never.

    What is left of the history begins with the user, as many templates demand. The system
    message and the last message are always kept.

    Args:
        sample: what to encode.
        tokenizer: of the model, or its template when many samples are encoded.
        max_length: most tokens of prompt and target together.

    Raises:
        ConfigError: the tokenizer has no chat template.
        DataError: the template refuses the sample, or the target with the system message and
            the last message is too long.
    """
    template = tokenizer if isinstance(tokenizer, Template) else Template(tokenizer)
    target = template.target(sample)
    for dropped in _choices(sample):
        prompt = template.ids(template.prompt(sample, dropped))
        if len(prompt) + len(target) <= max_length:
            labels = (IGNORED,) * len(prompt) + target
            lengths = Lengths(len(prompt), len(target))
            return Encoded(prompt + target, labels, sample.stream, dropped, lengths)
    if len(target) > max_length:
        raise DataError(f"{_TARGET_TOO_LONG}: {len(target):,} tokens, over {max_length:,}")
    raise DataError(
        f"{_PROMPT_TOO_LONG}: {len(prompt):,} + {len(target):,} tokens, over {max_length:,}"
    )


_TARGET_TOO_LONG = "the target alone is too long"
_PROMPT_TOO_LONG = "the last message and the target are too long together"


@dataclass(slots=True)
class Report:
    """What encoding made of many samples; it grows as they are read.

    Attributes:
        lengths: of the samples that were encoded, by stream.
        shortened: samples that lost turns of their history.
        dropped_turns: turns that they lost.
        refused: samples that were left out, as (id, why).
    """

    lengths: dict[Stream, list[Lengths]] = field(default_factory=dict)
    shortened: int = 0
    dropped_turns: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)

    @property
    def encoded(self) -> int:
        """How many samples were encoded."""
        return sum(map(len, self.lengths.values()))

    def add(self, encoded: Encoded) -> None:
        """Count one."""
        self.lengths.setdefault(encoded.stream, []).append(encoded.lengths)
        self.shortened += encoded.dropped_turns > 0
        self.dropped_turns += encoded.dropped_turns

    def to_dict(self) -> dict[str, Any]:
        """As JSON values: counts, and for each stream the least, middle and most tokens."""
        return {
            "samples": self.encoded,
            "refused": len(self.refused),
            "shortened": self.shortened,
            "dropped_turns": self.dropped_turns,
            "streams": {stream: _spread(found) for stream, found in sorted(self.lengths.items())},
        }


def encode_all(
    samples: Sequence[Sample],
    tokenizer: Tokenizer | Template,
    max_length: int,
    *,
    refuse: bool = False,
) -> tuple[list[Encoded], Report]:
    """The tokens of many samples, and what became of them.

    Args:
        samples: in any order, which is kept.
        tokenizer: of the model, or its template.
        max_length: most tokens of a sample.
        refuse: leave out and count samples that cannot be encoded; otherwise the first one raises.

    Raises:
        ConfigError: the tokenizer has no chat template.
        DataError: a sample cannot be encoded and `refuse` is False; or none can.
    """
    template = tokenizer if isinstance(tokenizer, Template) else Template(tokenizer)
    found, report = [], Report()
    for sample in samples:
        try:
            found.append(encode(sample, template, max_length))
        except DataError as error:
            if not refuse:
                raise DataError(f"sample {sample.id}: {error}") from error
            report.refused.append((sample.id, str(error)))
        else:
            report.add(found[-1])
    if samples and not found:
        raise DataError(f"no sample can be encoded; the first: {report.refused[0][1]}")
    return found, report


def _refusals() -> tuple[type[Exception], ...]:
    """What transformers raises when a template says no; it needs jinja2 to render one at all."""
    try:
        return (import_module("jinja2").exceptions.TemplateError,)
    except ImportError:
        return ()


def _choices(sample: Sample) -> list[int]:
    """How many turns may be left out, fewest first: none, or all before a turn of the user."""
    return [0, *(at for at, turn in enumerate(sample.turns) if at and turn.role == "user")]


def _shown(sample: Sample, dropped: int) -> list[dict[str, str]]:
    head = sample.messages[:1] if sample.system else ()
    return [message.to_dict() for message in (*head, *sample.turns[dropped:])]


def _spread(found: Sequence[Lengths]) -> dict[str, Any]:
    return {
        "samples": len(found),
        "tokens": sum(each.total for each in found),
        "prompt": _middle([each.prompt for each in found]),
        "target": _middle([each.target for each in found]),
        "total": _middle([each.total for each in found]),
    }


def _middle(values: Sequence[int]) -> dict[str, int]:
    ordered = sorted(values)
    return {"min": ordered[0], "median": ordered[len(ordered) // 2], "max": ordered[-1]}
