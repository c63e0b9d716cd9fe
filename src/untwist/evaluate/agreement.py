"""How far two labellers agree on yes or no, beyond chance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from untwist.evaluate.bootstrap import RESAMPLES, Interval
from untwist.evaluate.proportions import Share


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


def _interval(
    table: NDArray[np.int64], rng: np.random.Generator, resamples: int
) -> Interval | None:
    n = int(table.sum())
    if not n:
        return None
    values = _kappa(rng.multinomial(n, table / n, size=resamples))
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    low, high = np.percentile(known, (2.5, 97.5))
    return Interval(float(low), float(high), len(known))


def _kappa(tables: NDArray[np.int64]) -> NDArray[np.float64]:
    """One kappa per row of (both, first, second, neither); NaN where it is not known."""
    both, first, second, neither = tables.T.astype(float)
    n = both + first + second + neither
    with np.errstate(divide="ignore", invalid="ignore"):
        seen = (both + neither) / n
        chance = ((both + first) * (both + second) + (neither + first) * (neither + second)) / n**2
        # by chance alone they would agree always: nothing is left to measure
        return np.where(chance < 1.0, (seen - chance) / (1.0 - chance), np.nan)
