"""Worksheets and other records of a person, as values in and out of the store.

A worksheet that a conversation fills is kept with what was filled in, so that a later turn of the
conversation may fill more without touching what the person changed by hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from untwist.errors import DataError
from untwist.respond import ThoughtRecord, Worksheet, progress, worksheet_from, worksheet_of
from untwist.schema import Json
from untwist.serve.events import said_before
from untwist.serve.store import Record, Store, StoredTurn
from untwist.taxonomy import Risk

SHEET, OWN, RATING, OPINION = "worksheet", "own_distortion", "rating", "opinion"
ASSIGNMENT, PLAN = "assignment", "plan"
MOST_TEXT = 5000
IN_VIEW = 120
"""Characters of a thought that stay in view; more would cover the conversation."""
_CALM = (Risk.NONE.value, Risk.LOW.value)


def sheet_of(record: Record) -> Worksheet:
    """The worksheet of a record.

    Raises:
        DataError: the record holds none.
    """
    if record.kind != SHEET:
        raise DataError("this record is no worksheet")
    return worksheet_from(record.body["sheet"])


def body_of(sheet: Worksheet, filled: Worksheet | None = None) -> Json:
    """What is kept of a worksheet.

    Raises:
        DataError: a text in it is too long.
    """
    plain = sheet.to_dict()
    if any(isinstance(text, str) and len(text) > MOST_TEXT for text in plain.values()):
        raise DataError(f"a field has at most {MOST_TEXT} characters")
    return {"sheet": plain, **({"filled": filled.to_dict()} if filled else {})}


def filled_by(turns: Sequence[StoredTurn], kind: type[Worksheet] | None = None) -> Worksheet:
    """The worksheet that a conversation has filled so far."""
    history, earlier = said_before(turns)
    return worksheet_of(progress(history, earlier), kind)


def thought_of(turns: Sequence[StoredTurn]) -> str | None:
    """What a person works on, in their words, to be kept in view; None when it had better not be.

    The thought that they named, else the words that were quoted to them, else how they began. What
    speaks of danger is not put before anybody's eyes.
    """
    if not all(_calm(turn) for turn in turns):
        steps = [turn.turn["reply"].get("step") or {} for turn in turns if turn.turn]
        return next((one["thought"] for one in reversed(steps) if one.get("thought")), None)
    named = getattr(filled_by(turns, ThoughtRecord), "automatic_thought", None)
    words = " ".join((named or (str(turns[0].said["message"]["text"]) if turns else "")).split())
    return words if len(words) <= IN_VIEW else f"{words[: IN_VIEW - 1].rstrip()}…"


def _calm(turn: StoredTurn) -> bool:
    """Whether a message was found to be far from danger; an import may say nothing of it."""
    decision = turn.said.get("decision")
    return isinstance(decision, dict) and decision.get("level") in _CALM


def refilled(record: Record, turns: Sequence[StoredTurn]) -> Json:
    """A record's worksheet, filled with what was said since; what was changed by hand stays."""
    now, before = sheet_of(record), worksheet_from(record.body["filled"])
    new = filled_by(turns, type(now))
    fresh = {
        name: getattr(new, name)
        for name in (*now.columns, "notes")
        if getattr(now, name) == getattr(before, name)
    }
    return body_of(replace(now, **fresh), new)


def trends(
    turns: Sequence[StoredTurn],
    sheets: Sequence[Record],
    answers: Sequence[Record],
    opinions: Mapping[str, Mapping[str, str]],
) -> Json:
    """What is drawn over time: nothing is judged, nothing is predicted.

    Args:
        turns: all turns of a person.
        sheets: worksheets.
        answers: questionnaires.
        opinions: by turn, what the person said of its labels: accept, reject, or another label.

    Returns:
        Counts of distortions by month, ratings before and after by worksheet, scores by
        questionnaire; times are seconds since 1970, UTC.
    """
    heard: dict[str, int] = {}
    for turn in turns:
        for label in labels_of(turn, opinions.get(turn.id, {})):
            heard[label] = heard.get(label, 0) + 1
    return {
        "distortions": dict(sorted(heard.items(), key=lambda item: (-item[1], item[0]))),
        "ratings": [point for one in reversed(sheets) if (point := _point(one))],
        "scores": [
            {"at": one.created, "questionnaire": one.body["name"], "score": one.body["score"]}
            for one in reversed(answers)
            if one.body.get("score") is not None
        ],
    }


def labels_of(turn: StoredTurn, opinions: Mapping[str, str]) -> list[str]:
    """The distortions of a turn as the person sees them: the model suggests, the person decides."""
    if turn.turn is None:
        return []
    found = []
    for finding in turn.turn["assessment"]["findings"]:
        said = opinions.get(finding["distortion"], "accept")
        if said == "accept":
            found.append(finding["distortion"])
        elif said != "reject":
            found.append(said)
    return list(dict.fromkeys(found))


def _point(record: Record) -> Json | None:
    sheet = sheet_of(record)
    names = ("belief_before", "belief_after", "emotion_before", "emotion_after")
    given = {name: getattr(sheet, name, None) for name in names}
    if all(value is None for value in given.values()):
        return None
    return {"at": record.created, "record": record.id, **given}


def heard_in(turn: StoredTurn) -> list[str]:
    """The labels that the detector heard in a turn."""
    findings = turn.turn["assessment"]["findings"] if turn.turn else []
    return [one["distortion"] for one in findings]


async def keep_of_turn(store: Store, person: str, kind: str, turn: str, body: Json) -> Record:
    """The one record of a kind about a turn, with this content."""
    known = await of_turn(store, person, kind, turn)
    if known is None:
        return await asyncio.wrap_future(store.add_record(person, kind, body))
    return await asyncio.wrap_future(store.change_record(person, known.id, body))


async def of_turn(store: Store, person: str, kind: str, turn: str) -> Record | None:
    """The record of a kind about a turn; None when there is none."""
    found = await asyncio.wrap_future(store.records(person, kind))
    return next((one for one in found if one.body["turn"] == turn), None)


async def keep_opinion(store: Store, person: str, turn: str, distortion: str, said: str) -> Record:
    """What a person says of a label, beside what they said of other labels of the turn."""
    known = await of_turn(store, person, OPINION, turn)
    labels = {**(known.body["labels"] if known else {}), distortion: said}
    return await keep_of_turn(store, person, OPINION, turn, {"turn": turn, "labels": labels})
