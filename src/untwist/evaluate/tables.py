"""A table as a value, so that a number is written once, for Markdown and HTML alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from untwist.errors import DataError

UNKNOWN = "–"


@dataclass(frozen=True, slots=True)
class Table:
    """Text in rows and columns.

    Attributes:
        title: what the table shows; empty for none.
        header: names of the columns; the first names the rows.
        rows: as many cells as the header has.
        note: what a reader must know beside it; empty for nothing.

    Raises:
        DataError: a row has more or fewer cells than the header.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        for place, row in enumerate(self.rows, 1):
            if len(row) != len(self.header):
                raise DataError(
                    f"row {place} of a table has {len(row)} cells, its header {len(self.header)}"
                )


def table_markdown(table: Table, level: int = 2) -> str:
    """The table in Markdown, its title as a heading.

    Args:
        table: any; bars and line ends in its cells are written so that they stay in their cell.
        level: of the heading, 1 to 6.
    """
    lines = [table.header, ("---",) * len(table.header), *table.rows]
    drawn = "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)
    title = f"{'#' * level} {_line(table.title)}" if table.title else ""
    return "\n\n".join(part for part in (title, drawn, table.note) if part)


def _cell(text: str) -> str:
    return _line(text).replace("|", "\\|")


def _line(text: str) -> str:
    return " ".join(text.split())


def number(value: float | None) -> str:
    """A score with three places; a dash when it is not known."""
    return UNKNOWN if value is None else f"{value:z.3f}"


def bounds(interval: Sequence[float] | None) -> str:
    """An interval in brackets with a space before it; empty when it is not known."""
    return f" [{interval[0]:z.3f}, {interval[1]:z.3f}]" if interval else ""
