"""untwist evaluate agreement: how far labellers agree, beyond chance."""

from __future__ import annotations

import click

from untwist.cli.sources import command_line, run_folder, source_options
from untwist.data import Reading
from untwist.recipes import evaluate_agreement, publish


@click.command(
    "agreement",
    epilog="Examples: untwist evaluate agreement open second.jsonl --out local/agreement; untwist "
    "evaluate agreement mine.csv b.jsonl c.jsonl --out local/three",
)
@click.argument("labellings", nargs=-1, required=True, metavar="NAME|FILE...")
@click.option("--out", required=True, metavar="DIR", help="Run folder; new or empty.")
@click.option("--json", "as_json", is_flag=True, help="Print the path of metrics.json only.")
@source_options
def agreement(labellings: tuple[str, ...], out: str, as_json: bool, how: Reading) -> None:
    """Two labellings of the same messages or more: Cohen's kappa by label, Fleiss' of three.

    A labelling is a corpus, a file with texts, or a file of labels alone, one object a line:
    {"id", "labels": [...], "intensity"?, "risk"?}.
    """
    config = evaluate_agreement.EvaluateAgreement(
        out=out, labellings=labellings, reading=how, command=command_line()
    )
    with run_folder(out):
        path, _ = evaluate_agreement.run(config)
    if as_json:
        click.echo(path / "metrics.json")
    else:
        click.echo((path / publish.REPORT).read_text(encoding="utf-8"))
