"""untwist data stats, overlap and convert: what is in corpora, what they share, other formats."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import click

from untwist.cli.sources import (
    command_line,
    locate_all,
    run_folder,
    say_refused,
    show_progress,
    source_options,
)
from untwist.data import Reading, Refusals, load_source, parts_of
from untwist.data import convert as formats
from untwist.errors import DataError
from untwist.recipes import data_overlap, data_stats, publish
from untwist.schema import Dialogue, Json
from untwist.taxonomy import Lang

_OUT = click.option("--out", required=True, metavar="DIR", help="Run folder; new or empty.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print the path of metrics.json only.")
_REFUSED = click.option(
    "--show-refused", is_flag=True, help="List every refused row with file and line."
)
_SOURCES = click.argument("sources", nargs=-1, metavar="[NAME|FILE]...")


@click.command(
    "stats",
    epilog="""\b
Examples:
  untwist data stats open --out local/stats
  untwist data stats --folder ~/corpora --accept-licence all --out local/all
  untwist data stats mine.csv --label-column label --out local/mine
""",
)
@_SOURCES
@_OUT
@_REFUSED
@_JSON
@source_options
def stats(
    sources: tuple[str, ...], out: str, show_refused: bool, as_json: bool, how: Reading
) -> None:
    """Count labels, levels, lengths, turns and parts; else of all corpora at hand.

    Makes CrossLinCD's Table 1 and Figure 2 and CoPoLLM's Table 2 again, beside the printed numbers.
    """
    named = sources or locate_all(how)
    line = command_line(*(() if sources else named))
    config = data_stats.DataStats(out, named, how, line)
    refusals = Refusals()
    with run_folder(out):
        path, _ = data_stats.run(config, refusals, show_progress)
    _end(path, refusals, show_refused, as_json)


@click.command(
    "overlap",
    epilog="""\b
Examples:
  untwist data overlap open mine.jsonl --out local/overlap
  untwist data overlap train.csv test.csv --out local/mine
  untwist data overlap sos_1k sos_4k --by published --accept-licence all --out local/sos
""",
)
@_SOURCES
@click.option(
    "--by", type=click.Choice(["corpus", "published", "grouped"]), default="corpus",
    show_default=True, help="Compare whole corpora, or the parts of one of the splits.",
)  # fmt: skip
@click.option(
    "--pairs", type=click.IntRange(0), metavar="N", help="List at most N pairs of ids; else all."
)
@_OUT
@_REFUSED
@_JSON
@source_options
def overlap(
    sources: tuple[str, ...],
    by: data_overlap.By,
    pairs: int | None,
    out: str,
    show_refused: bool,
    as_json: bool,
    how: Reading,
) -> None:
    """The leakage report: texts that corpora or parts share; else of all corpora at hand.

    Finds exact texts, texts with other spacing, punctuation or width, excerpts, and rewritten ones.
    Writes ids and counts, never a text.
    """
    named = sources or locate_all(how)
    line = command_line(*(() if sources else named))
    config = data_overlap.DataOverlap(out, named, by, pairs, how, line)
    refusals = Refusals()
    with run_folder(out):
        path, _ = data_overlap.run(config, refusals, show_progress)
    _end(path, refusals, show_refused, as_json)


def _end(path: Path, refusals: Refusals, show_refused: bool, as_json: bool) -> None:
    say_refused(refusals, show_refused)
    if as_json:
        click.echo(path / "metrics.json")
        return
    click.echo((path / publish.REPORT).read_text(encoding="utf-8"))
    click.echo(f"with pictures: {path / publish.PAGE}", err=True)


@click.command(
    "convert",
    epilog="""\b
Examples:
  untwist data convert open --to alpaca --out tune
  untwist data convert mine.csv --to hf --licence cc-by-4.0 --out hf
  untwist data convert mine.csv --to label-studio --lang zh --out tasks
  untwist data convert export.json --from label-studio --to jsonl --out labelled
