"""Scores of a multi-label detector against gold, on the cells that the corpus can carry.

Rows are texts, columns are labels. `mask` says which cells count (None: all of them); what is
predicted on a masked cell is discarded at no cost. All-zero rows are in, "none" is not a label, the
micro count is one pool over rows × unmasked cells (CrossLinCD 5.3 and its released scorer).

What cannot be known is None, never 0: a class without gold labels has no recall and no F1, a class
that is never predicted has no precision, and a mean says over how many classes it was taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from untwist.evaluate.cells import Bools, Mean, as_cells, as_flags, known, mean, ratio
from untwist.evaluate.extra import sklearn_metrics


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

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Scores:
        """From JSON values."""
        means = {k: Mean(**data[k]) for k in ("macro_f1", "macro_f1_harmonic", "kappa")}
        classes = tuple(ClassScore(**one) for one in data["classes"])
        return cls(**{**data, **means, "classes": classes})


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


def scores(
    gold: ArrayLike,
    predicted: ArrayLike,
    mask: ArrayLike | None = None,
    scored: ArrayLike | None = None,
) -> Scores:
    """Every count-based score of one prediction.

    Precision, recall, F1, accuracy and kappa are scikit-learn's; masks, the answers that are
    missing, what is not known and the harmonic mean are ours.

    Args:
        gold: (n, labels), true where the annotators gave the label.
        predicted: (n, labels), true where the detector did.
        mask: (n, labels), true where the corpus can carry the label; None for everywhere.
        scored: (n,), false where the detector gave no answer: such a row counts as nothing
            predicted, so it misses all its labels, and never as an exact match; None for all.

    Raises:
        DataError: the shapes differ.
        MissingExtra: scikit-learn is not installed.
    """
    truth, guess, cells = as_cells(gold, predicted, mask)
    answered = as_flags(scored, len(truth), True)
    # a masked cell that is false on both sides is in no count of hits, false alarms or misses
    truth, guess = truth & cells, guess & cells & answered[:, None]
    classes = _classes(truth, guess, cells)
    precision, recall, f1, _ = _rates(truth, guess, "micro")
    live = cells.any(axis=1)
    support = int(truth.sum())
    return Scores(
        rows=int(live.sum()),
        cells=int(cells.sum()),
        support=support,
        micro_precision=known(precision),
        micro_recall=known(recall),
        micro_f1=known(f1),
        macro_f1=mean(c.f1 for c in classes),
        macro_f1_harmonic=_harmonic(classes),
        weighted_f1=known(_rates(truth, guess, "weighted")[2]) if support else None,
        exact_match=ratio(_exact(truth, guess, live & answered), int(live.sum())),
        kappa=mean(c.kappa for c in classes),
        classes=classes,
    )


def _rates(truth: Bools, guess: Bools, average: str | None) -> tuple[Any, ...]:
    """Precision, recall, F1 and support; NaN where they are not known.

    One empty row and two empty columns are added: they are in no count, and without them
    scikit-learn refuses a matrix without rows and reads one column as a single yes-or-no task.
    """
    padded = (np.pad(marks, ((0, 1), (0, 2))) for marks in (truth, guess))
    rates = sklearn_metrics().precision_recall_fscore_support
    found: tuple[Any, ...] = rates(*padded, average=average, zero_division=np.nan)
    return found


def _classes(truth: Bools, guess: Bools, cells: Bools) -> tuple[ClassScore, ...]:
    precision, recall, f1, support = _rates(truth, guess, None)
    return tuple(
        ClassScore(
            support=int(support[c]),
            cells=int(cells[:, c].sum()),
            precision=known(precision[c]),
            recall=known(recall[c]),
            f1=known(f1[c]) if support[c] else None,
            kappa=_kappa(truth[cells[:, c], c], guess[cells[:, c], c]),
        )
        for c in range(truth.shape[1])
    )


def _kappa(truth: Bools, guess: Bools) -> float | None:
    """None where both say one and the same thing throughout, so that chance alone agrees always."""
    if len(np.union1d(truth, guess)) < 2:
        return None
    return float(np.clip(sklearn_metrics().cohen_kappa_score(truth, guess), -1, 1))


def _exact(truth: Bools, guess: Bools, rows: Bools) -> int:
    """How many of these rows are right on all labels."""
    if not rows.any():
        return 0
    padded = (np.pad(marks[rows], ((0, 0), (0, 2))) for marks in (truth, guess))
    return int(sklearn_metrics().accuracy_score(*padded, normalize=False))


def _harmonic(classes: Iterable[ClassScore]) -> Mean:
    with_support = [c for c in classes if c.support]
    precision = mean(c.precision or 0.0 for c in with_support).value
    recall = mean(c.recall for c in with_support).value
    if precision is None or recall is None:
        return Mean(None, 0)
    both = precision + recall
    return Mean(2 * precision * recall / both if both else 0.0, len(with_support))


def with_none(
    gold: ArrayLike,
    predicted: ArrayLike,
    mask: ArrayLike | None = None,
    scored: ArrayLike | None = None,
) -> Scores:
    """Scores when "no distortion" is counted as one more class: never the main number.

    A row is of that class when it has an unmasked cell and no unmasked label. Always answering
    "none" is then worth something, so these scores stand beside the main ones, in their own column.

    Args:
        gold: (n, labels).
        predicted: (n, labels).
        mask: (n, labels); None for everywhere.
        scored: (n,), false where there is no answer, which is not the answer "none".

    Returns:
        Scores with one entry more in `classes`: the last is "none".

    Raises:
        DataError: the shapes differ.
        MissingExtra: scikit-learn is not installed.
    """
    truth, guess, cells = as_cells(gold, predicted, mask)
    live = cells.any(axis=1)
    wide_truth, wide_guess = (
        np.column_stack([one, ~(one & cells).any(axis=1)]) for one in (truth, guess)
    )
    return scores(wide_truth, wide_guess, np.column_stack([cells, live]), scored)


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
