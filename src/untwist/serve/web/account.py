"""Settings, lock, export and restore, erasure, sharing: pages for one person."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import JSONResponse, RedirectResponse, Response

from untwist.errors import DataError
from untwist.serve import arriving
from untwist.serve.api.account import MOST_DAYS, SHARED_KINDS
from untwist.serve.auth import drop_cookie
from untwist.serve.lock import COOKIE as LOCK_COOKIE
from untwist.serve.lock import after, fits, locked_with, open_for, wait
from untwist.serve.state import Here, State
from untwist.serve.web.asking import Who, Word, checked
from untwist.serve.web.render import Visitor, page, texts
from untwist.serve.web.shown import day
from untwist.text import LOCALES

router = APIRouter(include_in_schema=False)


@router.get("/settings")
async def settings(request: Request, here: Here, who: Who) -> Response:
    """All settings on one page."""
    return await _settings(request, here, who)


async def _settings(
    request: Request,
    here: State,
    who: Visitor,
    status: int = 200,
    said: str = "",
    problem: str = "",
    invitation: str = "",
) -> Response:
    shares, keys = [], []
    if who.person:
        shares = await asyncio.wrap_future(here.store.grants(who.person))
        keys = await asyncio.wrap_future(here.store.tokens(who.person))
    own = who.caller.token.id if who.caller.token else ""
    return page(
        request,
        who,
        "settings.html",
        status,
        said=said,
        problem=problem,
        invitation=invitation,
        address=(here.settings.origin or str(request.base_url)).rstrip("/") + "/clinician",
        kinds=SHARED_KINDS,
        shares=[
            {
                "id": one.id,
                "label": one.shares.get("label", ""),
                "kinds": [texts(who.locale)[f"share_{kind}"] for kind in one.shares["kinds"]],
                "until": day(one.expires),
                "taken": one.accepted is not None,
            }
            for one in shares
        ],
        keys=[
            {"id": one.id, "label": one.label or day(one.created), "own": one.id == own}
            for one in keys
        ],
        days=here.settings.retention_days,
        sealed=here.store.codec.seals,
        llm=here.settings.llm,
        locked="lock" in who.settings,
        minor=who.settings.get("minor"),
        most_days=MOST_DAYS,
    )


@router.post("/settings")
async def save(
    here: Here,
    who: Who,
    locale: Word = "",
    theme: Word = "auto",
    age: Word = "",
    csrf: Word = "",
) -> Response:
    """Language, appearance, age."""
    person = checked(who, csrf)
    changed = {**who.settings, "theme": theme if theme in ("light", "dark") else "auto"}
    if locale in LOCALES:
        changed["locale"] = locale
    changed.pop("minor", None)
    if age in ("adult", "minor"):
        changed["minor"] = age == "minor"
    await asyncio.wrap_future(here.store.set_person(person, changed))
    return RedirectResponse("/settings", 303)


@router.post("/settings/lock")
async def lock(
    here: Here, who: Who, passphrase: Annotated[str, Form(max_length=400)] = "", csrf: Word = ""
) -> Response:
    """Ask for a passphrase from now on; an empty one removes the lock."""
    person = checked(who, csrf)
    changed = {key: value for key, value in who.settings.items() if key != "lock"}
    if passphrase:
        changed["lock"] = await asyncio.to_thread(locked_with, passphrase)
    await asyncio.wrap_future(here.store.set_person(person, changed))
    answer = RedirectResponse("/settings", 303)
    if passphrase:
        open_for(answer, here.settings, who.caller, changed["lock"], here.store.clock())
    else:
        answer.delete_cookie(LOCK_COOKIE, path="/")
    return answer


@router.post("/unlock")
async def unlock(
    request: Request,
    here: Here,
    who: Who,
    passphrase: Annotated[str, Form(max_length=400)] = "",
    csrf: Word = "",
) -> Response:
    """Open locked pages."""
    person, words, now = checked(who, csrf), texts(who.locale), here.store.clock()
    if wait(who.settings, now):
        return page(request, who, "locked.html", 429, problem=words["wait_passphrase"])
    right = await asyncio.to_thread(fits, passphrase, str(who.settings.get("lock", "")))
    tried = after(who.settings, now, right=right)
    if tried != who.settings:
        await asyncio.wrap_future(here.store.set_person(person, tried))
    if not right:
        return page(request, who, "locked.html", 403, problem=words["wrong_passphrase"])
    answer = RedirectResponse("/", 303)
    open_for(answer, here.settings, who.caller, who.settings["lock"], here.store.clock())
    return answer


@router.get("/export.json")
async def export(here: Here, who: Who) -> Response:
    """Everything, as a file to take along."""
    if who.person is None:
        return RedirectResponse("/", 303)
    archive = await asyncio.wrap_future(here.store.export(who.person))
    name = f"untwist-{day(here.store.clock())}.json"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return JSONResponse(archive, headers=headers)


@router.post("/restore")
async def restore(
    request: Request,
    here: Here,
    who: Who,
    file: Annotated[UploadFile, File()],
    csrf: Word = "",
) -> Response:
    """A file that was taken along comes back."""
    person = checked(who, csrf)
    try:
        archive = json.loads(await file.read())
        if not isinstance(archive, dict):
            raise DataError("this is no archive of untwist")
        done = await asyncio.wrap_future(here.store.restore(person, arriving.read(archive)))
    except (ValueError, RecursionError, DataError) as error:
        plain = str(error) if isinstance(error, DataError) else "this is no JSON file"
        return await _settings(request, here, who, 422, problem=plain)
    said = texts(who.locale)["restored"].format(
        conversations=done.conversations, records=done.records, known=done.known
    )
    return await _settings(request, here, who, said=said)


@router.post("/erase")
async def erase(request: Request, here: Here, who: Who, csrf: Word = "") -> Response:
    """Erase everything of this person, now."""
    person = checked(who, csrf)
    await asyncio.wrap_future(here.store.erase(person))
    await asyncio.to_thread(here.store.scrub)
    words = texts(who.locale)
    nobody = Visitor(type(who.caller)(None, "none"), {}, who.locale, who.region)
    answer = page(
        request,
        nobody,
        "message.html",
        title=words["erased_title"],
        text=words["erased_text"],
        help="",
    )
    drop_cookie(answer, here.settings)
    answer.delete_cookie(LOCK_COOKIE, path="/")
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@router.post("/share")
async def share(
    request: Request,
    here: Here,
    who: Who,
    kinds: Annotated[list[str], Form()] = [],  # noqa: B006
    days: Annotated[int, Form(ge=1, le=MOST_DAYS)] = 90,
    label: Word = "",
    csrf: Word = "",
) -> Response:
    """Invite somebody to look; the code is shown once."""
    person = checked(who, csrf)
    chosen = [kind for kind in SHARED_KINDS if kind in kinds]
    if not chosen:
        return RedirectResponse("/settings#sharing", 303)
    expires = here.store.clock() + days * 86_400
    body = {"kinds": chosen, "label": label[:80]}
    _, secret = await asyncio.wrap_future(here.store.invite(person, body, expires))
    return await _settings(request, here, who, invitation=secret)


@router.post("/share/{name}/end")
async def end_share(name: str, here: Here, who: Who, csrf: Word = "") -> Response:
    """End a share or an invitation."""
    person = checked(who, csrf)
    await asyncio.wrap_future(here.store.withdraw(person, name))
    return RedirectResponse("/settings#sharing", 303)


@router.post("/key/{name}/revoke")
async def revoke(name: str, here: Here, who: Who, csrf: Word = "") -> Response:
    """Make a device or key worthless."""
    person = checked(who, csrf)
    await asyncio.wrap_future(here.store.revoke(name, person))
    return RedirectResponse("/settings#devices", 303)
