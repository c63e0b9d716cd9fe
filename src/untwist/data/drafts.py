"""Labelled drafts of replies, good and broken, that try the guard and train its reader.

Source: written for untwist by language models from the list of wording rules, without sight of the
    patterns.
Licence: CC BY 4.0 (LICENSE beside the open corpus).
Language: English (drafts/en.jsonl) and Chinese (drafts/zh.jsonl).
Labels: good, or the rule that is broken above all; the level of risk of the message answered.
Splits: by part, see the README beside the files.
Known faults: each label is one language model's judgement; no clinician has reviewed any.
Size: see the README beside the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from untwist.data.jsonlines import Record, read_each, text_of
from untwist.data.tables import locate
from untwist.safety import stand_in
from untwist.taxonomy import Lang, Risk

FILES = ("drafts/en.jsonl", "drafts/zh.jsonl")


@dataclass(frozen=True, slots=True)
class Draft:
    """One labelled draft of a reply.

    Attributes:
        id: name of the draft.
        lang: the language that it should be in.
        part: which part of its file; "all" when the file has no parts.
        writer: who wrote it.
        context: level of risk of the message that it answers.
        rule: the rule that it breaks above all; None when it is good.
        text: the draft; marks for means are filled with words of the rules' own list.
    """

    id: str
    lang: Lang
    part: str
    writer: str
    context: Risk
    rule: str | None
    text: str


def shipped_drafts() -> Iterator[Draft]:
    """The drafts that ship, English first."""
    with as_file(files("untwist.data")) as folder:
        for relative in FILES:
            yield from read_drafts(locate(folder, relative))


def read_drafts(path: Path | str) -> Iterator[Draft]:
    """The drafts of a file in order.

    Rows: {"id", "text", "context", "good": true|false, "rule", "lang"?, "part"?, "writer"?}.

    Raises:
        DataError: a row is no draft; nothing is left out in silence.
    """
    return read_each(path, _draft, "draft")


def _draft(record: Record) -> Draft:
    data = record.data
    utterance = text_of(data, str(data["id"]))
    lang = utterance.lang or "en"
    return Draft(
        str(data["id"]),
        lang,
        str(data.get("part", "all")),
        str(data.get("writer", "all")),
        Risk(data["context"]),
        None if data["good"] else str(data["rule"]),
        stand_in(utterance.text, lang),
    )
