"""Numbers by row and column: one corpus against another, or texts that two corpora share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from untwist.errors import DataError
from untwist.evaluate.forms import check
from untwist.evaluate.tables import UNKNOWN, Table, table_markdown

SCHEMA = "untwist/matrix@1"
Counts = tuple[tuple[int | None, ...], ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """A named grid of numbers.

    Attributes:
        title: what it shows.
        metric: what each number is, with its unit.
        rows: names of the rows, for example what was trained on.
        columns: names of the columns, for example what was scored.
        values: one tuple per row; None where not known.
        counts: over how many texts each number was taken, in the same form; None when that says
            nothing.
        protocol: how the numbers were made.
        command: what made them.

    Raises:
        DataError: values or counts have not the form that the names say.
    """

    title: str
    metric: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    counts: Counts | None
    protocol: str
    command: str

    def __post_init__(self) -> None:
        wanted = [len(self.columns)] * len(self.rows)
        for name, grid in (("values", self.values), ("counts", self.counts)):
            if grid is not None and [len(row) for row in grid] != wanted:
                raise DataError(
                    f"{name} of a matrix must be {len(self.rows)} rows of {len(self.columns)}"
                )

    def table(self, form: str = ".3f", missing: str = UNKNOWN) -> Table:
        """The grid as a table, each number with its count.

        Args:
            form: how a number is written, as in `format`.
            missing: what stands for a number that is not known.
        """
        grid = self.counts or ((None,) * len(self.columns),) * len(self.rows)
        rows = tuple(
            (name, *(_cell(v, n, form, missing) for v, n in zip(values, counts, strict=True)))
            for name, values, counts in zip(self.rows, self.values, grid, strict=True)
        )
        return Table(self.title, (self.metric, *self.columns), rows, self.protocol)

    def to_markdown(self, form: str = ".3f", missing: str = UNKNOWN) -> str:
        """The table, and what made it."""
        return f"{table_markdown(self.table(form, missing))}\n\nCommand: `{self.command}`\n"

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, as the schema "matrix" says."""
        return {
            "schema": SCHEMA,
            "title": self.title,
            "metric": self.metric,
            "rows": list(self.rows),
            "columns": list(self.columns),
            "values": [list(row) for row in self.values],
            "counts": None if self.counts is None else [list(row) for row in self.counts],
            "protocol": self.protocol,
            "command": self.command,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Matrix:
        """From the values of a result file.

        Raises:
            DataError: they are not what the schema "matrix" says.
        """
        check(data, "matrix")
        counts = data["counts"]
        return cls(
            title=data["title"],
            metric=data["metric"],
            rows=tuple(data["rows"]),
            columns=tuple(data["columns"]),
            values=tuple(map(tuple, data["values"])),
            counts=None if counts is None else tuple(map(tuple, counts)),
            protocol=data["protocol"],
            command=data["command"],
        )


def _cell(value: float | None, count: int | None, form: str, missing: str) -> str:
    if value is None:
        return missing
    return format(value, form) + ("" if count is None else f" (n = {count})")
