"""untwist evaluate: scores with intervals, baselines and protocol."""

from __future__ import annotations

import click

from untwist.cli.evaluate_agreement import agreement
from untwist.cli.evaluate_blind import blind
from untwist.cli.evaluate_conversation import conversation
from untwist.cli.evaluate_detection import compare, detector, matrix
from untwist.cli.evaluate_evidence import evidence
from untwist.cli.evaluate_judge import judge
from untwist.cli.evaluate_leaderboard import leaderboard
from untwist.cli.evaluate_multitask import multitask
from untwist.cli.evaluate_parallel import parallel
from untwist.cli.evaluate_policy import logged, policy
from untwist.cli.evaluate_replies import replies
from untwist.cli.sources import corpus_options, given_licences
from untwist.data import Reading
from untwist.engine import load_draft_reader, load_reader
from untwist.recipes import evaluate_guard, evaluate_risk, evaluate_screen
from untwist.recipes.risk_sets import SETS


@click.group("evaluate")
def command() -> None:
    """Score models; leaves a folder with metrics.json and report.md."""


for _one in (
    detector, matrix, multitask, compare, leaderboard, agreement, evidence, parallel, policy,
    logged, judge, blind, replies, conversation,
):  # fmt: skip
    command.add_command(_one)


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
    epilog="Example: untwist evaluate risk --corpus sos_4k --accept-licence all --out local/risk",
)
@click.option(
    "--corpus", "corpora", multiple=True, metavar="NAME",
    help="One or more of psysuicide, sos_1k, sos_4k, suicide_binary_zh, reddit_cssrs; else all.",
)  # fmt: skip
@click.option("--second", default="", metavar="FILE",
              help='Second labels, rows {"corpus", "id", "crisis"}.')  # fmt: skip
@click.option("--out", required=True, metavar="DIR", help="Run folder; new or empty.")
@click.option("--rules-only", is_flag=True, help="Leave the second reader out.")
@click.option("--json", "as_json", is_flag=True, help="Print the path of metrics.json only.")
@corpus_options
def risk(
    corpora: tuple[str, ...], second: str, out: str, rules_only: bool, as_json: bool, how: Reading
) -> None:
    """The safety screen on public corpora of suicide risk, beside trivial baselines.

    Writes counts and shares, never a text.
    """
    line = ["untwist evaluate risk", *(f"--corpus {n}" for n in corpora), *given_licences(how)]
    line += [f"--second {second}"] * bool(second) + ["--rules-only"] * rules_only
    config = evaluate_risk.EvaluateRisk(
        out=out,
        reading=how,
        corpora=corpora or tuple(SETS),
        second=second,
        command=" ".join(line),
    )
    path, _ = evaluate_risk.run(config, None if rules_only else load_reader().read)
    if as_json:
        click.echo(path / "metrics.json")
    else:
        click.echo((path / evaluate_risk.REPORT).read_text(encoding="utf-8"))


@command.command(
    "guard",
    epilog="Examples: untwist evaluate guard --out local/guard; "
    "... --turns --out local/turns my-turns.jsonl",
)
@click.argument("drafts", nargs=-1, metavar="[FILE]...")
@click.option("--out", required=True, metavar="DIR", help="Run folder; new or empty.")
@click.option("--patterns-only", is_flag=True, help="Leave the trained reader out.")
@click.option(
    "--turns", is_flag=True,
    help="The drafts are single turns of a language model: read strictly, as a stream.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the path of metrics.json only.")
def guard(
    drafts: tuple[str, ...], out: str, patterns_only: bool, turns: bool, as_json: bool
) -> None:
    """The guard on labelled drafts of replies, by rule; else on the drafts that ship.

    Rows: {"id", "text", "context": level, "good": true|false, "rule", "lang"?, "part"?}.
    """
    options = " ".join(["--turns"] * turns + ["--patterns-only"] * patterns_only)
    line = " ".join(["untwist evaluate guard", options, *drafts])
    config = evaluate_guard.EvaluateGuard(
        out=out, drafts=drafts, turns=turns, command=" ".join(line.split())
    )
    path, _ = evaluate_guard.run(config, None if patterns_only else load_draft_reader().stops)
    if as_json:
        click.echo(path / "metrics.json")
    else:
        click.echo((path / evaluate_guard.REPORT).read_text(encoding="utf-8"))
