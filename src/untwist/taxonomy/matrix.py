"""Which strategy suits which distortion: gold and silver, each row with its source.

Eight rows are CoPoLLM's Table 8; four rows are our own, for the labels Beck's eight lack, and no
clinician has reviewed them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from untwist.errors import DataError
from untwist.taxonomy.distortions import CANONICAL, Distortion
from untwist.taxonomy.strategies import Strategy
from untwist.taxonomy.words import words


@dataclass(frozen=True, slots=True)
class Row:
    """The strategies for one distortion.

    Attributes:
        gold: the best match.
        silver: acceptable matches, best first.
        source: where the row comes from.
    """

    gold: Strategy
    silver: tuple[Strategy, ...]
    source: str


@cache
def matrix() -> dict[Distortion, Row]:
    """All rows, one per canonical distortion."""
    rows = words()["matrix"]
    return {
        d: Row(
            Strategy(rows[d.value]["gold"]),
            tuple(Strategy(s) for s in rows[d.value]["silver"]),
            rows[d.value]["source"],
        )
        for d in CANONICAL
    }


def row(distortion: Distortion) -> Row:
    """The row of one distortion.

    Raises:
        DataError: the label exists in one corpus only and has no row.
    """
    found = matrix().get(distortion)
    if found is None:
        raise DataError(
            f"{distortion.value} has no strategy: it is a corpus label, not one of the 12"
        )
    return found
