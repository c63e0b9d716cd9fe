"""untwist data: which corpora there are, whether they are at hand and whole, and their parts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import click
from click.core import ParameterSource

from untwist.cli.data_check import check
from untwist.cli.data_reports import convert, overlap, stats
from untwist.cli.sources import (
    SEED,
    columns_of,
    corpus_options,
    folder_option,
    require_folder,
    say_refused,
    source_options,
)
from untwist.data import (
    Entry,
    Mode,
    Reading,
    Refusals,
    card_of,
    entry_of,
    folds,
    known_corpora,
    letters_of,
    load_source,
    locate_files,
    parts_of,
    to_row,
)
from untwist.data.convert.files import created, line_of
from untwist.data.registry import shipped_splits
from untwist.data.splits import PARTS
from untwist.errors import DataError
from untwist.schema import Dialogue, Json

_TITLE = 41
_WIDTH, _INDENT = 98, 14


@click.group(
    "data",
    epilog="""\b
Examples:
  untwist data list
  untwist data show socialcd
  untwist data check --folder ~/corpora --accept-licence all
  untwist data stats mine.csv --out local/mine
Each command has examples of its own: untwist data convert --help
""",
)
def command() -> None:
    """The corpora: list, show, check, count, split, compare and convert them."""


for _one in (check, stats, overlap, convert):
    command.add_command(_one)


@command.command("list", epilog="Examples: untwist data list; untwist data list --json")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@folder_option
def list_(as_json: bool, folder: str) -> None:
    """Every corpus that untwist can read, and whether its files are at hand.

    Free: anyone may use it and pass it on; the others ask for --accept-licence when they are read.
    """
    require_folder(folder)
    rows = [_listed(entry, folder) for entry in known_corpora().values()]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    header = ("name", "corpus", "lang", "labels", "free", "files")
    lines = [
        (
            row["name"], _cut(row["title"]), "+".join(row["lang"]), row["task"],
            "yes" if row["free"] else "no", row["at_hand"],
        )
        for row in rows
    ]  # fmt: skip
    click.echo(columns_of([header, *lines]))


def _cut(title: str) -> str:
    return title if len(title) <= _TITLE else title[: _TITLE - 1].rstrip(" ,") + "…"


def _listed(entry: Entry, folder: str) -> Json:
    files = [{"path": path, "state": state} for path, state in locate_files(entry, folder)]
    return {
        "name": entry.name,
        "title": entry.title,
        "symbol": entry.symbol or None,
        "task": entry.task,
        "taxonomy": entry.taxonomy,
        "lang": list(entry.lang),
        "free": entry.free,
        "licence": entry.licence,
        "source": entry.source,
        "at_hand": _at_hand(entry, [file["state"] for file in files]),
        "files": files,
    }


def _at_hand(entry: Entry, states: Sequence[str]) -> str:
    """In one word whether its files are there."""
    if entry.ships:
        return "shipped"
    if not states:
        return "own copy"
    missing = states.count("missing")
    if missing:
        return "missing" if missing == len(states) else f"{len(states) - missing} of {len(states)}"
    return "differs" if "differs" in states else "ok"


@command.command(
    "show", epilog="Examples: untwist data show socialcd; untwist data show open --rows 3"
)
@click.argument("name")
@click.option("--rows", default=0, metavar="N", type=click.IntRange(0),
              help="Print the first N rows as well.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@corpus_options
def show(name: str, rows: int, as_json: bool, how: Reading) -> None:
    """What one corpus is: source, licence, language, labels, splits, known faults, size."""
    if Path(name).is_file() and name not in known_corpora():
        raise DataError(f"{name} is no corpus but a file: count it with untwist data stats {name}")
    entry, card = entry_of(name), card_of(name)
    loaded = load_source(name, how, Refusals()) if rows else None
    examples = [to_row(d) for d in loaded.dialogues[:rows]] if loaded else []
    about = {**_listed(entry, how.folder), "headings": card, "parts": _parts(name)}
    if as_json:
        click.echo(json.dumps({**about, "rows": examples}, ensure_ascii=False))
        return
    title = f"{entry.title}: {name}"
    click.echo(f"{title}\n{'=' * len(title)}")
    above = ""
    for heading, text in [*card.items(), *_facts(entry, about)]:
        head = "" if heading == above else heading
        click.echo(click.wrap_text(text, _WIDTH, f"{head:<{_INDENT}}", " " * _INDENT))
        above = heading
    for example in examples:
        click.echo(json.dumps(example, ensure_ascii=False))


def _facts(entry: Entry, about: Json) -> list[tuple[str, str]]:
    """What is known beside the card: parts, files, and the command that reads the corpus."""
    parts = (
        f"{mode}: " + ", ".join(f"{part} {n:,}" for part, n in counts.items())
        for mode, counts in about["parts"].items()
    )
    accept = "" if entry.free else f" --accept-licence {entry.name}"
    return [
        *(("Parts", words) for words in parts),
        *(("Files", f"{file['path']}: {file['state']}") for file in about["files"]),
        ("Read it with", f"untwist data check {entry.name}{accept}"),
    ]


def _parts(name: str) -> dict[str, dict[str, int]]:
    """Rows in each part of both splits that ship; empty where none do."""
    shipped = shipped_splits().get(name, {})
    return {
        mode: {part: shipped[mode].count(letters_of([part])) for part in PARTS}
        for mode in ("published", "grouped")
        if mode in shipped
    }


@command.command(
    "split",
    epilog="""\b
