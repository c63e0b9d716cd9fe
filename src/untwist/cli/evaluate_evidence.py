"""untwist evaluate evidence: where a detector sees a distortion, beside where annotators did."""

from __future__ import annotations

import json
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
from untwist.engine import load_detector
from untwist.recipes import evaluate_evidence, publish
from untwist.recipes.runfolder import METRICS

_SHIPPED = "fast"
_LEARNT = ("open:train", "open:validation")


@click.command(
    "evidence",
    epilog="""\b
Examples:
  untwist evaluate evidence --out local/evidence
  untwist evaluate evidence --corpora open,therapist-whole,open-dialogues \\
      --folder ~/corpora --accept-licence therapist-whole --out local/evidence
""",
)
@click.option("--detector", "name", default=_SHIPPED, show_default=True, metavar="fast|DIR",
              help="The shipped detector, or a model folder.")  # fmt: skip
@click.option(
    "--corpora", default="open", show_default=True, metavar="A,B",
    help="Corpora with evidence spans by name, or files of your own.",
)  # fmt: skip
@click.option("--trained-on", default="", metavar="A,B:train",
              help="What the detector learnt from: a corpus or a part of one.")  # fmt: skip
@click.option("--out", required=True, metavar="DIR", help="Run folder; new or empty.")
@click.option("--seed", default=42, show_default=True, type=SEED,
              help="Of the intervals and the random clause.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the path of metrics.json only.")
@source_options
def evidence(
    name: str,
    corpora: str,
    trained_on: str,
    out: str,
    seed: int,
    as_json: bool,
    how: Reading,
) -> None:
    """A detector's evidence spans against gold spans, beside baselines that read nothing.

    Characters, exact match and overlap, by label and whatever the label; intervals over groups.
    """
    named = _split(corpora)
    if not named:
        raise click.UsageError("--corpora names none: give for example open")
    config = evaluate_evidence.EvaluateEvidence(
        out=out,
        corpora=named,
        reading=how,
        trained_on=_split(trained_on) or (_LEARNT if name == _SHIPPED else ()),
        seed=seed,
        command=command_line(),
    )
    found = load_detector(name)
    with run_folder(out):
        path = evaluate_evidence.run(config, found, show_progress)
    refused = json.loads((path / METRICS).read_text(encoding="utf-8"))["refused"]
    say_reasons(
        refused["count"],
        refused["by_reason"],
        " (untwist data check --show-refused lists them)",
    )
    _end(path, as_json)


def _split(given: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in given.split(",") if part.strip())


def _end(path: Path, as_json: bool) -> None:
    if as_json:
        click.echo(path / METRICS)
        return
    click.echo((path / publish.REPORT).read_text(encoding="utf-8"))
    click.echo(f"with pictures: {path / publish.PAGE}", err=True)
