"""untwist evaluate multitask: one detector for several corpora, or one for each."""

from __future__ import annotations

import click

from untwist.cli.sources import SEED, command_line, run_folder, show_progress, source_options
from untwist.data import Reading
from untwist.detect import FastDetector
from untwist.engine import load_detector
from untwist.recipes import evaluate_multitask, publish


@click.command(
    "multitask",
    epilog="Example: untwist evaluate multitask --folder ~/corpora --accept-licence all --out "
    "local/multitask",
)
@click.option(
    "--corpora",
    default="socialcd,reframing,therapist-part,therapist-whole",
    show_default="the four of CrossLinCD's paper that are public",
    metavar="A,B",
    help="Corpora by name, or files of your own.",
)
@click.option(
    "--start", "name", default="fast", show_default=True, metavar="fast|DIR",
    help="Where training starts in half of the ways: the shipped detector, or a model folder.",
)  # fmt: skip
@click.option(
    "--l2", default=3e-5, show_default=True, type=click.FloatRange(min=0, min_open=True),
    help="Penalty on the weights.",
)  # fmt: skip
@click.option("--alpha", default=0.8, show_default=True, type=click.FloatRange(0, 1),
              help="Weight of the teachers beside the labels.")  # fmt: skip
@click.option("--out", required=True, metavar="DIR", help="Run folder; new or empty.")
@click.option("--seed", default=42, show_default=True, type=SEED, help="Of the intervals.")
@click.option("--json", "as_json", is_flag=True, help="Print the path of metrics.json only.")
@source_options
def multitask(
    corpora: str,
    name: str,
    l2: float,
    alpha: float,
    out: str,
    seed: int,
    as_json: bool,
    how: Reading,
) -> None:
    """Train on several corpora at once: a model each, one for all, a student; three splits."""
    start = load_detector(name)
    if not isinstance(start, FastDetector):
        raise click.UsageError(f"--start {name} is no fast detector: name a folder of one")
    config = evaluate_multitask.EvaluateMultitask(
        out=out,
        corpora=tuple(part.strip() for part in corpora.split(",") if part.strip()),
        reading=how,
        l2=l2,
        alpha=alpha,
        seed=seed,
        command=command_line(),
    )
    with run_folder(out):
        path, _ = evaluate_multitask.run(config, start, show_progress)
    if as_json:
        click.echo(path / "metrics.json")
    else:
        click.echo((path / publish.REPORT).read_text(encoding="utf-8"))
