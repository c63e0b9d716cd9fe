"""Scores of probabilities: how well they rank (AUPRC) and how true they are (ECE, Brier)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from untwist.errors import DataError
from untwist.evaluate.classify import Bools, Floats, Mean, mean, ratio, require_shapes

BINS = 15
"""Bins of equal width for the expected calibration error."""


@dataclass(frozen=True, slots=True)
class ProbabilityScores:
    """All scores of one set of probabilities.

    Attributes:
        cells: unmasked cells.
        auprc: mean average precision over the classes with support.
        auprc_micro: average precision of all unmasked cells as one pool; None without gold labels.
        auprc_classes: one entry per column; None without support.
        ece: expected calibration error over all unmasked cells, `BINS` bins; None without cells.
        brier: mean squared distance over all unmasked cells; None without cells.
        oracle_f1: the best micro-F1 that one threshold for all labels could reach on these very
            rows; for comparison with papers that tuned on test, never a result of ours.
        oracle_threshold: that threshold; None when `oracle_f1` is.
    """

    cells: int
    auprc: Mean
    auprc_micro: float | None
    auprc_classes: tuple[float | None, ...]
    ece: float | None
    brier: float | None
    oracle_f1: float | None
    oracle_threshold: float | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "auprc_classes": list(self.auprc_classes)}


def probability_scores(
    gold: ArrayLike, probabilities: ArrayLike, mask: ArrayLike | None = None
) -> ProbabilityScores:
    """Every score of one set of probabilities.

    Args:
        gold: (n, labels), true where the annotators gave the label.
        probabilities: (n, labels), 0 to 1.
        mask: (n, labels), true where the corpus can carry the label; None for everywhere.

    Raises:
        DataError: the shapes differ, or an unmasked probability is not within 0 to 1.
    """
    truth, given = np.asarray(gold, bool), np.asarray(probabilities, float)
    cells = np.ones(truth.shape, bool) if mask is None else np.asarray(mask, bool)
    require_shapes(truth, given, cells)
    pool_truth, pool = truth[cells], given[cells]
    if not ((pool >= 0) & (pool <= 1)).all():
        raise DataError("a probability is not a number from 0 to 1")
    columns = range(truth.shape[1])
    each = tuple(average_precision(truth[cells[:, c], c], given[cells[:, c], c]) for c in columns)
    f1, threshold = _oracle(pool_truth, pool)
    return ProbabilityScores(
        cells=int(cells.sum()),
        auprc=mean(each),
        auprc_micro=average_precision(pool_truth, pool),
        auprc_classes=each,
        ece=expected_calibration_error(pool_truth, pool),
        brier=float(((pool - pool_truth) ** 2).mean()) if pool.size else None,
        oracle_f1=f1,
        oracle_threshold=threshold,
    )


def average_precision(gold: Bools, given: Floats) -> float | None:
    """Sum over falling thresholds of (recall step) × precision, ties taken together.

    Args:
        gold: (n,).
        given: (n,), any scores.

    Returns:
        None when nothing is gold.
    """
    hits, _, kept = _steps(gold, given)
    total = int(gold.sum())
    if not total:
        return None
    return float((np.diff(hits, prepend=0) * hits / kept).sum() / total)


def expected_calibration_error(gold: Bools, given: Floats, bins: int = BINS) -> float | None:
    """Weighted mean distance between the share of gold labels and the mean probability of a bin.

    Bins are of equal width; a probability on an edge belongs to the bin above, 1 to the last.

    Args:
        gold: (n,).
        given: (n,), 0 to 1.
        bins: how many.

    Returns:
        None when there are no cells.
    """
    if not gold.size:
        return None
    place = np.minimum((given * bins).astype(np.intp), bins - 1)
    seen = np.bincount(place, gold, bins)
    said = np.bincount(place, given, bins)
    return float(np.abs(seen - said).sum() / gold.size)


def _steps(gold: Bools, given: Floats) -> tuple[Floats, Floats, Floats]:
    """Hits, threshold and number kept at each distinct threshold, the highest first."""
    order = np.argsort(-given, kind="stable")
    ranked, hits = given[order], np.cumsum(gold[order]).astype(float)
    last = np.flatnonzero(np.diff(ranked, append=-np.inf))
    return hits[last], ranked[last], (last + 1).astype(float)


def _oracle(gold: Bools, given: Floats) -> tuple[float | None, float | None]:
    hits, thresholds, kept = _steps(gold, given)
    total = int(gold.sum())
    if not total:
        return None, None
    f1 = 2 * hits / (kept + total)
    best = int(f1.argmax())
    return ratio(2 * hits[best], kept[best] + total), float(thresholds[best])
