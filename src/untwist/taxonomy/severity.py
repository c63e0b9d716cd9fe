"""How strong a distortion is, how much risk a message carries, and of which kind.

Source: CoPoLLM (2026), appendix A (intensity and risk levels); the acuity set is ours (SAFETY.md).
"""

from __future__ import annotations

from enum import Enum, StrEnum
from functools import total_ordering

from untwist.taxonomy.words import Written, spoken


class _Ordered(Enum):
    """Members compare by the order in which they are declared, never by their spelling."""

    @property
    def rank(self) -> int:
        """Position in the scale, 0 for the lowest member."""
        return type(self)._member_names_.index(self._name_)

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return self.rank < other.rank


@total_ordering
class Intensity(_Ordered):
    """How strongly a distortion is held. `None` in its place means: not judged."""

    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"

    def name_in(self, lang: Written) -> str:
        """The name shown to people, in English or Chinese."""
        return spoken("intensities", self.value, lang, "name")

    def definition_in(self, lang: Written) -> str:
        """One sentence: how strongly it is held then."""
        return spoken("intensities", self.value, lang, "definition")


@total_ordering
class Risk(_Ordered):
    """CoPoLLM's four levels of a message: to compare systems by, not a verdict on a person.

    Never shown to the writer of the message; `Acuity` drives the reply.
    """

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    def name_in(self, lang: Written) -> str:
        """The name in English or Chinese, for researchers' tables."""
        return spoken("risks", self.value, lang, "name")

    def definition_in(self, lang: Written) -> str:
        """One sentence: what a message of this level speaks of."""
        return spoken("risks", self.value, lang, "definition")


class Acuity(StrEnum):
    """What kind of danger a message speaks of; several may hold at once."""

    PASSIVE = "passive"
    ACTIVE = "active"
    PLAN_OR_INTENT = "plan_or_intent"
    ACTION_TAKEN = "action_taken"
    PSYCHOSIS = "psychosis"
    HARM_TO_OTHERS = "harm_to_others"
    IN_DANGER_FROM_OTHER = "in_danger_from_other"
    MEDICAL = "medical"
    SELF_INJURY = "self_injury"
    THIRD_PARTY = "third_party"
