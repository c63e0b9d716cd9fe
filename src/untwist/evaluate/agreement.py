"""How far labellers agree on yes or no, beyond chance: two of them (Cohen), or more (Fleiss)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from untwist.errors import DataError
from untwist.evaluate.cells import as_cells
from untwist.evaluate.proportions import Share
from untwist.evaluate.resample import RESAMPLES, Interval


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two labellers on the same rows.

    Attributes:
        both: yes from both.
        first: yes from the first alone.
        second: yes from the second alone.
        neither: yes from neither.
        interval: of kappa, 95 %, by resampling rows; None when kappa is not known in any resample.
    """

    both: int
    first: int
    second: int
    neither: int
    interval: Interval | None

    @property
    def share(self) -> Share:
        """How often they say the same."""
        n = self.both + self.first + self.second + self.neither
        return Share(self.both + self.neither, n)

    @property
    def kappa(self) -> float | None:
        """Cohen's (1960); None when both always say one and the same thing, or of no row."""
        value = float(_kappa(np.array([[self.both, self.first, self.second, self.neither]]))[0])
        return None if np.isnan(value) else value

    def to_dict(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "both": self.both,
            "first_only": self.first,
            "second_only": self.second,
            "neither": self.neither,
            "agreement": self.share.to_dict(),
            "kappa": self.kappa,
            "kappa_interval": self.interval.to_dict() if self.interval else None,
        }


def agreement(
    pairs: Iterable[tuple[bool, bool]], rng: np.random.Generator, resamples: int = RESAMPLES
) -> Agreement:
    """Agreement of two labellers.

    Args:
        pairs: what the first and the second say of each row.
        rng: chance for the interval.
        resamples: of rows with replacement.
    """
    counts = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for pair in pairs:
        counts[pair] += 1
    both, first, second, neither = counts.values()
    interval = _interval(np.array([both, first, second, neither]), rng, resamples)
    return Agreement(both, first, second, neither, interval)


def pooled_agreement(
    first: ArrayLike, second: ArrayLike, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Agreement:
    """Agreement of two labellers over all cells of rows × labels as one pool.

    Args:
        first: (n, labels).
        second: (n, labels).
        rng: chance for the interval; whole rows are drawn, for the cells of one depend on each
            other.
        resamples: of rows with replacement.

    Raises:
        DataError: the shapes differ.
    """
    one, other, cells = as_cells(first, second, None)
    kinds = (one & other, one & ~other, ~one & other, ~one & ~other & cells)
    rows = np.stack([kind.sum(axis=1) for kind in kinds], axis=1)
    n = len(rows)
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=resamples) @ rows if n else rows
    both, yes, no, neither = (int(count) for count in rows.sum(axis=0))
    return Agreement(both, yes, no, neither, _percentiles(_kappa(drawn)))


@dataclass(frozen=True, slots=True)
class ManyAgreement:
    """Three labellers or more on the same rows.

    Attributes:
        labellers: how many.
        rows: how many rows each of them judged.
        kappa: Fleiss (1971); None when all say one and the same thing throughout, or of no row.
        interval: 95 %, by resampling rows; None when it is not known in any resample.
    """

    labellers: int
    rows: int
    kappa: float | None
    interval: Interval | None

    def to_dict(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "labellers": self.labellers,
            "rows": self.rows,
            "kappa": self.kappa,
            "kappa_interval": self.interval.to_dict() if self.interval else None,
        }


def fleiss_kappa(
    votes: ArrayLike, rng: np.random.Generator, resamples: int = RESAMPLES
) -> ManyAgreement:
    """Agreement of several labellers on yes or no.

    Args:
        votes: (n, labellers), true for yes; the order of the labellers does not matter.
        rng: chance for the interval.
        resamples: of rows with replacement.

    Raises:
        DataError: there are fewer than two labellers.
    """
    given = np.asarray(votes, bool)
    if given.ndim != 2 or given.shape[1] < 2:
        raise DataError("give the votes of two labellers or more, one column each")
    n, k = given.shape
    yes = given.sum(axis=1).astype(float)
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=resamples) if n else np.zeros((1, 0))
    value = float(_fleiss(np.ones((1, n)), yes, k)[0])
    interval = _percentiles(_fleiss(drawn, yes, k))
    return ManyAgreement(k, n, None if np.isnan(value) else value, interval)


def _fleiss(weights: NDArray[Any], yes: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """One kappa for each weighting of the rows (Fleiss 1971, equations 3 to 7)."""
    same = (yes * (yes - 1) + (k - yes) * (k - yes - 1)) / (k * (k - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        total = weights.sum(axis=1)
        seen = weights @ same / total
        share = weights @ yes / (total * k)
        chance = share**2 + (1 - share) ** 2
        return np.where(chance < 1.0, (seen - chance) / (1.0 - chance), np.nan)


def _percentiles(values: NDArray[np.float64]) -> Interval | None:
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    low, high = np.percentile(known, (2.5, 97.5))
    return Interval(float(low), float(high), len(known))


def _interval(
    table: NDArray[np.int64], rng: np.random.Generator, resamples: int
) -> Interval | None:
    n = int(table.sum())
    if not n:
        return None
    return _percentiles(_kappa(rng.multinomial(n, table / n, size=resamples)))


def _kappa(tables: NDArray[np.int64]) -> NDArray[np.float64]:
    """One kappa per row of (both, first, second, neither); NaN where it is not known."""
    both, first, second, neither = tables.T.astype(float)
    n = both + first + second + neither
    with np.errstate(divide="ignore", invalid="ignore"):
        seen = (both + neither) / n
        chance = ((both + first) * (both + second) + (neither + first) * (neither + second)) / n**2
        # by chance alone they would agree always: nothing is left to measure
        return np.where(chance < 1.0, (seen - chance) / (1.0 - chance), np.nan)
