"""What a clinician sees of a person who invited them: to read, to propose, and nothing else.

Every look is written into the person's audit trail. A summary is counted from entries, never
written by a model, and holds no word about what anybody has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, StringConstraints

from untwist.errors import StoreError
from untwist.serve import auth, sheets
from untwist.serve.api import records, values
from untwist.serve.api.values import Given, Name
from untwist.serve.errors import ServeError
from untwist.serve.state import Asking, Here, State
from untwist.serve.store import Grant, Record

router = APIRouter(prefix="/api/clinician", tags=["clinician"], responses=values.FAILURES)

KINDS = {
    "worksheets": (sheets.SHEET, sheets.ASSIGNMENT),
    "questionnaires": ("questionnaire", sheets.ASSIGNMENT),
    "ratings": (sheets.RATING,),
    "plan": (sheets.PLAN,),
    "conversations": (),
}
"""Which records each share opens."""


class Invitation(Given):
    """The secret that a person gave."""

    invitation: Annotated[str, StringConstraints(min_length=20, max_length=100)]
    name: Annotated[str, StringConstraints(max_length=80)] = ""


class Accepted(BaseModel):
    """A share that was taken; `key` is there for whoever had none, and is shown once."""

    share: str
    kinds: list[str]
    expires: float
    key: str | None


class SharedView(BaseModel):
    """A person who shares, by the share alone."""

    share: str
    label: str
    kinds: list[str]
    expires: float


class NewAssignment(Given):
    """What is proposed to a person, who may leave it."""

    kind: Literal["worksheet", "questionnaire"]
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{2,40}$")]
    note: Annotated[str, StringConstraints(max_length=500)] = ""


class Summary(BaseModel):
    """Counts from entries."""

    worksheets: int
    belief_change: list[int]
    emotion_change: list[int]
    scores: list[dict[str, Any]]
    assignments: int


@router.post("/accept", status_code=201)
async def accept(given: Invitation, here: Here, asking: Asking) -> Accepted:
    """Take an invitation; whoever has no clinician's key gets one."""
    key = None
    if asking.token is not None and asking.token.scope == "clinician" and asking.person:
        name = asking.person
    else:
        made, key = await asyncio.wrap_future(
            here.store.new_person({"name": given.name}, "clinician")
        )
        name = made.id
    try:
        grant = await asyncio.wrap_future(here.store.accept(given.invitation, name))
    except StoreError:
        if key is not None:
            await asyncio.wrap_future(here.store.erase(name))
        raise
    kinds = list(grant.shares["kinds"])
    return Accepted(share=grant.id, kinds=kinds, expires=grant.expires, key=key)


@router.get("/people")
async def people(here: Here, asking: Asking) -> list[SharedView]:
    """Who shares something with this clinician now."""
    clinician = auth.require(asking, "clinician")
    return [
        SharedView(
            share=one.id,
            label=str(one.shares.get("label", "")),
            kinds=list(one.shares["kinds"]),
            expires=one.expires,
        )
        for one in await asyncio.wrap_future(here.store.granted(clinician))
    ]


@router.get("/people/{share}/records")
async def shared(share: Name, here: Here, asking: Asking) -> list[records.RecordView]:
    """What the share opens, the latest first, item by item."""
    grant = await grant_of(here, asking, share)
    return [records.view(one) for one in await opened(here, grant)]


@router.get("/people/{share}/records/{name}/history")
async def history(share: Name, name: Name, here: Here, asking: Asking) -> list[records.Change]:
    """The log of changes of one record that the share opens."""
    grant = await grant_of(here, asking, share)
    if name not in [one.id for one in await opened(here, grant)]:
        raise ServeError(404, "there is no such record")
    rows = await asyncio.wrap_future(here.store.record_history(grant.person, name))
    return [records.Change(**row) for row in rows]


@router.get("/people/{share}/sessions")
async def sessions(share: Name, here: Here, asking: Asking) -> list[values.SessionView]:
    """Conversations, when the person switched that on."""
    grant = await grant_of(here, asking, share)
    if "conversations" not in grant.shares["kinds"]:
        raise ServeError(403, "this person does not share conversations")
    found = await asyncio.wrap_future(here.store.conversations(grant.person, None, 200))
    return [
        values.SessionView(
            **values.session(one).model_dump(),
            log=[
                values.turn(turn)
                for turn in await asyncio.wrap_future(here.store.turns(grant.person, one.id))
            ],
        )
        for one in found
    ]


@router.get("/people/{share}/summary")
async def summary(share: Name, here: Here, asking: Asking) -> Summary:
    """Counts and differences from entries; nothing in it is generated."""
    grant = await grant_of(here, asking, share)
    return counted(await opened(here, grant))


@router.post("/people/{share}/assignments", status_code=201)
async def assign(
    share: Name, given: NewAssignment, here: Here, asking: Asking
) -> records.RecordView:
    """Propose a worksheet or a questionnaire; the person may leave it."""
    grant = await grant_of(here, asking, share)
    body = {**given.model_dump(), "share": grant.id, "done": False}
    made = here.store.add_record(grant.person, sheets.ASSIGNMENT, body, actor="clinician")
    return records.view(await asyncio.wrap_future(made))


def counted(found: Sequence[Record]) -> Summary:
    """Counts and differences from what a share opens."""
    points = sheets.trends([], [one for one in found if one.kind == sheets.SHEET], [], {})
    answers = [one for one in found if one.kind == "questionnaire"]
    return Summary(
        worksheets=sum(one.kind == sheets.SHEET for one in found),
        belief_change=_changes(points["ratings"], "belief"),
        emotion_change=_changes(points["ratings"], "emotion"),
        scores=sheets.trends([], [], answers, {})["scores"],
        assignments=sum(one.kind == sheets.ASSIGNMENT for one in found),
    )


async def grant_of(here: State, asking: Asking, share: str) -> Grant:
    """A share of this clinician that is on now; the look is noted.

    Raises:
        ServeError: 404 when there is none, or it is another's or over.
    """
    clinician = auth.require(asking, "clinician")
    granted = await asyncio.wrap_future(here.store.granted(clinician))
    found = next((one for one in granted if one.id == share), None)
    if found is None:
        raise ServeError(404, "there is no such share")
    await asyncio.wrap_future(here.store.note("read", found.person, {"grant": found.id}))
    return found


async def opened(here: State, grant: Grant) -> list[Record]:
    """The records that a share opens, the latest first."""
    kinds = {kind for share in grant.shares["kinds"] for kind in KINDS[share]}
    kept = await asyncio.wrap_future(here.store.records(grant.person))
    return [one for one in kept if one.kind in kinds]


def _changes(points: list[dict[str, Any]], what: str) -> list[int]:
    pairs = ((one[f"{what}_before"], one[f"{what}_after"]) for one in points)
    return [after - before for before, after in pairs if None not in (before, after)]
