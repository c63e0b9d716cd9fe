"""untwist evaluate parallel: whether a detector says the same of a thought in two languages."""

from __future__ import annotations

import click

from untwist.cli.sources import command_line, run_folder, source_options
from untwist.data import Reading
from untwist.engine import load_detector
from untwist.recipes import evaluate_parallel, publish


@click.command("parallel", epilog="Example: untwist evaluate parallel --out local/parallel")
@click.option(
    "--detector", "name", default="fast", show_default=True, metavar="fast|DIR",
    help="The shipped detector, or a model folder.",
)  # fmt: skip
@click.option("--corpus", default="open-parallel", show_default=True, metavar="NAME",
              help="Its groups are pairs of an English and a Chinese message.")  # fmt: skip
@click.option("--out", required=True, metavar="DIR", help="Run folder; new or empty.")
@click.option("--json", "as_json", is_flag=True, help="Print the path of metrics.json only.")
@source_options
def parallel(name: str, corpus: str, out: str, as_json: bool, how: Reading) -> None:
    """The same thought in English and in Chinese: how often the labels are the same, and right."""
    config = evaluate_parallel.EvaluateParallel(
        out=out, corpus=corpus, reading=how, command=command_line()
    )
    with run_folder(out):
        path, _ = evaluate_parallel.run(config, load_detector(name))
    if as_json:
        click.echo(path / "metrics.json")
    else:
        click.echo((path / publish.REPORT).read_text(encoding="utf-8"))
