"""Tables with a header (TSV, CSV), row by row, and single texts as dialogues."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from untwist.data.refusals import Refusals, refuse
from untwist.errors import DataError
from untwist.schema import Dialogue, Labels, Utterance
from untwist.taxonomy import Distortion, Taxonomy


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
    path: Path, delimiter: str, columns: Sequence[str], refusals: Refusals | None
) -> Iterator[Row]:
    """The rows of a UTF-8 table, with or without byte-order mark.

    A row with too few or too many cells, or with a broken quote, is refused. Bytes that are not
    UTF-8 become half surrogates here, which every text check refuses, so one bad row costs one row.

    Raises:
        DataError: a column is missing; or a row is refused and there is no collector.
    """
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        header = _header(reader, path, columns)
        number = 0
        while True:
            number += 1
            line = reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                refuse(refusals, path, line, f"not a table row: {error}")
                continue
            if cells is None:
                return
            if not cells:
                continue
            if len(cells) != len(header):
                reason = f"{len(cells)} cells where the header has {len(header)}"
                refuse(refusals, path, line, reason)
                continue
            yield Row(line, number, dict(zip(header, cells, strict=True)))


def _header(reader: Iterator[list[str]], path: Path, columns: Sequence[str]) -> list[str]:
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise DataError(f"{path}:1: the header cannot be read: {error}") from error
    missing = [column for column in columns if column not in header]
    if missing:
        lacks = ", ".join(missing)
        raise DataError(f"{path}:1: the header lacks {lacks}: save the published file as UTF-8")
    return header


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
    labels: Labels,
    *,
    group: str | None = None,
    split: str | None = None,
) -> Dialogue:
    """A dialogue of one labelled message; without `group` it is a group of its own.

    Raises:
        DataError: the text cannot be read.
    """
    utterance = Utterance(text, id=id)
    return Dialogue(id, corpus, (utterance,), (labels,), group or f"{corpus}:{id}", split)
