"""Pages from templates: escaped throughout, in the reader's language, with help on every one."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from untwist.safety import Resource, help_block, lines, region_name, regions
from untwist.serve import lock
from untwist.serve.auth import SAFE, Caller, caller_of
from untwist.serve.errors import ServeError
from untwist.serve.state import State, locale_asked, state_of
from untwist.text import LOCALES, Locale

LANGUAGE_COOKIE = "untwist_lang"
YEAR = 31_536_000
_ROOM = "untwist.serve.web"


LOCKED_PAGE = "locked.html"


class Locked(ServeError):
    """A passphrase stands before this."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at a page, and how it is shown to them.

    Attributes:
        caller: by cookie; nobody's on a first visit.
        settings: what the person set; empty on a first visit.
        locale: of the page.
        region: whose help lines are shown; None for any place.
    """

    caller: Caller
    settings: Mapping[str, Any]
    locale: Locale
    region: str | None

    @property
    def person(self) -> str | None:
        """Whose things are shown; None on a first visit, and for a clinician."""
        token = self.caller.token
        return token.person if token and token.scope == "person" else None

    @property
    def looks(self) -> bool:
        """Whether this is a clinician, who looks at what others share."""
        token = self.caller.token
        return bool(token and token.scope == "clinician" and self.caller.via == "cookie")


async def visitor(request: Request) -> Visitor:
    """Who looks, as a dependency.

    Raises:
        ServeError: 403 for a change that comes from another site.
        Locked: there is a lock before this page.
    """
    here = state_of(request)
    who = await whoever(request)
    kept = who.settings.get(lock.KEY)
    if not lock.is_open(request, who.caller, kept, here.store.clock()):
        raise Locked(403, "this is locked: open it on the first page")
    return who


async def whoever(request: Request) -> Visitor:
    """Who looks, locked or not; for pages that show nothing of theirs.

    Raises:
        ServeError: 403 for a change that comes from another site.
    """
    here = state_of(request)
    found = await caller_of(request, here.store, here.settings)
    settings: Mapping[str, Any] = {}
    if found.person:
        settings = (await asyncio.wrap_future(here.store.person(found.person))).settings
        if request.method not in SAFE:
            await asyncio.wrap_future(here.store.came(found.person))
    region = settings.get("region") or here.settings.region or None
    return Visitor(found, settings, _locale(request, here, settings), region)


def nobody(request: Request) -> Visitor:
    """A visitor of whom nothing is known but the language; for pages about errors."""
    here = state_of(request)
    region = here.settings.region or None
    return Visitor(Caller(None, "none"), {}, _locale(request, here, {}), region)


def page(
    request: Request,
    who: Visitor,
    template: str,
    status: int = 200,
    *,
    stay: bool = True,
    **given: Any,  # noqa: ANN401
) -> Response:
    """A template as an answer that no cache keeps; with `stay` an open lock stays open longer."""
    here = state_of(request)
    words = texts(who.locale)
    content = (
        _environment()
        .get_template(template)
        .render(
            **given,
            t=words,
            who=who,
            csrf=who.caller.csrf if who.caller.via == "cookie" else "",
            locale=who.locale,
            locales=LOCALES,
            language="zh-Hans" if who.locale == "zh" else who.locale,
            theme=who.settings.get("theme", "auto"),
            help_lines=[_line(one, who.locale) for one in lines(who.region)],
            help_text=help_block(who.locale, who.region),
            regions=[(code, region_name(code, who.locale)) for code in regions()],
            static=static,
            path=request.url.path,
            minors=here.settings.minors,
        )
    )
    answer = HTMLResponse(content, status, {"Cache-Control": "no-store"})
    kept, now = who.settings.get(lock.KEY), here.store.clock()
    if stay and kept is not None and lock.opened(request, who.caller, kept, now):
        lock.open_for(answer, here.settings, who.caller, kept, now)
    return answer


@cache
def texts(locale: Locale) -> Mapping[str, Any]:
    """The words of the pages."""
    found: dict[str, Any] = json.loads(
        files(_ROOM).joinpath(f"texts/{locale}.json").read_text(encoding="utf-8")
    )
    return found


@cache
def static(name: str) -> str:
    """The address of a file, which changes with its content, so that it may be kept for long."""
    data = files(_ROOM).joinpath(f"static/{name}").read_bytes()
    return f"/static/{name}?{hashlib.sha256(data).hexdigest()[:12]}"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader(_ROOM),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _locale(request: Request, here: State, settings: Mapping[str, Any]) -> Locale:
    for asked in (
        settings.get("locale"),
        request.cookies.get(LANGUAGE_COOKIE),
        here.settings.locale,
    ):
        for locale in LOCALES:
            if asked == locale:
                return locale
    return locale_asked(request.scope)


def _line(found: Resource, locale: Locale) -> dict[str, str | None]:
    """A help line with an address that a phone can call or a browser can open."""
    return {
        "kind": found.kind,
        "name": found.name_in(locale),
        "contact": found.contact,
        "hours": found.hours_in(locale),
        "href": address_of(found),
    }


def address_of(found: Resource) -> str | None:
    """What a phone can call or a browser can open; None where a person types it themselves."""
    if found.kind == "directory":
        return f"https://{found.contact}"
    digits = "".join(ch for ch in found.contact if ch.isdigit() or ch == "+")
    return f"tel:{digits}" if found.kind in ("emergency", "line") and digits else None