""",
)
@click.argument("source", metavar="NAME|FILE")
@click.option("--to", "target", type=click.Choice(formats.FORMATS), required=True,
              help="Format to write.")  # fmt: skip
@click.option("--from", "origin", type=click.Choice(formats.FORMATS),
              help="Format of the file; else a corpus, or a file of your own.")  # fmt: skip
@click.option("--out", required=True, metavar="DIR", help="Folder; no file in it is overwritten.")
@click.option("--name", metavar="NAME", help="Of the data set; else that of the source.")
@click.option("--task", type=click.Choice(["detect", "dialogue"]), default="detect",
              show_default=True, help="A row for each message, or each dialogue.")  # fmt: skip
@click.option("--lang", type=click.Choice(["en", "zh"]), help="Of questions and label names; else "
              "that of each text.")  # fmt: skip
@click.option("--split", "mode", type=click.Choice(["published", "grouped"]),
              help="Give every row its part of this split.")  # fmt: skip
@click.option("--licence", metavar="ID", help="Such as cc-by-4.0; the card of hf needs it.")
@click.option("--predictions", is_flag=True, help="Label Studio: show annotators the labels.")
@_REFUSED
@click.option("--json", "as_json", is_flag=True, help="Print what was written as one JSON object.")
@source_options
def convert(
    source: str,
    target: str,
    origin: str | None,
    out: str,
    name: str | None,
    task: formats.Task,
    lang: Lang | None,
    mode: str | None,
    licence: str | None,
    predictions: bool,
    show_refused: bool,
    as_json: bool,
    how: Reading,
) -> None:
    """Write a corpus in another format, or read one of those formats back into ours.

    jsonl is our own; alpaca, sharegpt and messages come with the dataset_info.json entry that
    LLaMA-Factory wants; hf is a folder that `datasets.load_dataset` reads.
    """
    if target == "hf" and not licence:
        raise click.UsageError("--to hf needs --licence, an identifier such as cc-by-4.0")
    refusals = Refusals()
    known, rows = _read(source, origin, how, refusals)
    say_refused(refusals, show_refused)
    if not rows:
        raise DataError(f"{source}: no row that can be read{_as(origin)}")
    written = formats.write(
        _with_parts(known, rows, mode),
        out,
        target,
        name=name or re.sub(r"[^\w.-]+", "-", known).strip(".-"),
        licence=licence,
        task=task,
        lang=lang,
        predictions=predictions,
    )
    if as_json:
        click.echo(json.dumps(_written(written, refusals), ensure_ascii=False))
        return
    for reason, n in written.left_out.items():
        click.echo(f"left out: {n:,} × {reason}", err=True)
    for file in written.files:
        click.echo(str(file))
    click.echo(f"{written.rows:,} rows", err=True)


def _read(
    source: str, origin: str | None, how: Reading, refusals: Refusals
) -> tuple[str, list[Dialogue]]:
    """The name of a source and its rows."""
    if origin:
        return Path(source).stem, list(formats.read(source, origin, refusals))
    loaded = load_source(source, how, refusals)
    return loaded.entry.name, list(loaded.dialogues)


def _as(origin: str | None) -> str:
    if origin == "label-studio":
        return " as label-studio: export annotated tasks in its JSON format"
    return f" as {origin}: give --from the format that the file is in" if origin else ""


def _written(written: formats.Written, refusals: Refusals) -> Json:
    return {
        "files": [str(file) for file in written.files],
        "rows": written.rows,
        "left_out": written.left_out,
        "refused": len(refusals),
    }


def _with_parts(name: str, rows: list[Dialogue], mode: str | None) -> list[Dialogue]:
    if mode is None:
        return rows
    parts = parts_of(name, rows, "grouped" if mode == "grouped" else "published")
    return [replace(row, split=part) for row, part in zip(rows, parts, strict=True)]
