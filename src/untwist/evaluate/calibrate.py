"""Scores of probabilities: how well they rank (AUPRC) and how true they are (ECE, Brier)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from untwist.evaluate.cells import Bools, Floats, Mean, as_chances, mean
from untwist.evaluate.extra import sklearn_metrics
from untwist.evaluate.proportions import Share
from untwist.evaluate.thresholds import best_single

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

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ProbabilityScores:
        """From JSON values."""
        changed = {"auprc": Mean(**data["auprc"]), "auprc_classes": tuple(data["auprc_classes"])}
        return cls(**{**data, **changed})


@dataclass(frozen=True, slots=True)
class Bin:
    """The cells whose probability lies in one range.

    Attributes:
        low: lowest probability of the range, inclusive.
        high: end of the range, exclusive but for the last.
        n: how many cells.
        mean_probability: of them; None of no cell.
        share_of_gold: how many of them are gold, 0 to 1; None of no cell.
        interval: of that share, 95 %, Wilson; None of no cell.
    """

    low: float
    high: float
    n: int
    mean_probability: float | None
    share_of_gold: float | None
    interval: tuple[float, float] | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "interval": list(self.interval) if self.interval else None}


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
        MissingExtra: scikit-learn is not installed.
    """
    truth, given, cells = as_chances(gold, probabilities, mask)
    pool_truth, pool = truth[cells], given[cells]
    columns = range(truth.shape[1])
    each = tuple(average_precision(truth[cells[:, c], c], given[cells[:, c], c]) for c in columns)
    best = best_single(pool_truth, pool)
    return ProbabilityScores(
        cells=int(cells.sum()),
        auprc=mean(each),
        auprc_micro=average_precision(pool_truth, pool),
        auprc_classes=each,
        ece=expected_calibration_error(pool_truth, pool),
        brier=_brier(pool_truth, pool),
        oracle_f1=best[0] if best else None,
        oracle_threshold=best[1] if best else None,
    )


def average_precision(gold: Bools, given: Floats) -> float | None:
    """Sum over falling thresholds of (recall step) × precision, ties together (scikit-learn's).

    Args:
        gold: (n,).
        given: (n,), any scores.

    Returns:
        None when nothing is gold.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    if not gold.any():
        return None
    return float(sklearn_metrics().average_precision_score(gold, given))


def _brier(gold: Bools, given: Floats) -> float | None:
    if not gold.size:
        return None
    return float(sklearn_metrics().brier_score_loss(gold.astype(int), given, pos_label=1))


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
    place = _places(given, bins)
    seen = np.bincount(place, gold, bins)
    said = np.bincount(place, given, bins)
    return float(np.abs(seen - said).sum() / gold.size)


def reliability(
    gold: ArrayLike, probabilities: ArrayLike, mask: ArrayLike | None = None, bins: int = BINS
) -> tuple[Bin, ...]:
    """How often a label is gold where the detector gives it a probability of so much.

    The bins are those of `expected_calibration_error`, which is their mean distance between
    `mean_probability` and `share_of_gold`, weighted by `n`. For one label, give its column alone:
    `reliability(gold[:, [c]], probabilities[:, [c]], mask[:, [c]])`.

    Args:
        gold: (n, labels).
        probabilities: (n, labels), 0 to 1.
        mask: (n, labels); None for everywhere.
        bins: how many, of equal width.

    Returns:
        Every bin, the empty ones too, from the lowest.

    Raises:
        DataError: the shapes differ, or an unmasked probability is not within 0 to 1.
    """
    truth, given, cells = as_chances(gold, probabilities, mask)
    pool_truth, pool = truth[cells], given[cells]
    place = _places(pool, bins)
    sizes = np.bincount(place, minlength=bins)
    said = np.bincount(place, pool, bins)
    seen = np.bincount(place, pool_truth, bins)
    return tuple(
        _bin(b / bins, (b + 1) / bins, int(sizes[b]), float(said[b]), int(seen[b]))
        for b in range(bins)
    )


def _places(given: Floats, bins: int) -> NDArray[np.intp]:
    places: NDArray[np.intp] = np.minimum((given * bins).astype(np.intp), bins - 1)
    return places


def _bin(low: float, high: float, n: int, said: float, seen: int) -> Bin:
    share = Share(seen, n)
    return Bin(low, high, n, said / n if n else None, share.value, share.interval)
