"""untwist evaluate: scores with intervals, baselines and protocol."""

from __future__ import annotations

import click

from untwist.data import RISK_CORPORA
from untwist.engine import load_detector, load_draft_reader, load_reader
from untwist.recipes import evaluate_detector, evaluate_guard, evaluate_risk, evaluate_screen

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
    epilog="Examples: untwist evaluate screen --out local/screen; ... --out local/own cases.jsonl",
)
@click.argument("cases", nargs=-1, metavar="[FILE]...")
@click.option("--out", required=True, metavar="DIR", help="Run folder; new or empty.")
@click.option("--rules-only", is_flag=True, help="Leave the second reader out.")
@click.option("--json", "as_json", is_flag=True, help="Print the path of metrics.json only.")
def screen(cases: tuple[str, ...], out: str, rules_only: bool, as_json: bool) -> None:
    """The safety screen on labelled cases, by language, part and family; else on those that ship.

    Rows: {"id", "family", "text", "accept": [levels], "acuity": [...], "crisis": true|false,
    "history"?, "part"?}.
    """
    line = " ".join(["untwist evaluate screen", "--rules-only" * rules_only, *cases])
    config = evaluate_screen.EvaluateScreen(out=out, cases=cases, command=" ".join(line.split()))
    path, _ = evaluate_screen.run(config, None if rules_only else load_reader().read)
    if as_json:
        click.echo(path / "metrics.json")
    else:
        click.echo((path / evaluate_screen.REPORT).read_text(encoding="utf-8"))


@command.command(
    "risk",
    epilog="Example: untwist evaluate risk --folder ~/corpora --corpus sos_4k --out local/risk",
)
@click.option(
    "--corpus", "corpora", multiple=True, metavar="NAME",
    help="One or more of psysuicide, sos_1k, sos_4k, suicide_binary_zh, reddit_cssrs; else all.",
)  # fmt: skip
@click.option("--folder", default="corpora", show_default=True, metavar="DIR",
              help="Folder with the public corpora.")  # fmt: skip
@click.option("--second", default="", metavar="FILE",
              help='Second labels, rows {"corpus", "id", "crisis"}.')  # fmt: skip
@click.option("--out", required=True, metavar="DIR", help="Run folder; new or empty.")
@click.option("--rules-only", is_flag=True, help="Leave the second reader out.")
@click.option("--json", "as_json", is_flag=True, help="Print the path of metrics.json only.")
def risk(
    corpora: tuple[str, ...], folder: str, second: str, out: str, rules_only: bool, as_json: bool
) -> None:
    """The safety screen on public corpora of suicide risk, beside trivial baselines.

    Writes counts and shares, never a text.
    """
    line = ["untwist evaluate risk", *(f"--corpus {n}" for n in corpora), f"--folder {folder}"]
    line += [f"--second {second}"] * bool(second) + ["--rules-only"] * rules_only
    config = evaluate_risk.EvaluateRisk(
        out=out,
        folder=folder,
        corpora=corpora or tuple(RISK_CORPORA),
        second=second,
        command=" ".join(line),
    )
    path, _ = evaluate_risk.run(config, None if rules_only else load_reader().read)
    if as_json:
        click.echo(path / "metrics.json")
    else:
        click.echo((path / evaluate_risk.REPORT).read_text(encoding="utf-8"))


@command.command("guard", epilog="Example: untwist evaluate guard --out local/guard")
@click.argument("drafts", nargs=-1, metavar="[FILE]...")
@click.option("--out", required=True, metavar="DIR", help="Run folder; new or empty.")
@click.option("--patterns-only", is_flag=True, help="Leave the trained reader out.")
@click.option("--json", "as_json", is_flag=True, help="Print the path of metrics.json only.")
def guard(drafts: tuple[str, ...], out: str, patterns_only: bool, as_json: bool) -> None:
    """The guard on labelled drafts of replies, by rule; else on the drafts that ship.

    Rows: {"id", "text", "context": level, "good": true|false, "rule", "lang"?, "part"?}.
    """
    line = " ".join(["untwist evaluate guard", "--patterns-only" * patterns_only, *drafts])
    config = evaluate_guard.EvaluateGuard(out=out, drafts=drafts, command=" ".join(line.split()))
    path, _ = evaluate_guard.run(config, None if patterns_only else load_draft_reader().stops)
    if as_json:
        click.echo(path / "metrics.json")
    else:
        click.echo((path / evaluate_guard.REPORT).read_text(encoding="utf-8"))
