"""How often people were shown where help is: by month, region and language, and nothing else.

A count holds no text, no name and no time finer than a month. The file is written whole or not at
all. Small counts are not shown in a report, so that nobody can be told from one.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from untwist.errors import ConfigError, DataError
from untwist.safety.resources import EVERYWHERE, region_codes
from untwist.taxonomy import LANGS

FORMAT = "untwist-referrals@1"
"""The name of the file format."""

_FIELDS = ("month", "region", "lang", "count")
_MONTH = re.compile(r"20\d\d-(?:0[1-9]|1[0-2])")
_MOST_BYTES = 10_000_000


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One count.

    Attributes:
        month: such as "2026-11".
        region: a code of the resource file; "*" when the region was not known.
        lang: "en" or "zh".
        count: how many referrals were shown, at least 1.

    Raises:
        DataError: a field is none of these; the message says which, never what it held.
    """

    month: str
    region: str
    lang: str
    count: int

    def __post_init__(self) -> None:
        if not isinstance(self.month, str) or not _MONTH.fullmatch(self.month):
            raise DataError('month is no month: give one such as "2026-11"')
        if self.region not in (*region_codes(), EVERYWHERE):
            raise DataError(f"region is no known code: give one of {', '.join(region_codes())}, *")
        if self.lang not in LANGS:
            raise DataError('lang is neither "en" nor "zh"')
        if type(self.count) is not int or self.count < 1:
            raise DataError("count is no whole number above 0")


@dataclass(frozen=True, slots=True)
class Referrals:
    """The counts of a place, one cell per month, region and language, in that order.

    Attributes:
        cells: sorted, each key once.
    """

    cells: tuple[Cell, ...] = ()

    def __post_init__(self) -> None:
        keys = [(c.month, c.region, c.lang) for c in self.cells]
        if keys != sorted(set(keys)):
            raise DataError("the counts are not in order, or one stands there twice")

    def add(self, now: datetime, region: str | None, lang: str, count: int = 1) -> Referrals:
        """The counts with one more referral; of the time only the month is kept.

        Raises:
            DataError: the region or the language is unknown.
        """
        return self.merged(Referrals((Cell(month_of(now), region or EVERYWHERE, lang, count),)))

    def merged(self, *others: Referrals) -> Referrals:
        """These counts and those of other files, added up."""
        total: Counter[tuple[str, str, str]] = Counter()
        for cell in (c for one in (self, *others) for c in one.cells):
            total[cell.month, cell.region, cell.lang] += cell.count
        return Referrals(tuple(Cell(*key, total[key]) for key in sorted(total)))

    def of_year(self, year: int) -> Referrals:
        """The cells of one year."""
        return Referrals(tuple(c for c in self.cells if c.month.startswith(f"{year:04d}-")))

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        rows = [{name: getattr(cell, name) for name in _FIELDS} for cell in self.cells]
        return {"format": FORMAT, "counts": rows}

    @classmethod
    def from_dict(cls, data: object) -> Referrals:
        """The counts from JSON values.

        Raises:
            DataError: a field is missing, unknown or wrong.
        """
        if not isinstance(data, Mapping) or set(data) != {"format", "counts"}:
            raise DataError('not a file of referral counts: it has "format" and "counts" only')
        if data["format"] != FORMAT or not isinstance(data["counts"], list):
            raise DataError(f'the format is not "{FORMAT}", or "counts" is no list')
        return cls(tuple(_cell(row, place) for place, row in enumerate(data["counts"], 1)))


def _cell(row: object, place: int) -> Cell:
    if not isinstance(row, Mapping) or set(row) != set(_FIELDS):
        raise DataError(f"count {place} has other fields than {', '.join(_FIELDS)}")
    try:
        return Cell(**row)
    except (DataError, TypeError) as error:
        why = str(error) if isinstance(error, DataError) else "a field has the wrong type"
        raise DataError(f"count {place}: {why}") from None


