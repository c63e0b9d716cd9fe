"""JSON as corpora publish it: one list in a file, or one object a line; each row with its line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from untwist.data.encoding import require_encoding
from untwist.data.jsonlines import Failure, Record, read_records
from untwist.data.refusals import Refusals, refuse
from untwist.errors import DataError
from untwist.schema import Json

_SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a list.

    Attributes:
        line: 1-based line on which it begins.
        number: 1-based place in the list.
        data: the entry, any JSON value.
    """

    line: int
    number: int
    data: object

    def require_object(self) -> Json:
        """The entry, when it is a JSON object.

        Raises:
            DataError: it is something else.
        """
        if not isinstance(self.data, dict):
            raise DataError("no JSON object: give one object an entry")
        return self.data


def read_list(file: Path) -> list[Entry]:
    """The entries of a file that is one JSON list, in its order.

    The file is read whole. Nothing is taken from a list that is broken anywhere: what comes after
    the break could not be told.

    Raises:
        DataError: the file is not UTF-8, no JSON or no list; the message holds the line.
    """
    text = _decoded(file)
    decoder = json.JSONDecoder()
    entries: list[Entry] = []
    at = _skip(text, 0)
    if text[at : at + 1] != "[":
        raise DataError(f"{file}:1: no JSON list: give the data file itself, no link to it")
    at, line, counted = _skip(text, at + 1), 1, 0
    while text[at : at + 1] != "]":
        line += text.count("\n", counted, at)
        counted = at
        try:
            data, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            reason = f"entry {len(entries) + 1} is no JSON: {type(error).__name__}"
            raise DataError(f"{file}:{line}: {reason}: get the file anew") from error
        entries.append(Entry(line, len(entries) + 1, data))
        at = _next(text, at, f"{file}:{line}: after entry {len(entries)}")
    if _skip(text, at + 1) != len(text):
        raise DataError(f"{file}:{line}: more follows after the list: give one list a file")
    return entries


def read_objects(file: Path, refusals: Refusals | None) -> Iterator[Record]:
    """The objects of a JSON Lines file, in its order; a line that holds none is refused.

    Raises:
        DataError: the file as a whole is not UTF-8, or a line is refused and there is no collector.
    """
    require_encoding(file, option=False)
    for record in read_records(file):
        if isinstance(record, Failure):
            refuse(refusals, file, record.line, record.message)
        else:
            yield record


def _decoded(file: Path) -> str:
    codec = require_encoding(file, option=False)
    raw = file.read_bytes()
    try:
        return raw.decode(codec)
    except UnicodeDecodeError as error:
        line = 1 + raw.count(b"\n", 0, error.start)
        raise DataError(f"{file}:{line}: not UTF-8: save it as UTF-8") from error


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _next(text: str, at: int, where: str) -> int:
    """Where the next entry begins, or the list ends."""
    at = _skip(text, at)
    if text[at : at + 1] == "]":
        return at
    start = _skip(text, at + 1)
    if text[at : at + 1] != "," or text[start : start + 1] == "]":
        raise DataError(f"{where} the list breaks off: get the file anew")
    return start
