"""Yes or no against yes or no: the four rates that a screening is judged by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from untwist.evaluate.proportions import Share


@dataclass(frozen=True, slots=True)
class Rates:
    """Counts of right and wrong answers, and the rates that follow from them.

    Attributes:
        tp: said yes, is yes.
        fp: said yes, is no.
        fn: said no, is yes.
        tn: said no, is no.
    """

    tp: int
    fp: int
    fn: int
    tn: int

    @classmethod
    def count(cls, pairs: Iterable[tuple[bool, bool]]) -> Rates:
        """From pairs: is it so, was it said."""
        counts = {(True, True): 0, (False, True): 0, (True, False): 0, (False, False): 0}
        for pair in pairs:
            counts[pair] += 1
        return cls(*counts.values())

    @property
    def sensitivity(self) -> Share:
        """Of those that are yes, how many were said yes."""
        return Share(self.tp, self.tp + self.fn)

    @property
    def specificity(self) -> Share:
        """Of those that are no, how many were said no."""
        return Share(self.tn, self.tn + self.fp)

    @property
    def precision(self) -> Share:
        """Of those said yes, how many are yes."""
        return Share(self.tp, self.tp + self.fp)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of sensitivity and precision; None when there is neither yes nor said."""
        total = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / total if total else None

    @property
    def f1_interval(self) -> tuple[float, float] | None:
        """The 95 % interval of F1.

        F1 = 2J / (1 + J), where J = tp / (tp + fp + fn) is a share, so the bounds of J's Wilson
        interval carry over.
        """
        bounds = Share(self.tp, self.tp + self.fp + self.fn).interval
        return None if bounds is None else (_f1_of(bounds[0]), _f1_of(bounds[1]))

    def to_dict(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "tp": self.tp,
            "fp": self.fp,
            "fn": self.fn,
            "tn": self.tn,
            "sensitivity": self.sensitivity.to_dict(),
            "specificity": self.specificity.to_dict(),
            "precision": self.precision.to_dict(),
            "f1": {"value": self.f1, "interval": self.f1_interval},
        }


def _f1_of(jaccard: float) -> float:
    return 2 * jaccard / (1 + jaccard)
