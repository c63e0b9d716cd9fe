"""A second reading of replies: which of the five parts a reader sees, beside what the rules see.

Rows of a reading: {"id", "lang", "reply", "parts": [names], "by", "of"?}. The reply is kept with
its labels, so that they stay true when the texts change; "of" says what it is a reply of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from untwist.data.jsonlines import Record, read_each
from untwist.errors import DataError
from untwist.evaluate import CBT_PARTS, Share, cbt_parts, cohen_kappa
from untwist.schema import Json
from untwist.taxonomy import LANGS, Lang


@dataclass(frozen=True, slots=True)
class ReadReply:
    """One reply as somebody read it.

    Attributes:
        id: of the message.
        lang: of the reply.
        reply: its words.
        parts: those of the five that the reader sees.
        by: who read it.
        of: what it is a reply of.
    """

    id: str
    lang: Lang
    reply: str
    parts: frozenset[str]
    by: str
    of: str


def read_reading(path: Path | str) -> Iterator[ReadReply]:
    """The rows of a reading.

    Raises:
        DataError: a row is none.
    """
    return read_each(path, _row, "row of a reading")


def _row(record: Record) -> ReadReply:
    data = record.data
    parts = data["parts"]
    strange = [part for part in parts if part not in CBT_PARTS]
    if not isinstance(parts, list) or strange:
        raise DataError(f"parts are out of {', '.join(CBT_PARTS)}")
    if data["lang"] not in LANGS:
        raise DataError(f"lang is one of {', '.join(LANGS)}")
    return ReadReply(
        str(data["id"]), data["lang"], str(data["reply"]), frozenset(parts), str(data["by"]),
        str(data.get("of", "")),
    )  # fmt: skip


def reading_scores(rows: Sequence[ReadReply]) -> list[Json]:
    """By language: what the reader sees of each kind of reply, and how far the rules agree.

    Returns:
        For each language {"lang", "n", "by", "of": {kind: {"n", "reader", "rules"}}, "parts":
        {part: {"reader", "rules", "both", "rules_only", "reader_only", "kappa"}}}.
    """
    return [
        _language(lang, own) for lang in LANGS if (own := [row for row in rows if row.lang == lang])
    ]


def _language(lang: Lang, rows: Sequence[ReadReply]) -> Json:
    told = [frozenset(cbt_parts(row.reply, lang)) for row in rows]
    whole = frozenset(CBT_PARTS)
    kinds = {}
    for kind in sorted({row.of for row in rows}):
        here = [(row.parts, rules) for row, rules in zip(rows, told, strict=True) if row.of == kind]
        kinds[kind] = {
            "n": len(here),
            "reader": Share(sum(parts == whole for parts, _ in here), len(here)).to_dict(),
            "rules": Share(sum(rules == whole for _, rules in here), len(here)).to_dict(),
        }
    return {
        "lang": lang,
        "n": len(rows),
        "by": dict(Counter(row.by for row in rows)),
        "of": kinds,
        "parts": {
            part: _part([part in row.parts for row in rows], [part in rules for rules in told])
            for part in CBT_PARTS
        },
    }


def _part(reader: Sequence[bool], rules: Sequence[bool]) -> Json:
    pairs = Counter(zip(reader, rules, strict=True))
    return {
        "reader": sum(reader),
        "rules": sum(rules),
        "both": pairs[True, True],
        "rules_only": pairs[False, True],
        "reader_only": pairs[True, False],
        "kappa": cohen_kappa(reader, rules),
    }
