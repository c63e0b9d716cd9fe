"""What people say of a reply: votes on three scales, their majority, and how far they agree.

Source: CoPoLLM C.4. Does the strategy match (0, 1), is the intervention adequate (-1 too little
empathy, 0 balanced, +1 too confronting), is risk handled (0, 1)?
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from untwist.errors import DataError
from untwist.evaluate.cells import Floats
from untwist.evaluate.resample import RESAMPLES, Interval, group_weights, percentiles

SCALES: dict[str, tuple[int, ...]] = {"match": (0, 1), "adequacy": (-1, 0, 1), "risk": (0, 1)}
"""The labels of a triple and their values (CoPoLLM C.4)."""


def majority(votes: Sequence[int | None]) -> int | None:
    """What most of those who voted said.

    Returns:
        None when nobody voted, or two values lead with equally many votes.
    """
    counts = Counter(vote for vote in votes if vote is not None).most_common(2)
    if not counts or (len(counts) == 2 and counts[0][1] == counts[1][1]):
        return None
    return counts[0][0]


@dataclass(frozen=True, slots=True)
class VoteAgreement:
    """How far voters agree on one scale, beyond chance.

    Attributes:
        rows: triples on which at least two voted.
        voters: how many there are in all.
        same: share of pairs of votes on one triple that are the same.
        kappa: Fleiss (1971), for any number of values and of voters; of two voters, Scott's pi.
            None when all say one and the same thing, or no triple has two votes.
        cohen: Cohen (1960), mean over pairs of voters who share triples; None as above.
        interval: of `kappa`, 95 %, by resampling triples; None when not known.
    """

    rows: int
    voters: int
    same: float | None
    kappa: float | None
    cohen: float | None
    interval: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "rows": self.rows,
            "voters": self.voters,
            "same": self.same,
            "kappa": self.kappa,
            "cohen": self.cohen,
            "interval": self.interval.to_dict() if self.interval else None,
        }


def vote_agreement(
    votes: Sequence[Sequence[int | None]],
    scale: str,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> VoteAgreement:
    """Agreement of voters on one scale.

    Args:
        votes: one row per triple, one column per voter; None where the voter did not judge.
        scale: one of `SCALES`.
        rng: the source of chance for the interval.
        resamples: how many.

    Raises:
        DataError: rows differ in length, or a vote is no value of the scale.
    """
    values = values_of(scale)
    voters = len(votes[0]) if votes else 0
    for row in votes:
        if len(row) != voters or any(v is not None and v not in values for v in row):
            raise DataError(f"votes on {scale}: give one of {values} or None for each voter")
    table = vote_table(votes, values)
    n = len(table)
    if not n:
        return VoteAgreement(0, voters, None, None, None, None)
    kappa, same = fleiss_of(table, np.ones((1, n)))
    drawn = [fleiss_of(table, w)[0] for w in group_weights(n, resamples, rng)]
    found = None if np.isnan(kappa[0]) else float(kappa[0])
    ends = percentiles(np.concatenate(drawn))
    return VoteAgreement(n, voters, float(same[0]), found, cohen_of_pairs(votes), ends)


def vote_table(votes: Sequence[Sequence[Hashable | None]], values: Sequence[Hashable]) -> Floats:
    """How often each value was given on each row that at least two voted on."""
    table = np.array([[row.count(v) for v in values] for row in votes], float)
    table = table.reshape(-1, len(values))
    kept: Floats = table[table.sum(axis=1) >= 2]
    return kept


def fleiss_of(table: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Fleiss' kappa and the share of equal pairs, for each weighting of the rows of a table.

    A row weighs the same however many votes it has; the kappa is NaN where all say one thing.
    """
    size = table.sum(axis=1)
    pairs = (table * (table - 1)).sum(axis=1) / (size * (size - 1))
    total = weights.sum(axis=1)
    same = weights @ pairs / total
    share = weights @ (table / size[:, None]) / total[:, None]
    chance = (share**2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(chance < 1, (same - chance) / (1 - chance), np.nan), same


def cohen_of_pairs(votes: Sequence[Sequence[Hashable | None]]) -> float | None:
    """Cohen's kappa, mean over the pairs of voters for whom it is known; None of no pair."""
    columns = list(zip(*votes, strict=True))
    found = []
    for a, first in enumerate(columns):
        for second in columns[a + 1 :]:
            both = [(x, y) for x, y in zip(first, second, strict=True) if None not in (x, y)]
            kappa = cohen_kappa([x for x, _ in both], [y for _, y in both])
            if kappa is not None:
                found.append(kappa)
    return float(np.mean(found)) if found else None


def cohen_kappa(
    first: Sequence[Hashable | None], second: Sequence[Hashable | None]
) -> float | None:
    """Cohen's kappa (1960) of two raters over any values.

    Returns:
        None of no row, or when both always say one and the same thing.

    Raises:
        DataError: they judged different numbers of rows.
    """
    if len(first) != len(second):
        raise DataError(f"{len(first)} answers against {len(second)}: give the same rows")
    n = len(first)
    if not n:
        return None
    same = sum(x == y for x, y in zip(first, second, strict=True)) / n
    one, other = Counter(first), Counter(second)
    chance = sum(one[value] * other[value] for value in one) / n**2
    return (same - chance) / (1 - chance) if chance < 1 else None


def values_of(scale: str) -> tuple[int, ...]:
    """The values of one scale.

    Raises:
        DataError: there is no such scale.
    """
    if scale not in SCALES:
        raise DataError(f'no scale "{scale}"; there are {", ".join(SCALES)}')
    return SCALES[scale]
