"""untwist worksheet: what a conversation gathered, as pages and tables of the person's own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from untwist.cli.rows import io_options, read_rows, writing
from untwist.data import Failure, read_records
from untwist.errors import DataError
from untwist.respond import (
    WORKSHEETS,
    Worksheet,
    progress,
    with_field,
    worksheet_csv,
    worksheet_from,
    worksheet_markdown,
    worksheet_of,
)
from untwist.safety import help_block, regions, screen
from untwist.schema import Json
from untwist.taxonomy import Risk
from untwist.text import LOCALES, Locale, language, locale_of

F = TypeVar("F", bound=Callable[..., Any])

FORMATS = ("markdown", "csv", "json")
_NAMES = tuple(kind.replace("_", "-") for kind in WORKSHEETS)
_EXAMPLES = """\b
Examples:
  untwist worksheet new thought-record --output page.jsonl
  untwist worksheet edit page.jsonl --set situation="Nobody replied" --in-place
  untwist worksheet export page.jsonl
  untwist worksheet export page.jsonl --format csv --output page.csv
  untwist worksheet fill --input conversations.jsonl --output pages.jsonl
"""


@dataclass(frozen=True, slots=True)
class _Page:
    """A worksheet and the name that its owner gave it."""

    id: str
    sheet: Worksheet

    def to_dict(self) -> Json:
        return {"id": self.id, **self.sheet.to_dict()}


@click.group("worksheet", epilog=_EXAMPLES)
def command() -> None:
    """What a person worked out, on a page: filled by a conversation or by hand, edited, exported.

    Thought record, small experiment, responsibility pie, costs and benefits of a rule, a line from
    0 to 100 (continuum), steps for hard hours (safety-steps).

    A file of worksheets is JSON Lines, one worksheet a line: {"id", "worksheet": KIND, fields...}.
    Every field may be null. It is written nowhere but where you say.
    """


def _kind(required: bool) -> Callable[[F], F]:
    if required:
        return click.argument("kind", type=click.Choice(_NAMES), metavar="KIND")
    return click.option(
        "--kind", type=click.Choice(_NAMES),
        help="Which worksheet; the one of the strategy if absent.",
    )  # fmt: skip


@command.command("new", epilog="Example: untwist worksheet new safety-steps --output steps.jsonl")
@_kind(required=True)
@click.option("--id", "name", default="1", show_default=True, help="What to call it.")
@click.option("--output", "target", metavar="FILE", help="Where to write; stdout if absent.")
def new(kind: str, name: str, target: str | None) -> None:
    """An empty worksheet.

    KIND is thought-record, experiment, responsibility-pie, costs-and-benefits, continuum or
    safety-steps.
    """
    if target and target != "-" and Path(target).exists():
        raise DataError(f"{target} exists already: name another file, or edit that one")
    with writing(target) as out:
        out.row(_Page(name, WORKSHEETS[kind.replace("-", "_")]()).to_dict())


@command.command("fill", epilog="Example: untwist worksheet fill --input talks.jsonl")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@io_options
@_kind(required=False)
def fill(
    texts: tuple[str, ...],
    source: str | None,
    target: str | None,
    as_json: bool,
    keep_going: bool,
    kind: str | None,
) -> None:
    """Fill a worksheet with what was said in each conversation.

    Rows in: {"id", "text", "history": [{"role", "content"}]}, as for reply; the text is the last
    message. Rows out: one worksheet each.
    """
    wanted = WORKSHEETS[kind.replace("-", "_")] if kind else None
    with writing(target, source) as out:
        for row in read_rows(texts, source, keep_going):
            if isinstance(row, Failure):
                out.failure(row)
                continue
            state = progress([*row.history, row.utterance])
            out.row(_Page(row.id, worksheet_of(state, wanted)).to_dict())


@command.command(
    "edit", epilog='Example: untwist worksheet edit page.jsonl --set plan="Ask her" --in-place'
)
@click.argument("source", metavar="FILE")
@click.option("--id", "name", help="Which worksheet of FILE; needed when there are several.")
@click.option(
    "--set", "changes", multiple=True, metavar="FIELD=VALUE",
    help='Write a field anew; slices as factors="timing 20, my part 30".',
)  # fmt: skip
@click.option("--clear", "emptied", multiple=True, metavar="FIELD", help="Leave a field out.")
@click.option("--output", "target", metavar="FILE", help="Where to write; stdout if absent.")
@click.option("--in-place", is_flag=True, help="Write FILE anew.")
def edit(
    source: str,
    name: str | None,
    changes: tuple[str, ...],
    emptied: tuple[str, ...],
    target: str | None,
    in_place: bool,
) -> None:
    """Change fields of a worksheet; the others stay as they are."""
    if not (changes or emptied):
        raise click.UsageError("say what to change: --set FIELD=VALUE or --clear FIELD")
    if in_place and target:
        raise click.UsageError("give --output or --in-place, not both")
    if in_place and source == "-":
        raise click.UsageError("--in-place needs a file")
    pages = list(_pages(source))
    chosen = _chosen(pages, name, source)
    sheet = pages[chosen].sheet
    for field, value in (*map(_assignment, changes), *((one, None) for one in emptied)):
        sheet = with_field(sheet, field, value)
        _offer_help(value)
    pages[chosen] = _Page(pages[chosen].id, sheet)
    if in_place:
        _rewrite(Path(source), pages)
        return
    with writing(target, source) as out:
        for page in pages:
            out.row(page.to_dict())


@command.command(
    "export", epilog="Example: untwist worksheet export page.jsonl --format csv --output page.csv"
)
@click.argument("source", metavar="FILE")
@click.option("--id", "name", help="Only this worksheet of FILE.")
@click.option(
    "--format", "shape", type=click.Choice(FORMATS), default="markdown", show_default=True,
    help="A page to read, a table to count with, or an archive that can be read again.",
)  # fmt: skip
@click.option("--blank", is_flag=True, help="Pages also show what is empty, to fill in by hand.")
@click.option("--locale", type=click.Choice(LOCALES), default="en", show_default=True,
              help="Of the headings of a page.")  # fmt: skip
@click.option("--region", metavar="XX", help=f"Country for help lines: {', '.join(regions())}.")
@click.option("--output", "target", metavar="FILE", help="Where to write; stdout if absent.")
def export(
    source: str,
    name: str | None,
    shape: str,
    blank: bool,
    locale: Locale,
    region: str | None,
    target: str | None,
) -> None:
    """Worksheets as Markdown, CSV or JSON Lines.

    In CSV no cell can begin a formula; in Markdown what you wrote never becomes markup.
    """
    pages = list(_pages(source))
    if name is not None:
        pages = [pages[_chosen(pages, name, source)]]
    if shape == "json":
        lines = (json.dumps(page.to_dict(), ensure_ascii=False) + "\n" for page in pages)
        text = "".join(lines)
    elif shape == "csv":
        text = worksheet_csv([(page.id, page.sheet) for page in pages])
    else:
        sheets = (page.sheet for page in pages)
        text = "\n".join(
            worksheet_markdown(sheet, locale, region=region, blank=blank) for sheet in sheets
        )
    _write(text, target, source, "utf-8-sig" if shape == "csv" else "utf-8")


def keep_page(path: Path, sheet: Worksheet) -> None:
    """Add a worksheet to a file, called by its place in it.

    Raises:
        DataError: the file holds something else, or cannot be written.
    """
    kept = list(_pages(str(path))) if path.exists() and path.stat().st_size else []
    _rewrite(path, [*kept, _Page(str(len(kept) + 1), sheet)])


def _pages(source: str) -> Iterator[_Page]:
    """The worksheets of a file.

    Raises:
        DataError: a line holds none, or the file holds none; with file and line.
    """
    found = 0
    for row in read_records(source):
        try:
            if isinstance(row, Failure):
                raise DataError(row.message)
            sheet = worksheet_from(row.data)
        except DataError as error:
            raise DataError(f"{source}:{row.line}: {error}") from error
        found += 1
        yield _Page(str(row.data.get("id", row.line)), sheet)
    if not found:
        raise DataError(f"{source} holds no worksheets: make one with untwist worksheet new")


def _chosen(pages: list[_Page], name: str | None, source: str) -> int:
    """The place of the worksheet that is meant."""
    places = [i for i, page in enumerate(pages) if name in (None, page.id)]
    if len(places) == 1:
        return places[0]
    known = ", ".join(page.id for page in pages[:10])
    if not places:
        raise DataError(f'{source} has no worksheet "{name}"; it has {known}')
    raise DataError(f"{source} has several such worksheets: choose one with --id ({known})")


def _assignment(change: str) -> tuple[str, str]:
    field, equals, value = change.partition("=")
    if not equals:
        raise click.UsageError("--set takes FIELD=VALUE")
    return field.strip(), value


def _offer_help(value: str | None) -> None:
    """Who writes down that they are in danger is shown where help is; the page is theirs still."""
    if value and value.strip() and screen(value).level is Risk.HIGH:
        click.echo(help_block(locale_of(language(value) or "en", (value,))), err=True)


def _rewrite(path: Path, pages: list[_Page]) -> None:
    """Put the file in place of the old one at once: a page half written would be a page lost."""
    fresh = path.with_name(f".{path.name}.new")
    rows = "".join(json.dumps(page.to_dict(), ensure_ascii=False) + "\n" for page in pages)
    try:
        fresh.write_text(rows, encoding="utf-8", newline="\n")
        os.replace(fresh, path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise DataError(f"cannot write {path}: {error.strerror}") from error


def _write(text: str, target: str | None, source: str, encoding: str) -> None:
    """To a file or to stdout; a table in a file begins with the mark by which Excel knows UTF-8."""
    if target is None or target == "-":
        click.echo(text, nl=False)
        return
    if source != "-" and Path(target).exists() and Path(target).samefile(source):
        raise DataError(f"--output {target} is the input itself: name another file")
    try:
        Path(target).write_text(text, encoding=encoding, newline="\n")
    except OSError as error:
        raise DataError(f"cannot write {target}: {error.strerror}") from error
