"""untwist check: the guard, on any reply text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from untwist.cli.rows import io_options, refuse_loose_words, writing
from untwist.data import Failure, Record, read_records, text_of
from untwist.errors import DataError, UntwistError
from untwist.respond import ReplyGuard
from untwist.schema import Json
from untwist.taxonomy import Risk

_LEVELS = tuple(r.value for r in Risk)
_EXAMPLES = """\b
Examples:
  untwist check --context low "You clearly have depression."
  untwist check --input replies.jsonl --output verdicts.jsonl
"""


@click.command("check", epilog=_EXAMPLES)
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@io_options
@click.option(
    "--context", type=click.Choice(_LEVELS), default="none", show_default=True,
    help="Risk level of the message that TEXT answers.",
)  # fmt: skip
def command(
    texts: tuple[str, ...],
    source: str | None,
    target: str | None,
    as_json: bool,
    keep_going: bool,
    context: str,
) -> None:
    """Whether a reply may be said to a person: safe-messaging rules and the guard's own.

    Rows in: {"id", "text", "context": "none|low|medium|high", "lang"?, "user_text"?}; context is
    the risk of the message that the reply answers. Rows out: {"id", "verdict": "pass|fail",
    "rules": [...]}.
    """
    if bool(texts) == bool(source):
        raise click.UsageError("give TEXT or --input FILE")
    refuse_loose_words(texts)
    guard = ReplyGuard()
    rows = read_records(source) if source else _arguments(texts, context)
    with writing(target, source) as out:
        for row in rows:
            try:
                if isinstance(row, Failure):
                    raise DataError(row.message)
                out.row(_checked(row, guard))
            except UntwistError as error:
                if not keep_going:
                    where = f"{source or 'TEXT'}:{row.line}"
                    raise DataError(f"{where}: {error}") from error
                out.failure(Failure(row.line, _id(row), str(error)))


def _arguments(texts: tuple[str, ...], context: str) -> Iterator[Record]:
    for place, text in enumerate(texts, 1):
        yield Record(place, {"id": str(place), "text": text, "context": context})


def _id(row: Record | Failure) -> str:
    return row.id if isinstance(row, Failure) else str(row.data.get("id", row.line))


def _checked(record: Record, guard: ReplyGuard) -> Json:
    data: dict[str, Any] = record.data
    utterance = text_of(data, str(data.get("id", record.line)))
    context = data.get("context", "none")
    if context not in _LEVELS:
        raise DataError(f'context is "{context}"; give one of {", ".join(_LEVELS)}')
    verdict = guard.check_text(
        utterance.text, Risk(context), data.get("lang"), data.get("user_text")
    )
    return {"id": utterance.id, **verdict.to_dict()}
