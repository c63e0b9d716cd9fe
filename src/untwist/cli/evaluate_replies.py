"""untwist evaluate replies: structure, variety, safe messaging, references, reading and judge."""

from __future__ import annotations

import os

import click

from untwist.cli.evaluate_policy import end
from untwist.cli.sources import SEED, command_line, run_folder, show_progress
from untwist.engine import ASKED
from untwist.evaluate import ScoreModels
from untwist.llm import PromptedJudge, open_model
from untwist.llm.prompts import RUBRICS, Rubric
from untwist.recipes import blind_sheets, evaluate_replies
from untwist.recipes.replies_judged import Asking

_EXAMPLES = """\b
Examples:
  untwist evaluate replies --limit 500 --templates --out local/scripted
  untwist evaluate replies mine.jsonl theirs.jsonl --out local/two
  untwist evaluate replies mine.jsonl --judge llm:qwen3 --people local/blind/ratings.jsonl \\
      --out local/judged

\b
mine.jsonl, one object a line, or what "untwist reply --output" wrote:
  {"id": "m1", "text": "She did not wave.", "reply": "What else could it mean?"}
  {"id": "m2", "text": "I failed.", "reply": null, "unscored": "timeout"}
"""


@click.command("replies", epilog=_EXAMPLES)
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--corpus", default="open", show_default=True, metavar="NAME",
              help="Without FILE: whose messages the scripted replies answer.")  # fmt: skip
@click.option("--limit", default=0, type=click.IntRange(0), metavar="N",
              help="Without FILE: so many messages, drawn by chance; else all.")  # fmt: skip
@click.option("--templates", is_flag=True, help="Without FILE: put templates beside them.")
@click.option("--sample", default=1_000, show_default=True, type=click.IntRange(2),
              help="Replies in a draw of variety.")  # fmt: skip
@click.option("--reading", "readings", multiple=True, metavar="FILE",
              help="Parts that a reader saw in replies.")  # fmt: skip
@click.option("--bertscore", default="", metavar="DIR", help="An encoder; else not run.")
@click.option("--bleurt", default="", metavar="DIR", help="A checkpoint; else not run.")
@click.option("--judge", "name", default="", metavar="llm:NAME",
              help="A language model that judges; the replies go to its server.")  # fmt: skip
@click.option("--people", multiple=True, metavar="FILE",
              help="ratings.jsonl of people, by which the judge is calibrated.")  # fmt: skip
@click.option("--rubric", "rubrics", multiple=True, type=click.Choice(RUBRICS),
              default=blind_sheets.DEFAULT_RUBRICS, show_default=True,
              help="By which it judges.")  # fmt: skip
@click.option("--judged", default=200, show_default=True, type=click.IntRange(0), metavar="N",
              help="Messages that it is asked about; 0 takes all.")  # fmt: skip
@click.option("--repeats", default=2, show_default=True, type=click.IntRange(1),
              help="How often, with the scales in order and again turned round.")  # fmt: skip
@click.option("--compare", is_flag=True, help="Ask which of two systems does better, both ways.")
@click.option("--out", required=True, metavar="DIR", help="Run folder; new or empty.")
@click.option("--seed", default=42, show_default=True, type=SEED, help="Of draws and intervals.")
@click.option("--json", "as_json", is_flag=True, help="Print the path of metrics.json only.")
def replies(
    files: tuple[str, ...],
    corpus: str,
    limit: int,
    templates: bool,
    sample: int,
    readings: tuple[str, ...],
    bertscore: str,
    bleurt: str,
    name: str,
    people: tuple[str, ...],
    rubrics: tuple[Rubric, ...],
    judged: int,
    repeats: int,
    compare: bool,
    out: str,
    seed: int,
    as_json: bool,
) -> None:
    """Score replies; without FILE the scripted single replies over the open corpus.

    A system's name is "system" in its rows, else the name of its file. With "references" in the
    rows, BLEU and the like are run as far as their libraries and models are there. A judge's
    numbers are shown only on scales on which people rated some of the same replies and it was
    found to agree with them.
    """
    if files and (limit or templates):
        raise click.UsageError("--limit and --templates are for scripted replies: leave FILE out")
    config = evaluate_replies.EvaluateReplies(
        out=out,
        files=files,
        corpus=corpus,
        limit=limit,
        templates=templates,
        sample=sample,
        readings=readings,
        people=people,
        judged=judged,
        models=ScoreModels(bertscore=bertscore, bleurt=bleurt),
        seed=seed,
        command=command_line(),
    )
    judge = _judge(name, seed) if name else None
    asking = Asking(rubrics, repeats, compare, seed=seed)
    with run_folder(out):
        path, _ = evaluate_replies.run(config, show_progress, judge, asking)
    end(path, as_json)


def _judge(name: str, seed: int) -> PromptedJudge:
    """The judge of a name, at a temperature at which repeats are repeats.

    Raises:
        click.UsageError: it is no name of a language model.
        ConfigError: nothing says where the model is.
    """
    if not name.startswith(ASKED):
        raise click.UsageError("--judge takes llm:NAME")
    model = open_model(name.removeprefix(ASKED) or None, os.environ)
    return PromptedJudge(model, seed=seed, temperature=0.7)
