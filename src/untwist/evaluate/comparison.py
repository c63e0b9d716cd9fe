"""Two detectors on the same rows, with one sentence that says which is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from untwist.evaluate.bootstrap import METRIC_NAMES, paired_bootstrap
from untwist.evaluate.cells import as_flags
from untwist.evaluate.forms import check
from untwist.evaluate.resample import RESAMPLES, Difference
from untwist.evaluate.tables import UNKNOWN, Table, bounds, number, table_markdown

SCHEMA = "untwist/comparison@1"
_LOWER_IS_BETTER = "over_pathologising"
_NOTE = (
    "First minus second, with the 95 % interval of a paired bootstrap over groups and its "
    "two-sided p-value, not corrected for the number of scores. Over-pathologising is better when "
    "lower. A row without an answer counts against the side that left it."
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How much better the first of two detectors is.

    Attributes:
        corpus: name of the corpus.
        part: which rows of it.
        first: name and version of the one.
        second: name and version of the other.
        n: how many rows.
        groups: how many groups they form.
        unscored_first: rows without an answer from the first.
        unscored_second: rows without an answer from the second.
        differences: by score, first minus second; None where not known.
        command: what made them.
    """

    corpus: str
    part: str
    first: str
    second: str
    n: int
    groups: int
    unscored_first: int
    unscored_second: int
    differences: dict[str, Difference | None]
    command: str

    def statement(self, metric: str = "micro_f1") -> str:
        """One line: which is better and by how much, or that no difference is shown.

        A difference is shown when its interval leaves 0 out.

        Args:
            metric: one of `METRICS`.
        """
        found, name = self.differences[metric], METRIC_NAMES[metric]
        if found is None:
            return f"{self.first} and {self.second} cannot be compared: {name} is not known"
        low, high = found.interval.low, found.interval.high
        tail = f"p {_chance(found.p)} ({name}, n = {self.n})"
        if low <= 0 <= high:
            shown = number(found.value) + bounds((low, high))
            return f"No difference shown between {self.first} and {self.second}: {shown}, {tail}"
        ahead = (found.value > 0) != (metric == _LOWER_IS_BETTER)
        better, worse = (self.first, self.second) if ahead else (self.second, self.first)
        ends = sorted((abs(low), abs(high)))
        shown = number(abs(found.value)) + bounds(ends)
        return f"{better} is better than {worse} by {shown}, {tail}"

    def table(self) -> Table:
        """One row per score."""
        rows = tuple(
            (METRIC_NAMES[metric], *_cells(found)) for metric, found in self.differences.items()
        )
        title = f"{self.first} against {self.second}: {self.corpus}, {self.part}"
        return Table(title, ("score", "difference", "p"), rows, _NOTE)

    def to_markdown(self) -> str:
        """The statement on micro-F1, the table, and what made them."""
        counts = (
            f"{self.n} rows in {self.groups} groups; unscored: {self.unscored_first} by "
            f"{self.first}, {self.unscored_second} by {self.second}."
        )
        parts = (
            f"{self.statement()}.",
            table_markdown(self.table()),
            counts,
            f"Command: `{self.command}`",
        )
        return "\n\n".join(parts) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, as the schema "comparison" says."""
        return {
            "schema": SCHEMA,
            "corpus": self.corpus,
            "part": self.part,
            "first": self.first,
            "second": self.second,
            "n": self.n,
            "groups": self.groups,
            "unscored_first": self.unscored_first,
            "unscored_second": self.unscored_second,
            "differences": {k: v.to_dict() if v else None for k, v in self.differences.items()},
            "command": self.command,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Comparison:
        """From the values of a result file.

        Raises:
            DataError: they are not what the schema "comparison" says.
        """
        check(data, "comparison")
        found = data["differences"].items()
        differences = {k: Difference.from_dict(v) if v else None for k, v in found}
        plain = {k: v for k, v in data.items() if k not in ("schema", "differences")}
        return cls(differences=differences, **plain)


def compare(
    gold: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    groups: Sequence[str],
    rng: np.random.Generator,
    *,
    corpus: str,
    part: str,
    names: tuple[str, str],
    command: str,
    mask: ArrayLike | None = None,
    undistorted: ArrayLike | None = None,
    scored_first: ArrayLike | None = None,
    scored_second: ArrayLike | None = None,
    resamples: int = RESAMPLES,
) -> Comparison:
    """Compare two predictions on the same rows by a paired bootstrap.

    Args:
        gold: (n, labels).
        first: (n, labels).
        second: (n, labels).
        groups: the group of each row.
        rng: the source of chance.
        corpus: name of the corpus.
        part: which rows of it.
        names: of the two detectors, with their versions.
        command: what makes this comparison.
        mask: (n, labels); None for everywhere.
        undistorted: (n,); None for no such row.
        scored_first: (n,), false where the first gave no answer; None for all answered.
        scored_second: (n,), the same for the second.
        resamples: how many.

    Raises:
        DataError: the shapes differ.
    """
    found = paired_bootstrap(
        gold,
        first,
        second,
        groups,
        rng,
        mask=mask,
        undistorted=undistorted,
        scored_first=scored_first,
        scored_second=scored_second,
        resamples=resamples,
    )
    n = len(groups)
    left = [int((~as_flags(flags, n, True)).sum()) for flags in (scored_first, scored_second)]
    return Comparison(corpus, part, *names, n, len(set(groups)), left[0], left[1], found, command)


def _cells(found: Difference | None) -> tuple[str, str]:
    if found is None:
        return UNKNOWN, UNKNOWN
    ends = (found.interval.low, found.interval.high)
    return number(found.value) + bounds(ends), _chance(found.p).removeprefix("= ")


def _chance(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"
