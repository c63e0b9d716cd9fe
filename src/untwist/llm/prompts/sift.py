"""Whether a dialogue carries any distortion: the first pass before annotation (CoPoLLM 3)."""

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
    spoken,
    string,
    tidied,
)
from untwist.llm.prompts.labels import labels_of, listing
from untwist.schema import Json, Utterance


@dataclass(frozen=True, slots=True)
class Sifted:
    """What the first pass says of a dialogue.

    Attributes:
        why: one sentence.
        distorted: whether any message of the person carries a distortion.
    """

    why: str
    distorted: bool

    def __post_init__(self) -> None:
        tidied(self, "why")


@dataclass(frozen=True, slots=True)
class Sift(Prompt[Sifted]):
    """The question of the first pass.

    Attributes:
        taxonomy: whose labels count.

    Raises:
        DataError: there is no such taxonomy.
    """

    taxonomy: str = "beck-8"

    def __post_init__(self) -> None:
        labels_of(self.taxonomy)

    @property
    def name(self) -> str:
        """The name of its words."""
        return "sift"

    @property
    def schema(self) -> Json:
        """why, distorted."""
        about = self.words["distorted"]
        return object_of(
            why=string(self.words["why"]), distorted={"type": "boolean", "description": about}
        )

    def messages(self, said: Sequence[Utterance]) -> Messages:
        """The question about a whole dialogue."""
        system = self._system(labels=listing(self.taxonomy, self.lang))
        return system, message("user", fenced("dialogue", spoken(said, self.lang)))

    def read(self, fields: Fields) -> Sifted:
        """See `Prompt.read`."""
        return Sifted(fields.prose("why"), fields.flag("distorted"))

    def write(self, value: Sifted) -> Json:
        """See `Prompt.write`."""
        return {"why": value.why, "distorted": value.distorted}
