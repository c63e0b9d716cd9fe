"""Rows that a loader could not take: counted, shown, never silently dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from untwist.errors import DataError
from untwist.schema import Dialogue


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row that was not taken.

    Attributes:
        path: the file as it was named by the caller.
        line: 1-based line on which the row begins.
        reason: what is wrong with it and what to do; never quotes the row's text.
    """

    path: str
    line: int
    reason: str

    def __str__(self) -> str:
        """As one line: `file:line: reason`."""
        return f"{self.path}:{self.line}: {self.reason}"


class Refusals:
    """Collects what loaders refuse; hand the same one to several loaders to count over all."""

    def __init__(self) -> None:
        self._items: list[Refusal] = []

    def add(self, refusal: Refusal) -> None:
        """Keep one refused row."""
        self._items.append(refusal)

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Refusal]:
        return iter(self._items)

    def by_reason(self) -> dict[str, int]:
        """How many rows were refused for which reason, the most frequent first."""
        return dict(Counter(item.reason for item in self._items).most_common())

    def summary(self) -> str:
        """One line for people: how many, and why; "0 rows refused" when there are none."""
        reasons = "; ".join(f"{n} × {reason}" for reason, n in self.by_reason().items())
        return f"{len(self)} rows refused" + (f": {reasons}" if reasons else "")


def refuse(refusals: Refusals | None, path: Path | str, line: int, reason: str) -> None:
    """Keep a refused row, or stop when nobody collects them.

    Raises:
        DataError: `refusals` is None; the message holds file, line and reason.
    """
    refusal = Refusal(str(path), line, reason)
    if refusals is None:
        raise DataError(str(refusal))
    refusals.add(refusal)


class HasLine(Protocol):
    """A raw row that knows where it stands in its file."""

    @property
    def line(self) -> int:
        """1-based line on which the row begins."""


Raw = TypeVar("Raw", bound=HasLine)


def build_each(
    rows: Iterable[Raw],
    build: Callable[[Raw], Dialogue | None],
    path: Path | str,
    refusals: Refusals | None,
) -> Iterator[Dialogue]:
    """Turn raw rows into dialogues; a row that raises DataError is refused, the rest goes on.

    Args:
        rows: raw rows, each with its line.
        build: makes one dialogue; None means that the row is no item of this corpus.
        path: named in refusals.
        refusals: collector; without one the first refused row raises.

    Raises:
        DataError: a row is refused and there is no collector.
    """
    seen: set[str] = set()
    for row in rows:
        try:
            dialogue = build(row)
        except DataError as error:
            refuse(refusals, path, row.line, str(error))
            continue
        if dialogue is None:
            continue
        if dialogue.id in seen:
            refuse(refusals, path, row.line, f'id "{dialogue.id}" occurs twice: make ids unique')
            continue
        seen.add(dialogue.id)
        yield dialogue
