"""untwist check: the guard, on any reply text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from untwist.cli.rows import io_options, refuse_loose_words, writing
from untwist.data import Failure, Record, read_records, text_of
from untwist.engine import load_draft_reader
from untwist.errors import DataError, UntwistError
from untwist.respond import ReplyGuard
from untwist.safety import claims_in
from untwist.schema import Json
from untwist.taxonomy import Risk

_LEVELS = tuple(r.value for r in Risk)
_EXAMPLES = """\b
Examples:
  untwist check --context low "You clearly have depression."
  untwist check --input replies.jsonl --output verdicts.jsonl
  untwist check --claims README.md docs/
"""


@click.command("check", epilog=_EXAMPLES)
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@io_options
@click.option(
    "--claims", is_flag=True,
    help="Read TEXT as files and folders, and find claims such as therapy, cure or diagnosis.",
)  # fmt: skip
@click.option("--patterns-only", is_flag=True, help="Leave the trained reader of drafts out.")
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
    claims: bool,
    patterns_only: bool,
    context: str,
) -> None:
    """Whether a reply may be said to a person: safe-messaging rules, the guard's own, its reader.

    Rows in: {"id", "text", "context": "none|low|medium|high", "lang"?, "user_text"?}; context is
    the risk of the message that the reply answers. Rows out: {"id", "verdict": "pass|fail",
    "rules": [...]}.

    With --claims: pages, interface texts and metadata; prints FILE:LINE: PHRASE: WHY and exits 1
    when anything is found.
    """
    if claims:
        if source or target or not texts:
            raise click.UsageError("--claims takes files and folders, and prints what it finds")
        _print_claims(texts, as_json)
        return
    if bool(texts) == bool(source):
        raise click.UsageError("give TEXT or --input FILE")
    refuse_loose_words(texts)
    guard = ReplyGuard(stops=None if patterns_only else load_draft_reader().stops)
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


def _print_claims(paths: tuple[str, ...], as_json: bool) -> None:
    found = 0
    for file, claim in claims_in(paths):
        found += 1
        row = {"file": str(file), "line": claim.line, "phrase": claim.phrase, "rule": claim.rule}
        line = f"{file}:{claim.line}: {claim.phrase}: {claim.why()}"
        click.echo(json.dumps({**row, "why": claim.why()}, ensure_ascii=False) if as_json else line)
    if found:
        click.echo(f"{found} claims found.", err=True)
        raise click.exceptions.Exit(1)


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
