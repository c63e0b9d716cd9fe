"""Which of two replies to the same message does better, on each scale of a rubric.

Whoever judges leans to the reply that stands first, or to the one that stands last. So a pair is
asked about in both orders, and only what is said in both is taken (`untwist.evaluate.settled`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from untwist.llm.prompts.answers import Fields
from untwist.llm.prompts.base import (
    Messages,
    Prompt,
    fenced,
    message,
    object_of,
    one_of,
    string,
    tidied,
)
from untwist.llm.prompts.judge import Exchange, Judge, Rubric
from untwist.schema import Json


class Better(Enum):
    """Which of the two does better."""

    FIRST = "first"
    SECOND = "second"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Compared:
    """One scale of one comparison.

    Attributes:
        scale: its name in the rubric.
        why: the reason.
        better: None means undecided.
    """

    scale: str
    why: str
    better: Better | None

    def __post_init__(self) -> None:
        tidied(self, "why")


@dataclass(frozen=True, slots=True)
class Preference:
    """One comparison for each scale of a rubric, in its order."""

    compared: tuple[Compared, ...]


@dataclass(frozen=True, slots=True)
class Prefer(Prompt[Preference]):
    """The question for a comparison.

    Attributes:
        rubric: one of `RUBRICS`.

    Raises:
        DataError: there is no such rubric.
    """

    rubric: Rubric = "session"

    def __post_init__(self) -> None:
        Judge(self.lang, self.rubric)

    @property
    def name(self) -> str:
        """The name of the words."""
        return "prefer"

    @property
    def version(self) -> int:
        """Rises with its words and with the rubric's."""
        scales = Judge(self.lang, self.rubric).words["version"]
        return int(self.words["version"]) + int(scales) - 1

    @property
    def schema(self) -> Json:
        """For each scale why and better."""
        decision = one_of([one.value for one in Better], null=True)
        return object_of(
            **{
                name: object_of(why=string(self.words["why"]), better=decision)
                for name in self._scales
            }
        )

    @property
    def _scales(self) -> Mapping[str, object]:
        return Judge(self.lang, self.rubric).scales

    def messages(self, judged: Exchange, other: str) -> Messages:
        """The question about two replies.

        Args:
            judged: the message, what is known of the person's state, and the first reply.
            other: the second reply.
        """
        judge = Judge(self.lang, self.rubric)
        system = self._system(task=judge.words["task"], scales=judge.told)
        rows = [*judge.heard(judged), fenced("first", judged.reply), fenced("second", other)]
        return system, message("user", "\n".join(rows))

    def read(self, fields: Fields) -> Preference:
        """See `Prompt.read`."""
        found = []
        for name in self._scales:
            one = fields.object(name)
            found.append(Compared(name, one.text("why"), one.maybe_member("better", Better)))
        return Preference(tuple(found))

    def write(self, value: Preference) -> Json:
        """See `Prompt.write`."""
        return {
            one.scale: {"why": one.why, "better": one.better.value if one.better else None}
            for one in value.compared
        }
