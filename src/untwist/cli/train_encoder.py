"""untwist train encoder: a neural detector from a configuration file."""

from __future__ import annotations

import json

import click

from untwist.cli.sources import show_progress
from untwist.recipes import train_encoder

_EXAMPLES = """\b
Examples:
  untwist train encoder encoder.toml
  untwist train encoder encoder.toml --quick --out /tmp/try
  accelerate launch --num_processes 4 -m untwist train encoder encoder.toml

\b
encoder.toml:
  name = "xlmr-multi-v1"
  out = "runs/xlmr-multi"
  corpora = ["socialcd", "reframing"]
  accept_licences = ["socialcd", "reframing"]
  preset = "crosslincd-multi"
  onnx = ["int8"]

\b
  [encoder]
  seed = 1
  download = true
"""


@click.command("encoder", epilog=_EXAMPLES)
@click.argument("path", metavar="CONFIG.toml")
@click.option("--quick", is_flag=True, help="A small run to try things out; of no use otherwise.")
@click.option("--out", metavar="DIR", help="Run folder, in place of that in CONFIG.toml.")
@click.option("--json", "as_json", is_flag=True, help="Print the metrics as JSON.")
def encoder(path: str, quick: bool, out: str | None, as_json: bool) -> None:
    """An encoder of transformers (XLM-R and others); needs PyTorch and the extra "finetune".

    A run that was stopped goes on from its last whole epoch when it is started again with the same
    settings and folder. Scores come from `untwist evaluate detector --detector DIR`.
    """
    settings = train_encoder.with_changes(train_encoder.read(path), quick=quick, out=out)
    folder, metrics = train_encoder.run(settings, show_progress)
    if not train_encoder.is_main():
        return
    if as_json:
        click.echo(json.dumps({"folder": str(folder), **metrics}, ensure_ascii=False))
        return
    if quick:
        click.echo("a quick run: the model is too little trained to hear anything", err=True)
    best = metrics["epochs"][metrics["best_epoch"] - 1]
    texts = sum(metrics["texts"].values())
    click.echo(
        f"{folder / train_encoder.ARTEFACT}: {texts:,} texts, epoch {metrics['best_epoch']} of "
        f"{len(metrics['epochs'])} kept, loss {best['loss']:.4f}"
    )
    for name, scores in best.get("validation", {}).items():
        line = ", ".join(f"{key} {value:.3f}" for key, value in scores.items())
        click.echo(f"validation, {name}: {line}")
    click.echo(f"use: untwist detect --detector {folder / train_encoder.ARTEFACT}")
