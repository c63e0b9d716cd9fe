"""untwist evaluate blind: people rate replies without knowing whose they are."""

from __future__ import annotations

import json
from typing import Literal

import click

from untwist.cli.evaluate_policy import end
from untwist.cli.sources import SEED, command_line, run_folder
from untwist.llm.prompts import RUBRICS, Rubric
from untwist.recipes import blind_sheets, evaluate_blind
from untwist.taxonomy import LANGS, Lang

_EXAMPLES = """\b
Examples:
  untwist evaluate blind make mine.jsonl theirs.jsonl --rater ann --rater bo --out round
  untwist evaluate blind read round ann.csv bo.xlsx --out local/blind

\b
mine.jsonl, one object a line; the same ids in both files:
  {"id": "m1", "text": "She did not wave.", "reply": "What else could it mean?"}
"""


@click.group("blind", epilog=_EXAMPLES)
def blind() -> None:
    """Sheets and pages for raters, with systems hidden and shuffled; and what came back."""


@blind.command("make", epilog="Example: untwist evaluate blind make a.jsonl b.jsonl --rater ann "
               "--rater bo --items 50 --out round")  # fmt: skip
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--rater", "raters", multiple=True, required=True, metavar="NAME",
              help="Who will rate; once for each.")  # fmt: skip
@click.option("--lang", type=click.Choice(LANGS), default="en", show_default=True,
              help="Of the replies that are taken, and of the scales.")  # fmt: skip
@click.option("--rubric", "rubrics", multiple=True, type=click.Choice(RUBRICS),
              default=blind_sheets.DEFAULT_RUBRICS, show_default=True,
              help="Whose scales are asked.")  # fmt: skip
@click.option("--items", default=0, type=click.IntRange(0), metavar="N",
              help="So many messages, drawn by chance; else all.")  # fmt: skip
@click.option("--mask", multiple=True, metavar="WORD",
              help="A word that would give a system away; their names are masked.")  # fmt: skip
@click.option("--seed", default=42, show_default=True, type=SEED,
              help="Of sample, codes and orders.")  # fmt: skip
@click.option("--out", required=True, metavar="DIR", help="The round's folder; new or empty.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def make(
    files: tuple[str, ...],
    raters: tuple[str, ...],
    lang: Lang,
    rubrics: tuple[Rubric, ...],
    items: int,
    mask: tuple[str, ...],
    seed: int,
    out: str,
    as_json: bool,
) -> None:
    """Make a sheet (CSV and XLSX) and a page (one HTML file) for every rater, and the key.

    A system's name is "system" in its rows, else the name of its file. Only messages that every
    system answered are handed out; names and numbers are taken out of them. Hand out the files in
    DIR/raters alone: key.json says whose reply is whose.
    """
    config = blind_sheets.MakeBlind(
        out=out, files=files, raters=raters, lang=lang, rubrics=rubrics, items=items, mask=mask,
        seed=seed,
    )  # fmt: skip
    with run_folder(out):
        path, done = blind_sheets.make(config)
    if as_json:
        click.echo(json.dumps({"folder": path.as_posix(), **done}, ensure_ascii=False))
        return
    for why, count in done["left_out"].items():
        if count:
            click.echo(f"{count:,} replies are left out: {why}", err=True)
    click.echo(
        f"{done['replies']:,} replies to {done['messages']:,} messages by "
        f"{len(done['systems'])} systems, for {len(raters)} raters: {path / blind_sheets.RATERS}. "
        f"Keep {path / blind_sheets.KEY} from the raters."
    )


@blind.command("read", epilog="Example: untwist evaluate blind read round ann.csv bo.xlsx "
               "--out local/blind")  # fmt: skip
@click.argument("folder", metavar="DIR")
@click.argument("sheets", nargs=-1, required=True, metavar="SHEET...")
@click.option("--kind", type=click.Choice(["person", "model"]), default="person",
              show_default=True, help="Who rated; persons calibrate judges.")  # fmt: skip
@click.option("--keep-going", is_flag=True, help="Count cells that cannot be read, and go on.")
@click.option("--seed", default=42, show_default=True, type=SEED, help="Of the intervals.")
@click.option("--out", required=True, metavar="DIR", help="Run folder; new or empty.")
@click.option("--json", "as_json", is_flag=True, help="Print the path of metrics.json only.")
def read(
    folder: str,
    sheets: tuple[str, ...],
    kind: Literal["person", "model"],
    keep_going: bool,
    seed: int,
    out: str,
    as_json: bool,
) -> None:
    """Read sheets back: agreement first, then means, differences and groups of seekers.

    DIR is what "make" left; a SHEET is a CSV or XLSX file, or what a page saved. An empty cell is
    not rated, "n/a" cannot be scored. Leaves ratings.jsonl, by which a judge can be calibrated
    (untwist evaluate replies --people).
    """
    config = evaluate_blind.ReadBlind(
        out=out, made=folder, sheets=sheets, kind=kind, keep_going=keep_going, seed=seed,
        command=command_line(),
    )  # fmt: skip
    with run_folder(out):
        path, _ = evaluate_blind.read(config)
    end(path, as_json)
