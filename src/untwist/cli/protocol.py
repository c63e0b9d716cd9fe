"""untwist protocol: the crisis protocol of what runs, to publish."""

from __future__ import annotations

import json
from pathlib import Path

import click

from untwist.engine import running_protocol
from untwist.errors import DataError
from untwist.safety import protocol_page
from untwist.taxonomy import Lang

_EXAMPLES = """\b
Examples:
  untwist protocol
  untwist protocol --lang zh --output protocol.md
  untwist protocol --json
"""


@click.command("protocol", epilog=_EXAMPLES)
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@click.option("--output", "target", metavar="FILE", help="Where to write; stdout if absent.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, without the words.")
def command(lang: Lang, target: str | None, as_json: bool) -> None:
    """The crisis protocol of this version, made from the rules that run, as a page to publish.

    Levels and kinds of danger, the six parts of the crisis reply, contacts with the date of
    checking, counts of rules, known limits, and the hash of every file that decides.
    """
    protocol = running_protocol()
    text = protocol_page(protocol, lang)
    if as_json:
        text = json.dumps(protocol.to_dict(), ensure_ascii=False, indent=1) + "\n"
    if target is None or target == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(target).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise DataError(f"cannot write {target}: {error.strerror}") from error
