"""Any table of the user's: CSV, TSV or JSON Lines, its columns named by the caller.

Source: whoever made the table.
Licence: the maker's.
Language: English and Chinese.
Labels: one column of names, or a 0/1 column a label; or none, then nothing is annotated.
Splits: a column, or one file a part; items of one `group` stay on one side.
Known faults: none of the format's own.
Size: any.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

from untwist.data.encoding import require_encoding
from untwist.data.jsonlist import read_objects
from untwist.data.refusals import Refusals, build_each
from untwist.data.tables import lacking, read_table
from untwist.errors import ConfigError, DataError
from untwist.schema import Dialogue, Labels, Utterance
from untwist.taxonomy import CANONICAL, Distortion, Lang, Taxonomy, parse
from untwist.taxonomy import taxonomy as taxonomy_of
from untwist.text import require_text

CORPUS = "table"
DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".txt": "\t"}
"""Endings of tables and what stands between two of their cells."""
RECORDS = (".jsonl", ".ndjson")
"""Endings of JSON Lines."""
NONE = ("", "none", "no distortion", "not distorted", "undistorted",
        "无", "无扭曲", "无歪曲", "非歪曲", "无标签")  # fmt: skip
"""What a label column says of an undistorted text; case does not matter."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of a table is what; None where the table has no such column.

    In JSON Lines the columns are keys; every named key must be in every row, null for "not known".

    Attributes:
        text: the message.
        id: its name, unique over all files; without it the row's number.
        labels: names of distortions, several joined by `separator`, in JSON Lines a list too.
        separator: what stands between two labels.
        group: items that must stay on one side of a split; without it every item is its own.
        split: the part that the item belongs to, as the table writes it.
        lang: "en" or "zh"; without it, or where it is empty, told from the text.
        one_hot: columns of 0 and 1, each named by its label.

    Raises:
        ConfigError: labels are named in two ways or are the text, or the separator is empty.
    """

    text: str = "text"
    id: str | None = None
    labels: str | None = None
    separator: str = ";"
    group: str | None = None
    split: str | None = None
    lang: str | None = None
    one_hot: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.labels is not None and self.one_hot:
            raise ConfigError("labels and one_hot are both named: give one of them")
        if self.labels == self.text:
            raise ConfigError(f'column "{self.text}" is named as text and as labels: name another')
        if not self.separator:
            raise ConfigError('the separator of labels is empty: give for example ";"')

    @property
    def named(self) -> tuple[str, ...]:
        """Every column that the table must have."""
        own = (self.text, self.id, self.labels, self.group, self.split, self.lang)
        return (*(column for column in own if column is not None), *self.one_hot)


@dataclass(frozen=True, slots=True)
class _Cells:
    """One row of either kind of file."""

    line: int
    number: int
    cells: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Reading:
    """How the rows of all files are read."""

    columns: Columns
    labels: Taxonomy | None
    carried: frozenset[Distortion]
    corpus: str
    encoding: str
    none: frozenset[str]


def load(
    path: Path | str,
    refusals: Refusals | None = None,
    *,
    columns: Columns,
    taxonomy: str | None = None,
    corpus: str = CORPUS,
    encoding: str = "utf-8",
    none: Iterable[str] = NONE,
) -> Iterator[Dialogue]:
    """Every row of one file, in its order.

    Args:
        path: the file; its ending tells its kind (`DELIMITERS`, `RECORDS`).
        refusals: collects refused rows; without it the first one raises.
        columns: which column is what.
        taxonomy: the label set whose names the table uses, which is also its mask; without it any
            name, alias or slug of a canonical distortion.
        corpus: the corpus' name in the values.
        encoding: of the file; JSON Lines is always UTF-8.
        none: words that say that a text is undistorted. With "" among them an empty cell says so
            too; else an empty cell means "not annotated".

    Raises:
        DataError: the file or a column is missing, a 0/1 column has the name of no label, or a row
            is refused and there is no collector.
        ConfigError: the ending or the encoding is unknown.
    """
    reading = _reading(columns, taxonomy, corpus, encoding, none)
    yield from _file(Path(path), None, reading, refusals, {})


def load_parts(
    parts: Mapping[str, Path | str],
    refusals: Refusals | None = None,
    *,
    columns: Columns,
    taxonomy: str | None = None,
    corpus: str = CORPUS,
    encoding: str = "utf-8",
    none: Iterable[str] = NONE,
) -> Iterator[Dialogue]:
    """Every row of several files, each file one part; an id in two of them is refused.

    Args:
        parts: name of the part to its file, for example train and test.
        refusals: collects refused rows; without it the first one raises.
        columns: which column is what; none may be the split.
        taxonomy: as in `load`.
        corpus: as in `load`.
        encoding: of all files.
        none: as in `load`.

    Raises:
        DataError: as in `load`.
        ConfigError: as in `load`, or a column is named as the split too.
    """
    if columns.split is not None:
        raise ConfigError("the parts are files, and a column is named too: give one of them")
    reading = _reading(columns, taxonomy, corpus, encoding, none)
    seen: dict[str, str] = {}
    for part, path in parts.items():
        yield from _file(Path(path), part, reading, refusals, seen)


def _reading(
    columns: Columns, name: str | None, corpus: str, encoding: str, none: Iterable[str]
) -> _Reading:
    labels = None if name is None else taxonomy_of(name)
    carried = frozenset(CANONICAL) if labels is None else labels.covered
    if columns.one_hot:
        carried = frozenset(d for column in columns.one_hot for d in _meant(column, labels))
    words = frozenset(word.strip().casefold() for word in none)
    return _Reading(columns, labels, carried, corpus, encoding, words)


def _file(
    file: Path,
    part: str | None,
    reading: _Reading,
    refusals: Refusals | None,
    seen: dict[str, str],
) -> Iterator[Dialogue]:
    if not file.is_file():
        raise DataError(f"no file {file}: give a CSV, TSV or JSON Lines file")
    build = partial(_build, part=part, reading=reading, file=file, seen=seen)
    yield from build_each(_rows(file, reading, refusals), build, file, refusals)


def _rows(file: Path, reading: _Reading, refusals: Refusals | None) -> Iterator[_Cells]:
    ending, named = file.suffix.lower(), reading.columns.named
    if ending in RECORDS:
        if require_encoding(file, reading.encoding, option=False) != "utf-8-sig":
            raise ConfigError(f"{file}: JSON Lines is read as UTF-8 only: save it so")
        for record in read_objects(file, refusals):
            yield _Cells(record.line, record.line, record.data)
    elif ending in DELIMITERS:
        for row in read_table(file, DELIMITERS[ending], named, refusals, reading.encoding):
            yield _Cells(row.line, row.number, row.cells)
    else:
        known = ", ".join((*DELIMITERS, *RECORDS))
        raise ConfigError(f'{file}: unknown ending "{ending}": give one of {known}')


def _build(
    row: _Cells, part: str | None, reading: _Reading, file: Path, seen: dict[str, str]
) -> Dialogue:
    columns, cells = reading.columns, row.cells
    if any(column not in cells for column in columns.named):
        raise DataError(f"the row lacks {lacking(columns.named, cells)}")
    id = _id(row, columns, part)
    lang = cast("Lang | None", _word(cells, columns.lang))
    text = require_text(cast("str", cells[columns.text]), f"column {columns.text}")
    utterance = Utterance(text, lang, id)
    labels = _labels(cells, reading)
    group = _word(cells, columns.group) or f"{reading.corpus}:{id}"
    split = part if part is not None else _word(cells, columns.split)
    here = f"{file}:{row.line}"
    if seen.setdefault(id, here) != here:
        raise DataError(f'id "{id}" is at {seen[id]} too: give every row an id of its own')
    return Dialogue(id, reading.corpus, (utterance,), (labels,), group, split)


def _id(row: _Cells, columns: Columns, part: str | None) -> str:
    if columns.id is None:
        return str(row.number) if part is None else f"{part}-{row.number}"
    id = _word(row.cells, columns.id)
    if id is None:
        raise DataError(f"column {columns.id} is empty")
    return id


def _word(cells: Mapping[str, object], column: str | None) -> str | None:
    """A cell as one word without the space around it; None when it is empty.

    Raises:
        DataError: it is neither a string nor a whole number.
    """
    value = None if column is None else cells[column]
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise DataError(f"column {column} holds neither a string nor a whole number")
    return require_text(str(value), f"column {column}").strip() if str(value).strip() else None


def _labels(cells: Mapping[str, object], reading: _Reading) -> Labels | None:
    columns = reading.columns
    if columns.one_hot:
        on = [column for column in columns.one_hot if _is_one(cells[column], column)]
        found = frozenset(d for column in on for d in _meant(column, reading.labels))
        return Labels(found, reading.carried)
    if columns.labels is None:
        return None
    named = _named(cells[columns.labels], reading)
    return None if named is None else Labels(named, reading.carried)


def _named(value: object, reading: _Reading) -> frozenset[Distortion] | None:
    """The labels of a cell; empty when it says that there is none; None when it says nothing."""
    columns = reading.columns
    if value is None:
        return None
    cell = value.split(columns.separator) if isinstance(value, str) else value
    if not isinstance(cell, list) or not all(isinstance(name, str) for name in cell):
        raise DataError(f"column {columns.labels} holds neither names nor a list of names")
    names = [name.strip() for name in cell if name.strip()]
    if not names:
        return frozenset() if cell == [] or "" in reading.none else None
    undistorted = [name for name in names if name.casefold() in reading.none]
    if undistorted:
        if len(undistorted) < len(names):
            raise DataError(f"column {columns.labels} names a distortion and none at once")
        return frozenset()
    found = frozenset(d for name in names for d in _meant(name, reading.labels))
    stray = sorted(found - reading.carried)
    if stray:
        raise DataError(f'label "{stray[0].value}" needs a taxonomy that has it: name one')
    return found


def _meant(name: str, labels: Taxonomy | None) -> tuple[Distortion, ...]:
    return (parse(name),) if labels is None else labels.from_label(name)


def _is_one(value: object, column: str) -> bool:
    """Whether a 0/1 cell is 1.

    Raises:
        DataError: it is something else.
    """
    cell = value.strip() if isinstance(value, str) else value
    if cell in ("0", "1", 0, 1):
        return cell in ("1", 1)
    raise DataError(f"column {column} holds neither 0 nor 1")
