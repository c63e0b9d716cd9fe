"""A leaderboard: systems on the same rows, each line with where its numbers can be checked.

A line is made from a report and never by hand; it names the report's sha256, the command that made
it, the rows that the system was trained on, and where its thresholds come from. Thresholds chosen
on the scored rows are refused. Lines of different rows are never in one table.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from untwist.errors import DataError
from untwist.evaluate.forms import check
from untwist.evaluate.report import DetectionReport
from untwist.evaluate.tables import UNKNOWN, Table, bounds, number, table_markdown

SCHEMA = "untwist/leaderboard-entry@1"
Split = Literal["published", "grouped"]
Part = Literal["test", "all"]
ThresholdsFrom = Literal["validation", "fixed"]
Pair = tuple[float, float] | None
_NOTE = (
    "Best first by micro-F1; brackets hold the 95 % interval, and lines whose intervals overlap "
    "may not differ. A system trained on the scored rows says so and stands last."
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a leaderboard.

    Attributes:
        system: name and version.
        corpus: name of the corpus, without spaces or colons.
        split: "published" by the corpus' authors, or "grouped": derived so that no group is on two
            sides.
        part: "test", or "all" rows, for a system that was trained on none of them.
        n: how many rows, 1 or more.
        micro_f1: 0 to 1.
        micro_f1_interval: 95 %; None when not known.
        macro_f1: mean over the classes with support; None when not known.
        macro_f1_interval: 95 %; None when not known.
        over_pathologising: share of undistorted texts given a label; None without such texts.
        unscored: rows without an answer.
        thresholds_from: "validation" rows, or "fixed" before any row of the corpus was seen.
        trained_on: corpora ("socialcd", that is all its rows) or parts ("socialcd:train").
        command: what made the report.
        revision: of the code; None when not known.
        report_sha256: as `DetectionReport.sha256`.
        url: where the report or the system is; None for nowhere.

    Raises:
        DataError: a field is out of its range, or the thresholds were chosen on the scored rows.
    """

    system: str
    corpus: str
    split: Split
    part: Part
    n: int
    micro_f1: float
    micro_f1_interval: Pair
    macro_f1: float | None
    macro_f1_interval: Pair
    over_pathologising: float | None
    unscored: int
    thresholds_from: ThresholdsFrom
    trained_on: tuple[str, ...]
    command: str
    revision: str | None
    report_sha256: str
    url: str | None

    def __post_init__(self) -> None:
        if str(self.thresholds_from) == "oracle":
            raise DataError("oracle thresholds are chosen on the scored rows and are no result")
        check(self.to_dict(), "leaderboard-entry")
        for pair in (self.micro_f1_interval, self.macro_f1_interval):
            if pair and pair[0] > pair[1]:
                raise DataError("an interval must have its lower end first")
        if self.unscored > self.n:
            raise DataError(f"{self.unscored} rows unscored of {self.n}")

    @property
    def trained_on_scored_rows(self) -> bool:
        """Whether `trained_on` names rows that were scored."""
        pairs = (name.partition(":") for name in self.trained_on)
        parts = [part or "all" for corpus, _, part in pairs if corpus == self.corpus]
        return any(self.part == "all" or part in ("all", self.part) for part in parts)

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What there may be only one of in a file."""
        return self.system, self.corpus, self.split, self.part

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, as the schema "leaderboard-entry" says."""
        values = {"schema": SCHEMA, **asdict(self), "trained_on": list(self.trained_on)}
        for name in ("micro_f1_interval", "macro_f1_interval"):
            values[name] = list(values[name]) if values[name] else None
        return values

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Entry:
        """From JSON values.

        Raises:
            DataError: they are not what the schema "leaderboard-entry" says.
        """
        check(data, "leaderboard-entry")
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k != "schema"
        }
        return cls(**values)


def entry_of(
    report: DetectionReport,
    *,
    split: Split,
    part: Part,
    thresholds_from: ThresholdsFrom,
    trained_on: Iterable[str],
    revision: str | None = None,
    url: str | None = None,
    system: str | None = None,
) -> Entry:
    """The line of a report.

    Args:
        report: the report.
        split: whose split it is.
        part: which rows of it.
        thresholds_from: where the thresholds come from; thresholds chosen on test are refused.
        trained_on: corpora or parts, see `Entry`.
        revision: of the code.
        url: where the report or the system is.
        system: name and version; None for the report's detector.

    Raises:
        DataError: the report has no micro-F1, or a field is out of its range.
    """
    given = _Facts(split, part, thresholds_from, tuple(trained_on), revision, url)
    ends = {
        name: (found.low, found.high) if found else None for name, found in report.intervals.items()
    }
    return _entry(report, system or report.detector, report.metrics(), ends, report.unscored, given)