Examples:
  untwist data split open --out parts.jsonl
  untwist data split mine.csv --texts --out mine
  untwist data split cogdis --folds 5 --accept-licence cogdis --out folds.jsonl
""",
)
@click.argument("source", metavar="NAME|FILE")
@click.option(
    "--mode", type=click.Choice(["published", "grouped"]), default="grouped", show_default=True,
    help="The papers' row split, or sources and near-duplicates kept together.",
)  # fmt: skip
@click.option("--seed", default=42, show_default=True, type=SEED,
              help="Of a split that is not published.")  # fmt: skip
@click.option("--folds", "k", type=click.IntRange(2), metavar="K",
              help="K folds by group in place of parts.")  # fmt: skip
@click.option("--texts", is_flag=True, help="Write the rows themselves, each with its part, one "
              "file a part; --out is then a folder.")  # fmt: skip
@click.option("--out", required=True, metavar="FILE|DIR", help="Where to write; must be new.")
@click.option("--show-refused", is_flag=True, help="List every refused row with file and line.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one JSON object.")
@source_options
def split(
    source: str,
    mode: Mode,
    seed: int,
    k: int | None,
    texts: bool,
    out: str,
    show_refused: bool,
    as_json: bool,
    how: Reading,
) -> None:
    """Which row is in which part; writes {"id", "part"} a line, in the order of the file.

    With the published files and seed 42 everyone gets the same parts: they ship with untwist.
    """
    given = click.get_current_context().get_parameter_source("mode")
    if k and mode == "published" and given is not ParameterSource.DEFAULT:
        raise click.UsageError("folds are made by group: leave --mode published out, or --folds")
    if Path(out).exists():
        raise DataError(f"{out} is there already: name a new one")
    refusals = Refusals()
    loaded = load_source(source, how, refusals)
    say_refused(refusals, show_refused)
    if not loaded.dialogues:
        raise DataError(f"{source}: no row to split")
    parts = (
        [f"fold{fold}" for fold in folds(loaded.dialogues, k, seed)]
        if k
        else list(parts_of(loaded.entry.name, loaded.dialogues, mode, seed))
    )
    (_write_texts if texts else _write_parts)(loaded.dialogues, parts, Path(out))
    counts = dict(sorted(Counter(parts).items(), key=lambda pair: _place(pair[0])))
    if as_json:
        click.echo(json.dumps({"out": out, "parts": counts, "refused": len(refusals)}))
        return
    shown = ", ".join(f"{part} {n:,}" for part, n in counts.items())
    click.echo(f"{out}: {shown}", err=True)


def _place(part: str) -> tuple[int, str]:
    return (PARTS.index(part) if part in PARTS else len(PARTS), part)


def _write_parts(dialogues: Sequence[Dialogue], parts: Sequence[str], file: Path) -> None:
    with created(file) as stream:
        for dialogue, part in zip(dialogues, parts, strict=True):
            stream.write(line_of({"id": dialogue.id, "part": part}))


def _write_texts(dialogues: Sequence[Dialogue], parts: Sequence[str], folder: Path) -> None:
    """All files or none; a row keeps its part, so that a file read alone is not cut again."""
    with ExitStack() as stack:
        streams = {
            part: stack.enter_context(created(folder / f"{part}.jsonl"))
            for part in dict.fromkeys(parts)
        }
        for dialogue, part in zip(dialogues, parts, strict=True):
            kept = part if part in PARTS else dialogue.split
            streams[part].write(line_of(to_row(replace(dialogue, split=kept))))
