"""A language model as a detector: it is asked, its answer is read, and what cannot be read fails.

    screen -> question -> answer -> findings, intensity, risk

The screen is heard before and beside the model: nothing that a model says lowers a risk. A refusal
or an answer that cannot be read is a ModelError, never "no distortion". Leaves out: probabilities;
a score is the share of samples that named the label.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar, get_args

from untwist.detect.risk import RiskReader
from untwist.detect.train import Example
from untwist.errors import ConfigError, ModelError, UntwistError
from untwist.llm.prompts.ask import MAX_TOKENS, ask
from untwist.llm.prompts.base import Messages, Prompt
from untwist.llm.prompts.detect import Detect, Heard, heard_of
from untwist.llm.prompts.labels import DEFAULT, labels_of
from untwist.llm.prompts.names import Names, Question
from untwist.llm.prompts.quotes import locate
from untwist.ports import ChatModel
from untwist.safety import screen
from untwist.schema import Assessment, Finding, Screening, Utterance
from untwist.taxonomy import CANONICAL, LANGS, Distortion, Intensity, Lang, Risk, taxonomy

AHEAD = 2
"""Questions that are under way or answered and waiting for their turn, per question at once."""

Value = TypeVar("Value")
Asked = tuple[Utterance, Sequence[Utterance]]


@dataclass(frozen=True, slots=True)
class PromptedDetector:
    """A model and how it is asked; what is written goes to wherever the model runs.

    Attributes:
        model: whoever answers.
        taxonomy: whose labels it is asked for; each must stand for one of the twelve, but with a
            question of names also what one corpus alone has, as models of that corpus learned it.
        shots: how many examples it is shown.
        examples: labelled messages to show in place of our own, those in the message's language;
            never such as it is scored on.
        samples: how often it is asked; a label counts when more than half of the samples name it.
        temperature: of several samples; a single one is taken at 0.
        seed: of the first sample; the others count on from it.
        attempts: how often one sample is asked for when its answer cannot be read.
        max_tokens: of one answer.
        concurrency: questions at once, over many messages.
        reader: hears risk after the rules of `untwist.safety`; None is the rules alone.
        question: "detect", or what a model was tuned on: "names" or "reasons". With these two a
            finding has no span, intensity is not judged, and risk is the screen's and the reader's.

    Raises:
        ConfigError: a number is below 1, the question is unknown or shows no examples, or the
            taxonomy has a label that is not one distortion.
        DataError: there is no such taxonomy.
    """

    model: ChatModel
    taxonomy: str = DEFAULT
    shots: int = 0
    examples: tuple[Example, ...] = ()
    samples: int = 1
    temperature: float = 0.7
    seed: int = 42
    attempts: int = 2
    max_tokens: int = MAX_TOKENS
    concurrency: int = 1
    reader: RiskReader | None = None
    question: Question = "detect"

    def __post_init__(self) -> None:
        if self.question not in get_args(Question):
            raise ConfigError(f"question is none of {', '.join(get_args(Question))}")
        if self.shots and self.question != "detect":
            raise ConfigError(f'the question "{self.question}" shows no examples: leave shots out')
        if min(self.samples, self.attempts, self.max_tokens, self.concurrency) < 1:
            raise ConfigError("samples, attempts, max_tokens and concurrency begin at 1")
        if self.examples and not self.shots:
            raise ConfigError("examples are shown where shots says how many: give it")
        Detect("en", self.taxonomy, self.shots)
        for lang in LANGS:
            self._shown(lang)
        for label, stands_for in self._single().items():
            if len(stands_for) != 1 or stands_for[0] not in CANONICAL:
                raise ConfigError(
                    f'{self.taxonomy} has "{label}", which is not one of the twelve: ask in '
                    f"{DEFAULT}, and have the answers written in {self.taxonomy}"
                )

    def _single(self) -> dict[str, tuple[Distortion, ...]]:
        """The labels that must stand for one of the twelve: an answer of names says which it is."""
        return labels_of(self.taxonomy) if self.question == "detect" else {}

    @property
    def name(self) -> str:
        """The model, the version of the question, and whatever differs from the plain one."""
        asked = Detect("en") if self.question == "detect" else Names("en")
        parts = [f"llm:{self.model.name}", f"{self.question}@{asked.version}"]
        if self.taxonomy != DEFAULT:
            parts.append(self.taxonomy)
        parts += [
            f"{key}-{value}"
            for key, value, plain in (("shots", self.shots, 0), ("samples", self.samples, 1))
            if value != plain
        ]
        if self.examples:
            told = repr([self._shown(lang) for lang in LANGS]).encode()
            parts.append(f"examples-{hashlib.sha256(told).hexdigest()[:8]}")
        return "/".join(parts)

    def _shown(self, lang: Lang) -> tuple[tuple[str, Heard], ...]:
        """The examples for messages in a language, as questions and answers.

        Raises:
            DataError: one was not annotated in full, or has a label that is not asked for.
        """
        of_lang = [one for one in self.examples if (one.utterance.lang or "en") == lang]
        return tuple(
            (one.utterance.text, heard_of(one.utterance.text, one.labels, self.taxonomy))
            for one in of_lang[: self.shots]
        )

    def detect(self, utterance: Utterance, history: Sequence[Utterance] = ()) -> Assessment:
        """One message; the history is read for risk only.

        Raises:
            ModelError: no answer came, or none that can be read; the message is unscored then.
        """
        second = self.reader.read if self.reader else None
        screening = screen(utterance.text, history, second)
        sample = self._sample if self.question == "detect" else self._names
        heard = [sample(utterance, history, n) for n in range(self.samples)]
        return self._assessment(utterance, screening, heard)

    def detect_many(self, utterances: Iterable[Utterance]) -> Iterator[Assessment]:
        """Many unrelated messages, in order, as a stream.

        Raises:
            ModelError: one of them is unscored; the stream ends there. `each` goes on.
        """
        for answer in self.each((utterance, ()) for utterance in utterances):
            if isinstance(answer, ModelError):
                raise answer
            yield answer

    def each(self, asked: Iterable[Asked]) -> Iterator[Assessment | ModelError]:
        """One answer for each message with its history, in order; an error where it is unscored.

        Several messages are asked about at once; memory stays bounded. When `asked` fails, all
        before it is answered first.

        Raises:
            UntwistError: what `asked` raised.
        """
        waiting: deque[Future[Assessment | ModelError]] = deque()
        stream, ends = iter(asked), list[UntwistError]()
        with ThreadPoolExecutor(self.concurrency) as pool:
            try:
                while (item := _next(stream, ends)) is not None:
                    waiting.append(pool.submit(self._tried, *item))
                    if len(waiting) >= self.concurrency * AHEAD:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            except KeyboardInterrupt:
                _stop(self.model)
                raise
            finally:
                for future in waiting:
                    future.cancel()
        for error in ends:
            raise error

    def _tried(self, utterance: Utterance, history: Sequence[Utterance]) -> Assessment | ModelError:
        try:
            return self.detect(utterance, history)
        except ModelError as error:
            return error

    def _sample(self, utterance: Utterance, history: Sequence[Utterance], n: int) -> Said:
        """The n-th sample of the whole question.

        Raises:
            ModelError: no answer came, or none that can be read.
        """
        prompt = Detect(utterance.lang or "en", self.taxonomy, self.shots)
        messages = prompt.messages(utterance.text, history, self._shown(prompt.lang))
        heard = self._ask(prompt, messages, n)
        known, quotes = labels_of(self.taxonomy), dict[Distortion, str | None]()
        for one in heard.findings:
            quotes.setdefault(known[one.label][0], one.quote)
        return Said(quotes, heard.intensity, heard.risk)

    def _names(self, utterance: Utterance, history: Sequence[Utterance], n: int) -> Said:
        """The n-th sample of names; they are of the message alone.

        Raises:
            ModelError: no answer came, or none that can be read.
        """
        asked = taxonomy(self.taxonomy).covered
        prompt = Names(utterance.lang or "en", asked, self.question == "reasons")
        named = self._ask(prompt, prompt.messages(utterance.text), n)
        return Said(dict.fromkeys(named.distortions), None, None)

    def _ask(self, prompt: Prompt[Value], messages: Messages, n: int) -> Value:
        return ask(
            self.model,
            prompt,
            messages,
            seed=self.seed + n,
            temperature=self.temperature if self.samples > 1 else 0.0,
            attempts=self.attempts,
            max_tokens=self.max_tokens,
        )

    def _assessment(
        self, utterance: Utterance, screening: Screening, heard: Sequence[Said]
    ) -> Assessment:
        findings = self._findings(utterance.text, heard)
        return Assessment(
            utterance,
            findings,
            _middle(heard) if findings else None,
            max([screening.level, *(one.risk for one in heard if one.risk is not None)]),
            screening.acuity,
            screening.reasons,
            self.name,
        )

    def _findings(self, text: str, heard: Sequence[Said]) -> tuple[Finding, ...]:
        """The labels that more than half of the samples name, with the first words that fit."""
        quoted: dict[Distortion, list[str | None]] = {}
        for one in heard:
            for distortion, quote in one.quotes.items():
                quoted.setdefault(distortion, []).append(quote)
        findings = []
        for distortion, quotes in quoted.items():
            if 2 * len(quotes) > len(heard):
                spans = (locate(quote, text) for quote in quotes if quote is not None)
                start, end = next((span for span in spans if span), (None, None))
                findings.append(Finding(distortion, len(quotes) / len(heard), start, end))
        return tuple(sorted(findings, key=lambda finding: -finding.score))


@dataclass(frozen=True, slots=True)
class Said:
    """What one sample says, whichever question was put.

    Attributes:
        quotes: the first words of each distortion; None where no words are asked for.
        intensity: None where it is not judged.
        risk: None where it is not asked.
    """

    quotes: Mapping[Distortion, str | None]
    intensity: Intensity | None
    risk: Risk | None


def _stop(model: object) -> None:
    """End the calls under way, where the model or the one that it wraps can; else they run out."""
    while model is not None:
        cancel = getattr(model, "cancel", None)
        if callable(cancel):
            cancel()
            return
        model = getattr(model, "model", None)


def _next(stream: Iterator[Asked], ends: list[UntwistError]) -> Asked | None:
    """The next message; None at the end, and when reading it fails, which is kept for later."""
    try:
        return next(stream, None)
    except UntwistError as error:
        ends.append(error)
        return None


def _middle(heard: Sequence[Said]) -> Intensity | None:
    """The median of the intensities that were judged, the lower one of two; None where none was."""
    judged = sorted(one.intensity for one in heard if one.intensity is not None)
    return judged[(len(judged) - 1) // 2] if judged else None
