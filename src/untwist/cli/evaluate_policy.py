"""untwist evaluate policy and logged: which strategy is chosen, and what comes of it."""

from __future__ import annotations

from pathlib import Path

import click

from untwist.cli.sources import (
    SEED,
    command_line,
    run_folder,
    say_reasons,
    show_progress,
    source_options,
)
from untwist.data import Reading
from untwist.data.splits import PARTS
from untwist.engine import load_detector
from untwist.evaluate import RESAMPLES
from untwist.recipes import evaluate_logged, evaluate_policy, publish
from untwist.recipes.evaluate_logged import EvaluateLogged, LoggedConfig
from untwist.recipes.runfolder import METRICS

_NO_DETECTOR = "none"
_POLICY_EXAMPLES = """\b
Examples:
  untwist evaluate policy --out local/matrix
  untwist evaluate policy learned --out local/shipped
  untwist evaluate policy runs/seed-1/policy runs/seed-2/policy runs/seed-3/policy \\
      --out local/learned
  untwist evaluate policy runs/mine/policy --corpora cogbias --folder ~/corpora \\
      --accept-licence cogbias --part all --seekers 0 --out local/cogbias
"""
_LOGGED_EXAMPLES = """\b
Examples:
  untwist evaluate logged dialogues.jsonl --out local/logged
  untwist evaluate logged dialogues.jsonl --policy runs/mine/policy --gamma 1 --out local/logged

\b
dialogues.jsonl, one turn a line, those of a dialogue together and to its end:
  {"dialogue": "d1", "turn": 0, "assessment": {...}, "action": "examine_evidence",
   "propensity": 0.25, "reward": 1.8, "done": false}
"""
_FOLDERS = click.argument("policies", nargs=-1, metavar="[learned|DIR]...")
_OUT = click.option("--out", required=True, metavar="DIR", help="Run folder; new or empty.")
_GAMMA = click.option("--gamma", default=0.8, show_default=True, type=click.FloatRange(0, 1),
                      help="Weight of a turn against the one before it.")  # fmt: skip
_SEED = click.option("--seed", default=42, show_default=True, type=SEED,
                     help="Of people, chance and intervals.")  # fmt: skip
_RESAMPLES = click.option("--resamples", default=RESAMPLES, show_default=True,
                          type=click.IntRange(1), help="Of the bootstrap.")  # fmt: skip
_JSON = click.option("--json", "as_json", is_flag=True, help="Print the path of metrics.json only.")


@click.command("policy", epilog=_POLICY_EXAMPLES)
@_FOLDERS
@click.option("--corpora", default="open,open-dialogues", show_default=True, metavar="A,B",
              help="Corpora with distortion, intensity and risk, or own files.")  # fmt: skip
@click.option("--part", default="test", show_default=True,
              type=click.Choice([*PARTS, evaluate_policy.ALL]),
              help="Of the grouped split; all where nobody learnt from the corpus.")  # fmt: skip
@click.option("--detector", "name", default="fast", show_default=True, metavar="fast|DIR|none",
              help="Whose labels are the predicted ones; none leaves them out.")  # fmt: skip
@click.option("--seekers", default=2_000, show_default=True, type=click.IntRange(0),
              help="Simulated people for the returns; 0 scores choices alone.")  # fmt: skip
@click.option("--dialogues", default=3_000, show_default=True, type=click.IntRange(0),
              help="Simulated dialogues for off-policy estimates; 0 leaves them out.")  # fmt: skip
@_OUT
@_GAMMA
@_SEED
@_RESAMPLES
@_JSON
@source_options
def policy(
    policies: tuple[str, ...],
    corpora: str,
    part: str,
    name: str,
    seekers: int,
    dialogues: int,
    out: str,
    gamma: float,
    seed: int,
    resamples: int,
    as_json: bool,
    how: Reading,
) -> None:
    """Policies on held-out messages, among simulated people and on logged dialogues.

    Folders of learned policies, as training leaves them, or learned for the one that ships; those
    with one name are runs of one system. The matrix, always validating, the most frequent gold
    strategy and chance stand beside them, and alone without any.
    """
    named = tuple(one.strip() for one in corpora.split(",") if one.strip())
    if not named:
        raise click.UsageError("--corpora names none: give for example open,open-dialogues")
    config = evaluate_policy.EvaluatePolicy(
        out=out,
        policies=policies,
        corpora=named,
        part=part,
        reading=how,
        seekers=seekers,
        gamma=gamma,
        logged=LoggedConfig(dialogues=dialogues),
        seed=seed,
        resamples=resamples,
        command=command_line(),
    )
    detector = None if name == _NO_DETECTOR else load_detector(name)
    with run_folder(out):
        path, metrics = evaluate_policy.run(config, detector, show_progress)
    say_reasons(
        metrics["rows"]["refused"],
        metrics["rows"]["by_reason"],
        " (untwist data check --show-refused lists them)",
    )
    end(path, as_json)


@click.command("logged", epilog=_LOGGED_EXAMPLES)
@click.argument("file", metavar="FILE")
@click.option("--policy", "policies", multiple=True, metavar="learned|DIR",
              help="A learned policy, judged beside the matrix; may be repeated.")  # fmt: skip
@_OUT
@_GAMMA
@_SEED
@_RESAMPLES
@_JSON
def logged(
    file: str,
    policies: tuple[str, ...],
    out: str,
    gamma: float,
    seed: int,
    resamples: int,
    as_json: bool,
) -> None:
    """What policies would have earned in dialogues that another one led, with intervals.

    Weighted importance sampling and doubly robust estimates. The file must say with which
    probability each action was chosen; it holds what people wrote, the results do not.
    """
    config = EvaluateLogged(
        out=out,
        file=file,
        policies=policies,
        gamma=gamma,
        seed=seed,
        resamples=resamples,
        command=command_line(),
    )
    with run_folder(out):
        path, _ = evaluate_logged.run(config, show_progress)
    end(path, as_json)


def end(path: Path, as_json: bool) -> None:
    """Say where the results are, or show them."""
    if as_json:
        click.echo(path / METRICS)
        return
    click.echo((path / publish.REPORT).read_text(encoding="utf-8"))
    click.echo(f"with pictures: {path / publish.PAGE}", err=True)
