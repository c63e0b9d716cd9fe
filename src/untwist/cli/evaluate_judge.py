"""untwist evaluate judge: what a judge's scores mean, by what people said of the same replies."""

from __future__ import annotations

import click

from untwist.cli.evaluate_policy import end
from untwist.cli.sources import SEED, command_line, run_folder, show_progress
from untwist.recipes import evaluate_judge

_EXAMPLES = """\b
Examples:
  untwist evaluate judge --out local/judge
  untwist evaluate judge --scores mine.jsonl --judge my-model@1 --out local/mine
  untwist evaluate judge triples.jsonl --out local/own

\b
mine.jsonl, one object a line, ids as in the triples:
  {"id": "en-exam-all-a", "scores": {"match": 0.9, "adequacy": -0.2, "risk": 1.0}}
"""


@click.command("judge", epilog=_EXAMPLES)
@click.argument("file", default="", metavar="[FILE]")
@click.option("--scores", default="", metavar="FILE",
              help="A judge's scores by id; else those in the triples.")  # fmt: skip
@click.option("--judge", "name", default="judge", show_default=True, metavar="NAME",
              help="Name and version of the judge.")  # fmt: skip
@click.option("--folds", default=5, show_default=True, type=click.IntRange(2),
              help="Of the cross-validation; replies to one state stay together.")  # fmt: skip
@click.option("--out", required=True, metavar="DIR", help="Run folder; new or empty.")
@click.option("--seed", default=42, show_default=True, type=SEED, help="Of folds and intervals.")
@click.option("--json", "as_json", is_flag=True, help="Print the path of metrics.json only.")
def judge(
    file: str, scores: str, name: str, folds: int, out: str, seed: int, as_json: bool
) -> None:
    """Calibrate a judge of replies on labelled triples, held out, beside two floors.

    Triples: {"id", "group"?, "text", "labels", "intensity", "risk", "strategy", "reply", "votes":
    [{"by", "match", "adequacy", "risk"}], "scores"?, "written_by"}; without FILE those that ship,
    which a language model wrote and judged. Leaves calibrator.json, learnt from all.
    """
    config = evaluate_judge.EvaluateJudge(
        out=out,
        file=file,
        scores=scores,
        judge=name,
        folds=folds,
        seed=seed,
        command=command_line(),
    )
    with run_folder(out):
        path, _ = evaluate_judge.run(config, show_progress)
    end(path, as_json)