def month_of(now: datetime) -> str:
    """The month of an aware time, in its own zone.

    Raises:
        ConfigError: the time has no zone.
    """
    if now.utcoffset() is None:
        raise ConfigError("a time without a zone: give an aware datetime")
    return f"{now.year:04d}-{now.month:02d}"


def read_referrals(path: Path | str) -> Referrals:
    """The counts of a file; none when there is no such file yet.

    Raises:
        DataError: the file cannot be read, or holds anything but counts.
    """
    file = Path(path)
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        return Referrals()
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror}") from error
    if len(raw) > _MOST_BYTES:
        raise DataError(f"{file} is over {_MOST_BYTES:,} bytes: it holds no counts")
    try:
        return Referrals.from_dict(json.loads(raw.decode("utf-8")))
    except DataError as error:
        raise DataError(f"{file}: {error}") from None
    except (ValueError, RecursionError):
        raise DataError(f"{file} is not UTF-8 JSON: move it away to begin anew") from None


def write_referrals(path: Path | str, referrals: Referrals) -> None:
    """Replace the file in one step: after a crash it holds the old counts or the new ones.

    One process may write a file; counts of several are added up by `Referrals.merged`.

    Raises:
        DataError: the file cannot be written.
    """
    file = Path(path)
    text = json.dumps(referrals.to_dict(), indent=1) + "\n"
    name = ""
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="\n", dir=file.parent, prefix=".referrals-", delete=False
        ) as draft:
            name = draft.name
            draft.write(text)
            draft.flush()
            os.fsync(draft.fileno())
        Path(name).replace(file)
    except OSError as error:
        if name:
            with suppress(OSError):
                Path(name).unlink()
        raise DataError(f"cannot write {file}: {error.strerror}") from error


def _rows(referrals: Referrals, smallest: int) -> Iterable[tuple[str, str, str, str]]:
    for c in referrals.cells:
        shown = str(c.count) if c.count >= smallest else f"<{smallest}"
        yield c.month, c.region, c.lang, shown


def total_of(referrals: Referrals, smallest: int = 5) -> str:
    """The sum as it may be shown: exact, or "at least N" where small counts are hidden."""
    least = sum(c.count if c.count >= smallest else 1 for c in referrals.cells)
    hidden = any(c.count < smallest for c in referrals.cells)
    return f"at least {least}" if hidden else str(least)


def report_csv(referrals: Referrals, smallest: int = 5) -> str:
    """The report as CSV with a header.

    Args:
        referrals: the counts, of one year for an annual report.
        smallest: counts below it are shown as "<5"; 1 shows all.

    Raises:
        ConfigError: `smallest` is below 1.
    """
    _check(smallest)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_FIELDS)
    writer.writerows(_rows(referrals, smallest))
    return out.getvalue()


def report_markdown(referrals: Referrals, smallest: int = 5) -> str:
    """The report as a Markdown table with the sum and what was counted.

    Args:
        referrals: the counts, of one year for an annual report.
        smallest: counts below it are shown as "<5"; 1 shows all.

    Raises:
        ConfigError: `smallest` is below 1.
    """
    _check(smallest)
    rows = [f"| {' | '.join(row)} |" for row in _rows(referrals, smallest)]
    hidden = f" Counts below {smallest} are shown as <{smallest}." if smallest > 1 else ""
    lines = [
        "# Referrals shown",
        "",
        "How often a reply told a person where to find help. No text, no name and no account is "
        f"kept; region * means that the region was not known.{hidden}",
        "",
        f"| {' | '.join(_FIELDS)} |",
        "|---|---|---|---|",
        *rows,
        "",
        f"Sum: {total_of(referrals, smallest)}.",
    ]
    return "\n".join(lines) + "\n"


def _check(smallest: int) -> None:
    if smallest < 1:
        raise ConfigError(f"smallest is {smallest}: give 1 or more")
