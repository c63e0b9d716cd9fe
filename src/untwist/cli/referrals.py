"""untwist referrals: the report of how often people were shown where help is."""

from __future__ import annotations

import json
from pathlib import Path

import click

from untwist.errors import DataError
from untwist.safety import Referrals, read_referrals, report_csv, report_markdown

_EXAMPLES = """\b
Examples:
  untwist chat --region US --counters referrals.json
  untwist referrals referrals.json --year 2026
  untwist referrals shop-a.json shop-b.json --year 2026 --format csv
"""


@click.command("referrals", epilog=_EXAMPLES)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--year", type=click.IntRange(2000, 2099), help="Only this year; all if absent.")
@click.option(
    "--format", "form", type=click.Choice(["markdown", "csv", "json"]), default="markdown",
    show_default=True, help="json is the counts themselves, nothing hidden.",
)  # fmt: skip
@click.option(
    "--smallest", type=click.IntRange(1), default=5, show_default=True,
    help="Counts below this are shown as <N; 1 shows all.",
)  # fmt: skip
def command(files: tuple[str, ...], year: int | None, form: str, smallest: int) -> None:
    """The annual report of referrals shown: by month, region and language, without identifiers.

    Several files are added up. Small counts are hidden, so that nobody can be told from one.
    """
    missing = [file for file in files if not Path(file).exists()]
    if missing:
        raise DataError(f"cannot read {missing[0]}: no such file")
    counts = Referrals().merged(*map(read_referrals, files))
    if year is not None:
        counts = counts.of_year(year)
    if form == "json":
        click.echo(json.dumps(counts.to_dict(), indent=1))
        return
    shown = report_csv if form == "csv" else report_markdown
    click.echo(shown(counts, smallest), nl=False)
