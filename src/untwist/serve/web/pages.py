"""The first page and the conversation."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from untwist.errors import DataError, StoreError
from untwist.safety import (
    Audience,
    Notice,
    Visit,
    asks_if_person,
    chat_is_off,
    due,
    seen,
)
from untwist.serve import sheets
from untwist.serve.auth import must_bring, set_cookie
from untwist.serve.errors import ServeError
from untwist.serve.state import Here, State
from untwist.serve.store import Conversation, Record, StoredTurn
from untwist.serve.web.asking import Who, Word, checked, help_for, mine
from untwist.serve.web.render import (
    Visitor,
    page,
)
from untwist.serve.web.shown import moment
from untwist.serve.web.tasks import task_of
from untwist.serve.web.turn_view import turn_view
from untwist.taxonomy import CANONICAL

router = APIRouter(include_in_schema=False)
TITLE = 60


@router.get("/")
async def start(request: Request, here: Here, who: Who) -> Response:
    """Where one begins, or goes on."""
    if who.looks:
        return RedirectResponse("/clinician", 303)
    talks: list[Conversation] = []
    tasks: list[Record] = []
    if who.person:
        talks = await asyncio.wrap_future(here.store.conversations(who.person, None, 5))
        tasks = await asyncio.wrap_future(here.store.records(who.person, sheets.ASSIGNMENT))
    return _start(request, here, who, talks=talks, tasks=tasks)


def _start(
    request: Request,
    here: State,
    who: Visitor,
    status: int = 200,
    text: str = "",
    problem: str = "",
    talks: Sequence[Conversation] = (),
    tasks: Sequence[Record] = (),
) -> Response:
    first = Notice.START.said(who.locale, audience(here, who.settings))
    off = chat_is_off(who.region or "", here.settings.notices)
    notices = [first, *([Notice.CHAT_OFF.said(who.locale)] if off else [])]
    return page(
        request,
        who,
        "start.html",
        status,
        notices=notices if who.person is None or off else [],
        text=text,
        problem=problem,
        key=secrets.token_urlsafe(18),
        ask_age=who.person is None and here.settings.minors == "ask",
        talks=[_talk(one) for one in talks],
        tasks=[task_of(one, who.locale) for one in tasks if not one.body.get("done")],
    )


@router.post("/begin")
async def begin(
    request: Request,
    here: Here,
    who: Who,
    text: Annotated[str, Form(max_length=100_000)],
    key: Word = "",
    age: Word = "",
    csrf: Word = "",
) -> Response:
    """The first message; whoever has no cookie gets one."""
    must_bring(who.caller, csrf)
    if who.looks:
        # a cookie for somebody new would take the place of the one that opens what is shared
        raise ServeError(409, "this browser belongs to a clinician", help_for(who))
    if chat_is_off(who.region or "", here.settings.notices):
        return RedirectResponse("/help", 303)
    if not text.strip():
        return RedirectResponse("/", 303)
    secret, person = None, who.person
    try:
        if person is None:
            settings: dict[str, Any] = {"locale": who.locale}
            if who.region:
                settings["region"] = who.region
            if age in ("adult", "minor"):
                settings["minor"] = age == "minor"
            made, secret = await asyncio.wrap_future(here.store.new_person(settings))
            person = made.id
        title = " ".join(text.split())[:TITLE]
        talk = await asyncio.wrap_future(here.store.new_conversation(person, {"title": title}))
        await here.turns.post(person, talk.id, text, key or None)
    except (StoreError, ServeError, DataError) as error:
        said = await here.turns.unkept(error, text)
        return _start(request, here, who, said.status, text, f"{said}\n{said.help or ''}")
    answer = RedirectResponse(f"/talk/{talk.id}", 303)
    if secret is not None:
        set_cookie(answer, secret, here.settings)
    return answer


@router.get("/talk/{name}")
async def talk(request: Request, name: str, here: Here, who: Who) -> Response:
    """A conversation with the thought in view."""
    return await _talk_page(request, here, who, name)


@router.post("/talk/{name}")
async def say(
    request: Request,
    name: str,
    here: Here,
    who: Who,
    text: Annotated[str, Form(max_length=100_000)],
    key: Word = "",
    csrf: Word = "",
) -> Response:
    """Say something, for browsers without scripts."""
    person = checked(who, csrf)
    if not text.strip():
        return RedirectResponse(f"/talk/{name}#say", 303)
    try:
        turn = await here.turns.post(person, name, text, key or None)
        await here.turns.finished(person, turn.id)
    except (ServeError, DataError) as error:
        said = await here.turns.unkept(error, text)
        return await _talk_page(request, here, who, name, text, f"{said}\n{said.help or ''}")
    return RedirectResponse(f"/talk/{name}#say", 303)


@router.get("/talk/{name}/turn/{turn}")
async def one_turn(request: Request, name: str, turn: str, here: Here, who: Who) -> Response:
    """A piece of the page: one turn, when its reply is there."""
    person = mine(who)
    kept = await asyncio.wrap_future(here.store.turn(person, turn))
    said = await _said_of(here, person)
    turns = await asyncio.wrap_future(here.store.turns(person, kept.conversation))
    thought = sheets.thought_of(turns[: kept.seq + 1])
    shown = {**turn_view(kept, who.locale, said), "thought": thought}
    labels = [(one.value, one.name_in(who.locale)) for one in CANONICAL]
    return page(request, who, "turn.html", turn=shown, labels=labels)


async def _talk_page(
    request: Request, here: State, who: Visitor, name: str, text: str = "", problem: str = ""
) -> Response:
    person = mine(who)
    found = await asyncio.wrap_future(here.store.conversation(person, name))
    turns = await asyncio.wrap_future(here.store.turns(person, name))
    said = await _said_of(here, person)
    shown = [turn_view(one, who.locale, said) for one in turns]
    return page(
        request,
        who,
        "talk.html",
        503 if problem else 200,
        talk=_talk(found),
        turns=shown,
        thought=sheets.thought_of(turns),
        labels=[(one.value, one.name_in(who.locale)) for one in CANONICAL],
        notices=_notices(here, who, turns),
        key=secrets.token_urlsafe(18),
        text=text,
        problem=problem,
    )


def _notices(here: State, who: Visitor, turns: Sequence[StoredTurn]) -> list[str]:
    """What is due now: that this is a program, at the start, by the clock and when asked."""
    now = datetime.fromtimestamp(here.store.clock(), UTC)
    times = [datetime.fromtimestamp(turn.created, UTC) for turn in turns]
    asked = bool(turns) and asks_if_person(turns[-1].said["message"]["text"])
    before = times[:-1]
    visit = Visit(times[0] if times else now, before[-1] if before else None)
    visit = replay(here, who, visit, before)
    given = due(visit, now, audience(here, who.settings), here.settings.notices, asked=asked)
    return [one.said(who.locale, audience(here, who.settings)) for one in given]


def replay(here: State, who: Visitor, visit: Visit, times: Sequence[datetime]) -> Visit:
    """What was shown at each earlier message, so that nothing has to be kept about it."""
    for at in times:
        given = due(visit, at, audience(here, who.settings), here.settings.notices)
        visit = seen(visit, at, given)
    return visit


def audience(here: State, settings: Mapping[str, Any]) -> Audience:
    """Whether the person is known to be a minor."""
    if here.settings.minors == "all" or settings.get("minor") is True:
        return Audience.MINOR
    return Audience.ADULT if settings.get("minor") is False else Audience.UNKNOWN


@router.post("/turn/{name}/opinion")
async def opinion(
    name: str,
    here: Here,
    who: Who,
    distortion: Word,
    opinion: Word,
    other: Word = "",
    csrf: Word = "",
) -> Response:
    """What the person says of a label."""
    person = checked(who, csrf)
    turn = await asyncio.wrap_future(here.store.turn(person, name))
    chosen = other if opinion == "other" else opinion
    allowed = {"accept", "reject", *(one.value for one in CANONICAL)}
    if chosen in allowed and distortion in sheets.heard_in(turn):
        await sheets.keep_opinion(here.store, person, name, distortion, chosen)
    return RedirectResponse(f"/talk/{turn.conversation}#t{turn.seq}", 303)


@router.post("/turn/{name}/rating")
async def rating(
    name: str, here: Here, who: Who, helpful: Annotated[int, Form(ge=-1, le=1)], csrf: Word = ""
) -> Response:
    """How a reply was."""
    person = checked(who, csrf)
    turn = await asyncio.wrap_future(here.store.turn(person, name))
    body = {"turn": name, "helpful": helpful, "note": ""}
    await sheets.keep_of_turn(here.store, person, sheets.RATING, name, body)
    return RedirectResponse(f"/talk/{turn.conversation}#t{turn.seq}", 303)


def _talk(found: Conversation) -> dict[str, Any]:
    title = str(found.about.get("title", ""))
    return {"id": found.id, "title": title, "when": moment(found.updated)}


async def _said_of(here: State, person: str) -> dict[str, dict[str, Any]]:
    """What the person said of turns: opinions on labels, and ratings."""
    opinions = await asyncio.wrap_future(here.store.records(person, sheets.OPINION))
    ratings = await asyncio.wrap_future(here.store.records(person, sheets.RATING))
    said: dict[str, dict[str, Any]] = {}
    for one in opinions:
        said.setdefault(one.body["turn"], {})["labels"] = one.body["labels"]
    for one in ratings:
        said.setdefault(one.body["turn"], {})["rating"] = one.body["helpful"]
    return said
