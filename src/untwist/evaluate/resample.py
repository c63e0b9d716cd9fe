"""Resampling whole groups: dialogues, personas or episodes, never rows of one group apart.

Sums are added up per group once; a resample is then a weighting of groups, and all resamples are a
few matrix products.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from untwist.errors import DataError
from untwist.evaluate.cells import Floats, known

LEVEL = 0.95
"""Coverage of the intervals."""

RESAMPLES = 1_000
_CELLS_AT_ONCE = 4_000_000
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""Student's t at 97.5 % for 1 to 9 degrees of freedom."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A percentile interval.

    Attributes:
        low: its 2.5th percentile.
        high: its 97.5th percentile.
        resamples: in how many resamples the score was known.
    """

    low: float
    high: float
    resamples: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better the first of two predictions is on the same rows.

    Attributes:
        value: first minus second on all rows.
        interval: of the difference.
        p: two-sided bootstrap p-value, twice the smaller share of resamples on either side of 0,
            counted with one added so that it is never 0.
    """

    value: float
    interval: Interval
    p: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Difference:
        """From JSON values."""
        return cls(data["value"], Interval(**data["interval"]), data["p"])


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean or a share, with its interval.

    Attributes:
        value: None when there is nothing to take it of.
        interval: 95 %, over groups; None with fewer than two groups.
        n: over how many rows.
    """

    value: float | None
    interval: Interval | None
    n: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        ends = self.interval.to_dict() if self.interval else None
        return {"value": self.value, "interval": ends, "n": self.n}


@dataclass(frozen=True, slots=True)
class Runs:
    """One score over runs that differ in their seed alone, the run being the unit.

    Attributes:
        values: one for each run.
        mean: over the runs.
        sd: standard deviation with n - 1; None of one run.
        interval: 95 %, by Student's t with n - 1 degrees of freedom (9 where there are more); None
            of one run.
    """

    values: tuple[float, ...]
    mean: float
    sd: float | None
    interval: tuple[float, float] | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "values": list(self.values),
            "mean": self.mean,
            "sd": self.sd,
            "interval": list(self.interval) if self.interval else None,
        }


def over_runs(values: Sequence[float]) -> Runs:
    """Mean, spread and interval of a score over runs.

    Raises:
        DataError: there is no run, or a value is not finite.
    """
    given = np.asarray(values, float)
    if given.ndim != 1 or not given.size or not np.isfinite(given).all():
        raise DataError("give one finite value for each run, of one run at least")
    mean, runs = float(given.mean()), tuple(given.tolist())
    if given.size == 1:
        return Runs(runs, mean, None, None)
    sd = float(given.std(ddof=1))
    half = _T[min(given.size, len(_T) + 1) - 2] * sd / float(np.sqrt(given.size))
    return Runs(runs, mean, sd, (mean - half, mean + half))


def group_codes(groups: Sequence[str]) -> tuple[NDArray[np.intp], int]:
    """The number of each row's group, and how many groups there are."""
    names, code = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    return code.astype(np.intp), names.size


def group_sums(values: ArrayLike, code: NDArray[np.intp], n: int) -> Floats:
    """Values (rows, columns) added up by group: (n, columns)."""
    given = np.asarray(values)
    columns = [np.bincount(code, given[:, c], n) for c in range(given.shape[1])]
    return np.stack(columns, axis=1) if columns else np.zeros((n, 0))


def group_weights(n: int, resamples: int, rng: np.random.Generator) -> Iterator[Floats]:
    """How often each group is drawn, a few resamples at a time to bound the memory."""
    step = max(1, _CELLS_AT_ONCE // n)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = rng.integers(n, size=(rows, n)) + n * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(float)


def percentiles(values: Floats) -> Interval | None:
    """The interval of the resamples' values; None when all of them are NaN."""
    sure = values[~np.isnan(values)]
    if not sure.size:
        return None
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(sure, [tail, 1 - tail])
    return Interval(float(low), float(high), sure.size)


def difference(value: float, values: Floats) -> Difference | None:
    """A difference from that on all rows and those of the resamples; None when not known."""
    interval = percentiles(values)
    if interval is None or np.isnan(value):
        return None
    sure = values[~np.isnan(values)]
    side = min(int((sure <= 0).sum()), int((sure >= 0).sum()))
    return Difference(float(value), interval, min(1.0, 2 * (side + 1) / (sure.size + 1)))


def grouped_mean(
    values: ArrayLike,
    groups: Sequence[str],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Estimate:
    """The mean of rows, with an interval over their groups.

    Args:
        values: (n,), finite.
        groups: the group of each row; whole groups are drawn, with replacement.
        rng: the source of chance.
        resamples: how many.

    Raises:
        DataError: the lengths differ, or a value is not finite.
    """
    given = _finite(values, len(groups))
    code, n = group_codes(groups)
    if not given.size:
        return Estimate(None, None, 0)
    interval = None if n < 2 else percentiles(_means(given, code, n, rng, resamples))
    return Estimate(known(given.mean()), interval, given.size)


def paired_means(
    first: ArrayLike,
    second: ArrayLike,
    groups: Sequence[str],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Difference | None:
    """First minus second on the same rows, with an interval over groups.

    Args:
        first: (n,), finite.
        second: (n,), finite, the same rows.
        groups: the group of each row.
        rng: the source of chance.
        resamples: how many.

    Returns:
        None with fewer than two groups.

    Raises:
        DataError: the lengths differ, or a value is not finite.
    """
    gap = _finite(first, len(groups)) - _finite(second, len(groups))
    code, n = group_codes(groups)
    if n < 2:
        return None
    return difference(float(gap.mean()), _means(gap, code, n, rng, resamples))


def _finite(values: ArrayLike, n: int) -> Floats:
    given = np.asarray(values, float)
    if given.shape != (n,) or not np.isfinite(given).all():
        raise DataError(f"give one finite number for each of the {n} rows, not {given.shape}")
    return given


def _means(
    values: Floats, code: NDArray[np.intp], n: int, rng: np.random.Generator, resamples: int
) -> Floats:
    totals = group_sums(np.stack([values, np.ones(values.size)], axis=1), code, n)
    drawn = [(w @ totals) for w in group_weights(n, resamples, rng)]
    both = np.concatenate(drawn)
    return np.asarray(both[:, 0] / both[:, 1])
