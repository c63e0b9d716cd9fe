"""untwist evaluate crosslincd: Tables 2 to 5 of CrossLinCD, made anew."""

from __future__ import annotations

from pathlib import Path

import click

from untwist.cli.sources import command_line, corpus_options, run_folder, show_progress
from untwist.data import Reading
from untwist.engine import load_prompted
from untwist.ports import Detector
from untwist.recipes import crosslincd as recipe
from untwist.recipes.crosslincd_config import TABLES, Asked, made_tiny, read
from untwist.recipes.publish import REPORT
from untwist.recipes.runfolder import METRICS
from untwist.recipes.train_encoder import is_main

_EXAMPLES = """\b
Examples:
  untwist evaluate crosslincd --table 3 --tiny --teacher open --folder ~/corpora --accept-licence all --out local/t3
  untwist evaluate crosslincd runs/crosslincd.toml --table 2 --folder ~/corpora --accept-licence all --out local/t2
  accelerate launch --num_processes 4 -m untwist evaluate crosslincd runs/crosslincd.toml --table 2 ...

\b
CONFIG.toml, all of it optional:
  seeds = [42, 43, 44]
  teacher_corpus = "c2d2"     # "" leaves the taught models out

\b
  [encoder]                   # changes the presets of all models
  download = true
  precision = "bf16"

\b
  [[llm]]                     # a column of Table 3, or 5 with table = 5
  name = "LLaMA3-8B"
  source = "llm:llama3-8b"    # or a folder with predictions, CORPUS.jsonl
"""  # noqa: E501


@click.command("crosslincd", epilog=_EXAMPLES)
@click.argument("path", metavar="[CONFIG.toml]", required=False)
@click.option("--table", required=True, type=click.Choice([str(t) for t in TABLES]),
              help="2: one corpus; 3: several; 4: taught; 5: the aligned one.")  # fmt: skip
@click.option("--tiny", is_flag=True,
              help="A tiny random-weight encoder: shows that all runs, is no result.")  # fmt: skip
@click.option("--teacher", metavar="NAME", help="Corpus that teaches; - for none; else C2D2.")
@click.option("--out", required=True, metavar="DIR", help="Run folder; new or empty.")
@click.option("--work", metavar="DIR",
              help="Where trained models' answers are kept; share it between tables.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the path of metrics.json only.")
@corpus_options
def crosslincd(
    path: str | None,
    table: str,
    tiny: bool,
    teacher: str | None,
    out: str,
    work: str | None,
    as_json: bool,
    how: Reading,
) -> None:
    """CrossLinCD's Tables 2 to 5: in and across corpora, several at once, taught, aligned.

    Published and grouped splits, three seeds, thresholds from validation beside the paper's and the
    oracle's, floors, intervals, what was seen before, the paper's figures. A run that was stopped
    goes on when the same command is given again. Needs PyTorch and the extra "finetune".
    """
    config = read(
        path,
        table=int(table),
        out=out,
        work=work,
        teacher_corpus="" if teacher == "-" else teacher,
        reading=how,
        command=command_line(),
    )
    if tiny:
        config = made_tiny(config)
    with run_folder(out):
        folder, _ = recipe.run(config, show_progress, _ask)
    if not is_main():
        return
    if as_json:
        click.echo(folder / METRICS)
    else:
        click.echo((folder / REPORT).read_text(encoding="utf-8"))


def _ask(one: Asked) -> Detector:
    cache = Path(one.cache) if one.cache else None
    return load_prompted(one.source.removeprefix("llm:"), cache=cache, question=one.question)
