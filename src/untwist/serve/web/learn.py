"""What patterns and strategies are, practice with answers, patterns of one's own, the protocol."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from untwist.engine import running_protocol
from untwist.safety import protocol_page
from untwist.serve import sheets
from untwist.serve.errors import ServeError
from untwist.serve.state import Here
from untwist.serve.web.asking import Who, Word, checked
from untwist.serve.web.render import page, texts
from untwist.taxonomy import CANONICAL, Distortion, Strategy, matrix, row
from untwist.text import Locale

router = APIRouter(include_in_schema=False)


@router.get("/learn")
async def learn(request: Request, here: Here, who: Who) -> Response:
    """All patterns and strategies."""
    own = []
    if who.person:
        own = await asyncio.wrap_future(here.store.records(who.person, sheets.OWN))
    return page(
        request,
        who,
        "learn.html",
        distortions=sorted(CANONICAL, key=lambda one: one.name_in(who.locale)),
        strategies=list(Strategy),
        lang=who.locale,
        own=own,
    )


@router.get("/learn/{name}")
async def learn_one(request: Request, name: str, who: Who) -> Response:
    """One pattern or strategy."""
    words = texts(who.locale)
    if name in [one.value for one in CANONICAL]:
        found = Distortion(name)
        return page(
            request,
            who,
            "learn_one.html",
            name=found.name_in(who.locale),
            definition=found.definition_in(who.locale),
            example=found.example_in(who.locale),
            suits_title=words["suits_distortion"],
            suits=[_strategy(one, who.locale) for one in _suiting(found)],
            practice=_practice(found, who.locale),
        )
    if name not in [one.value for one in Strategy]:
        raise ServeError(404, words["not_found_text"])
    strategy = Strategy(name)
    return page(
        request,
        who,
        "learn_one.html",
        name=strategy.name_in(who.locale),
        definition=strategy.speaker_in(who.locale),
        example=None,
        suits_title=words["suits_strategy"],
        suits=[
            {"slug": one.value, "name": one.name_in(who.locale), "about": ""}
            for one, line in matrix().items()
            if line.gold is strategy
        ],
        practice=[],
    )


@router.post("/learn/own")
async def add_own(
    here: Here, who: Who, name: Word, definition: Word = "", parent: Word = "", csrf: Word = ""
) -> Response:
    """A pattern of one's own."""
    person = checked(who, csrf)
    known = parent if parent in [one.value for one in CANONICAL] else None
    if name.strip():
        body = {"name": name.strip()[:80], "definition": definition.strip(), "parent": known}
        await asyncio.wrap_future(here.store.add_record(person, sheets.OWN, body))
    return RedirectResponse("/learn", 303)


@router.post("/learn/own/{name}/delete")
async def delete_own(name: str, here: Here, who: Who, csrf: Word = "") -> Response:
    """Without it again."""
    person = checked(who, csrf)
    record = await asyncio.wrap_future(here.store.record(person, name))
    if record.kind == sheets.OWN:
        await asyncio.wrap_future(here.store.delete_record(person, name))
    return RedirectResponse("/learn", 303)


@router.get("/protocol")
async def protocol(request: Request, who: Who) -> Response:
    """What happens in a crisis, from the rules that run."""
    text = protocol_page(running_protocol(), "en" if who.locale == "en" else "zh")
    return page(request, who, "protocol.html", blocks=blocks(text))


def blocks(text: str) -> list[tuple[str, Any]]:
    """A page of our own Markdown as pieces for a template; nothing in it becomes markup."""
    found: list[tuple[str, Any]] = []
    for part in re.split(r"\n\s*\n", text.strip()):
        rows = part.splitlines()
        head = re.match(r"(#{1,3}) (.*)", rows[0])
        if head:
            found.append((f"h{len(head[1])}", _plain(head[2])))
            rows = rows[1:]
        if not rows:
            continue
        if rows[0].startswith("|"):
            cells = [[_plain(c) for c in r.strip("|").split("|")] for r in rows]
            found.append(("table", [c for c in cells if not set("".join(c)) <= set("-: ")]))
        elif rows[0].startswith("- "):
            found.append(("list", [_plain(r.removeprefix("- ")) for r in rows]))
        else:
            found.append(("p", _plain(" ".join(rows))))
    return found


def _plain(text: str) -> str:
    return re.sub(r"[`*]+", "", text).strip()


def _suiting(found: Distortion) -> list[Strategy]:
    line = row(found)
    return [line.gold, *sorted(line.silver)]


def _strategy(one: Strategy, locale: Locale) -> dict[str, str]:
    return {"slug": one.value, "name": one.name_in(locale), "about": one.speaker_in(locale)}


def _practice(found: Distortion, locale: Locale) -> list[dict[str, str]]:
    """Sentences of our own corpus, this pattern and others mixed."""
    return [
        {"text": text, "answer": Distortion(label).name_in(locale)}
        for text, label in _sentences()[locale][found.value]
    ]


@cache
def _sentences() -> Mapping[str, Mapping[str, list[tuple[str, str]]]]:
    file = files("untwist.serve.web").joinpath("texts/practice.json")
    found: Mapping[str, Mapping[str, list[tuple[str, str]]]] = json.loads(
        file.read_text(encoding="utf-8")
    )
    return found
