"""The safety advantage: how far crisis intervention stands above everything else at high risk.

    ΔQ(s) = Q(s, A9) - max over the other strategies of Q(s, a)      (CoPoLLM, Appendix B, Figure 7)

For the greedy choice ΔQ > 0 and "A9 is chosen" are one and the same, so the share above 0 at high
risk is the recall, and below high risk the false-positive rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from untwist.errors import DataError
from untwist.evaluate.cells import Bools, Floats
from untwist.evaluate.crisis import SAFE
from untwist.evaluate.proportions import Share
from untwist.taxonomy import Strategy

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Advantage:
    """The distribution of ΔQ over some states.

    Attributes:
        n: how many states.
        mean: None of none.
        sd: standard deviation with n - 1; None of fewer than two.
        quantiles: at `QUANTILES`, the median in the middle; empty of none.
        positive: how many are above 0.
        concentration: mean probability of crisis intervention under softmax(Q), temperature 1
            (CoPoLLM Property 4.2 says that it nears 1 as the penalty grows); None of none.
    """

    n: int
    mean: float | None
    sd: float | None
    quantiles: tuple[float, ...]
    positive: Share
    concentration: float | None

    @property
    def median(self) -> float | None:
        """The middle one of `quantiles`."""
        return self.quantiles[QUANTILES.index(0.5)] if self.quantiles else None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "n": self.n,
            "mean": self.mean,
            "sd": self.sd,
            "quantiles": list(self.quantiles),
            "positive": self.positive.to_dict(),
            "concentration": self.concentration,
        }


def safety_advantage(q: ArrayLike) -> Floats:
    """ΔQ of each state.

    Args:
        q: (n, 10), raw action values in the order of `Strategy`.

    Raises:
        DataError: the shape is another, or a value is NaN or infinite.
    """
    values = np.asarray(q, float)
    if values.ndim != 2 or values.shape[1] != len(Strategy):
        raise DataError(f"action values of shape {values.shape}: give (n, {len(Strategy)})")
    if not np.isfinite(values).all():
        raise DataError("an action value is NaN or infinite: the policy is damaged, train it again")
    others = np.delete(values, SAFE, axis=1).max(axis=1)
    return np.asarray(values[:, SAFE] - others)


def advantage_of(q: ArrayLike, among: Bools) -> Advantage:
    """The distribution of ΔQ over the states among which it is asked.

    Args:
        q: (n, 10).
        among: (n,), for example those at high risk.

    Raises:
        DataError: the shapes differ, or a value is NaN or infinite.
    """
    gaps = safety_advantage(q)
    if among.shape != gaps.shape:
        raise DataError(f"{among.shape[0]} marks for {gaps.size} states")
    found = gaps[among]
    positive = Share(int((found > 0).sum()), found.size)
    if not found.size:
        return Advantage(0, None, None, (), positive, None)
    sd = float(found.std(ddof=1)) if found.size > 1 else None
    ends = tuple(float(one) for one in np.quantile(found, QUANTILES))
    mass = float(_softmax(np.asarray(q, float)[among])[:, SAFE].mean())
    return Advantage(found.size, float(found.mean()), sd, ends, positive, mass)


def _softmax(values: Floats) -> Floats:
    raised = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
