"""Strategies in the order in which a policy would take them, and what each would be for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from untwist.schema import START, Assessment, Grade, Session
from untwist.taxonomy import CANONICAL, Distortion, Strategy, row


@dataclass(frozen=True, slots=True)
class Ranked:
    """One strategy as a policy sees it for one message.

    Attributes:
        strategy: which.
        value: the expected discounted reward from here on (the raw action value); None for a policy
            without values.
        allowed: whether the gate leaves it open.
        target: the distortion it suits; None when it suits none of those found.
        grade: gold or silver for the target, "safety" for crisis intervention, else "validation".
    """

    strategy: Strategy
    value: float | None
    allowed: bool
    target: Distortion | None
    grade: Grade


@runtime_checkable
class Ranker(Protocol):
    """A policy that can say how it ranks every strategy."""

    def rank(
        self, assessment: Assessment, allowed: frozenset[Strategy], session: Session = START
    ) -> tuple[Ranked, ...]:
        """Every strategy, the best first, the forbidden ones among them or last."""


def match(strategy: Strategy, assessment: Assessment) -> tuple[Distortion | None, Grade]:
    """What a strategy is for: the strongest finding that it is gold for, else silver for."""
    if strategy is Strategy.CRISIS_INTERVENTION:
        return None, "safety"
    found = [f.distortion for f in assessment.findings if f.distortion in CANONICAL]
    for distortion in found:
        if row(distortion).gold is strategy:
            return distortion, "gold"
    for distortion in found:
        if strategy in row(distortion).silver:
            return distortion, "silver"
    return None, "validation"
