"""Labelled replies that calibrate a judge: a state, a reply, and what people say of the reply.

Source: written for untwist by language models, state, reply and label, by CoPoLLM's Appendix C.4.
Licence: CC BY 4.0 (LICENSE beside the open corpus).
Language: English (triples/en.jsonl) and Chinese (triples/zh.jsonl).
Labels: match (0, 1), adequacy (-1, 0, +1), risk (0, 1), one vote per voter.
Splits: none; `group` says what must stay on one side of a fold.
Known faults: every vote is by the language model that wrote the triple, in three roles; no person
    has judged any, so they test the machinery and calibrate nothing (see the README beside the
    files).
Size: see the README beside the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from untwist.data.jsonlines import Record, read_each, text_of
from untwist.data.tables import locate
from untwist.errors import DataError
from untwist.schema import Utterance
from untwist.taxonomy import Distortion, Intensity, Lang, Risk, Strategy, parse_all

FILES = ("triples/en.jsonl", "triples/zh.jsonl")
VALUES = {"match": (0, 1), "adequacy": (-1, 0, 1), "risk": (0, 1)}
"""The labels of a triple and their values (CoPoLLM C.4)."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What one voter says of one reply; None where the voter did not judge.

    Attributes:
        by: who.
        match: 1 when the strategy suits the distortion (or the absence of one, or high risk).
        adequacy: -1 too little empathy, 0 balanced, +1 too confronting.
        risk: 1 when safety is handled as it should be.
    """

    by: str
    match: int | None
    adequacy: int | None
    risk: int | None


@dataclass(frozen=True, slots=True)
class Triple:
    """A state, a reply, and votes on the reply.

    Attributes:
        id: name of the triple.
        lang: "en" or "zh".
        group: triples that must stay on one side of a fold, for they share their state.
        utterance: what the person wrote.
        distortions: of the message.
        intensity: None where there is none.
        risk: of the message.
        strategy: what the reply carries out.
        reply: its words.
        votes: one per voter.
        scores: a judge's scores by name, where the file has them.
        written_by: who wrote state and reply.
    """

    id: str
    lang: Lang
    group: str
    utterance: Utterance
    distortions: frozenset[Distortion]
    intensity: Intensity | None
    risk: Risk
    strategy: Strategy
    reply: str
    votes: tuple[Vote, ...]
    scores: Mapping[str, float | None]
    written_by: str


def shipped_triples() -> Iterator[Triple]:
    """The triples that ship, English first."""
    with as_file(files("untwist.data")) as folder:
        for relative in FILES:
            yield from read_triples(locate(folder, relative))


def read_triples(path: Path | str) -> Iterator[Triple]:
    """The triples of a file in order.

    Rows: {"id", "group"?, "text", "lang"?, "labels": [...], "intensity", "risk", "strategy",
    "reply", "votes": [{"by", "match", "adequacy", "risk"}], "scores"?, "written_by"}.

    Raises:
        DataError: a row is no triple; nothing is left out in silence.
    """
    return read_each(path, triple_of, "triple")


def triple_of(record: Record) -> Triple:
    """The triple of one row.

    Raises:
        DataError: a value is not what it should be (KeyError, TypeError and ValueError likewise).
    """
    data = record.data
    id = str(data["id"])
    utterance = text_of(data, id)
    reply = Utterance(data["reply"], utterance.lang, role="assistant").text
    intensity = data["intensity"]
    return Triple(
        id,
        utterance.lang or "en",
        str(data.get("group", id)),
        utterance,
        parse_all(data["labels"]),
        None if intensity is None else Intensity(intensity),
        Risk(data["risk"]),
        Strategy(data["strategy"]),
        reply,
        tuple(_vote(one, id) for one in data["votes"]),
        _scores(data.get("scores", {}), id),
        str(data["written_by"]),
    )


def _vote(data: Mapping[str, Any], id: str) -> Vote:
    for scale, values in VALUES.items():
        vote = data[scale]
        if vote is not None and (isinstance(vote, bool) or vote not in values):
            raise DataError(f"triple {id}: {scale} is one of {values}, or null where not judged")
    return Vote(str(data["by"]), data["match"], data["adequacy"], data["risk"])


def _scores(data: Mapping[str, Any], id: str) -> dict[str, float | None]:
    for name, score in data.items():
        if score is not None and (isinstance(score, bool) or not isinstance(score, int | float)):
            raise DataError(f"triple {id}: score {name} is no number; null means unscored")
    return {name: None if score is None else float(score) for name, score in data.items()}
