"""untwist reply: one whole turn."""

from __future__ import annotations

import click

from untwist.cli.rows import io_options, read_rows, writing
from untwist.data import Failure
from untwist.engine import DEFAULT_POLICY, SCRIPTED, Engine
from untwist.errors import SafetyError, UntwistError
from untwist.safety import regions
from untwist.text import LOCALES, Locale

_EXAMPLES = """\b
Examples:
  untwist reply "She didn't answer, so she must be sick of me"
  untwist reply --locale zh --region CN "我什么都做不好"
  untwist reply --input messages.jsonl --output turns.jsonl
  untwist reply --responder llm:my-model "I always ruin everything"
"""


@click.command("reply", epilog=_EXAMPLES)
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@io_options
@click.option(
    "--responder", metavar="scripted|llm:NAME", default=SCRIPTED, show_default=True,
    help="Who speaks; what is written goes to wherever the language model runs.",
)  # fmt: skip
@click.option(
    "--policy", metavar="matrix|learned|DIR", default=DEFAULT_POLICY, show_default=True,
    help="Who chooses the strategy.",
)  # fmt: skip
@click.option("--locale", type=click.Choice(LOCALES), help="Language of the reply.")
@click.option("--region", metavar="XX", help=f"Country for help lines: {', '.join(regions())}.")
def command(
    texts: tuple[str, ...],
    source: str | None,
    target: str | None,
    as_json: bool,
    keep_going: bool,
    responder: str,
    policy: str,
    locale: Locale | None,
    region: str | None,
) -> None:
    """Answer a message: screen, detect, choose a strategy, reply, check the reply.

    A row with a history is answered as the next step of that conversation, a row without one by a
    whole reply. Rows in: as for detect. Rows out: {"id", "assessment", "choice", "reply",
    "verdict", "replaced", "versions"}. Nothing leaves this machine, unless --responder names a
    language model that runs elsewhere; it words one turn of a conversation, and the guard puts the
    scripted turn in place of what may not be said ("replaced", with the rules in "verdict").
    """
    step = Engine.default(
        conversation=True, region=region, locale=locale, policy=policy, responder=responder
    )
    whole = step
    if responder == SCRIPTED:
        whole = Engine.default(region=region, locale=locale, policy=policy)
    if not (source or as_json or target):
        for row in read_rows(texts, source, keep_going):
            if isinstance(row, Failure):
                raise UntwistError(row.message)
            click.echo(whole.turn(row.utterance).reply.text)
        return
    with writing(target, source) as out:
        for row in read_rows(texts, source, keep_going):
            if isinstance(row, Failure):
                out.failure(row)
                continue
            try:
                engine = step if row.history else whole
                out.row({"id": row.id, **engine.turn(row.utterance, row.history).to_dict()})
            except SafetyError as error:
                if not keep_going:
                    raise
                out.failure(Failure(row.line, row.id, str(error)))
