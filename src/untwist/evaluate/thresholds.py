"""From probabilities to decisions: thresholds found on validation rows, never on test.

A threshold is inclusive: a label is given when its probability is at or above it. Of thresholds
with equal F1 the highest is taken: it gives the fewest labels, so it does least harm where there is
nothing to find. Scanning the test rows themselves gives the oracle value of `ProbabilityScores`,
which is no result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from untwist.errors import DataError
from untwist.evaluate.cells import Bools, Floats, as_chances


def tune_threshold(
    gold: ArrayLike, probabilities: ArrayLike, mask: ArrayLike | None = None
) -> float:
    """The one threshold for all labels with the best pooled micro-F1.

    Args:
        gold: (n, labels) of the validation rows, never of the test rows.
        probabilities: (n, labels), 0 to 1.
        mask: (n, labels); None for everywhere.

    Returns:
        One of the probabilities given; the highest of equals.

    Raises:
        DataError: the shapes differ, an unmasked probability is not within 0 to 1, or there is no
            gold label to tune on.
    """
    truth, given, cells = as_chances(gold, probabilities, mask)
    best = best_single(truth[cells], given[cells])
    if best is None:
        raise DataError("no gold label among the validation rows: give rows with labels")
    return best[1]


def tune_thresholds(
    gold: ArrayLike, probabilities: ArrayLike, mask: ArrayLike | None = None
) -> tuple[float, ...]:
    """One threshold per label, each with the best F1 of its own column.

    Args:
        gold: (n, labels) of the validation rows, never of the test rows.
        probabilities: (n, labels), 0 to 1.
        mask: (n, labels); None for everywhere.

    Returns:
        One per column; a label without an unmasked gold cell keeps that of `tune_threshold`.

    Raises:
        DataError: as for `tune_threshold`.
    """
    shared = tune_threshold(gold, probabilities, mask)
    truth, given, cells = as_chances(gold, probabilities, mask)
    columns = range(truth.shape[1])
    each = (best_single(truth[cells[:, c], c], given[cells[:, c], c]) for c in columns)
    return tuple(best[1] if best else shared for best in each)


def tune_together(
    gold: ArrayLike, probabilities: ArrayLike, mask: ArrayLike | None = None
) -> tuple[float, ...]:
    """One threshold per label, chosen together for the best pooled micro-F1.

    Starts from `tune_threshold` and moves one label's threshold at a time to where the pooled score
    is best, in the order of the columns, until no move helps. Each move can only raise the score,
    so it ends; what it finds is a local optimum. A label that helps nowhere has the threshold 1.

    Args:
        gold: (n, labels) of the validation rows, never of the test rows.
        probabilities: (n, labels), 0 to 1.
        mask: (n, labels); None for everywhere.

    Raises:
        DataError: as for `tune_threshold`.
    """
    start = tune_threshold(gold, probabilities, mask)
    truth, given, cells = as_chances(gold, probabilities, mask)
    ladders = [_ladder(truth[cells[:, c], c], given[cells[:, c], c]) for c in range(truth.shape[1])]
    total = int((truth & cells).sum())
    step = [int((ladder.thresholds >= start).sum()) - 1 for ladder in ladders]
    while True:
        before = list(step)
        for place, ladder in enumerate(ladders):
            hits = sum(one.hits[step[c]] for c, one in enumerate(ladders) if c != place)
            kept = sum(one.kept[step[c]] for c, one in enumerate(ladders) if c != place)
            f1 = 2 * (hits + ladder.hits) / (kept + ladder.kept + total)
            if f1.max() > f1[step[place]]:
                step[place] = int(f1.argmax())
        if step == before:
            return tuple(float(one.thresholds[step[c]]) for c, one in enumerate(ladders))


@dataclass(frozen=True, slots=True)
class _Ladder:
    """What each threshold of one label keeps, the highest first."""

    thresholds: Floats
    hits: Floats
    kept: Floats


def _ladder(gold: Bools, given: Floats) -> _Ladder:
    order = np.argsort(-given, kind="stable")
    ranked, hits = given[order], np.cumsum(gold[order]).astype(float)
    # equal probabilities are given together or not at all
    last = np.flatnonzero(np.diff(ranked, append=-np.inf))
    rungs = np.stack([ranked[last], hits[last], last + 1.0])
    if not ranked.size or ranked[0] < 1.0:
        rungs = np.concatenate([[[1.0], [0.0], [0.0]], rungs], axis=1)
    return _Ladder(*rungs)


def apply(probabilities: ArrayLike, thresholds: float | Sequence[float]) -> Bools:
    """Which labels are given.

    Args:
        probabilities: (n, labels); what is not a number is never given.
        thresholds: one for all labels, or one per label; inclusive.

    Returns:
        (n, labels).

    Raises:
        DataError: there are more or fewer thresholds than labels, or one is not within 0 to 1.
    """
    given, limit = np.asarray(probabilities, float), np.asarray(thresholds, float)
    if given.ndim != 2 or limit.shape not in ((), given.shape[1:]):
        raise DataError(f"thresholds of shape {limit.shape} for probabilities of {given.shape}")
    if not ((limit >= 0) & (limit <= 1)).all():
        raise DataError("a threshold is not a number from 0 to 1")
    kept: Bools = given >= limit
    return kept


def best_single(gold: Bools, given: Floats) -> tuple[float, float] | None:
    """The best F1 that one threshold reaches on a pool of cells, and that threshold.

    Args:
        gold: (n,).
        given: (n,), 0 to 1.

    Returns:
        None without a gold label.
    """
    total = int(gold.sum())
    if not total:
        return None
    order = np.argsort(-given, kind="stable")
    ranked, hits = given[order], np.cumsum(gold[order])
    # equal probabilities are given together or not at all
    last = np.flatnonzero(np.diff(ranked, append=-np.inf))
    f1 = 2 * hits[last] / (last + 1 + total)
    best = int(f1.argmax())
    return float(f1[best]), float(ranked[last[best]])
