"""JSON Lines as a stream: every line becomes an item or a failure, and nothing is lost.

Memory is constant: one line at a time, and no line longer than `MAX_LINE` bytes is kept.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from untwist.errors import DataError
from untwist.schema import Json, Role, Utterance
from untwist.taxonomy import Lang
from untwist.text import require_text

MAX_LINE = 32 * 1024 * 1024
"""Longest line that is read, in bytes."""

T = TypeVar("T")

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Item:
    """One readable row of the caller's file.

    Attributes:
        id: the caller's, as a string; the 1-based line number when the row has none.
        utterance: what is to be read.
        history: what was said before it, oldest first.
        line: 1-based line in the file.
    """

    id: str
    utterance: Utterance
    history: tuple[Utterance, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """One unreadable row, marked in place.

    Attributes:
        line: 1-based line in the file.
        id: the row's id, or the line number when it could not be read.
        message: what is wrong and what to do; never quotes the row's text.
    """

    line: int
    id: str
    message: str


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON object and its line.

    Attributes:
        line: 1-based line in the file.
        data: the object.
    """

    line: int
    data: Json


def read_records(path: Path | str) -> Iterator[Record | Failure]:
    """The JSON objects of a file in order; a line that holds none is a failure in its place.

    A byte-order mark at the start and CRLF line ends are accepted; blank lines are skipped.

    Args:
        path: the file; "-" is standard input.

    Raises:
        DataError: the file cannot be opened or read.
    """
    try:
        source = nullcontext(sys.stdin.buffer) if str(path) == "-" else Path(path).open("rb")  # noqa: SIM115
        with source as file:
            for line, raw in _lines(cast("BinaryIO", file)):
                yield _record(line, raw)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def read_each(path: Path | str, build: Callable[[Record], T], what: str) -> Iterator[T]:
    """What `build` makes of every row of a file, in order; nothing is left out in silence.

    Args:
        path: the file.
        build: makes one value of a row.
        what: what a row should be, for the message.

    Raises:
        DataError: a row cannot be read or built; the message holds file and line.
    """
    for record in read_records(path):
        if isinstance(record, Failure):
            raise DataError(f"{path}:{record.line}: {record.message}")
        try:
            built = build(record)
        except DataError as error:
            raise DataError(f"{path}:{record.line}: {error}") from error
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path}:{record.line}: not a {what}: {error!r}") from error
        yield built


def read_items(path: Path | str, keep_going: bool = False) -> Iterator[Item | Failure]:
    """Rows `{"id","text","lang"?,"history"?:[{"role","content"}]}`, one at a time.

    Args:
        path: the file; "-" is standard input.
        keep_going: yield unreadable rows as failures; otherwise the first one raises.

    Raises:
        DataError: a row is unreadable and `keep_going` is False, or the file cannot be opened;
            the message holds file and line.
    """
    for record in read_records(path):
        item = record if isinstance(record, Failure) else _item(record)
        if isinstance(item, Failure) and not keep_going:
            raise DataError(f"{path}:{item.line}: {item.message}")
        yield item


def record_id(record: Record) -> str:
    """The row's id as a string; the line number when it has none.

    Raises:
        DataError: the id is neither a string nor a whole number.
    """
    id = record.data.get("id")
    if id is None:
        return str(record.line)
    if isinstance(id, bool) or not isinstance(id, str | int):
        raise DataError(f"id is {type(id).__name__}: give a string or a whole number")
    return require_text(id, "id") if isinstance(id, str) else str(id)


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines that are not blank; None in place of one that is too long."""
    line = 0
    while raw := file.readline(MAX_LINE + 1):
        line += 1
        if len(raw) > MAX_LINE:
            while raw and not raw.endswith(b"\n"):
                raw = file.readline(MAX_LINE)
            yield line, None
            continue
        if line == 1:
            raw = raw.removeprefix(_BOM)
        if raw.strip():
            yield line, raw


def _record(line: int, raw: bytes | None) -> Record | Failure:
    try:
        if raw is None:
            raise DataError(f"the line is longer than {MAX_LINE:,} bytes: split it")
        return Record(line, _object(raw))
    except DataError as error:
        return Failure(line, str(line), str(error))


def _object(raw: bytes) -> Json:
    if b"\x00" in raw:
        raise DataError(f"a NUL byte at byte {raw.index(0) + 1}: remove it, or save as UTF-8")
    try:
        data = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise DataError(f"not UTF-8 at byte {error.start + 1}: save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        raise DataError(f"not JSON: {error.msg} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise DataError("not readable JSON: nested too deeply") from error
    except ValueError as error:
        raise DataError("not readable JSON: a number has too many digits") from error
    if not isinstance(data, dict):
        raise DataError(f"a JSON {type(data).__name__} where an object {{…}} belongs")
    return data


def _item(record: Record) -> Item | Failure:
    id = str(record.line)
    try:
        id = record_id(record)
        return Item(id, text_of(record.data, id), history_of(record.data), record.line)
    except DataError as error:
        return Failure(record.line, id, str(error))


def text_of(data: Json, id: str) -> Utterance:
    """The utterance of a row.

    Raises:
        DataError: `text` is missing or unreadable, or `lang` is unknown.
    """
    if data.get("text") is None:
        raise DataError('no "text": give the message under that key')
    lang = data.get("lang")
    if lang is not None and not isinstance(lang, str):
        raise DataError(f'lang is {type(lang).__name__}: give "en" or "zh", or leave it out')
    return Utterance(data["text"], cast("Lang | None", lang), id)


def history_of(data: Json) -> tuple[Utterance, ...]:
    """What was said before a row's message, oldest first; empty when nothing was.

    Raises:
        DataError: `history` is no list of turns; the message says which entry is wrong.
    """
    turns = data.get("history")
    if turns is None:
        return ()
    if not isinstance(turns, list):
        raise DataError('history is no list: give [{"role","content"}, …]')
    return tuple(_turn(turn, place) for place, turn in enumerate(turns, 1))


def _turn(turn: object, place: int) -> Utterance:
    where = f"history entry {place}"
    if not isinstance(turn, dict):
        raise DataError(f"{where} is {type(turn).__name__}, not an object with role and content")
    role = turn.get("role")
    if role not in ("user", "assistant"):
        raise DataError(f'{where}: role is neither "user" nor "assistant"')
    content = turn.get("content")
    if not isinstance(content, str):
        raise DataError(f"{where}: content is missing or no string")
    text = require_text(content, f"{where}: content")
    return Utterance(text, role=cast("Role", role))
