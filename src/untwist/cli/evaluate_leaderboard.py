"""untwist evaluate leaderboard: a file of scores that anyone can check and extend."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from untwist.errors import DataError
from untwist.evaluate import FLOOR, Entry, leaderboard_markdown, read_leaderboard

_BOARD = "leaderboard.jsonl"


@click.command(
    "leaderboard",
    epilog="""\b
Examples:
  untwist evaluate leaderboard results/leaderboard.jsonl
  untwist evaluate leaderboard results/leaderboard.jsonl --add local/mine
  untwist evaluate leaderboard mine.jsonl --add local/mine --url https://example.org/report
""",
)
@click.argument("file", metavar="FILE")
@click.option("--add", metavar="DIR|FILE", help="Add the lines of a run folder, or of another "
              "leaderboard; FILE is made when it is not there.")  # fmt: skip
@click.option("--url", metavar="URL", help="Where the added report can be read.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def leaderboard(file: str, add: str | None, url: str | None, as_json: bool) -> None:
    """Check a leaderboard file and print its tables; add lines to it.

    A line that is there already, from the same report, is not added again.
    """
    if url is not None and not add:
        raise click.UsageError("--url goes with --add: it is where the added report can be read")
    if url is not None and not re.fullmatch(r"https?://\S+", url):
        raise click.UsageError(f'--url "{url}": give an address that begins with https://')
    entries = _lines_of(file, new=add is not None)
    if add:
        folder = Path(add)
        more = _lines_of(str(folder / _BOARD if folder.is_dir() else folder))
        entries = _added(file, entries, more, url)
    if as_json:
        for entry in entries:
            click.echo(json.dumps(entry.to_dict(), ensure_ascii=False))
    elif entries:
        click.echo(leaderboard_markdown(entries).rstrip())
    else:
        click.echo(f"{file} holds no lines yet", err=True)


def _lines_of(file: str, *, new: bool = False) -> tuple[Entry, ...]:
    """The lines of a leaderboard; none of a file that is still to be made.

    Raises:
        DataError: there is no such file, or a line of it is none.
    """
    path = Path(file)
    if new and not path.exists():
        return ()
    if not path.is_file():
        raise DataError(f"no file {file}: give a leaderboard, which is JSON Lines")
    return read_leaderboard(path)


def _added(
    file: str, known: Sequence[Entry], new: Sequence[Entry], url: str | None
) -> tuple[Entry, ...]:
    """The file with the lines that it does not have yet.

    Raises:
        DataError: a system has a line there already, from another report, or the file cannot be
            written.
    """
    there = {entry.key: entry for entry in known}
    for entry in new:
        old = there.get(entry.key)
        if old and old.report_sha256 != entry.report_sha256 and entry.system != FLOOR:
            raise DataError(f"{file} has {entry.system} on {entry.corpus}: name another version")
    fresh = [replace(e, url=url or e.url) for e in new if e.key not in there]
    rows = (json.dumps(e.to_dict(), ensure_ascii=False) + "\n" for e in (*known, *fresh))
    beside = Path(f"{file}.new")
    try:
        beside.write_text("".join(rows), encoding="utf-8", newline="\n")
        beside.replace(file)
    except OSError as error:
        raise DataError(f"cannot write {file}: {error.strerror}") from error
    had = f"; {len(new) - len(fresh)} were there already" if len(fresh) < len(new) else ""
    click.echo(f"{file}: {len(fresh)} lines added{had}", err=True)
    return read_leaderboard(file)
