"""What a clinician proposed: a worksheet or a questionnaire, which the person does or leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from untwist.respond import WORKSHEETS, Instrument, open_labels, open_questionnaire
from untwist.serve import sheets
from untwist.serve.state import Here, State
from untwist.serve.store import Record
from untwist.serve.web.asking import Who, Word, checked
from untwist.text import Locale

router = APIRouter(include_in_schema=False)


@router.post("/task/{name}/leave")
async def leave_task(name: str, here: Here, who: Who, csrf: Word = "") -> Response:
    """What was proposed is not wanted; it is not shown again."""
    person = checked(who, csrf)
    record = await asyncio.wrap_future(here.store.record(person, name))
    if record.kind == sheets.ASSIGNMENT:
        body = {**record.body, "done": True, "left": True}
        await asyncio.wrap_future(here.store.change_record(person, name, body))
    return RedirectResponse("/", 303)


def task_of(found: Record, locale: Locale) -> dict[str, Any]:
    """What was proposed, as the first page shows it."""
    name, questions = str(found.body["name"]), found.body["kind"] == "questionnaire"
    href = f"/questionnaire/{name}?" if questions else f"/record/new?kind={name}&"
    return {
        "id": found.id,
        "href": f"{href}task={found.id}",
        "name": task_name(found.body, locale),
        "note": found.body.get("note", ""),
    }


def task_name(body: Mapping[str, Any], locale: Locale) -> str:
    """What a proposed worksheet or questionnaire is called."""
    name = str(body["name"])
    if body["kind"] == "questionnaire" and name in [one.value for one in Instrument]:
        return open_questionnaire(Instrument(name), locale).title
    return open_labels(locale).sheets[name].name if name in WORKSHEETS else name


async def done(here: State, person: str, task: str) -> None:
    """Note that something that was proposed has been done."""
    if not task:
        return
    found = await asyncio.wrap_future(here.store.records(person, sheets.ASSIGNMENT))
    for one in found:
        if one.id == task and not one.body.get("done"):
            body = {**one.body, "done": True}
            await asyncio.wrap_future(here.store.change_record(person, task, body))
