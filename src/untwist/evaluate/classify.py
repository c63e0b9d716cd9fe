"""Scores of a multi-label detector against gold, on the cells that the corpus can carry.

Rows are texts, columns are labels. `mask` says which cells count (None: all of them); what is
predicted on a masked cell is discarded at no cost. All-zero rows are in, "none" is not a label, the
micro count is one pool over rows × unmasked cells (CrossLinCD 5.3 and its released scorer).

What cannot be known is None, never 0: a class without gold labels has no recall and no F1, a class
that is never predicted has no precision, and a mean says over how many classes it was taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from untwist.errors import DataError

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over classes.

    Attributes:
        value: None when no class has a value.
        classes: over how many classes.
    """

    value: float | None
    classes: int


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One label.

    Attributes:
        support: gold labels on unmasked cells.
        cells: unmasked cells.
        precision: None when the label was never predicted.
        recall: None without support.
        f1: None without support; 0 when it has support and was never hit.
        kappa: Cohen's; None when gold and prediction are both constant and equal, or no cell.
    """

    support: int
    cells: int
    precision: float | None
    recall: float | None
    f1: float | None
    kappa: float | None


@dataclass(frozen=True, slots=True)
class Scores:
    """All scores of one prediction.

    Attributes:
        rows: rows with at least one unmasked cell.
        cells: unmasked cells.
        support: gold labels on them.
        micro_precision: None when nothing was predicted.
        micro_recall: None without gold labels.
        micro_f1: 2TP / (2TP + FP + FN); None when there is neither a gold nor a predicted label.
        macro_f1: mean of the per-class F1 over the classes with support.
        macro_f1_harmonic: harmonic mean of macro-precision and macro-recall over the classes with
            support, the other definition in use (CoPoLLM's table); in this macro-precision a class
            that has support and was never predicted counts as 0, or silence would pay.
        weighted_f1: mean of the per-class F1 weighted by support; None without support.
        exact_match: share of rows right on all their unmasked cells; None without rows.
        kappa: mean of the per-class kappa.
        classes: one entry per column.
    """

    rows: int
    cells: int
    support: int
    micro_precision: float | None
    micro_recall: float | None
    micro_f1: float | None
    macro_f1: Mean
    macro_f1_harmonic: Mean
    weighted_f1: float | None
    exact_match: float | None
    kappa: Mean
    classes: tuple[ClassScore, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; one entry of `classes` per column."""
        return {**asdict(self), "classes": [asdict(c) for c in self.classes]}


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """What the detector does to undistorted texts.

    Attributes:
        rows: undistorted rows that were scored.
        over_pathologising: share of them given any (unmasked) label; None without such rows.
        specificity: share of them given none, its complement.
        cell_specificity: TN / (TN + FP) over their unmasked cells.
    """

    rows: int
    over_pathologising: float | None
    specificity: float | None
    cell_specificity: float | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def as_cells(gold: ArrayLike, predicted: ArrayLike, mask: ArrayLike | None) -> tuple[Bools, ...]:
    """Gold, prediction and mask as boolean arrays of one shape (n, labels).

    Raises:
        DataError: the shapes differ or are not two-dimensional.
    """
    one, other = np.asarray(gold, bool), np.asarray(predicted, bool)
    cells = np.ones(one.shape, bool) if mask is None else np.asarray(mask, bool)
    require_shapes(one, other, cells)
    return one, other, cells


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


def mean(values: Iterable[float | None]) -> Mean:
    """The mean of what is known."""
    known = [value for value in values if value is not None]
    return Mean(ratio(sum(known), len(known)), len(known))


def scores(
    gold: ArrayLike,
    predicted: ArrayLike,
    mask: ArrayLike | None = None,
    scored: ArrayLike | None = None,
) -> Scores:
    """Every count-based score of one prediction.

    Args:
        gold: (n, labels), true where the annotators gave the label.
        predicted: (n, labels), true where the detector did.
        mask: (n, labels), true where the corpus can carry the label; None for everywhere.
        scored: (n,), false where the detector gave no answer: such a row counts as nothing
            predicted, so it misses all its labels, and never as an exact match; None for all.

    Raises:
        DataError: the shapes differ.
    """
    truth, guess, cells = as_cells(gold, predicted, mask)
    answered = as_flags(scored, len(truth), True)
    guess = guess & answered[:, None]
    hit, false, missed, right = table(truth, guess, cells)
    classes = tuple(map(_class_score, hit, false, missed, right))
    live = cells.any(axis=1)
    exact = (((truth == guess) | ~cells).all(axis=1) & answered)[live]
    tp, fp, fn = int(hit.sum()), int(false.sum()), int(missed.sum())
    weights = sum(c.support * c.f1 for c in classes if c.f1 is not None)
    return Scores(
        rows=int(live.sum()),
        cells=int(cells.sum()),
        support=tp + fn,
        micro_precision=ratio(tp, tp + fp),
        micro_recall=ratio(tp, tp + fn),
        micro_f1=ratio(2 * tp, 2 * tp + fp + fn),
        macro_f1=mean(c.f1 for c in classes),
        macro_f1_harmonic=_harmonic(classes),
        weighted_f1=ratio(weights, tp + fn),
        exact_match=ratio(int(exact.sum()), exact.size),
        kappa=mean(c.kappa for c in classes),
        classes=classes,
    )


def table(gold: Bools, predicted: Bools, mask: Bools) -> tuple[Ints, Ints, Ints, Ints]:
    """True positives, false positives, false negatives, true negatives per label, unmasked only."""
    return (
        (gold & predicted & mask).sum(axis=0),
        (~gold & predicted & mask).sum(axis=0),
        (gold & ~predicted & mask).sum(axis=0),
        (~gold & ~predicted & mask).sum(axis=0),
    )


def _class_score(tp: int, fp: int, fn: int, tn: int) -> ClassScore:
    support, cells = int(tp + fn), int(tp + fp + fn + tn)
    return ClassScore(
        support=support,
        cells=cells,
        precision=ratio(tp, tp + fp),
        recall=ratio(tp, support),
        f1=ratio(2 * tp, 2 * tp + fp + fn) if support else None,
        kappa=_kappa(int(tp), int(fp), int(fn), int(tn)),
    )


def _kappa(tp: int, fp: int, fn: int, tn: int) -> float | None:
    """(observed - chance) / (1 - chance), both over cells²; None when chance is 1."""
    cells = tp + fp + fn + tn
    chance = (tp + fp) * (tp + fn) + (fn + tn) * (fp + tn)
    return ratio(cells * (tp + tn) - chance, cells * cells - chance)


def _harmonic(classes: Iterable[ClassScore]) -> Mean:
    with_support = [c for c in classes if c.support]
    precision = mean(c.precision or 0.0 for c in with_support).value
    recall = mean(c.recall for c in with_support).value
    if precision is None or recall is None:
        return Mean(None, 0)
    both = precision + recall
    return Mean(2 * precision * recall / both if both else 0.0, len(with_support))


def false_alarms(
    predicted: ArrayLike, undistorted: ArrayLike, mask: ArrayLike | None = None
) -> FalseAlarms:
    """The over-pathologising rate and its complements.

    A masked label given to an undistorted text does not count, as everywhere; without a mask every
    label does, which is the stricter reading.

    Args:
        predicted: (n, labels).
        undistorted: (n,), true where annotators said "no distortion"; leave unscored rows out.
        mask: (n, labels); None for everywhere.

    Raises:
        DataError: the shapes differ.
    """
    _, guess, cells = as_cells(predicted, predicted, mask)
    rows = as_flags(undistorted, len(guess), False)
    guess, cells = guess[rows], cells[rows]
    alarms = guess & cells
    n, flagged = int(rows.sum()), int(alarms.any(axis=1).sum())
    live = int(cells.sum())
    return FalseAlarms(
        rows=n,
        over_pathologising=ratio(flagged, n),
        specificity=ratio(n - flagged, n),
        cell_specificity=ratio(live - int(alarms.sum()), live),
    )
