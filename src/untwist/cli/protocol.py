"""untwist protocol: the crisis protocol of what runs, to publish."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import click

import untwist
from untwist.artifacts import shipped
from untwist.engine import DEFAULT_READER
from untwist.errors import DataError
from untwist.respond import open_book
from untwist.safety import CrisisProtocol, crisis_protocol, protocol_page
from untwist.taxonomy import Lang
from untwist.text import LOCALES

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
    protocol = running()
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


def running() -> CrisisProtocol:
    """The protocol of this installation, crisis texts and second reader included."""
    room = files("untwist.respond")
    texts = {
        f"respond/scripts/{locale}/crisis.json": room.joinpath(
            f"scripts/{locale}/crisis.json"
        ).read_bytes()
        for locale in LOCALES
    }
    reader = {
        f"weights/{DEFAULT_READER}/{file.name}": file.read_bytes()
        for file in sorted(shipped(DEFAULT_READER).iterdir())
        if file.suffix in (".json", ".safetensors")
    }
    crisis = open_book("en").crisis
    return crisis_protocol(
        untwist.__version__, {**texts, **reader}, crisis.urgent, crisis.reviewed_by
    )
