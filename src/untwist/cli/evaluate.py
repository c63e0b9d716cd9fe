"""untwist evaluate: scores with intervals, baselines and protocol."""

from __future__ import annotations

import click

from untwist.engine import load_detector
from untwist.recipes import evaluate_detector, evaluate_screen

_EXAMPLES = """\b
Examples:
  untwist evaluate detector --corpora open --out results/mine
  untwist evaluate detector --folder ~/corpora --corpora socialcd,reframing --out results/zero-shot
  untwist evaluate detector --detector runs/my-detector/detector --corpora open --out results/own
"""


@click.group("evaluate")
def command() -> None:
    """Score models; leaves a folder with metrics.json and report.md."""


@command.command("detector", epilog=_EXAMPLES)
@click.option(
    "--detector", "name", default="fast", show_default=True, metavar="fast|DIR",
    help="The shipped detector, or a model folder.",
)  # fmt: skip
@click.option(
    "--corpora", default="open", show_default=True, metavar="A,B",
    help="Corpora by name: socialcd, reframing, therapist-part, therapist-whole, crosslincd, open.",
)  # fmt: skip
@click.option("--folder", default=".", metavar="DIR", help="Folder with the public corpora.")
@click.option("--out", required=True, metavar="DIR", help="Run folder; new or empty.")
@click.option("--seed", default=42, show_default=True, help="Of splits and intervals.")
@click.option("--json", "as_json", is_flag=True, help="Print the path of metrics.json only.")
def detector(name: str, corpora: str, folder: str, out: str, seed: int, as_json: bool) -> None:
    """A detector on labelled corpora, thresholds untouched, beside trivial baselines."""
    names = tuple(part.strip() for part in corpora.split(",") if part.strip())
    line = f"untwist evaluate detector --detector {name} --corpora {','.join(names)} --seed {seed}"
    config = evaluate_detector.EvaluateDetector(
        out=out, folder=folder, corpora=names, seed=seed, command=line
    )
    path = evaluate_detector.run(config, load_detector(name))
    if as_json:
        click.echo(path / "metrics.json")
    else:
        click.echo((path / evaluate_detector.REPORT).read_text(encoding="utf-8"))


@command.command(
    "screen",
    epilog="Example: untwist evaluate screen --out local/screen tests/safety/cases/*.jsonl",
)
@click.argument("cases", nargs=-1, required=True, metavar="FILE...")
@click.option("--out", required=True, metavar="DIR", help="Run folder; new or empty.")
@click.option("--json", "as_json", is_flag=True, help="Print the path of metrics.json only.")
def screen(cases: tuple[str, ...], out: str, as_json: bool) -> None:
    """The safety screen on labelled cases, by language, part and family.

    Rows: {"id", "family", "text", "accept": [levels], "acuity": [...], "crisis": true|false,
    "history"?, "part"?}.
    """
    line = f"untwist evaluate screen --out {out} {' '.join(cases)}"
    config = evaluate_screen.EvaluateScreen(out=out, cases=cases, command=line)
    path, _ = evaluate_screen.run(config)
    if as_json:
        click.echo(path / "metrics.json")
    else:
        click.echo((path / evaluate_screen.REPORT).read_text(encoding="utf-8"))
