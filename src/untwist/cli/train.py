"""untwist train: a run folder from a configuration file."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import click

from untwist.recipes import config, train_detector, train_drafts, train_risk
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
