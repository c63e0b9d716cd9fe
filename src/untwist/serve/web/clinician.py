"""What a clinician sees of those who invited them: to read, to propose, and nothing else.

The pages do what `api/clinician.py` does, with the same checks: a share that is over or another's
is not there, and every look is noted for the person. Nothing on them is written by a model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from untwist.errors import StoreError
from untwist.respond import WORKSHEETS, Instrument, open_labels, open_questionnaire
from untwist.serve import answers, sheets
from untwist.serve.api import clinician as api
from untwist.serve.auth import must_bring, set_cookie
from untwist.serve.errors import ServeError
from untwist.serve.state import Here, State
from untwist.serve.store import Grant, Record
from untwist.serve.web import trends
from untwist.serve.web.asking import Who, Word
from untwist.serve.web.questionnaires import items_of
from untwist.serve.web.records import sheet_of
from untwist.serve.web.render import Visitor, page, texts
from untwist.serve.web.shown import change_rows, day, moment, rows_of
from untwist.serve.web.tasks import task_name
from untwist.text import Locale

router = APIRouter(include_in_schema=False)
TALKS = 20
"""Conversations on one page."""


@router.get("/clinician")
async def clinician(request: Request, here: Here, who: Who) -> Response:
    """Who shares something, and where an invitation is taken."""
    return await _people(request, here, who)


@router.post("/clinician")
async def accept(
    request: Request, here: Here, who: Who, invitation: Word = "", name: Word = "", csrf: Word = ""
) -> Response:
    """Take an invitation."""
    must_bring(who.caller, csrf)
    words = texts(who.locale)
    if who.person is not None:
        return await _people(request, here, who, 409, words["clinician_own"])
    code = invitation.strip()
    try:
        if not 20 <= len(code) <= 100:
            raise StoreError("this is no invitation", "gone")
        given = api.Invitation(invitation=code, name=name.strip()[:80])
        taken = await api.accept(given, here, who.caller)
    except StoreError as error:
        if error.reason != "gone":
            raise
        return await _people(request, here, who, 404, words["invitation_gone"])
    answer = RedirectResponse(f"/clinician/{taken.share}", 303)
    if taken.key is not None:
        set_cookie(answer, taken.key, here.settings)
    return answer


@router.get("/clinician/{share}")
async def shared(request: Request, share: str, here: Here, who: Who) -> Response:
    """What one person shares."""
    _must_look(who)
    grant = await api.grant_of(here, who.caller, share)
    found = await api.opened(here, grant)
    by_kind: dict[str, list[Record]] = {}
    for one in found:
        by_kind.setdefault(one.kind, []).append(one)
    summary = api.counted(found)
    scores = [
        chart
        for instrument in Instrument
        if (chart := trends.scores(summary.scores, instrument, who.locale))
    ]
    kept = [*by_kind.get(sheets.PLAN, []), *by_kind.get(sheets.SHEET, [])]
    ratings = [int(one.body["helpful"]) for one in by_kind.get(sheets.RATING, [])]
    return page(
        request,
        who,
        "shared.html",
        grant=grant,
        label=str(grant.shares.get("label", "")),
        kinds=[texts(who.locale)[f"share_{kind}"] for kind in grant.shares["kinds"]],
        expires=day(grant.expires),
        summary=summary,
        scores=scores,
        sheets=[await _sheet(here, grant, one, who.locale) for one in kept],
        answers=[
            {**items_of(one, who.locale), "when": moment(one.created)}
            for one in by_kind.get(answers.KIND, [])
        ],
        ratings=(ratings.count(1), ratings.count(-1)) if ratings else None,
        talks=await _talks(here, grant),
        tasks=[_task(one, who.locale) for one in by_kind.get(sheets.ASSIGNMENT, [])],
        choices=_choices(grant.shares["kinds"], who.locale),
    )


@router.post("/clinician/{share}/propose")
async def propose(
    share: str,
    here: Here,
    who: Who,
    what: Word = "",
    note: Annotated[str, Form(max_length=500)] = "",
    csrf: Word = "",
) -> Response:
    """Propose a worksheet or a questionnaire; the person may leave it."""
    must_bring(who.caller, csrf)
    _must_look(who)
    kind, _, name = what.partition(":")
    known = [choice for choice, _ in _choices(["worksheets", "questionnaires"], who.locale)]
    if what not in known or kind not in ("worksheet", "questionnaire"):
        raise ServeError(422, "there is no such worksheet or questionnaire")
    given = api.NewAssignment.model_validate({"kind": kind, "name": name, "note": note.strip()})
    await api.assign(share, given, here, who.caller)
    return RedirectResponse(f"/clinician/{share}#proposed", 303)


async def _people(
    request: Request, here: State, who: Visitor, status: int = 200, problem: str = ""
) -> Response:
    people = await api.people(here, who.caller) if who.looks else []
    return page(
        request,
        who,
        "clinician.html",
        status,
        problem=problem,
        people=[
            {
                "share": one.share,
                "label": one.label,
                "kinds": [texts(who.locale)[f"share_{kind}"] for kind in one.kinds],
                "until": day(one.expires),
            }
            for one in people
        ],
    )


def _must_look(who: Visitor) -> None:
    if not who.looks:
        raise ServeError(404, "there is no such share")


async def _sheet(here: State, grant: Grant, record: Record, locale: Locale) -> dict[str, Any]:
    sheet = sheet_of(record)
    log = await asyncio.wrap_future(here.store.record_history(grant.person, record.id))
    return {
        "name": open_labels(locale).sheets[sheet.kind].name,
        "when": moment(record.updated),
        "rows": rows_of(sheet, locale),
        "changes": change_rows(log, locale),
    }


async def _talks(here: State, grant: Grant) -> list[dict[str, Any]]:
    """Whole conversations, when the person switched that on."""
    if "conversations" not in grant.shares["kinds"]:
        return []
    found = await asyncio.wrap_future(here.store.conversations(grant.person, None, TALKS))
    return [
        {
            "when": moment(one.updated),
            "title": str(one.about.get("title", "")),
            "turns": [
                (turn.said["message"]["text"], turn.turn["reply"]["text"] if turn.turn else "")
                for turn in await asyncio.wrap_future(here.store.turns(grant.person, one.id))
            ],
        }
        for one in found
    ]


def _task(found: Record, locale: Locale) -> dict[str, Any]:
    state = "task_open"
    if found.body.get("done"):
        state = "task_left" if found.body.get("left") else "task_done"
    return {
        "name": task_name(found.body, locale),
        "note": found.body.get("note", ""),
        "when": day(found.created),
        "state": texts(locale)[state],
    }


def _choices(kinds: Sequence[str], locale: Locale) -> list[tuple[str, str]]:
    """What can be proposed: only what the share lets one see."""
    found: list[tuple[str, str]] = []
    if "worksheets" in kinds:
        labels = open_labels(locale)
        found += [(f"worksheet:{kind}", labels.sheets[kind].name) for kind in WORKSHEETS]
    if "questionnaires" in kinds:
        found += [
            (f"questionnaire:{one.value}", open_questionnaire(one, locale).title)
            for one in Instrument
        ]
    return found
