"""What belongs to a person: settings, keys, export, restore, erasure, and who may look."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints

from untwist.schema import Json
from untwist.serve import arriving, auth, lock
from untwist.serve.api import values
from untwist.serve.api.values import Given, LocaleName, Name, Short
from untwist.serve.state import Here, Mine
from untwist.serve.store import Grant, Token

router = APIRouter(prefix="/api", tags=["own things"], responses=values.FAILURES)

SHARED_KINDS = ("worksheets", "questionnaires", "ratings", "plan", "conversations")
"""What a person may let a clinician see; each is off until it is switched on."""
MOST_DAYS = 366


class PersonSettings(Given):
    """What a person sets; what is absent stays as it is."""

    locale: LocaleName | None = None
    region: values.Region | Literal[""] | None = None
    minor: bool | None = None
    name: Short | None = None
    contact: Short | None = None
    theme: Literal["auto", "light", "dark"] | None = None
    reminders: bool | None = None
    paper: Literal["A4", "Letter"] | None = None


class Me(BaseModel):
    """Who asks, and what they set."""

    id: str
    created: float
    settings: dict[str, Any]


class KeyView(BaseModel):
    """A key or cookie, without its secret; times are seconds since 1970, UTC."""

    id: str
    scope: str
    label: str
    created: float
    expires: float | None


class KeyMade(KeyView):
    """A new key; its secret is shown once."""

    key: str


class NewKey(Given):
    """A key for another device or program of the same person."""

    label: Annotated[str, StringConstraints(max_length=80)] = ""
    days: Annotated[int, Field(ge=1, le=3650)] | None = None


class NewShare(Given):
    """Let a clinician see something for a while."""

    kinds: Annotated[list[Literal[SHARED_KINDS]], Field(min_length=1, max_length=5)]  # type: ignore[valid-type]
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = 90
    label: Annotated[str, StringConstraints(max_length=80)] = ""


class ShareView(BaseModel):
    """A share or an invitation; `accepted` is null until somebody took it."""

    id: str
    kinds: list[str]
    label: str
    created: float
    expires: float
    accepted: float | None


class ShareMade(ShareView):
    """A new invitation; its secret is shown once and given on by the person."""

    invitation: str


class RestoredView(BaseModel):
    """What came back; `known` was here already and was left as it is."""

    conversations: int
    records: int
    known: int


@router.get("/me")
async def me(here: Here, mine: Mine) -> Me:
    """Who asks."""
    found = await asyncio.wrap_future(here.store.person(mine))
    return Me(id=found.id, created=found.created, settings=_shown(found.settings))


@router.patch("/me")
async def change_me(given: PersonSettings, here: Here, mine: Mine) -> Me:
    """Change settings."""
    found = await asyncio.wrap_future(here.store.person(mine))
    settings = {**found.settings, **given.model_dump(exclude_unset=True)}
    await asyncio.wrap_future(here.store.set_person(mine, settings))
    return Me(id=found.id, created=found.created, settings=_shown(settings))


@router.delete("/me", status_code=204)
async def erase(here: Here, mine: Mine) -> Response:
    """Erase everything of this person now, in the file, its free pages and its log."""
    await asyncio.wrap_future(here.store.erase(mine))
    await asyncio.to_thread(here.store.scrub)
    answer = Response(status_code=204, headers={"Clear-Site-Data": '"cache", "cookies", "storage"'})
    auth.drop_cookie(answer, here.settings)
    return answer


@router.get("/export")
async def export(here: Here, mine: Mine) -> dict[str, Any]:
    """Everything that is kept of this person, as one archive."""
    return await asyncio.wrap_future(here.store.export(mine))


@router.post("/import")
async def restore(archive: dict[str, Any], here: Here, mine: Mine) -> RestoredView:
    """Put an archive's content under this person; all of it or nothing."""
    done = await asyncio.wrap_future(here.store.restore(mine, arriving.read(archive)))
    return RestoredView(conversations=done.conversations, records=done.records, known=done.known)


@router.get("/keys")
async def keys(here: Here, mine: Mine) -> list[KeyView]:
    """Keys and cookies that open this person's things."""
    return [_key(one) for one in await asyncio.wrap_future(here.store.tokens(mine))]


@router.post("/keys", status_code=201)
async def new_key(given: NewKey, here: Here, mine: Mine) -> KeyMade:
    """A further key to the same things."""
    expires = here.store.clock() + given.days * 86_400 if given.days else None
    made, secret = await asyncio.wrap_future(here.store.issue("person", mine, given.label, expires))
    return KeyMade(**_key(made).model_dump(), key=secret)


@router.delete("/keys/{name}", status_code=204)
async def revoke(name: Name, here: Here, mine: Mine) -> Response:
    """Make a key or cookie worthless at once."""
    await asyncio.wrap_future(here.store.revoke(name, mine))
    return Response(status_code=204)


@router.get("/shares")
async def shares(here: Here, mine: Mine) -> list[ShareView]:
    """Who may look, and who is invited to."""
    return [_share(one) for one in await asyncio.wrap_future(here.store.grants(mine))]


@router.post("/shares", status_code=201)
async def share(given: NewShare, here: Here, mine: Mine) -> ShareMade:
    """Invite a clinician to look, and at nothing but what is named."""
    body = {"kinds": sorted(set(given.kinds)), "label": given.label}
    expires = here.store.clock() + given.days * 86_400
    made, secret = await asyncio.wrap_future(here.store.invite(mine, body, expires))
    return ShareMade(**_share(made).model_dump(), invitation=secret)


@router.delete("/shares/{name}", status_code=204)
async def withdraw(name: Name, here: Here, mine: Mine) -> Response:
    """End a share or an invitation at once."""
    await asyncio.wrap_future(here.store.withdraw(mine, name))
    return Response(status_code=204)


def _shown(settings: Json) -> Json:
    """Settings without what is kept of a passphrase."""
    return {key: value for key, value in settings.items() if key not in (lock.KEY, lock.WRONG)}


def _key(found: Token) -> KeyView:
    return KeyView(
        id=found.id,
        scope=found.scope,
        label=found.label,
        created=found.created,
        expires=found.expires,
    )


def _share(found: Grant) -> ShareView:
    return ShareView(
        id=found.id,
        kinds=list(found.shares.get("kinds", [])),
        label=str(found.shares.get("label", "")),
        created=found.created,
        expires=found.expires,
        accepted=found.accepted,
    )
