"""untwist tune merge and export: one model of an adapter, and a run for LLaMA-Factory."""

from __future__ import annotations

import json

import click

from untwist.cli.sources import corpus_options
from untwist.cli.train_llm import data_options
from untwist.data import Reading
from untwist.recipes.after_llm import export_run, merge_adapter
from untwist.recipes.train_llm import read_preset
from untwist.tune import PRECISIONS, TEMPLATES

_TEMPLATES = ", ".join(f"{name} ({whose})" for name, whose in TEMPLATES.items())


@click.command("merge", epilog="Example: untwist tune merge runs/copollm/adapter merged/copollm")
@click.argument("adapter", metavar="ADAPTER")
@click.argument("out", metavar="DIR")
@click.option("--base", metavar="NAME|DIR", help="The base model, if it is elsewhere by now.")
@click.option(
    "--precision", type=click.Choice(PRECISIONS), default="bf16", show_default=True,
    help="Of the weights that are written.",
)  # fmt: skip
@click.option("--download", is_flag=True, help="Fetch a base model that is not here.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def merge(
    adapter: str, out: str, base: str | None, precision: str, download: bool, as_json: bool
) -> None:
    """Put an adapter into its model: a folder that vLLM, Ollama and llama.cpp load as any model.

    vLLM can also serve the adapter beside its model, unmerged; docs/guides/tuning.md says how.
    """
    done = merge_adapter(adapter, out, base=base, precision=precision, download=download)
    if as_json:
        told = {"folder": str(done.folder), "base": done.base, "largest_difference": done.off}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(f"{done.folder}: {done.base} with the adapter in it")
    click.echo(
        f"its logits differ from the adapter's by {done.off:.2g} at most on one text", err=True
    )


@click.command(
    "export",
    epilog="""\b
Examples:
  untwist tune export copollm --model Qwen/Qwen3-8B --template qwen3 \\
      --data open-dialogues --out factory
  llamafactory-cli train factory/copollm.yaml
""",
)
@data_options
@click.option("--template", required=True, metavar="NAME",
              help=f"LLaMA-Factory's name of the model's chat template: {_TEMPLATES}.")  # fmt: skip
@click.option("--name", default="", metavar="NAME", help="Of files and data sets; the preset's.")
@click.option("--out", required=True, metavar="DIR", help="LLaMA-Factory's data folder.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@corpus_options
def export(
    preset: str,
    model: str,
    data: tuple[str, ...],
    augmented: tuple[str, ...],
    changes: tuple[str, ...],
    revision: str,
    download: bool,
    template: str,
    name: str,
    out: str,
    as_json: bool,
    how: Reading,
) -> None:
    """Hand a preset and its samples to LLaMA-Factory: data, dataset_info.json and a YAML file.

    Histories are cut to fit by the model's own tokenizer where transformers is installed and the
    model is here; otherwise nothing is cut, and the command says so.
    """
    done, cut = export_run(
        read_preset(preset, changes), out, data=data, augmented=augmented, reading=how,
        model=model, revision=revision, download=download, template=template,
        name=name or preset.rpartition("/")[2].removesuffix(".toml"),
    )  # fmt: skip
    if as_json:
        files = [str(file) for file in done.files]
        told = {"files": files, "rows": done.rows, "notes": done.notes, "cut": cut}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(f"{done.files[-1]}: {done.rows:,} samples")
    for note in done.notes[1:]:
        click.echo(note, err=True)
    if not cut:
        click.echo("no tokenizer is here, so no history was cut to fit", err=True)
