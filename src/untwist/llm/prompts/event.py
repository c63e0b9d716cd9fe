"""A triggering event from a persona and one feeling (CBTLlama, section 3.1.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from untwist.llm.prompts.answers import Fields
from untwist.llm.prompts.base import (
    Messages,
    Prompt,
    fenced,
    message,
    object_of,
    string,
    tidied,
    words_of,
)
from untwist.schema import Json
from untwist.taxonomy import Lang

_FACTS = ("sex", "age", "occupation", "relationship", "emotion")


def emotions(lang: Lang) -> tuple[str, ...]:
    """The paper's forty negative emotions; the n-th is the same in both languages."""
    return tuple(words_of("event", lang)["emotions"])


@dataclass(frozen=True, slots=True)
class Seed:
    """Who an event happens to, and what it stirs; in the language of the prompt.

    Attributes:
        sex: as it is told.
        age: in years.
        occupation: what the person does.
        relationship: whether there is a partner.
        emotion: one of `emotions`, or any other.
    """

    sex: str
    age: int
    occupation: str
    relationship: str
    emotion: str

    def __post_init__(self) -> None:
        tidied(self, "sex", "occupation", "relationship", "emotion")

    def facts(self, lang: Lang) -> str:
        """The five facts, a line each."""
        names = words_of("event", lang)["facts"]
        return "\n".join(f"{names[fact]}{getattr(self, fact)}" for fact in _FACTS)


@dataclass(frozen=True, slots=True)
class Event:
    """What happened, and how somebody takes it.

    Attributes:
        event: in the first person.
        thoughts: in the first person.
    """

    event: str
    thoughts: str

    def __post_init__(self) -> None:
        tidied(self, "event", "thoughts")

    def text(self, lang: Lang) -> str:
        """Both, as one message."""
        after: str = words_of("common", lang)["after"]
        return after.join((self.event, self.thoughts))


@dataclass(frozen=True, slots=True)
class TriggeringEvent(Prompt[Event]):
    """The question for an event."""

    @property
    def name(self) -> str:
        """The name of its words."""
        return "event"

    @property
    def schema(self) -> Json:
        """event, thoughts."""
        return object_of(event=string(self.words["event"]), thoughts=string(self.words["thoughts"]))

    def messages(self, seed: Seed, seen: Sequence[str] = ()) -> Messages:
        """The question.

        Args:
            seed: whom it happens to.
            seen: events that it must not resemble.
        """
        shown = "\n".join(fenced("scene", one) for one in seen)
        avoid = self.words["avoid"].format(seen=shown) if seen else ""
        return self._system(), message("user", f"{seed.facts(self.lang)}\n{avoid}")

    def read(self, fields: Fields) -> Event:
        """See `Prompt.read`."""
        return Event(fields.prose("event"), fields.prose("thoughts"))

    def write(self, value: Event) -> Json:
        """See `Prompt.write`."""
        return {"event": value.event, "thoughts": value.thoughts}
