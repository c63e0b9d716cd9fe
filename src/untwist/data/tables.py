"""Tables (TSV, CSV), row by row, and single texts as dialogues."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from untwist.data.encoding import require_encoding
from untwist.data.refusals import Refusals, refuse
from untwist.errors import DataError
from untwist.schema import Dialogue, Labels, Utterance
from untwist.taxonomy import Distortion, Taxonomy

_LONGEST_NAME = 40
_ESCAPED = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Attributes:
        line: 1-based line on which it begins (quoted cells may span lines).
        number: 1-based number of the row, the header not counted.
        cells: column name to cell, as written.
    """

    line: int
    number: int
    cells: dict[str, str]


def locate(path: Path | str, relative: str) -> Path:
    """The corpus file: `path` itself when it is one, else looked for under it.

    Args:
        path: the file, its folder, or the folder above.
        relative: where the file lies below the folder that holds all corpora.

    Raises:
        DataError: there is no such file; the message says where it was looked for.
    """
    path = Path(path)
    tried = [path] if path.is_file() else [path / relative, path / Path(relative).name]
    for candidate in tried:
        if candidate.is_file():
            return candidate
    places = " or ".join(str(place) for place in tried)
    raise DataError(f"no file {places}: give the corpus file or the folder that holds {relative}")


def read_table(
    path: Path,
    delimiter: str,
    columns: Sequence[str],
    refusals: Refusals | None,
    encoding: str = "utf-8",
    *,
    header: bool = True,
) -> Iterator[Row]:
    """The rows of a table, with or without byte-order mark.

    A row with too few or too many cells, with a broken quote, or with bytes that are not in the
    encoding is refused. A file that is in another encoding as a whole stops the reading.

    Args:
        path: the file.
        delimiter: what stands between two cells.
        columns: names that the header must have; without a header, the names of all columns.
        refusals: collects refused rows; without it the first one raises.
        encoding: of the file, by any name that Python knows.
        header: False when the first line is a row.

    Raises:
        DataError: a column is missing or stands twice; the file is in another encoding; or a row
            is refused and there is no collector.
        ConfigError: the encoding is unknown.
    """
    codec = require_encoding(path, encoding, columns if header else ())
    with path.open(encoding=codec, errors="surrogateescape", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        names = _header(reader, path, columns) if header else columns
        number = 0
        while True:
            number += 1
            line = reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                refuse(refusals, path, line, f"not a table row: {error}")
                continue
            except UnicodeError as error:
                raise DataError(f"{path}:{line}: not {encoding}: save it as UTF-8") from error
            if cells is None:
                return
            reason = _fault(cells, names, encoding)
            if reason is not None:
                refuse(refusals, path, line, reason)
            elif cells:
                yield Row(line, number, dict(zip(names, cells, strict=True)))


def _fault(cells: Sequence[str], names: Sequence[str], encoding: str) -> str | None:
    """Why the cells are no row; None when they are one, or a blank line."""
    if not cells:
        return None
    if len(cells) != len(names):
        return f"{len(cells)} cells where a row has {len(names)}"
    damaged = [name for name, cell in zip(names, cells, strict=True) if _ESCAPED.search(cell)]
    if damaged:
        return f"column {damaged[0]} holds bytes that are not {encoding}: save the row as UTF-8"
    return None


def header_of(path: Path, delimiter: str, encoding: str = "utf-8") -> list[str]:
    """The names in the first line of a table; empty when the file is.

    Raises:
        DataError: the first line cannot be read, or the file is in another encoding.
        ConfigError: the encoding is unknown.
    """
    codec = require_encoding(path, encoding)
    with path.open(encoding=codec, errors="surrogateescape", newline="") as file:
        return _header(csv.reader(file, delimiter=delimiter, strict=True), path, ())


def _header(reader: Iterator[list[str]], path: Path, columns: Sequence[str]) -> list[str]:
    try:
        header = next(reader, [])
    except (csv.Error, UnicodeError) as error:
        raise DataError(f"{path}:1: the header cannot be read: {error}") from error
    header = [name.removeprefix("\ufeff") for name in header]
    if any(column not in header for column in columns):
        raise DataError(f"{path}:1: the header lacks {lacking(columns, header)}")
    twice = [column for column in columns if header.count(column) > 1]
    if twice:
        raise DataError(f"{path}:1: the header has column {twice[0]} twice: rename one")
    return header


def lacking(columns: Sequence[str], there: Iterable[str]) -> str:
    """For a message: which of the columns are not there, what is there, and what is nearest.

    Names so long that they may be a row's text are counted and not shown.
    """
    names = [name for name in there if name.strip()]
    shown = [name for name in names if len(name) <= _LONGEST_NAME]
    missing = [column for column in columns if column not in names]
    long = [f"{len(names) - len(shown)} longer than a name"] if len(shown) < len(names) else []
    has = ", ".join([*shown, *long]) or "nothing"
    folded = {name.casefold(): name for name in shown}
    near = difflib.get_close_matches(missing[0].casefold(), folded, n=1, cutoff=0.0)
    hint = f"; nearest to {missing[0]}: {folded[near[0]]}" if near else ""
    return f"{', '.join(missing)}: it has {has}{hint}"


def marked(row: Row, labels: Taxonomy) -> frozenset[Distortion]:
    """The distortions whose 0/1 column holds 1.

    Raises:
        DataError: a cell holds something else.
    """
    found: set[Distortion] = set()
    for column in labels.labels:
        cell = row.cells[column].strip()
        if cell not in ("0", "1"):
            raise DataError(f"column {column} holds neither 0 nor 1")
        if cell == "1":
            found.update(labels.from_label(column))
    return frozenset(found)


def single(
    corpus: str,
    id: str,
    text: str,
    labels: Labels | None,
    *,
    group: str | None = None,
    split: str | None = None,
) -> Dialogue:
    """A dialogue of one message; without `group` it is a group of its own.

    Raises:
        DataError: the text cannot be read.
    """
    utterance = Utterance(text, id=id)
    return Dialogue(id, corpus, (utterance,), (labels,), group or f"{corpus}:{id}", split)
