"""untwist tune inspect: samples as a model reads them, with what is learned in colour."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict

import click

from untwist.cli.sources import corpus_options
from untwist.cli.train_llm import data_options
from untwist.data import Reading
from untwist.recipes.inspect_llm import Inspection, Shown, inspect, open_template
from untwist.recipes.llm_samples import Sources
from untwist.recipes.train_llm import read_preset
from untwist.schema import Json

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What a terminal would obey and not show."""


@click.command(
    "inspect",
    epilog="""\b
Examples:
  untwist tune inspect copollm --model Qwen/Qwen3-8B --data open-dialogues
  untwist tune inspect copollm --model ./llama3 --data samples.jsonl \\
      --set data.kind=samples --id d17 --id d18
  untwist tune inspect cbt-llm --model ./qwen2.5 --data triads.jsonl --json
""",
)
@data_options
@click.option("--id", "ids", multiple=True, help="Show this sample; may be repeated.")
@click.option(
    "--show", default=1, show_default=True, type=click.IntRange(0),
    help="Samples of each stream that are shown when no id is given.",
)  # fmt: skip
@click.option(
    "--colour/--no-colour", default=None,
    help="Mark what is learned by colour, or by ⟦ ⟧; colour where a terminal is.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@corpus_options
def inspect_samples(
    preset: str,
    model: str,
    data: tuple[str, ...],
    augmented: tuple[str, ...],
    changes: tuple[str, ...],
    revision: str,
    download: bool,
    ids: tuple[str, ...],
    show: int,
    colour: bool | None,
    as_json: bool,
    how: Reading,
) -> None:
    """Show samples as the model reads them, and which of it is learned; then counts and lengths.

    Reads what `untwist train llm` would read, by the model's own tokenizer and chat template, and
    trains nothing. Texts of the data are printed.
    """
    tune = read_preset(preset, changes)
    template = open_template(model, revision=revision, download=download)
    found = inspect(tune, Sources(data, augmented, how, tune.seed), template, ids=ids, most=show)
    if as_json:
        told = {**asdict(found), "max_length": tune.data.max_length}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    coloured = sys.stdout.isatty() if colour is None else colour
    for one in found.shown:
        _say(one, coloured)
    for line in _summary(found, tune.data.max_length):
        click.echo(line)


def _say(one: Shown, coloured: bool) -> None:
    made = ", by a policy" if one.augmented else ""
    head = (
        f"{one.id} ({one.stream}{made}): {one.prompt_tokens:,} tokens given, "
        f"{one.learned_tokens:,} learned"
    )
    prompt, learned = _CONTROL.sub("�", one.prompt), _CONTROL.sub("�", one.learned)
    if coloured:
        marked = click.style(prompt, dim=True) + click.style(learned, fg="green", bold=True)
        click.echo(f"{click.style(head, bold=True)}\n{marked}\n", color=True)
    else:
        click.echo(f"{head}\n{prompt}⟦{learned}⟧\n")


def _summary(found: Inspection, max_length: int) -> list[str]:
    report = found.report
    lines = [_stream(name, counts) for name, counts in report["streams"].items()]
    cut = report["cut_histories"]
    lines.append(
        f"at most {max_length:,} tokens: {cut['samples']:,} histories were cut, by "
        f"{cut['turns']:,} turns; samples that do not fit: {report['refused']:,}; "
        "no target is ever cut"
    )
    lines += [f"refused, such as {id}: {why}" for why, id in found.refused.items()]
    return lines


def _stream(name: str, counts: Json) -> str:
    spreads = (f"{part} {_spread(counts[part])}" for part in ("prompt", "target", "total"))
    return (
        f"{name}: {counts['samples']:,} samples; tokens (least, middle, most): {', '.join(spreads)}"
    )


def _spread(numbers: dict[str, int]) -> str:
    return " ".join(f"{numbers[key]:,}" for key in ("min", "median", "max"))
