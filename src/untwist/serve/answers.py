"""Answers to questionnaires: kept with what follows from them, and danger answered at once.

An answer above 0 to the guarded question opens a conversation that begins with the crisis reply:
the person can go on from there, and the danger stays remembered in it.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from untwist.errors import StoreError
from untwist.respond import Band, Instrument, Score, open_questionnaire, safety_turn
from untwist.schema import Json, Turn
from untwist.serve.errors import ServeError, status_of
from untwist.serve.events import decision_of, events_of, facts_of
from untwist.serve.state import State
from untwist.serve.store import Record, new_id
from untwist.text import Locale

KIND = "questionnaire"
_HELD = 30.0


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of answers.

    Attributes:
        record: as kept.
        safety: the crisis reply; None when no danger was answered.
        conversation: that begins with it; None without one.
    """

    record: Record
    safety: str | None
    conversation: str | None


async def keep(here: State, person: str, score: Score, locale: Locale, region: str | None) -> Kept:
    """Keep answers, and answer danger in them.

    Raises:
        ServeError: they could not be kept; with the crisis reply where there is danger.
    """
    turn = safety_turn(score, locale, region)
    try:
        talk = await _opened(here, person, turn, score, locale, region) if turn else None
        record = await asyncio.wrap_future(here.store.add_record(person, KIND, body_of(score)))
    except StoreError as error:
        if turn is None:
            raise
        raise ServeError(status_of(error), str(error), turn.reply.text) from error
    return Kept(record, turn.reply.text if turn else None, talk)


def body_of(score: Score) -> Json:
    """What is kept of answers."""
    return {"name": score.instrument.value, "score": score.total, **score.to_dict()}


def score_of(record: Record) -> Score:
    """The answers of a record.

    Raises:
        DataError: the record holds none.
    """
    return Score.from_dict(record.body)


def bands(instrument: Instrument) -> tuple[Band, ...]:
    """All bands of an instrument, from 0 to the highest sum."""
    count = len(open_questionnaire(instrument, "en").items)
    return Score(instrument, (None,) * count).bands


async def _opened(
    here: State, person: str, turn: Turn, score: Score, locale: Locale, region: str | None
) -> str:
    """A conversation that begins with a turn that was made already; its decision is audited."""
    about = {"title": open_questionnaire(score.instrument, locale).title}
    talk = await asyncio.wrap_future(here.store.new_conversation(person, about))
    holder = new_id()
    said = {
        "message": turn.assessment.utterance.to_dict(),
        "decision": decision_of(turn.assessment),
    }
    begun = await asyncio.wrap_future(
        here.store.begin_turn(person, talk.id, said, facts_of(turn.assessment), holder, _HELD)
    )
    if begun is None:
        raise StoreError("the conversation is held by another", "busy")
    finished = here.store.finish_turn(begun, turn.to_dict(), events_of(turn), holder)
    await asyncio.wrap_future(finished)
    here.metrics.referrals.inc()
    with contextlib.suppress(StoreError):  # a count that cannot be written costs nobody their reply
        await asyncio.wrap_future(here.store.count_referral(region or "*", turn.reply.lang))
    return talk.id
