"""The values of a protocol: steps with their wordings, the frame, the branches.

`protocol.py` reads them from data; `scripts/README.md` has the format.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from untwist.errors import DataError
from untwist.respond.page import Texts
from untwist.taxonomy import Distortion, Intensity, Lang, Strategy
from untwist.text import Locale

Takes = Literal["text", "percent", "shares", "yes_no"]
"""What a step is answered with; shares are causes, each with a part of a hundred."""

FRAME = "frame"
"""The name of the skeleton."""
FRAME_STEPS = (
    "settle",
    "thought",
    "belief",
    "emotion",
    "name",
    "balanced",
    "belief_after",
    "emotion_after",
    "small_step",
    "close",
)
"""The steps that a frame must have; a strategy's protocol comes before "balanced"."""
CUES = (
    "agrees",
    "doubts",
    "unknown",
    "refuses",
    "new_thought",
    "worse",
    "thanks",
    "stop",
    "question_to_program",
)
"""What a message can be instead of an answer."""
QUESTION = "question_to_program"
"""The branch that answers a question to the program."""
WHOLE = (
    "doubts",
    "unknown",
    "refuses",
    "refuses_again",
    "another_way",
    "new_thought",
    "worse",
    "thanks",
    "stop",
    "question_to_program",
    "shares_under",
    "shares_over",
    "after_close",
)
"""Branches whose texts are a whole reply, with at most one question."""
LEADS = ("agrees", "skip", "switch", "name_off", "number_unclear", "shares_done", "summary")
"""Branches whose texts lead to what is said next, and hold no question."""
ENDS = ("farewell",)
"""Branches whose texts end a conversation, and hold no question."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a text of the scripts was written for, so that an earlier turn is recognised by it.

    Attributes:
        text: the variant.
        protocol: its protocol; None for a text of the branches.
        step: its step; None for a text of the branches.
        branch: None when it asks the step.
        intensity: what it is worded for; None for any.
    """

    text: str
    protocol: str | None
    step: str | None
    branch: str | None
    intensity: Intensity | None = None


@dataclass(frozen=True, slots=True)
class Variants:
    """The wordings of one thing.

    Attributes:
        any: for every intensity that has none of its own.
        own: by intensity.
    """

    any: Texts
    own: Mapping[Intensity, Texts]

    def of(self, intensity: Intensity | None) -> Texts:
        """Those for an intensity; those for any where there are none."""
        return self.own.get(intensity, self.any) if intensity else self.any

    def all(self) -> Texts:
        """All of them."""
        return (*self.any, *chain.from_iterable(self.own.values()))

    def asked(self, protocol: str | None, step: str | None, branch: str | None) -> Iterator[Asked]:
        """Each of them, with what it was written for."""
        yield from (Asked(text, protocol, step, branch) for text in self.any)
        for intensity, texts in self.own.items():
            yield from (Asked(text, protocol, step, branch, intensity) for text in texts)


@dataclass(frozen=True, slots=True)
class ProtocolStep:
    """One question of a protocol, and what belongs to it.

    Attributes:
        id: its name within the protocol.
        field: the worksheet field that the answer fills; None fills none.
        takes: what it is answered with.
        intensity: it is asked only at these; None asks it at any.
        ask: the question; may hold {thought}.
        reflect: said after an answer, before the next question; may hold {answer}.
        unknown: smaller or other questions for whoever does not know.
        doubts: for whoever doubts at this step; grants it, then asks one question.
        optional: it may be left out without a word.
    """

    id: str
    field: str | None
    takes: Takes
    intensity: frozenset[Intensity] | None
    ask: Variants
    reflect: Variants
    unknown: Variants
    doubts: Variants
    optional: bool

    def fits(self, intensity: Intensity | None) -> bool:
        """Whether it is asked at an intensity; what was not judged counts as moderate."""
        return self.intensity is None or (intensity or Intensity.MODERATE) in self.intensity


@dataclass(frozen=True, slots=True)
class Protocol:
    """What a strategy asks, in order.

    Attributes:
        name: of its file.
        strategy: which it carries out; None for the frame.
        targets: the distortions that it is meant for; None is meant for any.
        steps: in order.
    """

    name: str
    strategy: Strategy | None
    targets: frozenset[Distortion] | None
    steps: tuple[ProtocolStep, ...]

    def step(self, name: str) -> ProtocolStep | None:
        """The step of a name; None when there is none."""
        return next((step for step in self.steps if step.id == name), None)


@dataclass(frozen=True, slots=True)
class Question:
    """A question to the program that has an answer of its own.

    Attributes:
        cues: by which it is told.
        texts: the answers.
    """

    cues: Texts
    texts: Variants


@dataclass(frozen=True, slots=True)
class Branches:
    """How a message that is no answer is told, and what is said to it.

    Attributes:
        cues: words and phrases by kind of message.
        texts: by branch.
        questions: by name, those to the program that are not answered as any other is.
    """

    cues: Mapping[str, Texts]
    texts: Mapping[str, Variants]
    questions: Mapping[str, Question]


@dataclass(frozen=True, slots=True)
class Protocols:
    """All protocols of one locale.

    Attributes:
        locale: the language, and for Chinese the characters.
        frame: the skeleton.
        branches: what is said to whatever is no answer.
        own: by name of the file.
    """

    locale: Locale
    frame: Protocol
    branches: Branches
    own: Mapping[str, Protocol]

    @property
    def lang(self) -> Lang:
        """The language."""
        return "en" if self.locale == "en" else "zh"

    def named(self, name: str) -> Protocol | None:
        """The protocol of a name, or the frame; None when there is none."""
        return self.frame if name == FRAME else self.own.get(name)

    def of(self, strategy: Strategy, target: Distortion | None) -> Protocol:
        """The protocol of a strategy that fits a distortion best: one that names it comes first.

        Raises:
            DataError: the strategy has no protocol.
        """
        fitting = [
            (protocol.targets is None, len(protocol.targets or ()), protocol.name, protocol)
            for protocol in self.own.values()
            if protocol.strategy is strategy
            and (protocol.targets is None or target in protocol.targets)
        ]
        if not fitting:
            raise DataError(f"no protocol carries out {strategy.value}: add one to the scripts")
        return min(fitting, key=lambda entry: entry[:3])[3]

    def asked(self) -> Iterator[Asked]:
        """Every text by which an earlier turn is recognised."""
        for protocol in (self.frame, *self.own.values()):
            for step in protocol.steps:
                lists = ((None, step.ask), ("unknown", step.unknown), ("doubts", step.doubts))
                for branch, variants in lists:
                    yield from variants.asked(protocol.name, step.id, branch)
        for branch, variants in self.branches.texts.items():
            yield from variants.asked(None, None, branch)
        for question in self.branches.questions.values():
            yield from question.texts.asked(None, None, QUESTION)
