"""Krippendorff's alpha: agreement of any number of coders, with gaps, on values of any kind.

Source: Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability"; for sets the distance of
Passonneau (2006), "Measuring Agreement on Set-valued Items (MASI)".
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from untwist.errors import DataError
from untwist.evaluate.cells import Floats
from untwist.evaluate.resample import RESAMPLES, Interval, group_weights, percentiles

Metric = Literal["nominal", "ordinal", "interval", "masi"]
"""How far two values are apart: equal or not; by ranks between; by numbers; as sets."""


@dataclass(frozen=True, slots=True)
class Alpha:
    """Agreement beyond chance.

    Attributes:
        value: 1 when all agree, 0 as by chance, below 0 for more disagreement than by chance; None
            when only one value was ever given, or no unit was judged twice.
        interval: 95 %, by resampling units; None when not known.
        units: judged by two coders or more; the others tell nothing and are left out.
        judgements: in those units.
        metric: the distance.
    """

    value: float | None
    interval: Interval | None
    units: int
    judgements: int
    metric: Metric

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "value": self.value,
            "interval": self.interval.to_dict() if self.interval else None,
            "units": self.units,
            "judgements": self.judgements,
            "metric": self.metric,
        }


def krippendorff_alpha(
    ratings: Sequence[Sequence[Hashable | None]],
    metric: Metric,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    values: Sequence[Hashable] | None = None,
) -> Alpha:
    """Agreement of coders on units.

    Args:
        ratings: one row per unit; None where a coder did not judge. Rows may differ in length, for
            it does not matter who judged.
        metric: "ordinal" needs `values`, "interval" numbers, "masi" frozensets.
        rng: the source of chance for the interval.
        resamples: of units with replacement.
        values: all that could be given, the lowest first; None takes those that were given.

    Raises:
        DataError: a value is not among `values`, or does not fit the metric.
    """
    units = [given for row in ratings if len(given := [v for v in row if v is not None]) > 1]
    known = list(values) if values is not None else sorted({v for u in units for v in u}, key=repr)
    if metric == "ordinal" and values is None:
        raise DataError("ordinal values need their order: give all of them, the lowest first")
    if not units:
        return Alpha(None, None, 0, 0, metric)
    counts = _counts(units, known)
    distance = _DISTANCES[metric](known)
    value = float(_alphas(counts, np.ones((1, len(units))), distance)[0])
    drawn = [_alphas(counts, w, distance) for w in group_weights(len(units), resamples, rng)]
    ends = percentiles(np.concatenate(drawn)) if drawn else None
    found = None if np.isnan(value) else value
    return Alpha(found, ends if found is not None else None, len(units), int(counts.sum()), metric)


def masi(one: frozenset[Any], other: frozenset[Any]) -> float:
    """Distance of two sets, 0 when equal to 1 when disjoint: 1 - Jaccard × monotonicity.

    Monotonicity is 1 for equal sets, 2/3 when one holds the other, 1/3 when they only overlap.
    An empty set and another have nothing in common.
    """
    if one == other:
        return 0.0
    shared = len(one & other)
    weight = 2 / 3 if one <= other or other <= one else 1 / 3
    return 1 - weight * shared / len(one | other)


_Distance = Callable[[Floats], Floats]
"""From how often each value occurs, shape (resamples, values), to squared distances, shape
(1 or resamples, values, values)."""


def _nominal(values: Sequence[Any]) -> _Distance:
    return _fixed(1.0 - np.eye(len(values)))


def _interval(values: Sequence[Any]) -> _Distance:
    if not all(isinstance(value, int | float) for value in values):
        raise DataError("the interval metric needs numbers")
    numbers = np.array(values, float)
    return _fixed((numbers[:, None] - numbers[None, :]) ** 2)


def _masi(values: Sequence[Any]) -> _Distance:
    if not all(isinstance(value, frozenset) for value in values):
        raise DataError("the masi metric needs sets")
    return _fixed(np.array([[masi(a, b) for b in values] for a in values]))


def _fixed(distances: Floats) -> _Distance:
    return lambda _: distances[None]


def _ordinal(values: Sequence[Any]) -> _Distance:
    def distances(totals: Floats) -> Floats:
        # the values from one to the other, both ends counted half: how many ranks lie between
        middle = np.cumsum(totals, axis=1) - totals / 2
        return (middle[:, :, None] - middle[:, None, :]) ** 2

    return distances


_DISTANCES: dict[Metric, Callable[[Sequence[Any]], _Distance]] = {
    "nominal": _nominal,
    "ordinal": _ordinal,
    "interval": _interval,
    "masi": _masi,
}


def _counts(units: Sequence[Sequence[Hashable]], values: Sequence[Hashable]) -> Floats:
    """How often each value was given in each unit, shape (units, values)."""
    place = {value: n for n, value in enumerate(values)}
    counts = np.zeros((len(units), len(values)))
    for row, unit in enumerate(units):
        for value in unit:
            if value not in place:
                raise DataError(f"unit {row + 1} has a value that is not among the {len(values)}")
            counts[row, place[value]] += 1
    return counts


def _alphas(counts: Floats, weights: Floats, distance: _Distance) -> Floats:
    """One alpha for each weighting of the units; NaN where only one value is left."""
    totals = weights @ counts
    far = distance(totals)
    n = totals.sum(axis=1)
    size = counts.sum(axis=1)
    if len(far) == 1:
        inside = np.einsum("uc,ck,uk->u", counts, far[0], counts, optimize=True) / (size - 1)
        seen = weights @ inside
        chance = ((totals @ far[0]) * totals).sum(axis=1)
    else:
        pairs = np.einsum("uc,uk->uck", counts, counts) / (size - 1)[:, None, None]
        spread = (weights @ pairs.reshape(len(counts), -1)).reshape(far.shape)
        seen = (spread * far).sum(axis=(1, 2))
        chance = np.einsum("rc,rck,rk->r", totals, far, totals)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(chance > 0, 1 - (n - 1) * seen / chance, np.nan)
