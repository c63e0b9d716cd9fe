"""What the commands over corpora share: where they lie, what was accepted, how a table is read."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar
from unicodedata import east_asian_width

import click
from click.core import ParameterSource

from untwist.data import Columns, Entry, Reading, Refusals, entry_of, known_corpora, locate_files
from untwist.errors import DataError
from untwist.recipes.runfolder import CONFIG, MANIFEST, METRICS

F = TypeVar("F", bound=Callable[..., Any])

SEED = click.IntRange(0, 2**32 - 1)
"""What numpy takes as a seed."""
REASONS = 5
"""Reasons of refusal that a summary names; the others are counted."""
_BAR = 30
_NOT_SAID = ("out", "work", "folder", "as_json", "show_refused")
_ALL = "all"

_C2D2 = click.option(
    "--corrupted",
    type=click.Choice(["refuse", "clean", "keep"]),
    default="refuse",
    show_default=True,
    help="Rows of C2D2 whose digits became label names.",
)
_COGBIAS = click.option(
    "--unmarked",
    type=click.Choice(["unknown", "undistorted"]),
    default="unknown",
    show_default=True,
    help="What a turn of CogBiasESC without annotation is.",
)
folder_option = click.option(
    "--folder", default="corpora", show_default=True, metavar="DIR", envvar="UNTWIST_CORPORA",
    show_envvar=True, help="Folder with the public corpora.",
)  # fmt: skip
_ACCEPT = click.option(
    "--accept-licence", "accept", multiple=True, metavar="NAME", envvar="UNTWIST_ACCEPT_LICENCE",
    show_envvar=True, help="A corpus whose licence you have read and accept; all for every one.",
)  # fmt: skip
_UNVERIFIED = click.option(
    "--unverified", is_flag=True, help="Read files whose sha256 is not the known one."
)
_TABLE = (
    click.option(
        "--text-column",
        default="text",
        show_default=True,
        metavar="NAME",
        help="Of your own CSV or TSV file.",
    ),
    click.option(
        "--label-column",
        default="labels",
        show_default=True,
        metavar="NAME",
        help="Labels in one cell; - when there is none.",
    ),
    click.option("--id-column", metavar="NAME", help="Names of rows; else their numbers."),
    click.option("--group-column", metavar="NAME", help="What stays on one side of a split."),
    click.option("--split-column", metavar="NAME", help="Part of each row."),
    click.option("--separator", default=";", show_default=True, help="Between labels in a cell."),
    click.option("--taxonomy", metavar="NAME", help="Label set of the table; else any name."),
    click.option(
        "--encoding",
        default="utf-8",
        show_default=True,
        metavar="NAME",
        help="Of the table, for example gb18030.",
    ),
)

_CORPORA = (folder_option, _ACCEPT, _UNVERIFIED, _C2D2, _COGBIAS)
_OWN = ("folder", "accept", "unverified", "corrupted", "unmarked")


def corpus_options(command: F) -> F:
    """The options of every command that reads public corpora; they arrive as `how`.

    To be the innermost decorator, so that a command's own options are listed first.
    """
    return _gather(command, _CORPORA, table=False)


def source_options(command: F) -> F:
    """The same, and how a table of the user's own is read."""
    return _gather(command, (*_CORPORA, *_TABLE), table=True)


def _gather(command: F, options: Iterable[Callable[[Any], Any]], *, table: bool) -> F:
    @wraps(command)
    def wrapped(**given: Any) -> Any:  # noqa: ANN401
        how = {name: given.pop(name) for name in _OWN}
        for name in how["accept"]:
            if name != _ALL:
                entry_of(name)
        if table:
            how |= _table(given)
        return command(how=Reading(**how), **given)

    for option in reversed(tuple(options)):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[return-value]


def _table(given: dict[str, Any]) -> dict[str, Any]:
    label = given.pop("label_column")
    columns = Columns(
        text=given.pop("text_column"),
        labels=None if label == "-" else label,
        id=given.pop("id_column"),
        group=given.pop("group_column"),
        split=given.pop("split_column"),
        separator=given.pop("separator"),
    )
    return {
        "columns": columns,
        "taxonomy": given.pop("taxonomy"),
        "encoding": given.pop("encoding"),
    }


def locate_all(how: Reading) -> tuple[str, ...]:
    """Names of the corpora whose files are all at hand, whether they are the known ones or not.

    A corpus of which only some files are there is named on stderr.

    Raises:
        DataError: the folder was named and is not there.
    """
    found = locate_any(how)
    whole = tuple(name for name in found if _is_whole(known_corpora()[name], how))
    for name in found:
        if name not in whole:
            click.echo(f"{name} is left out: a file of it is missing", err=True)
    return whole


