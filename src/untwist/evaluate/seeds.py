"""Several runs of one set-up that differ in their seed alone: mean and spread."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from untwist.errors import DataError
from untwist.evaluate.report import DetectionReport


@dataclass(frozen=True, slots=True)
class Spread:
    """One score over several runs.

    Attributes:
        mean: None when no run knows the score.
        sd: standard deviation with n - 1; None of fewer than two runs.
        n: in how many runs the score is known.
    """

    mean: float | None
    sd: float | None
    n: int

    def __str__(self) -> str:
        """For example "0.512 ± 0.008 (3)"; a dash where nothing is known."""
        if self.mean is None:
            return "–"
        spread = "" if self.sd is None else f" ± {self.sd:.3f}"
        return f"{self.mean:.3f}{spread} ({self.n})"

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def over_seeds(reports: Sequence[DetectionReport]) -> dict[str, Spread]:
    """Mean and spread of every score over the runs of one set-up.

    The spread is that of training, not of the sample of texts: the intervals of each report are.

    Args:
        reports: one per seed, on the same rows and labels.

    Returns:
        By score: those of `METRICS` and, where probabilities are offered, auprc, ece and brier.

    Raises:
        DataError: there is no report, or two are not of the same corpus, part, rows and labels.
    """
    kinds = {(r.corpus, r.part, r.n, r.groups, r.labels) for r in reports}
    if len(kinds) != 1:
        raise DataError("runs of one set-up share corpus, part, rows and labels; give only such")
    values = [_values(report) for report in reports]
    return {name: _spread([one[name] for one in values]) for name in values[0]}


def _values(report: DetectionReport) -> dict[str, float | None]:
    chances = report.probabilities
    return {
        **report.metrics(),
        "auprc": chances.auprc.value if chances else None,
        "ece": chances.ece if chances else None,
        "brier": chances.brier if chances else None,
    }


def _spread(values: Sequence[float | None]) -> Spread:
    given = [value for value in values if value is not None]
    if not given:
        return Spread(None, None, 0)
    deviation = statistics.stdev(given) if len(given) > 1 else None
    return Spread(statistics.fmean(given), deviation, len(given))
