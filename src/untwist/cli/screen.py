"""untwist screen: whether a message speaks of danger."""

from __future__ import annotations

import click

from untwist.cli.rows import io_options, read_rows, writing
from untwist.data import Failure, Item
from untwist.engine import load_reader
from untwist.errors import SafetyError
from untwist.safety import SecondReader, screen
from untwist.schema import Json

_EXAMPLES = """\b
Examples:
  untwist screen "I don't want to be alive any more"
  untwist screen --input messages.jsonl --output levels.jsonl --keep-going
"""


@click.command("screen", epilog=_EXAMPLES)
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--rules-only", is_flag=True, help="The rules alone: no model takes part.")
@io_options
def command(
    texts: tuple[str, ...],
    source: str | None,
    target: str | None,
    as_json: bool,
    keep_going: bool,
    rules_only: bool,
) -> None:
    """Whether a message speaks of danger: rules, and a second reader that may only raise them.

    Rows in: as for detect. Rows out: {"id", "level": "none|low|medium|high", "acuity": [...],
    "reasons": [rule ids, and the second reader's name where it raised]}. No network. Levels serve
    to compare systems; they say nothing about a person.
    """
    second = None if rules_only else load_reader().read
    with writing(target, source) as out:
        for row in read_rows(texts, source, keep_going):
            try:
                if isinstance(row, Failure):
                    out.failure(row)
                else:
                    out.row(_screened(row, second))
            except SafetyError as error:
                if not keep_going:
                    raise
                out.failure(Failure(row.line, row.id, str(error)))


def _screened(item: Item, second: SecondReader | None) -> Json:
    return {"id": item.id, **screen(item.utterance.text, item.history, second).to_dict()}
