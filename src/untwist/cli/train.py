"""untwist train: a run folder from a configuration file."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import click

from untwist.cli.train_encoder import encoder
from untwist.cli.train_llm import llm
from untwist.engine import load_detector
from untwist.recipes import config, train_detector, train_drafts, train_policy, train_risk
from untwist.schema import Json

_EXAMPLES = """\b
Examples:
  untwist train detector detector.toml
  untwist train detector detector.toml --quick --out /tmp/try

\b
detector.toml:
  name = "my-detector-v1"
  out = "runs/my-detector"
  corpora = ["open", "my_texts.jsonl"]
  seed = 42
"""


@click.group("train")
def command() -> None:
    """Train a model; leaves a folder with config.toml, manifest.json, metrics.json, the model."""


command.add_command(encoder)
command.add_command(llm)


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """The argument and options that every kind of training has."""
    wrappers = [
        click.argument("path", metavar="CONFIG.toml"),
        click.option(
            "--quick", is_flag=True, help="A small run to try things out; of no use otherwise."
        ),
        click.option("--out", metavar="DIR", help="Run folder, in place of that in CONFIG.toml."),
        click.option("--json", "as_json", is_flag=True, help="Print the metrics as JSON."),
    ]
    for wrap in reversed(wrappers):
        command = wrap(command)
    return command


@command.command("detector", epilog=_EXAMPLES)
@_options
def detector(path: str, quick: bool, out: str | None, as_json: bool) -> None:
    """The fast detector, from labelled texts; numpy only, equal bytes for equal input."""
    settings = config.read_config(train_detector.TrainDetector, path)
    settings = train_detector.with_changes(settings, quick=quick, out=out)
    folder, metrics = train_detector.run(settings, _show)
    _say(folder / train_detector.ARTEFACT, metrics, quick, as_json)


@command.command("risk", epilog="Example: untwist train risk risk.toml --quick --out /tmp/try")
@_options
def risk(path: str, quick: bool, out: str | None, as_json: bool) -> None:
    """The second reader of risk, from labelled cases; numpy only, equal bytes for equal input."""
    settings = config.read_config(train_risk.TrainRisk, path)
    folder, metrics = train_risk.run(train_risk.with_changes(settings, quick=quick, out=out), _show)
    _say(folder / train_risk.ARTEFACT, metrics, quick, as_json)


@command.command("drafts", epilog="Example: untwist train drafts drafts.toml --out /tmp/try")
@_options
def drafts(path: str, quick: bool, out: str | None, as_json: bool) -> None:
    """The guard's reader of drafts, from labelled drafts; numpy only, equal bytes again."""
    settings = config.read_config(train_drafts.TrainDrafts, path)
    settings = train_drafts.with_changes(settings, quick=quick, out=out)
    folder, metrics = train_drafts.run(settings, _show)
    _say(folder / train_drafts.ARTEFACT, metrics, quick, as_json)


_POLICY_EXAMPLES = """\b
Examples:
  untwist train policy policy.toml
  untwist train policy policy.toml --seed 2 --out runs/seed-2
  untwist train policy policy.toml --quick --out /tmp/try

\b
policy.toml:
  name = "my-policy-v1"
  out = "runs/my-policy"
  corpora = ["open", "open-dialogues"]

\b
  [learning]
  episodes = 100000
  gamma = 0.8
"""


@command.command("policy", epilog=_POLICY_EXAMPLES)
@_options
@click.option("--seed", type=click.IntRange(0), help="In place of that in CONFIG.toml.")
def policy(path: str, quick: bool, out: str | None, as_json: bool, seed: int | None) -> None:
    """A policy, by practice with simulated people; numpy only, equal bytes for equal input.

    A run that was stopped goes on when it is started again with the same settings and folder.
    Scores come from `untwist evaluate policy`.
    """
    settings = config.read_config(train_policy.TrainPolicy, path)
    settings = train_policy.with_changes(settings, quick=quick, out=out, seed=seed)
    detector = load_detector() if settings.labels == "predicted" else None
    folder, metrics = train_policy.run(settings, detector, _show)
    if as_json:
        click.echo(json.dumps({"folder": str(folder), **metrics}, ensure_ascii=False))
        return
    if quick:
        click.echo("a quick run: the policy is too little practised to be of use", err=True)
    click.echo(
        f"{folder / train_policy.ARTEFACT}: {metrics['episodes']:,} conversations, "
        f"{metrics['updates']:,} gradient steps"
    )
    click.echo(f"scores: untwist evaluate policy {folder / train_policy.ARTEFACT} --out DIR")


def _say(artefact: Path, metrics: Json, quick: bool, as_json: bool) -> None:
    """What a training leaves behind, with its held-out shares."""
    if as_json:
        click.echo(json.dumps({"folder": str(artefact.parent), **metrics}, ensure_ascii=False))
        return
    if quick:
        click.echo("a quick run: the model is too small to hear anything reliably", err=True)
    click.echo(f"{artefact}: {metrics['texts']:,} texts")
    for name, share in metrics["held_out"].items():
        click.echo(f"held out, {name}: {share:.3f}")


def _show(stage: str, done: int, total: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{stage}: step {done}/{total}   ", nl=done == total, err=True)
