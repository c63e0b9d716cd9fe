"""Crisis intervention as the answer to "is this high risk?": rates, and precision by prevalence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from untwist.errors import DataError
from untwist.evaluate.binary import Rates
from untwist.taxonomy import Strategy

PREVALENCES = (0.5, 0.01)
"""Shares of high risk at which precision is given, beside the share that was found."""

SAFE = list(Strategy).index(Strategy.CRISIS_INTERVENTION)
Actions = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Precision:
    """How many crisis calls would be right where so many states are at high risk.

    Attributes:
        prevalence: share of high risk, 0 to 1.
        value: None when there is no call, or no state of one kind.
        interval: from the 95 % Wilson bounds of recall and of the false-positive rate together,
            so at least as wide as a 90 % interval; None as above.
    """

    prevalence: float
    value: float | None
    interval: tuple[float, float] | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        ends = list(self.interval) if self.interval else None
        return {"prevalence": self.prevalence, "value": self.value, "interval": ends}


@dataclass(frozen=True, slots=True)
class Crisis:
    """Crisis intervention as the answer to: is this high risk?

    Attributes:
        rates: recall is `sensitivity`; the false-positive rate is 1 - `specificity`.
        precisions: at the share found, then at each of `PREVALENCES`.
    """

    rates: Rates
    precisions: tuple[Precision, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {**self.rates.to_dict(), "precision_at": [one.to_dict() for one in self.precisions]}


def crisis_calls(high: ArrayLike, actions: ArrayLike) -> Crisis:
    """Recall, false alarms and precision of crisis intervention.

    Args:
        high: (n,), which states are at high risk.
        actions: (n,), ids 0 to 9.

    Raises:
        DataError: an action is none, or there are more or fewer than states.
    """
    truth = np.asarray(high, bool)
    called = action_ids(actions, truth.size) == SAFE
    rates = Rates.count(zip(truth.tolist(), called.tolist(), strict=True))
    found = float(truth.mean()) if truth.size else 0.0
    return Crisis(rates, tuple(_precision(rates, one) for one in (found, *PREVALENCES)))


def _precision(rates: Rates, prevalence: float) -> Precision:
    recall, quiet = rates.sensitivity, rates.specificity
    if recall.value is None or quiet.value is None:
        return Precision(prevalence, None, None)
    value = precision_at(prevalence, recall.value, 1 - quiet.value)
    ends = recall.interval, quiet.interval
    if value is None or ends[0] is None or ends[1] is None:
        return Precision(prevalence, value, None)
    low = precision_at(prevalence, ends[0][0], 1 - ends[1][0])
    high = precision_at(prevalence, ends[0][1], 1 - ends[1][1])
    bounds = None if low is None or high is None else (low, high)
    return Precision(prevalence, value, bounds)


def precision_at(prevalence: float, recall: float, false_positives: float) -> float | None:
    """Share of right calls among all calls, from rates: p·r / (p·r + (1 - p)·f).

    Returns:
        None when nothing is called.

    Raises:
        DataError: one of them is not within 0 to 1.
    """
    if not all(0 <= one <= 1 for one in (prevalence, recall, false_positives)):
        raise DataError("a prevalence and rates are shares: give numbers from 0 to 1")
    right = prevalence * recall
    called = right + (1 - prevalence) * false_positives
    return right / called if called else None


def action_ids(actions: ArrayLike, n: int) -> Actions:
    """Actions as an array of ids.

    Raises:
        DataError: an action is none, or there are more or fewer than n.
    """
    given = np.asarray(actions)
    if given.shape != (n,) or not np.isin(given, range(len(Strategy))).all():
        raise DataError(f"give an action from 0 to {SAFE} for each of the {n} states")
    return given.astype(np.intp)