def locate_any(how: Reading) -> tuple[str, ...]:
    """Names of the corpora of which a file is at hand; the one that ships always is.

    Raises:
        DataError: the folder was named and is not there.
    """
    require_folder(how.folder)
    return tuple(
        name
        for name, entry in known_corpora().items()
        if entry.ships or any(state != "missing" for _, state in locate_files(entry, how.folder))
    )


def _is_whole(entry: Entry, how: Reading) -> bool:
    return all(state != "missing" for _, state in locate_files(entry, how.folder))


def require_folder(folder: str) -> None:
    """Check that the folder with the corpora is there; when none was named, only say so.

    Raises:
        DataError: the folder was named and is not there.
    """
    if Path(folder).is_dir():
        return
    source = click.get_current_context().get_parameter_source("folder")
    if source is not ParameterSource.DEFAULT:
        raise DataError(f"no folder {folder}: give the folder that holds the corpora")
    click.echo(f"no folder {folder}: say with --folder where your corpora are", err=True)


def given_licences(how: Reading) -> tuple[str, ...]:
    """The accepted licences as they are said on the command line."""
    return tuple(f"--accept-licence {name}" for name in how.accept)


def command_line(*found: str) -> str:
    """The running command as it can be typed again, for reports.

    Where the corpora lie and where the run is written stay out: they differ between machines.

    Args:
        found: the sources where none was named and those at hand were taken.
    """
    context = click.get_current_context()
    words = [*context.command_path.split(), *found]
    for parameter in context.command.params:
        name = parameter.name or ""
        if name in _NOT_SAID or context.get_parameter_source(name) is ParameterSource.DEFAULT:
            continue
        words += _said(parameter, context.params[name])
    return " ".join(words)


def _said(parameter: click.Parameter, value: object) -> list[str]:
    values = [str(one) for one in value] if isinstance(value, tuple) else [str(value)]
    if isinstance(parameter, click.Argument):
        return [shlex.quote(one) for one in values]
    name = max(parameter.opts, key=len)
    if isinstance(parameter, click.Option) and parameter.is_flag:
        return [name] if value else []
    return [f"{name} {shlex.quote(one)}" for one in values]


@contextmanager
def run_folder(out: str) -> Iterator[None]:
    """Takes away what a run began to write when it fails, so that the folder can be named again.

    A folder with results in it stays, and is said to be incomplete; so does one that was in use.
    """
    folder = Path(out)
    there = folder.exists()
    fresh = not there or (folder.is_dir() and not any(folder.iterdir()))
    try:
        yield
    except BaseException:
        if fresh and (folder / METRICS).exists():
            click.echo(f"{folder} is not complete: the run did not end", err=True)
        elif fresh and folder.is_dir():
            _take_away(folder, there)
        raise


def _take_away(folder: Path, there: bool) -> None:
    for name in (CONFIG, MANIFEST):
        (folder / name).unlink(missing_ok=True)
    if not there and not any(folder.iterdir()):
        folder.rmdir()


def show_progress(stage: str, done: int, total: int) -> None:
    """A bar on stderr when that is a terminal."""
    if sys.stderr.isatty():
        full = _BAR * done // max(1, total)
        bar = "#" * full + "-" * (_BAR - full)
        click.echo(f"\r{stage} [{bar}] {done}/{total}   ", nl=done == total, err=True)


def say_refused(refusals: Refusals, show: bool) -> None:
    """Say on stderr how many rows were refused and why; list them when asked."""
    hint = "" if show else " (list them with --show-refused)"
    say_reasons(len(refusals), refusals.by_reason(), hint)
    if show:
        for refusal in refusals:
            click.echo(str(refusal), err=True)


def say_reasons(count: int, by_reason: Mapping[str, int], hint: str) -> None:
    """Say on stderr how many rows were refused and why; nothing when none was."""
    if count:
        click.echo(f"{count} rows refused: {'; '.join(reasons(by_reason))}{hint}", err=True)


def reasons(by_reason: Mapping[str, int], most: int = REASONS) -> list[str]:
    """The most frequent reasons with their counts; the others as one."""
    shown = [f"{n} × {reason}" for reason, n in list(by_reason.items())[:most]]
    rest = sum(list(by_reason.values())[most:])
    return [*shown, f"{rest} × other reasons"] if rest else shown


def columns_of(rows: list[tuple[str, ...]]) -> str:
    """Rows as aligned columns, the first one being the header; wide characters count twice."""
    widths = [max(map(width_of, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell + " " * (width - width_of(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    )


def width_of(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(2 if east_asian_width(ch) in "WF" else 1 for ch in text)
