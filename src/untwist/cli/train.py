"""untwist train: a run folder from a configuration file."""

from __future__ import annotations

import json
import sys

import click

from untwist.recipes import config, train_detector

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


@command.command("detector", epilog=_EXAMPLES)
@click.argument("path", metavar="CONFIG.toml")
@click.option("--quick", is_flag=True, help="A small run to try things out; of no use otherwise.")
@click.option("--out", metavar="DIR", help="Run folder, in place of the one in CONFIG.toml.")
@click.option("--json", "as_json", is_flag=True, help="Print the metrics as JSON.")
def detector(path: str, quick: bool, out: str | None, as_json: bool) -> None:
    """The fast detector, from labelled texts; numpy only, equal bytes for equal input."""
    settings = config.read_config(train_detector.TrainDetector, path)
    settings = train_detector.with_changes(settings, quick=quick, out=out)
    folder, metrics = train_detector.run(settings, _show)
    if as_json:
        click.echo(json.dumps({"folder": str(folder), **metrics}, ensure_ascii=False))
        return
    if quick:
        click.echo("a quick run: the model is too small to hear anything reliably", err=True)
    held = metrics["held_out"]
    click.echo(f"{folder / train_detector.ARTEFACT}: {metrics['texts']:,} texts")
    click.echo(f"held out: micro-F1 {held['micro_f1']:.3f}, macro-F1 {held['macro_f1']:.3f}")


def _show(stage: str, done: int, total: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{stage}: step {done}/{total}   ", nl=done == total, err=True)
