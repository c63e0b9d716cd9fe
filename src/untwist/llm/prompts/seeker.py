"""A person who seeks support, played by a model (CoPoLLM, section 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from untwist.errors import DataError, ParseError
from untwist.llm.prompts.answers import Fields, refuses
from untwist.llm.prompts.base import Messages, Prompt, message, tidied, words_of
from untwist.llm.prompts.event import Seed
from untwist.llm.structured import spoken
from untwist.schema import Json, Utterance
from untwist.taxonomy import Distortion, Intensity, Lang

LEAVES = "[LEAVES]"
"""What a model that speaks for a person writes when the person leaves."""

Danger = Literal["none", "told", "hidden"]


@dataclass(frozen=True, slots=True)
class Person:
    """Who is played.

    Attributes:
        distortions: the thoughts that are held, the strongest first.
        intensity: how strongly; None exactly when there is no thought.
        danger: whether the person is in danger, and says so at first.
        trust: in the listener, 0 to 1.
        facts: sex, age and the like; None leaves them to the model.

    Raises:
        DataError: a thought has no intensity, or trust is out of range.
    """

    distortions: tuple[Distortion, ...] = ()
    intensity: Intensity | None = None
    danger: Danger = "none"
    trust: float = 0.5
    facts: Seed | None = None

    def __post_init__(self) -> None:
        if bool(self.distortions) != (self.intensity is not None):
            raise DataError("a person has an intensity exactly when it has a distortion")
        if not 0 <= self.trust <= 1:
            raise DataError(f"trust is {self.trust}: it lies between 0 and 1")


@dataclass(frozen=True, slots=True)
class Said:
    """What the person writes next.

    Attributes:
        text: of the message; None when the person leaves.
    """

    text: str | None

    def __post_init__(self) -> None:
        if self.text is not None:
            tidied(self, "text")


@dataclass(frozen=True, slots=True)
class Seeker(Prompt[Said]):
    """The question for the person's next message; its answer is free text."""

    @property
    def name(self) -> str:
        """The name of its words."""
        return "seeker"

    @property
    def schema(self) -> None:
        """Free text."""
        return

    def messages(self, person: Person, talk: Sequence[Utterance] = ()) -> Messages:
        """The question.

        Args:
            person: who is played.
            talk: the conversation so far, the person's words and the listener's.
        """
        opening = message("user", self.words["opening"])
        said = [message("assistant" if one.role == "user" else "user", one.text) for one in talk]
        return message("system", instructions(person, self.lang)), opening, *said

    def parse(self, answer: str) -> Said:
        """What an answer says; see `Prompt.parse`."""
        text = spoken(answer)
        if LEAVES in text:
            return Said(None)
        if refuses(text):
            raise ParseError("the model declines", raw=answer, reason="refused")
        if not text:
            raise ParseError("the model said nothing for the person", raw=answer, reason="empty")
        try:
            return Said(text)
        except DataError as error:
            raise ParseError(f"seeker: {error}", raw=answer) from error

    def render(self, value: Said) -> str:
        """The answer that says a value."""
        return LEAVES if value.text is None else value.text

    def read(self, fields: Fields) -> Said:
        """See `Prompt.read`; for a log that keeps what was said as an object."""
        return Said(fields.maybe_text("text"))

    def write(self, value: Said) -> Json:
        """See `Prompt.write`."""
        return {"text": value.text}


def instructions(person: Person, lang: Lang) -> str:
    """What a model is told about whom it speaks for."""
    words, common = words_of("seeker", lang), words_of("common", lang)
    thoughts = words["plain"]
    if person.intensity is not None:
        kinds = common["after"].join(d.definition_in(lang) for d in person.distortions)
        told = person.intensity.definition_in(lang)
        thoughts = words["thoughts"].format(level=told, kinds=kinds)
    facts = words["facts"].format(facts=person.facts.facts(lang)) if person.facts else ""
    trust = words["trust"][min(int(person.trust * len(words["trust"])), len(words["trust"]) - 1)]
    whole: str = words["system"].format(
        facts=facts,
        thoughts=thoughts,
        danger=words["danger"][person.danger],
        trust=trust,
        never=common["never"],
        leaves=LEAVES,
    )
    return whole.strip()
