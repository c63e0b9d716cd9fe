"""Fills a worksheet with what a conversation has gathered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from untwist.respond.columns import NUMBERS, Note
from untwist.respond.state import Progress
from untwist.respond.worksheet import (
    Continuum,
    CostBenefit,
    Experiment,
    ResponsibilityPie,
    ThoughtRecord,
    Worksheet,
)
from untwist.taxonomy import Strategy

_BY_STRATEGY: Mapping[Strategy, type[Worksheet]] = {
    Strategy.FINDING_THE_GRAY: Continuum,
    Strategy.REALITY_TESTING: Experiment,
    Strategy.COST_BENEFIT: CostBenefit,
    Strategy.REATTRIBUTION: ResponsibilityPie,
}
_RATINGS = {"emotion_before": "emotions"}
"""Columns whose rating a conversation keeps under another name."""


def worksheet_of(state: Progress, kind: type[Worksheet] | None = None) -> Worksheet:
    """The worksheet that a conversation has filled so far.

    Args:
        state: how far the conversation has come.
        kind: which worksheet; None takes the one of the strategy that was worked with, and the
            thought record where that has none of its own.

    Returns:
        A new value. An answer that has no column in it is kept as a note, so that nothing that
        was said gets lost.
    """
    sheet = kind or (_BY_STRATEGY.get(state.strategy) if state.strategy else None) or ThoughtRecord
    found: dict[str, Any] = {}
    for name in sheet.columns:
        value = _answered(state, name)
        if value is not None:
            found[name] = value
    return sheet(**found, notes=_beside(state, sheet))


def _answered(state: Progress, name: str) -> Any:  # noqa: ANN401
    """What a conversation has for a column; None when it has nothing."""
    if name in NUMBERS:
        return state.ratings.get(_RATINGS.get(name, name))
    if name == "factors":
        return state.shares or None
    if name == "distortion":
        return state.target if state.agreed else None
    if name == "automatic_thought":
        return state.answer(name) or state.thought
    return state.answer(name)


def _beside(state: Progress, sheet: type[Worksheet]) -> tuple[Note, ...]:
    """Answers without a column; numbers are in words only where they have no column either."""
    notes = [
        Note(name, "\n".join(said))
        for name, said in state.answers.items()
        if said and name not in sheet.columns
    ]
    held = {_RATINGS.get(name, name) for name in sheet.columns}
    notes += [Note(name, str(number)) for name, number in state.ratings.items() if name not in held]
    if state.shares and "factors" not in sheet.columns:
        slices = ", ".join(f"{share.factor} {share.percent:g}" for share in state.shares)
        notes.append(Note("factors", slices))
    return tuple(notes)
