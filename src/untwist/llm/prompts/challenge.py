"""Distortions in how somebody takes an event, each with a challenge (CBTLlama, section 3.1.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from untwist.llm.prompts.answers import Fields
from untwist.llm.prompts.base import (
    Messages,
    Prompt,
    fenced,
    many,
    message,
    object_of,
    one_of,
    string,
    tidied,
)
from untwist.llm.prompts.labels import label_in, labels_of, listing
from untwist.schema import Json


@dataclass(frozen=True, slots=True)
class Challenged:
    """One distorted thought and what lets the person look at it again.

    Attributes:
        thought: in the first person.
        label: as its taxonomy spells it.
        challenge: words to the person.
    """

    thought: str
    label: str
    challenge: str

    def __post_init__(self) -> None:
        tidied(self, "thought", "label", "challenge")


@dataclass(frozen=True, slots=True)
class Worksheet:
    """A filled-in worksheet.

    Attributes:
        opening: that it makes sense to feel so.
        items: one per distorted thought; empty where there is none.
        closing: what to keep in mind.
    """

    opening: str
    items: tuple[Challenged, ...]
    closing: str

    def __post_init__(self) -> None:
        tidied(self, "opening", "closing")


@dataclass(frozen=True, slots=True)
class Challenge(Prompt[Worksheet]):
    """The question for a worksheet.

    Attributes:
        taxonomy: whose labels are asked for.

    Raises:
        DataError: there is no such taxonomy.
    """

    taxonomy: str = "worksheet-10"

    def __post_init__(self) -> None:
        labels_of(self.taxonomy)

    @property
    def name(self) -> str:
        """The name of its words."""
        return "challenge"

    @property
    def schema(self) -> Json:
        """opening, items of thought, label and challenge, closing."""
        words = self.words
        item = object_of(
            thought=string(words["thought"]),
            label=one_of(tuple(labels_of(self.taxonomy)), words["label"]),
            challenge=string(words["challenge"]),
        )
        return object_of(
            opening=string(words["opening"]), items=many(item), closing=string(words["closing"])
        )

    def messages(self, told: str, examples: Sequence[tuple[str, Worksheet]] = ()) -> Messages:
        """The question about an event.

        Args:
            told: what happened and how somebody takes it, in one text.
            examples: other such texts with their worksheets, shown first.
        """
        ways = self.words["ways"]
        said = [self._system(labels=listing(self.taxonomy, self.lang, ways))]
        for shown, worksheet in examples:
            said += [
                message("user", fenced("message", shown)),
                message("assistant", self.render(worksheet)),
            ]
        return (*said, message("user", fenced("message", told)))

    def read(self, fields: Fields) -> Worksheet:
        """See `Prompt.read`."""
        items = tuple(
            Challenged(
                one.prose("thought"),
                label_in(one.text("label"), self.taxonomy),
                one.prose("challenge"),
            )
            for one in fields.objects("items")
        )
        return Worksheet(fields.prose("opening"), items, fields.prose("closing"))

    def write(self, value: Worksheet) -> Json:
        """See `Prompt.write`."""
        return {
            "opening": value.opening,
            "items": [
                {"thought": one.thought, "label": one.label, "challenge": one.challenge}
                for one in value.items
            ],
            "closing": value.closing,
        }
