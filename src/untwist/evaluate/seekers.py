"""Scores by group of seekers, A to E: no distortion, mild, moderate, severe, high risk.

Source: CoPoLLM 5.3. Where a message carries no distortion, what is scored about the distortion does
not apply, and the cell says so instead of holding a number.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from untwist.errors import DataError
from untwist.evaluate.choose import SEEKERS
from untwist.evaluate.heat import heat_map
from untwist.evaluate.pictures import Picture
from untwist.evaluate.resample import RESAMPLES, Estimate, grouped_mean
from untwist.evaluate.tables import Table, bounds, number
from untwist.taxonomy import Distortion, Intensity, Risk

SEEKER_NAMES: Mapping[str, str] = {
    "A": "A no distortion",
    "B": "B mild",
    "C": "C moderate",
    "D": "D severe",
    "E": "E high risk",
}
"""What the groups are called in tables."""
COGNITIVE_SCALES = ("CogA", "BiaG")
"""Scales that do not apply to group A (CoPoLLM 5.3)."""
NOT_APPLICABLE = "n/a"
_OF_INTENSITY = {Intensity.MILD: "B", Intensity.MODERATE: "C", Intensity.SEVERE: "D"}


def seeker_of(
    distortions: Collection[Distortion] | None, intensity: Intensity | None, risk: Risk | None
) -> str | None:
    """The group of the writer of one message; None where the labels do not tell."""
    if risk is Risk.HIGH:
        return "E"
    if risk is None or distortions is None:
        return None
    if not distortions:
        return "A"
    return None if intensity is None else _OF_INTENSITY[intensity]


@dataclass(frozen=True, slots=True)
class SeekerCells:
    """Means by group of seekers and by scale, for one system.

    Attributes:
        system: which.
        cells: by group of seekers, then by scale; a scale that does not apply to the group is left
            out, one without a score has n = 0.
    """

    system: str
    cells: Mapping[str, Mapping[str, Estimate]]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        cells = {
            seeker: {scale: one.to_dict() for scale, one in row.items()}
            for seeker, row in self.cells.items()
        }
        return {"system": self.system, "cells": cells}


def seeker_cells(
    system: str,
    seekers: Sequence[str | None],
    scores: Mapping[str, Sequence[float | None]],
    groups: Sequence[str],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> SeekerCells:
    """Means of one system's scores in every group of seekers.

    Args:
        system: which.
        seekers: the group of each reply's message, as `seeker_of` gives it.
        scores: by scale, one for each reply; None where it is unscored.
        groups: what is drawn together for the intervals.
        rng: chance.
        resamples: how many.

    Raises:
        DataError: the lengths differ.
    """
    if any(len(column) != len(seekers) for column in (*scores.values(), groups)):
        raise DataError("give for each reply its seeker group, its group and its scores")

    def cell(seeker: str, column: Sequence[float | None]) -> Estimate:
        known = [
            (score, group)
            for score, group, own in zip(column, groups, seekers, strict=True)
            if own == seeker and score is not None
        ]
        values, held = [score for score, _ in known], [group for _, group in known]
        return grouped_mean(values, held, rng, resamples)

    return SeekerCells(
        system,
        {
            seeker: {
                scale: cell(seeker, column)
                for scale, column in scores.items()
                if not (seeker == "A" and scale in COGNITIVE_SCALES)
            }
            for seeker in SEEKERS
        },
    )


def seeker_table(cells: SeekerCells, scales: Sequence[str], title: str) -> Table:
    """One system as a table: a row for each group of seekers, a column for each scale."""
    rows = tuple(
        (SEEKER_NAMES[seeker], *(_told(row.get(scale)) for scale in scales))
        for seeker, row in cells.cells.items()
    )
    note = f"{NOT_APPLICABLE}: the scale does not apply. Intervals, 95 %, over groups of messages."
    return Table(title, ("seekers", *scales), rows, note)


def _told(cell: Estimate | None) -> str:
    if cell is None:
        return NOT_APPLICABLE
    ends = (cell.interval.low, cell.interval.high) if cell.interval else None
    return f"{number(cell.value)}{bounds(ends)} ({cell.n})"


def seeker_map(cells: SeekerCells, scales: Sequence[str], title: str) -> Picture:
    """One system as a heat map: seekers by scales.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    grid = [[_value(row.get(scale)) for scale in scales] for row in cells.cells.values()]
    names = [SEEKER_NAMES[seeker] for seeker in cells.cells]
    return heat_map(grid, names, scales, title, missing=NOT_APPLICABLE)


def _value(cell: Estimate | None) -> float | None:
    return None if cell is None else cell.value
