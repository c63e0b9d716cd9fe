"""Policies without learning: what any learned policy must beat.

`MatrixPolicy` reads CoPoLLM's Table 8 and adapts to intensity; `AlwaysValidate` never does anything
but listen. Both obey the gate they are given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from untwist.errors import SafetyError
from untwist.policy.ranking import Ranked, match
from untwist.schema import START, Assessment, Choice, Grade, Session
from untwist.taxonomy import Distortion, Intensity, Strategy, row


@dataclass(frozen=True, slots=True)
class MatrixPolicy:
    """Gold strategy of the strongest finding; where it is mild, the first silver one.

    A mild distortion is answered more gently because confronting it costs reward (CoPoLLM Table 7,
    "mild and gold: -0.8"). Without a finding the answer is empathic validation.
    """

    name: str = "matrix@1"

    def choose(
        self, assessment: Assessment, allowed: frozenset[Strategy], session: Session = START
    ) -> Choice:
        """A strategy out of those allowed; what was said before does not matter.

        Raises:
            SafetyError: nothing is allowed.
        """
        for strategy, target, grade in _preferences(assessment):
            if strategy in allowed:
                return Choice(strategy, target, grade, self.name)
        return _whatever_is_allowed(allowed, self.name)

    def rank(
        self, assessment: Assessment, allowed: frozenset[Strategy], session: Session = START
    ) -> tuple[Ranked, ...]:
        """Those the matrix names for the strongest finding, then the others; forbidden ones last.

        There are no values: the matrix says which, not how much.
        """
        named = [strategy for strategy, _, _ in _preferences(assessment)]
        order = dict.fromkeys([*named, *Strategy])
        ranked = [Ranked(s, None, s in allowed, *match(s, assessment)) for s in order]
        return tuple(sorted(ranked, key=lambda one: not one.allowed))


@dataclass(frozen=True, slots=True)
class AlwaysValidate:
    """Empathic validation whatever is said; the floor every score is read against."""

    name: str = "always-validate@1"

    def choose(
        self, assessment: Assessment, allowed: frozenset[Strategy], session: Session = START
    ) -> Choice:
        """Empathic validation, or what the gate leaves.

        Raises:
            SafetyError: nothing is allowed.
        """
        if Strategy.EMPATHIC_VALIDATION in allowed:
            return Choice(Strategy.EMPATHIC_VALIDATION, None, "validation", self.name)
        return _whatever_is_allowed(allowed, self.name)


def _preferences(assessment: Assessment) -> Sequence[tuple[Strategy, Distortion | None, Grade]]:
    listening: tuple[Strategy, None, Grade] = (Strategy.EMPATHIC_VALIDATION, None, "validation")
    if not assessment.findings:
        return [listening]
    target = assessment.findings[0].distortion
    match = row(target)
    gold: tuple[Strategy, Distortion, Grade] = (match.gold, target, "gold")
    silver: list[tuple[Strategy, Distortion, Grade]] = [
        (strategy, target, "silver") for strategy in match.silver
    ]
    if assessment.intensity is Intensity.MILD:
        return [*silver, gold, listening]
    return [gold, *silver, listening]


def _whatever_is_allowed(allowed: frozenset[Strategy], name: str) -> Choice:
    if not allowed:
        raise SafetyError("the gate allows no strategy: show the help block")
    strategy = next(s for s in Strategy if s in allowed)
    safety = strategy is Strategy.CRISIS_INTERVENTION
    return Choice(strategy, None, "safety" if safety else "validation", name)
