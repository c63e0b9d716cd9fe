"""Scores of levels that have an order: intensity and risk.

A row without a gold level is left out. A row without an answer is unscored: it is counted, it is
never right, and it misses its level; only kappa, which needs two answers, is taken without it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from untwist.errors import DataError
from untwist.evaluate.cells import Mean, known, mean
from untwist.evaluate.extra import sklearn_metrics
from untwist.evaluate.proportions import Share
from untwist.taxonomy import Risk

_NO_ANSWER = -1
Level = TypeVar("Level", bound=Hashable)


@dataclass(frozen=True, slots=True)
class LevelScore:
    """One level.

    Attributes:
        support: rows with this gold level.
        precision: None when the level was never predicted.
        recall: None without support.
        f1: None without support.
    """

    support: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class OrdinalScores:
    """All scores of one set of predicted levels.

    Attributes:
        n: rows with a gold level.
        unscored: how many of them have no answer.
        accuracy: share of the n rows that are right.
        macro_f1: mean of the per-level F1 over the levels with support.
        quadratic_kappa: Cohen's with quadratic weights over the n - unscored answered rows, -1 to
            1; None when gold and prediction are one and the same level throughout, or of no row.
        levels: one entry per level, in order.
    """

    n: int
    unscored: int
    accuracy: Share
    macro_f1: Mean
    quadratic_kappa: float | None
    levels: tuple[LevelScore, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; one entry of `levels` per level."""
        levels = [asdict(level) for level in self.levels]
        return {**asdict(self), "accuracy": self.accuracy.to_dict(), "levels": levels}


def ordinal_scores(
    gold: Sequence[Level | None], predicted: Sequence[Level | None], levels: Sequence[Level]
) -> OrdinalScores:
    """Every score of one set of predicted levels.

    Args:
        gold: what the annotators said; None where they did not judge.
        predicted: what the detector said, row by row; None where it gave no answer.
        levels: every level, the lowest first.

    Raises:
        DataError: the lengths differ, or a level is not among `levels`.
        MissingExtra: scikit-learn is not installed.
    """
    truth, guess = _codes(gold, levels), _codes(predicted, levels)
    _require_pairs(gold, predicted)
    judged = truth != _NO_ANSWER
    truth, guess = truth[judged], guess[judged]
    answered = guess != _NO_ANSWER
    each = _levels(truth, guess, len(levels))
    return OrdinalScores(
        n=len(truth),
        unscored=int((~answered).sum()),
        accuracy=Share(int((truth == guess).sum()), len(truth)),
        macro_f1=mean(level.f1 for level in each),
        quadratic_kappa=_quadratic(truth[answered], guess[answered], len(levels)),
        levels=each,
    )


def missed_high_risk(gold: Sequence[Risk | None], predicted: Sequence[Risk | None]) -> Share:
    """HRMDR: of the rows with high gold risk, how many were not predicted high; lower is better.

    An unscored answer counts as missed. Source: CoPoLLM (2026), with the interval that it lacks.

    Args:
        gold: None where risk was not judged.
        predicted: None where there is no answer.

    Raises:
        DataError: the lengths differ.
    """
    _require_pairs(gold, predicted)
    high = [said for truth, said in zip(gold, predicted, strict=True) if truth is Risk.HIGH]
    return Share(sum(said is not Risk.HIGH for said in high), len(high))


def _require_pairs(gold: Sequence[object], predicted: Sequence[object]) -> None:
    if len(gold) != len(predicted):
        raise DataError(f"{len(predicted)} predicted levels for {len(gold)} rows")


def _codes(given: Sequence[Level | None], levels: Sequence[Level]) -> NDArray[np.int64]:
    code: dict[Level | None, int] = {level: place for place, level in enumerate(levels)}
    code[None] = _NO_ANSWER
    strange = [place for place, level in enumerate(given) if level not in code]
    if strange:
        raise DataError(f"row {strange[0] + 1} has a level that is not among the {len(levels)}")
    return np.array([code[level] for level in given], np.int64)


def _levels(
    truth: NDArray[np.int64], guess: NDArray[np.int64], size: int
) -> tuple[LevelScore, ...]:
    if not len(truth):
        return (LevelScore(0, None, None, None),) * size
    rates = sklearn_metrics().precision_recall_fscore_support
    found = rates(truth, guess, labels=range(size), zero_division=np.nan)
    return tuple(
        LevelScore(int(s), known(p), known(r), known(f) if s else None)
        for p, r, f, s in zip(*found, strict=True)
    )


def _quadratic(truth: NDArray[np.int64], guess: NDArray[np.int64], size: int) -> float | None:
    if len(np.union1d(truth, guess)) < 2:
        return None
    kappa = sklearn_metrics().cohen_kappa_score
    value = kappa(truth, guess, labels=np.arange(size), weights="quadratic")
    return float(np.clip(value, -1, 1))
