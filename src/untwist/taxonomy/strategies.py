"""The action space: ten CBT strategies, and what each asks of the speaker.

Source: CoPoLLM (2026), Table 8 and section 4.
"""

from __future__ import annotations

from enum import StrEnum

from untwist.taxonomy.words import Written, spoken, words


class Strategy(StrEnum):
    """The ten strategies in the order of their action ids A0 to A9."""

    EMPATHIC_VALIDATION = "empathic_validation"
    FINDING_THE_GRAY = "finding_the_gray"
    EXAMINE_EVIDENCE = "examine_evidence"
    REALITY_TESTING = "reality_testing"
    DECATASTROPHIZING = "decatastrophizing"
    COST_BENEFIT = "cost_benefit"
    REATTRIBUTION = "reattribution"
    BEHAVIOR_VS_IDENTITY = "behavior_vs_identity"
    FEELINGS_VS_FACTS = "feelings_vs_facts"
    CRISIS_INTERVENTION = "crisis_intervention"

    @property
    def action_id(self) -> str:
        """The paper's name of the action, "A0" to "A9"."""
        found: str = words()["strategies"][self.value]["id"]
        return found

    def name_in(self, lang: Written) -> str:
        """The name shown to people, in English or Chinese."""
        return spoken("strategies", self.value, lang, "name")

    def speaker_in(self, lang: Written) -> str:
        """What the speaker does under this strategy."""
        return spoken("strategies", self.value, lang, "speaker")
