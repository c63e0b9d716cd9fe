"""What all scores share: arrays of one shape, and quotients and means that may be unknown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from untwist.errors import DataError

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over classes.

    Attributes:
        value: None when no class has a value.
        classes: over how many classes.
    """

    value: float | None
    classes: int


def as_cells(gold: ArrayLike, predicted: ArrayLike, mask: ArrayLike | None) -> tuple[Bools, ...]:
    """Gold, prediction and mask as boolean arrays of one shape (n, labels).

    Raises:
        DataError: the shapes differ or are not two-dimensional.
    """
    one, other = np.asarray(gold, bool), np.asarray(predicted, bool)
    cells = np.ones(one.shape, bool) if mask is None else np.asarray(mask, bool)
    require_shapes(one, other, cells)
    return one, other, cells


def as_chances(
    gold: ArrayLike, probabilities: ArrayLike, mask: ArrayLike | None
) -> tuple[Bools, Floats, Bools]:
    """Gold, probabilities and mask as arrays of one shape (n, labels).

    Raises:
        DataError: the shapes differ, or an unmasked probability is not within 0 to 1.
    """
    truth, given = np.asarray(gold, bool), np.asarray(probabilities, float)
    cells = np.ones(truth.shape, bool) if mask is None else np.asarray(mask, bool)
    require_shapes(truth, given, cells)
    if not ((given[cells] >= 0) & (given[cells] <= 1)).all():
        raise DataError("a probability is not a number from 0 to 1")
    return truth, given, cells


def require_shapes(*arrays: NDArray[Any]) -> None:
    """Check that arrays are two-dimensional and of one shape.

    Raises:
        DataError: they are not.
    """
    shapes = {array.shape for array in arrays}
    if len(shapes) != 1 or arrays[0].ndim != 2:
        raise DataError(f"arrays must share one shape (rows, labels), not {sorted(shapes)}")


def as_flags(flags: ArrayLike | None, rows: int, default: bool) -> Bools:
    """One flag per row; `default` for every row when there are none.

    Raises:
        DataError: there are more or fewer flags than rows.
    """
    given = np.full(rows, default) if flags is None else np.asarray(flags, bool)
    if given.shape != (rows,):
        raise DataError(f"{given.size} flags for {rows} rows")
    return given


def ratio(over: float, under: float) -> float | None:
    """A quotient; None when it is over 0."""
    return float(over) / float(under) if under else None


def known(value: float) -> float | None:
    """The number itself; None for NaN."""
    return None if np.isnan(value) else float(value)


def mean(values: Iterable[float | None]) -> Mean:
    """The mean of what is known."""
    given = [value for value in values if value is not None]
    return Mean(ratio(sum(given), len(given)), len(given))
