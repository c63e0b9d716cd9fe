"""Earlier conversations: to go on with, to find by words, to delete."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from untwist.serve.state import Here
from untwist.serve.store import Conversation
from untwist.serve.web.asking import Who, Word, checked
from untwist.serve.web.render import page
from untwist.serve.web.shown import moment

router = APIRouter(include_in_schema=False)
PAGE = 30
"""Conversations on a page."""


@router.get("/history")
async def history(
    request: Request, here: Here, who: Who, before: Annotated[float | None, Query()] = None
) -> Response:
    """Conversations, the latest first."""
    if who.person is None:
        return RedirectResponse("/", 303)
    found = await asyncio.wrap_future(here.store.conversations(who.person, before, PAGE + 1))
    more = found[PAGE - 1].updated if len(found) > PAGE else None
    return page(
        request,
        who,
        "history.html",
        talks=_entries(found[:PAGE]),
        more=more,
        words="",
        sought=False,
    )


@router.post("/history")
async def search(
    request: Request, here: Here, who: Who, words: Word = "", csrf: Word = ""
) -> Response:
    """Conversations in which words were said; sent as a form, so that no address holds them."""
    person = checked(who, csrf)
    if not words.strip():
        return RedirectResponse("/history", 303)
    found = await asyncio.wrap_future(here.store.search(person, words.strip()))
    return page(
        request, who, "history.html", talks=_entries(found), more=None, words=words, sought=True
    )


@router.post("/talk/{name}/delete")
async def delete(name: str, here: Here, who: Who, csrf: Word = "") -> Response:
    """Delete a conversation with all that was said, in the file and its free pages."""
    person = checked(who, csrf)
    await asyncio.wrap_future(here.store.delete_conversation(person, name))
    await asyncio.to_thread(here.store.scrub)
    return RedirectResponse("/history", 303)


def _entries(found: list[Conversation]) -> list[dict[str, str | int]]:
    return [
        {
            "id": one.id,
            "title": str(one.about.get("title", "")),
            "when": moment(one.updated),
            "turns": one.turns,
        }
        for one in found
    ]
