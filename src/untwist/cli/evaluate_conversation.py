"""untwist evaluate conversation: an engine talks with simulated people."""

from __future__ import annotations

import click

from untwist.cli.evaluate_policy import end
from untwist.cli.sources import SEED, command_line, run_folder, show_progress
from untwist.engine import DEFAULT_POLICY, SCRIPTED, Engine
from untwist.recipes import evaluate_conversation
from untwist.taxonomy import LANGS

_EXAMPLES = """\b
Examples:
  untwist evaluate conversation --talks 100 --out local/talks
  untwist evaluate conversation --lang zh --policy matrix --out local/matrix
  untwist evaluate conversation --responder llm:qwen3 --talks 20 --out local/generated
"""


@click.command("conversation", epilog=_EXAMPLES)
@click.option("--talks", default=2_000, show_default=True, type=click.IntRange(1),
              help="Conversations in each language.")  # fmt: skip
@click.option("--turns", default=24, show_default=True, type=click.IntRange(1),
              help="Messages of each person.")  # fmt: skip
@click.option("--lang", "langs", multiple=True, type=click.Choice(LANGS), help="Else both.")
@click.option("--policy", metavar="matrix|learned|DIR", default=DEFAULT_POLICY, show_default=True,
              help="Who chooses the strategy.")  # fmt: skip
@click.option("--responder", metavar="scripted|llm:NAME", default=SCRIPTED, show_default=True,
              help="Who speaks; what the people write goes to the server of a model.")  # fmt: skip
@click.option("--out", required=True, metavar="DIR", help="Run folder; new or empty.")
@click.option("--seed", default=42, show_default=True, type=SEED, help="Of people and chance.")
@click.option("--json", "as_json", is_flag=True, help="Print the path of metrics.json only.")
def conversation(
    talks: int,
    turns: int,
    langs: tuple[str, ...],
    policy: str,
    responder: str,
    out: str,
    seed: int,
    as_json: bool,
) -> None:
    """Conversations with simulated people, and what goes wrong in them, counted.

    The people answer what they are asked, do not know, doubt, refuse, bring another thought, feel
    worse, thank or leave. Repeated replies, loops, dead ends, dropped threads, early advice and
    safety are counted. Nobody is trained on anything, and no number says how people would fare.
    """
    config = evaluate_conversation.EvaluateConversation(
        out=out,
        talks=talks,
        turns=turns,
        langs=langs or LANGS,
        seed=seed,
        command=command_line(),
    )
    engine = Engine.default(conversation=True, policy=policy, responder=responder)
    with run_folder(out):
        path, _ = evaluate_conversation.run(config, engine, show_progress)
    end(path, as_json)
