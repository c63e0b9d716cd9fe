"""Files of the converters: made anew or not at all, and read with the line of every row."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from untwist.data.jsonlines import MAX_LINE, Failure, Record, read_records
from untwist.errors import DataError
from untwist.schema import Json

_ESCAPED = {code: f"\\u{code:04x}" for code in (0x85, 0x2028, 0x2029)}


@contextmanager
def created(path: Path) -> Iterator[TextIO]:
    """A new UTF-8 file to write to, its folder made if need be; gone again after an error.

    Raises:
        DataError: the file is there already, or cannot be written.
    """
    if any(above.is_file() for above in path.parents):
        raise DataError(f"cannot write {path}: a file stands where a folder belongs")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("x", encoding="utf-8", newline="\n")
    except FileExistsError as error:
        raise DataError(f"{path} is there already: name another file, or move it away") from error
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error
    try:
        with file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def require_new(*paths: Path) -> None:
    """Stop before anything is written when one of the files is there.

    Raises:
        DataError: one of them exists.
    """
    for path in paths:
        if path.exists():
            raise DataError(f"{path} is there already: name another file, or move it away")


def nothing_written(left_out: Mapping[str, int]) -> DataError:
    """What to raise when not one row could be written: the reasons, each with its count."""
    reasons = "; ".join(f"{count} × {reason}" for reason, count in left_out.items() if count)
    return DataError(f"nothing to write: {reasons or 'there is no dialogue'}")


def line_of(row: Json) -> str:
    """One row as one line, its end included.

    Separators that some tools take for the end of a line are escaped.

    Raises:
        DataError: the line would be longer than the reader takes.
    """
    line = json.dumps(row, ensure_ascii=False).translate(_ESCAPED) + "\n"
    if len(line.encode("utf-8")) > MAX_LINE:
        raise DataError(f"its row is longer than {MAX_LINE:,} bytes: split it")
    return line


def read_rows(path: Path) -> Iterator[Record | Failure]:
    """The objects of a JSON Lines file or of one JSON array, each with the line it begins on.

    Raises:
        DataError: the file is missing or cannot be read, or is a broken array; the message holds
            file and line.
    """
    if not path.is_file():
        raise DataError(f"no file {path}: give the file that holds the rows")
    if not _is_array(path):
        yield from read_records(path)
        return
    yield from _array(path)


def _is_array(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["


def _array(path: Path) -> Iterator[Record | Failure]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        values = json.loads(text)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {error.start + 1}: save as UTF-8") from error
    except json.JSONDecodeError as error:
        raise DataError(f"{path}:{error.lineno}: not JSON: {error.msg}") from error
    except (RecursionError, ValueError) as error:
        raise DataError(
            f"{path}: not readable JSON: nested too deeply, or a number too long"
        ) from error
    for line, value in zip(_lines_of_elements(text), values, strict=True):
        if isinstance(value, dict):
            yield Record(line, value)
        else:
            yield Failure(line, str(line), f"a JSON {type(value).__name__} where an object belongs")


def _lines_of_elements(text: str) -> Iterator[int]:
    """The 1-based line on which each element of an array begins; the text is known to be good."""
    decoder = json.JSONDecoder()
    place, line, counted = _skip(text, text.index("[") + 1), 1, 0
    while text[place] != "]":
        line += text.count("\n", counted, place)
        counted = place
        yield line
        _, place = decoder.raw_decode(text, place)
        place = _skip(text, place)


def _skip(text: str, place: int) -> int:
    """Past white space and the comma between two elements."""
    while text[place] in " \t\r\n,":
        place += 1
    return place
