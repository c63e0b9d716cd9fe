"""Labelled cases of risk: made-up messages that try the safety screen, and train its second reader.

Source: written for untwist by language models from lists of families and meanings, without sight of
    the rules (docs/explain/safety.md).
Licence: CC BY 4.0 (LICENSE beside the open corpus).
Language: English (risk/en.jsonl) and Chinese (risk/zh.jsonl; Simplified, Traditional, Cantonese).
Labels: levels that a careful reader would accept; whether only "high" is right; kinds of danger.
Splits: by writer. "train" trains the second reader and may be looked at; "looked at" was used to
    write rules; every other part is scored only (see the README beside the files).
Known faults: every label is one language model's judgement; no clinician has reviewed any.
Size: see the README beside the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from untwist.data.jsonlines import Record, history_of, read_each, text_of
from untwist.data.tables import locate
from untwist.safety import stand_in
from untwist.schema import Utterance
from untwist.taxonomy import Acuity, Lang, Risk

FILES = ("risk/en.jsonl", "risk/zh.jsonl")


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled message in its conversation.

    Attributes:
        id: name of the case.
        lang: "en" or "zh".
        part: which part of its file, for example "train"; "all" when the file has no parts.
        family: kind of message.
        writer: who wrote it; one writer's cases are held out together.
        utterance: the message; marks for means are filled with words of the rules' own list.
        history: what was said before it, oldest first.
        accept: levels that a careful reader would accept.
        crisis: only "high" is right.
        acuity: kinds of danger, one of which should be named; empty when none is expected.
    """

    id: str
    lang: Lang
    part: str
    family: str
    writer: str
    utterance: Utterance
    history: tuple[Utterance, ...]
    accept: frozenset[Risk]
    crisis: bool
    acuity: frozenset[Acuity]


def shipped_cases() -> Iterator[Case]:
    """The cases that ship, English first."""
    with as_file(files("untwist.data")) as folder:
        for relative in FILES:
            yield from read_cases(locate(folder, relative))


def read_cases(path: Path | str) -> Iterator[Case]:
    """The cases of a file in order.

    Rows: {"id", "family", "text", "accept": [levels], "acuity": [...], "crisis": true|false,
    "lang"?, "part"?, "writer"?, "history"?}.

    Raises:
        DataError: a row is no case; nothing is left out in silence.
    """
    return read_each(path, _case, "case")


def _case(record: Record) -> Case:
    data = record.data
    utterance = _filled(text_of(data, str(data["id"])))
    return Case(
        str(data["id"]),
        utterance.lang or "en",
        str(data.get("part", "all")),
        str(data["family"]),
        str(data.get("writer", "all")),
        utterance,
        tuple(map(_filled, history_of(data))),
        frozenset(Risk(level) for level in data["accept"]),
        bool(data["crisis"]),
        frozenset(Acuity(kind) for kind in data["acuity"]),
    )


def _filled(utterance: Utterance) -> Utterance:
    text = stand_in(utterance.text, utterance.lang or "en")
    return Utterance(text, utterance.lang, utterance.id, utterance.role)
