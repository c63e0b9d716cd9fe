"""What the commands share: rows in, JSON Lines out, failures marked and counted, progress."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import click

from untwist.data import Failure, Item, read_items
from untwist.errors import DataError
from untwist.schema import Json, Utterance

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

_LONGEST_NAME = 250
"""Characters of a file's name at most; asking for a longer one is an error of its own."""


def io_options(command: F) -> F:
    """The options that every command over rows has."""
    options = (
        click.option("--input", "source", metavar="FILE", help="JSON Lines file; - is stdin."),
        click.option(
            "--output", "target", metavar="FILE", help="Where to write; stdout if absent."
        ),
        click.option("--json", "as_json", is_flag=True, help="JSON Lines, also for TEXT."),
        click.option(
            "--keep-going", is_flag=True, help="Mark an unreadable row, count it and go on."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def read_rows(
    texts: tuple[str, ...], source: str | None, keep_going: bool
) -> Iterator[Item | Failure]:
    """The rows of TEXT arguments, of a file, or one text from a pipe.

    Raises:
        click.UsageError: there is nothing to read, or too much.
        DataError: a row is unreadable and `keep_going` is False.
    """
    if texts and source:
        raise click.UsageError("give TEXT or --input, not both")
    refuse_loose_words(texts)
    if source:
        yield from _from_file(source, keep_going)
        return
    if not texts and sys.stdin.isatty():
        raise click.UsageError("give TEXT, --input FILE, or a text on standard input")
    for place, text in enumerate(texts or (_piped(),), 1):
        try:
            yield Item(str(place), Utterance(text, id=str(place)), (), place)
        except DataError as error:
            if not keep_going:
                raise
            yield Failure(place, str(place), str(error))


def refuse_loose_words(texts: tuple[str, ...]) -> None:
    """What was not meant as a message must not be read as one: danger would be lost.

    Raises:
        click.UsageError: there are several TEXTs and each is a single Latin word, as when quotes
            were forgotten; or a TEXT without a blank is the name of a file.
    """
    for text in texts:
        if len(text) < _LONGEST_NAME and not set(text) & set(" \t\n\0") and Path(text).is_file():
            raise click.UsageError(f"{text} is a file: say --input {text}")
    if len(texts) > 1 and all(text.isascii() and len(text.split()) == 1 for text in texts):
        raise click.UsageError("put the whole message in quotes, so that it is read as one")


def _piped() -> str:
    raw = sys.stdin.buffer.read()
    try:
        return raw.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise DataError(f"standard input is not UTF-8 at byte {error.start + 1}") from error


def _from_file(source: str, keep_going: bool) -> Iterator[Item | Failure]:
    try:
        yield from _with_progress(read_items(source, keep_going), source)
    except DataError as error:
        if keep_going or not str(error).startswith(f"{source}:"):
            raise
        raise DataError(f"{error} (--keep-going marks such rows and goes on)") from error


def _with_progress(rows: Iterator[T], source: str) -> Iterator[T]:
    """A bar on stderr when that is a terminal and the number of lines can be counted first."""
    if source == "-" or not sys.stderr.isatty() or not Path(source).is_file():
        yield from rows
        return
    with Path(source).open("rb") as file:
        lines = sum(part.count(b"\n") for part in iter(lambda: file.read(1 << 20), b""))
    with click.progressbar(rows, length=lines, label="texts", file=sys.stderr) as bar:
        yield from bar


def in_chunks(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most `size` rows, in order."""
    stream = iter(rows)
    while chunk := list(islice(stream, size)):
        yield chunk


class Writer:
    """Writes one JSON object a line; counts the failures among them."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self.rows = 0
        self.failed = 0

    def row(self, data: Json) -> None:
        """Write a result."""
        self._write(json.dumps(data, ensure_ascii=False) + "\n")
        self.rows += 1

    def failure(self, failure: Failure) -> None:
        """Write a marked failure: an id, a line and an error, never a label or a level."""
        self.row({"id": failure.id, "line": failure.line, "error": failure.message})
        self.failed += 1


def _check_files(target: str, source: str | None) -> None:
    """Refuses, before anything is written, what would lose the input or leave an empty file."""
    if not source or source == "-":
        return
    if not Path(source).is_file():
        raise DataError(f"cannot read {source}: no such file")
    if Path(target).exists() and Path(target).samefile(source):
        raise DataError(f"--output {target} is the input itself: name another file")


@contextmanager
def writing(target: str | None, source: str | None = None) -> Iterator[Writer]:
    """A writer to a file or to stdout; at the end, failures are told and make the exit code 1.

    Raises:
        DataError: the file cannot be written, or is the input itself.
    """
    if target is None or target == "-":
        writer = Writer(sys.stdout.write)
        yield writer
        sys.stdout.flush()
    else:
        _check_files(target, source)
        try:
            with Path(target).open("w", encoding="utf-8", newline="\n") as file:
                writer = Writer(file.write)
                yield writer
        except KeyboardInterrupt:
            message = f"interrupted: {target} holds the first {writer.rows:,} rows only"
            raise click.ClickException(message) from None
        except OSError as error:
            raise DataError(f"cannot write {target}: {error.strerror}") from error
    if source and not writer.rows:
        click.echo(f"{source} holds no rows.", err=True)
    if writer.failed:
        click.echo(
            f'{writer.failed} of {writer.rows} items failed; they are marked with "error".',
            err=True,
        )
        raise click.exceptions.Exit(1)
