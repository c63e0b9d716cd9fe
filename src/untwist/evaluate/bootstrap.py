"""Intervals by resampling groups: dialogues or source questions, never rows of one group apart.

Counts are added up per group once; a resample is then a weighting of groups, and all resamples are
a few matrix products. A class that has no support in a resample is left out of that resample's
means, as in `classify`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from untwist.errors import DataError
from untwist.evaluate.cells import Bools, Floats, as_cells, as_flags
from untwist.evaluate.resample import (
    RESAMPLES,
    Difference,
    Interval,
    difference,
    group_codes,
    group_sums,
    group_weights,
    percentiles,
)

METRIC_NAMES = {
    "micro_f1": "micro-F1",
    "macro_f1": "macro-F1 (mean)",
    "macro_f1_harmonic": "macro-F1 (harmonic)",
    "weighted_f1": "weighted F1",
    "exact_match": "exact match",
    "over_pathologising": "over-pathologising",
}
"""The count-based scores, each as it is called in tables."""

METRICS = tuple(METRIC_NAMES)


@dataclass(frozen=True, slots=True)
class _Counts:
    """Per group (rows): counts per label (columns), and rows by kind."""

    tp: Floats
    fp: Floats
    fn: Floats
    rows: Floats


def bootstrap(
    gold: ArrayLike,
    predicted: ArrayLike,
    groups: Sequence[str],
    rng: np.random.Generator,
    *,
    mask: ArrayLike | None = None,
    undistorted: ArrayLike | None = None,
    scored: ArrayLike | None = None,
    resamples: int = RESAMPLES,
) -> dict[str, Interval | None]:
    """95 % intervals of the count-based scores.

    Args:
        gold: (n, labels).
        predicted: (n, labels).
        groups: the group of each row; whole groups are drawn, with replacement.
        rng: the source of chance.
        mask: (n, labels); None for everywhere.
        undistorted: (n,), rows for the over-pathologising rate; None for no such row.
        scored: (n,), false where the detector gave no answer, see `classify.scores`; such rows are
            not among the undistorted.
        resamples: how many.

    Returns:
        An interval for each of `METRICS`; None where the score is never known, or with fewer than
        two groups.

    Raises:
        DataError: the shapes differ.
    """
    code, n = group_codes(groups)
    cells = as_cells(gold, predicted, mask)
    flags = np.stack([as_flags(undistorted, len(code), False), as_flags(scored, len(code), True)])
    counts = _count(cells, flags, code, n)
    if n < 2:
        return dict.fromkeys(METRICS)
    drawn = [_metrics(counts, weights) for weights in group_weights(n, resamples, rng)]
    values = np.concatenate(drawn, axis=1)
    return {name: percentiles(row) for name, row in zip(METRICS, values, strict=True)}


def paired_bootstrap(
    gold: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    groups: Sequence[str],
    rng: np.random.Generator,
    *,
    mask: ArrayLike | None = None,
    undistorted: ArrayLike | None = None,
    scored_first: ArrayLike | None = None,
    scored_second: ArrayLike | None = None,
    resamples: int = RESAMPLES,
) -> dict[str, Difference | None]:
    """Two predictions on the same rows, compared on the same resamples.

    A row that one side left unscored counts against that side alone, as in `classify.scores`.

    Args:
        gold: (n, labels).
        first: (n, labels).
        second: (n, labels).
        groups: the group of each row.
        rng: the source of chance.
        mask: (n, labels); None for everywhere.
        undistorted: (n,); None for no such row.
        scored_first: (n,), false where the first gave no answer; None for all answered.
        scored_second: (n,), the same for the second.
        resamples: how many.

    Returns:
        A difference for each of `METRICS`; None where it is not known.

    Raises:
        DataError: the shapes differ.
    """
    code, n = group_codes(groups)
    calm = as_flags(undistorted, len(code), False)
    one, other = (
        _count(
            as_cells(gold, side, mask),
            np.stack([calm, as_flags(scored, len(code), True)]),
            code,
            n,
        )
        for side, scored in ((first, scored_first), (second, scored_second))
    )
    if n < 2:
        return dict.fromkeys(METRICS)
    whole = np.ones((1, n))
    value = (_metrics(one, whole) - _metrics(other, whole))[:, 0]
    drawn = [_metrics(one, w) - _metrics(other, w) for w in group_weights(n, resamples, rng)]
    rows = np.concatenate(drawn, axis=1)
    return {name: difference(v, r) for name, v, r in zip(METRICS, value, rows, strict=True)}


def _count(arrays: tuple[Bools, ...], flags: Bools, code: NDArray[np.intp], n: int) -> _Counts:
    truth, guess, cells = arrays
    calm, answered = flags
    if len(code) != len(truth):
        raise DataError(f"{len(code)} groups for {len(truth)} rows")
    calm, guess = calm & answered, guess & answered[:, None]
    live = cells.any(axis=1)
    exact = ((truth == guess) | ~cells).all(axis=1) & live & answered
    alarmed = (guess & cells).any(axis=1) & calm
    kinds = np.stack([live, exact, calm, alarmed], axis=1)
    hit, false, missed = truth & guess & cells, ~truth & guess & cells, truth & ~guess & cells
    return _Counts(*(group_sums(kind, code, n) for kind in (hit, false, missed, kinds)))


def _metrics(counts: _Counts, weights: Floats) -> Floats:
    """`METRICS` (rows) for each resample (columns); NaN where not known."""
    tp, fp, fn = weights @ counts.tp, weights @ counts.fp, weights @ counts.fn
    live, exact, calm, alarmed = (weights @ counts.rows).T
    with np.errstate(invalid="ignore", divide="ignore"):
        support = tp + fn
        known = support > 0
        classes = np.where(known.any(axis=1), known.sum(axis=1), np.nan)
        f1 = np.where(known, 2 * tp / (2 * tp + fp + fn), 0.0)
        precision = np.where(known & (tp > 0), tp / (tp + fp), 0.0).sum(axis=1) / classes
        recall = np.where(known, tp / support, 0.0).sum(axis=1) / classes
        both = precision + recall
        return np.stack(
            [
                2 * tp.sum(1) / (2 * tp + fp + fn).sum(1),
                f1.sum(axis=1) / classes,
                np.where(both == 0, 0.0, 2 * precision * recall / both),
                (f1 * support).sum(axis=1) / support.sum(axis=1),
                exact / live,
                alarmed / calm,
            ]
        )
