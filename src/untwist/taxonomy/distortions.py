"""The distortions, each with its English and Chinese name, aliases, definition and example.

The canonical set is `CANONICAL` (12). `COMPARING` and `NEGATIVE_EMOTION` exist in one corpus only,
and the second is not a distortion. "No distortion" is the empty set and never a member.
Source: Burns' list as CrossLinCD (2025), section 3, uses it.
"""

from __future__ import annotations

from enum import StrEnum

from untwist.taxonomy.words import Lang, Written, aliases, spoken


class Distortion(StrEnum):
    """One enum member, one slug. Code compares members, never names shown to people."""

    ALL_OR_NOTHING = "all_or_nothing"
    OVERGENERALIZATION = "overgeneralization"
    MENTAL_FILTER = "mental_filter"
    DISQUALIFYING_POSITIVE = "disqualifying_positive"
    MIND_READING = "mind_reading"
    FORTUNE_TELLING = "fortune_telling"
    MAGNIFICATION = "magnification"
    EMOTIONAL_REASONING = "emotional_reasoning"
    SHOULD_STATEMENTS = "should_statements"
    LABELING = "labeling"
    PERSONALIZATION = "personalization"
    BLAMING = "blaming"
    COMPARING = "comparing"
    NEGATIVE_EMOTION = "negative_emotion"

    def name_in(self, lang: Written) -> str:
        """The name shown to people, in English or Chinese."""
        return spoken("distortions", self.value, lang, "name")

    def aliases_in(self, lang: Lang) -> tuple[str, ...]:
        """Other names of the same distortion in the literature."""
        return aliases("distortions", self.value, lang)

    def definition_in(self, lang: Written) -> str:
        """One sentence that says what it is."""
        return spoken("distortions", self.value, lang, "definition")

    def example_in(self, lang: Written) -> str:
        """A thought that carries it, written for this project."""
        return spoken("distortions", self.value, lang, "example")


CORPUS_ONLY = frozenset({Distortion.COMPARING, Distortion.NEGATIVE_EMOTION})
CANONICAL: tuple[Distortion, ...] = tuple(d for d in Distortion if d not in CORPUS_ONLY)
