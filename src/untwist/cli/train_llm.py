"""untwist train llm: a language model tuned by a preset."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from untwist.cli.sources import command_line, corpus_options
from untwist.data import Reading
from untwist.recipes import train_llm
from untwist.tune import preset_names

EXAMPLES = f"""\b
Examples:
  untwist train llm copollm --model Qwen/Qwen3-8B --data open-dialogues --out runs/copollm
  untwist train llm cbt-llm --model ./qwen2.5 --data triads.jsonl --out runs/cbt
  untwist train llm crosslincd-llm --model ./llama3 --data socialcd --data reframing \\
      --folder ~/corpora --accept-licence all --out runs/labels
  untwist train llm copollm --model ./tiny --data dialogues.jsonl --quick --out /tmp/try \\
      --set load.bits=16 --set load.precision=fp32
  accelerate launch --config_file ddp.yaml -m untwist train llm copollm ...

\b
untwist tune launcher prints such a ddp.yaml.

\b
Presets: {", ".join(preset_names())}.
"""


def data_options(command: click.decorators.FC) -> click.decorators.FC:
    """What is learned by which preset: shared by tuning here and handing it to LLaMA-Factory."""
    for option in reversed(
        (
            click.argument("preset", metavar="PRESET|FILE.toml"),
            click.option(
                "--model", required=True, metavar="NAME|DIR", help="The base model that is tuned."
            ),
            click.option(
                "--data", multiple=True, required=True, metavar="NAME|FILE",
                help="Corpora by name, or files of the kind that the preset says; may be repeated.",
            ),
            click.option(
                "--augmented", multiple=True, metavar="FILE",
                help="Rows of `untwist generate enhance`: their replies replace those of the data.",
            ),
            click.option(
                "--set", "changes", multiple=True, metavar="KEY=VALUE",
                help="Change a key of the preset, such as steps.epochs=1; may be repeated.",
            ),
            click.option("--revision", default="", metavar="REV", help="Of the model on the hub."),
            click.option("--download", is_flag=True, help="Fetch a model that is not here."),
        )
    ):  # fmt: skip
        command = option(command)
    return command


@click.command("llm", epilog=EXAMPLES)
@data_options
@click.option("--out", required=True, metavar="DIR", help="Run folder; a stopped run goes on.")
@click.option("--name", default="tuned-v1", show_default=True, help="Of the model, in its card.")
@click.option("--note", "notes", multiple=True, help="What its card must say; may be repeated.")
@click.option("--refuse", is_flag=True, help="Leave out and count samples that are too long.")
@click.option("--quick", is_flag=True, help="Two steps, to try things out; of no use otherwise.")
@click.option("--json", "as_json", is_flag=True, help="Print the metrics as JSON.")
@corpus_options
def llm(
    preset: str,
    model: str,
    data: tuple[str, ...],
    augmented: tuple[str, ...],
    changes: tuple[str, ...],
    revision: str,
    download: bool,
    out: str,
    name: str,
    notes: tuple[str, ...],
    refuse: bool,
    quick: bool,
    as_json: bool,
    how: Reading,
) -> None:
    """Tune a language model with an adapter (LoRA), by a preset that ships or a file of your own.

    Needs the extra "finetune", and PyTorch, which you choose yourself; presets with 4 bits need
    "qlora" and a GPU that bitsandbytes knows. Rows of a test part are never learned from.
    """
    config = train_llm.TrainLlm(
        out=out,
        model=model,
        data=data,
        tune=train_llm.read_preset(preset, changes),
        augmented=augmented,
        name=name,
        revision=revision,
        download=download,
        refuse=refuse,
        reading=how,
        notes=notes,
        command=command_line(),
    )
    folder, metrics = train_llm.run(train_llm.quick(config) if quick else config, show)
    if as_json:
        click.echo(json.dumps({"folder": str(folder), **metrics}, ensure_ascii=False))
        return
    if quick:
        click.echo("a quick run: the adapter has learned next to nothing", err=True)
    for made in metrics["models"].values():
        _say(folder / made["adapter"], made["train"]["samples"], made["losses"])


def _say(adapter: Path, samples: int, losses: dict[str, float | None]) -> None:
    told = ", ".join(f"{k} {v:.4f}" for k, v in losses.items() if v is not None)
    click.echo(f"{adapter}: {samples:,} samples; cross-entropy {told}")
    click.echo(f"one model of it: untwist tune merge {adapter} DIR", err=True)


def show(stage: str, done: int, total: int) -> None:
    """A line that is written over, where somebody watches."""
    if sys.stderr.isatty():
        click.echo(f"\r{stage}: step {done}/{total}   ", nl=done == total, err=True)
