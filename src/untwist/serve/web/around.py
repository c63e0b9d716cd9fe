"""What is around every page: help, region, language, and the empty page to leave to."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from untwist.safety import region_codes
from untwist.serve.auth import must_bring
from untwist.serve.lock import COOKIE as LOCK_COOKIE
from untwist.serve.state import Here
from untwist.serve.web.asking import Who, Word
from untwist.serve.web.render import LANGUAGE_COOKIE, YEAR, Visitor, page
from untwist.text import LOCALES

router = APIRouter(include_in_schema=False)


@router.get("/help")
async def get_help(request: Request, who: Who) -> Response:
    """Where people are who help."""
    return page(request, who, "help.html")


@router.post("/region")
async def set_region(
    request: Request, here: Here, who: Who, region: Word = "", back: Word = "/", csrf: Word = ""
) -> Response:
    """Say where one is; without a cookie it holds for one page."""
    must_bring(who.caller, csrf)
    code = region if region in region_codes() else None
    if who.person:
        settings = {**who.settings, "region": code or ""}
        await asyncio.wrap_future(here.store.set_person(who.person, settings))
        return RedirectResponse(local(back), 303)
    found = Visitor(who.caller, who.settings, who.locale, code)
    return page(request, found, "help.html")


@router.post("/language")
async def set_language(
    here: Here, who: Who, locale: Word, back: Word = "/", csrf: Word = ""
) -> Response:
    """Choose the language of the pages."""
    must_bring(who.caller, csrf)
    answer = RedirectResponse(local(back), 303)
    if locale in LOCALES:
        if who.person:
            settings = {**who.settings, "locale": locale}
            await asyncio.wrap_future(here.store.set_person(who.person, settings))
        answer.set_cookie(
            LANGUAGE_COOKIE,
            locale,
            max_age=YEAR,
            httponly=True,
            secure=here.settings.secure,
            samesite="lax",
        )
    return answer


@router.api_route("/away", methods=["GET", "POST"])
async def away(request: Request, who: Who) -> Response:
    """A page without anything on it, and nothing of the one before left in the browser."""
    answer = page(request, who, "away.html", stay=False)
    answer.delete_cookie(LOCK_COOKIE, path="/")
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


def local(path: str) -> str:
    """An address of this server, whatever a form says."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
