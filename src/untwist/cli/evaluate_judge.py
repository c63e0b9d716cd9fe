"""untwist evaluate judge: what a judge's scores mean, by what people said of the same replies."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import click

from untwist.cli.evaluate_policy import end
from untwist.cli.sources import SEED, command_line, run_folder, show_progress
from untwist.engine import ASKED
from untwist.llm import PromptedJudge, open_model
from untwist.recipes import evaluate_judge
from untwist.recipes.judge_asked import SCORES

_EXAMPLES = """\b
Examples:
  untwist evaluate judge --out local/judge
  untwist evaluate judge --scores mine.jsonl --judge my-model@1 --out local/mine
  untwist evaluate judge triples.jsonl --out local/own
  untwist evaluate judge --ask llm:qwen3 --out local/qwen3

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
@click.option("--ask", default="", metavar="llm:NAME",
              help="A language model that judges now; the replies go to its server.")  # fmt: skip
@click.option("--folds", default=5, show_default=True, type=click.IntRange(2),
              help="Of the cross-validation; replies to one state stay together.")  # fmt: skip
@click.option("--out", required=True, metavar="DIR", help="Run folder; new or empty.")
@click.option("--seed", default=42, show_default=True, type=SEED, help="Of folds and intervals.")
@click.option("--json", "as_json", is_flag=True, help="Print the path of metrics.json only.")
def judge(
    file: str, scores: str, name: str, ask: str, folds: int, out: str, seed: int, as_json: bool
) -> None:
    """Calibrate a judge of replies on labelled triples, held out, beside two floors.

    Triples: {"id", "group"?, "text", "labels", "intensity", "risk", "strategy", "reply", "votes":
    [{"by", "match", "adequacy", "risk"}], "scores"?, "written_by"}; without FILE those that ship,
    which a language model wrote and judged. Leaves calibrator.json, learnt from all, and
    scores.jsonl, what a model said that was asked; where it gave no answer the triple is unscored.
    """
    asked = _asked(ask) if ask else None
    config = evaluate_judge.EvaluateJudge(
        out=out,
        file=file,
        scores=scores,
        judge=asked.name if asked else name,
        folds=folds,
        seed=seed,
        command=command_line(),
    )
    with run_folder(out):
        path, _ = evaluate_judge.run(config, show_progress, asked)
    if asked:
        _tell_unscored(path)
    end(path, as_json)


def _asked(name: str) -> PromptedJudge:
    """The judge of a name.

    Raises:
        click.UsageError: it is no name of a language model.
        ConfigError: nothing says where the model is.
    """
    if not name.startswith(ASKED):
        raise click.UsageError("--ask takes llm:NAME; for scores that are there already: --scores")
    return PromptedJudge(open_model(name.removeprefix(ASKED) or None, os.environ))


def _tell_unscored(path: Path) -> None:
    """Say on stderr how many replies the model did not judge, by reason."""
    rows = (path / SCORES).read_text(encoding="utf-8").splitlines()
    reasons = Counter(json.loads(row).get("unscored") for row in rows)
    reasons.pop(None, None)
    if reasons:
        told = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
        click.echo(f"{reasons.total()} of {len(rows)} replies are unscored: {told}", err=True)