def floor_of(
    report: DetectionReport,
    *,
    split: Split,
    part: Part,
    trained_on: Iterable[str],
    revision: str | None = None,
    url: str | None = None,
) -> Entry:
    """The line of a report's best constant label set, the floor of its table; no interval.

    Args:
        report: the report.
        split: whose split it is.
        part: which rows of it.
        trained_on: the rows that the constant was chosen on, see `Entry`.
        revision: of the code.
        url: where the report is.

    Raises:
        DataError: the report has no micro-F1, or a field is out of its range.
    """
    given = _Facts(split, part, "fixed", tuple(trained_on), revision, url)
    floor = report.baselines[0]
    return _entry(report, floor.name, floor.metrics(), {}, 0, given)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a report does not know of itself."""

    split: Split
    part: Part
    thresholds_from: ThresholdsFrom
    trained_on: tuple[str, ...]
    revision: str | None
    url: str | None


def _entry(
    report: DetectionReport,
    system: str,
    values: Mapping[str, float | None],
    ends: Mapping[str, Pair],
    unscored: int,
    given: _Facts,
) -> Entry:
    micro = values["micro_f1"]
    if micro is None:
        raise DataError(f"{system} on {report.corpus} has no micro-F1: it cannot be ranked")
    return Entry(
        system=system,
        corpus=report.corpus,
        n=report.n,
        micro_f1=micro,
        micro_f1_interval=ends.get("micro_f1"),
        macro_f1=values["macro_f1"],
        macro_f1_interval=ends.get("macro_f1"),
        over_pathologising=values["over_pathologising"],
        unscored=unscored,
        command=report.command,
        report_sha256=report.sha256,
        **{name: getattr(given, name) for name in _Facts.__slots__},
    )


def read_leaderboard(path: Path | str) -> tuple[Entry, ...]:
    """The lines of a leaderboard file (JSON Lines), sorted as they are shown.

    Raises:
        DataError: the file cannot be read, a line is no entry, or two lines are of one system,
            corpus, split and part; the message has the file and the line.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path}: {type(error).__name__}; give UTF-8") from error
    seen: dict[tuple[str, str, str, str], int] = {}
    entries: list[Entry] = []
    for place, line in enumerate(lines, 1):
        if not line.strip():
            continue
        entry = _parsed(line, f"{path}, line {place}")
        if entry.key in seen:
            raise DataError(f"{path}, line {place} repeats line {seen[entry.key]}: keep one")
        seen[entry.key] = place
        entries.append(entry)
    return tuple(sorted(entries, key=_order))


def _parsed(line: str, where: str) -> Entry:
    try:
        return Entry.from_dict(json.loads(line))
    except (ValueError, DataError) as error:
        raise DataError(f"{where}: {error}") from error


def _order(entry: Entry) -> tuple[object, ...]:
    table = (entry.corpus, entry.split, entry.part)
    return *table, entry.trained_on_scored_rows, -entry.micro_f1, entry.system


def leaderboard_tables(entries: Iterable[Entry]) -> tuple[Table, ...]:
    """One table per corpus, split and part, best first by micro-F1."""
    ranked = sorted(entries, key=_order)
    tables = groupby(ranked, key=lambda e: (e.corpus, e.split, e.part))
    return tuple(_table(*key, tuple(members)) for key, members in tables)


def leaderboard_markdown(entries: Iterable[Entry]) -> str:
    """The tables of `leaderboard_tables`, one below the other; empty for no entry."""
    return "".join(f"{table_markdown(table)}\n\n" for table in leaderboard_tables(entries))


def _table(corpus: str, split: str, part: str, entries: tuple[Entry, ...]) -> Table:
    rows = "all rows" if part == "all" else f"{part} rows"
    cells = tuple(tuple(cell(entry) for _, cell in _COLUMNS) for entry in entries)
    return Table(f"{corpus}, {split} split, {rows}", tuple(n for n, _ in _COLUMNS), cells, _NOTE)


def _trained(entry: Entry) -> str:
    names = ", ".join(entry.trained_on) or "none of the corpora"
    return f"{names} (trained on the scored rows)" if entry.trained_on_scored_rows else names


_COLUMNS = (
    ("system", lambda e: e.system),
    ("micro-F1", lambda e: number(e.micro_f1) + bounds(e.micro_f1_interval)),
    ("macro-F1 (mean)", lambda e: number(e.macro_f1) + bounds(e.macro_f1_interval)),
    ("over-pathologising", lambda e: number(e.over_pathologising)),
    ("n", lambda e: str(e.n)),
    ("unscored", lambda e: str(e.unscored)),
    ("thresholds from", lambda e: e.thresholds_from),
    ("trained on", _trained),
    ("command", lambda e: e.command),
    ("revision", lambda e: (e.revision or UNKNOWN)[:12]),
    ("report sha256", lambda e: e.report_sha256[:12]),
    ("link", lambda e: e.url or UNKNOWN),
)
