"""Worksheets and the plan for hard hours: to read, to write, to take along."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from untwist.errors import StoreError
from untwist.respond import (
    WORKSHEETS,
    SafetySteps,
    Worksheet,
    open_labels,
    worksheet_from,
)
from untwist.serve import care, sheets
from untwist.serve.api import records as api
from untwist.serve.errors import ServeError
from untwist.serve.state import Here, State
from untwist.serve.store import Record
from untwist.serve.web import forms
from untwist.serve.web.asking import Who, Word, checked, mine
from untwist.serve.web.pages import TITLE
from untwist.serve.web.pdf import PAPERS, paper_for
from untwist.serve.web.render import Visitor, page, texts
from untwist.serve.web.shown import change_rows, day, moment, rows_of, title_of
from untwist.serve.web.tasks import done
from untwist.taxonomy import Risk
from untwist.text import Locale

router = APIRouter(include_in_schema=False)
KINDS = tuple(kind for kind in WORKSHEETS if kind != SafetySteps.kind)
"""Worksheets about a thought; the plan has a page of its own."""
_KEPT = (sheets.SHEET, sheets.PLAN)


@router.get("/record")
async def records(request: Request, here: Here, who: Who) -> Response:
    """All worksheets, and new ones."""
    if who.person is None:
        return RedirectResponse("/", 303)
    found = await asyncio.wrap_future(here.store.records(who.person, sheets.SHEET))
    labels = open_labels(who.locale)
    return page(
        request,
        who,
        "records.html",
        records=[_entry(one, who.locale) for one in found],
        kinds=[(kind, labels.sheets[kind]) for kind in KINDS],
    )


@router.get("/record/new")
async def new(
    request: Request,
    here: Here,
    who: Who,
    kind: Annotated[str, Query(max_length=40)] = KINDS[0],
    task: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """An empty form; nothing is kept until it is sent."""
    if who.person is None:
        return RedirectResponse("/", 303)
    if kind not in WORKSHEETS:
        raise ServeError(404, "there is no such worksheet")
    if kind == SafetySteps.kind and (plan := await plan_of(here, who.person)):
        return RedirectResponse(f"/record/{plan.id}/edit", 303)
    return _form(request, who, forms.Filled(WORKSHEETS[kind]()), task=task)


@router.post("/record")
async def create(request: Request, here: Here, who: Who) -> Response:
    """Keep a new one."""
    form = await request.form()
    person = checked(who, str(form.get("csrf", "")))
    name = str(form.get("kind", ""))
    if name not in WORKSHEETS:
        raise ServeError(422, "there is no such worksheet")
    filled = forms.read(form, WORKSHEETS[name](), who.locale)
    task = str(form.get("task", ""))[:40]
    if filled.problems:
        return _form(request, who, filled, 422, task=task)
    kind = sheets.PLAN if name == SafetySteps.kind else sheets.SHEET
    made = await asyncio.wrap_future(
        here.store.add_record(person, kind, sheets.body_of(filled.sheet))
    )
    await done(here, person, task)
    return await _kept(here, person, made, WORKSHEETS[name]())


@router.get("/record/{name}")
async def one(
    request: Request, name: str, here: Here, who: Who, help: Literal["1"] | None = None
) -> Response:
    """One worksheet, to read and to print."""
    record = await record_of(here, mine(who), name)
    return await show(request, here, who, record, alarmed=help is not None)


async def show(
    request: Request, here: State, who: Visitor, record: Record, *, alarmed: bool = False
) -> Response:
    """The page of one worksheet or of the plan."""
    sheet = sheet_of(record)
    log = await asyncio.wrap_future(here.store.record_history(mine(who), record.id))
    return page(
        request,
        who,
        "record.html",
        record=record,
        plan=record.kind == sheets.PLAN,
        label=open_labels(who.locale).sheets[sheet.kind],
        rows=rows_of(sheet, who.locale),
        when=moment(record.updated),
        from_talk="filled" in record.body and await _talk_is_there(here, record),
        papers=sorted(PAPERS, key=lambda one: one != paper_for(who.region)),
        changes=change_rows(log, who.locale),
        alarmed=alarmed,
    )


@router.get("/record/{name}/edit")
async def edit(request: Request, name: str, here: Here, who: Who) -> Response:
    """The form of one."""
    record = await record_of(here, mine(who), name)
    return _form(request, who, forms.Filled(sheet_of(record)), record=record)


@router.post("/record/{name}")
async def save(request: Request, name: str, here: Here, who: Who) -> Response:
    """Keep what was typed, unless somebody changed it meanwhile: then both are shown."""
    form = await request.form()
    person = checked(who, str(form.get("csrf", "")))
    record = await record_of(here, person, name)
    old = sheet_of(record)
    filled = forms.read(form, old, who.locale)
    version = str(form.get("version", ""))
    if filled.problems:
        return _form(request, who, filled, 422, record=record, version=version)
    body = {**record.body, **sheets.body_of(filled.sheet)}
    try:
        changed = await asyncio.wrap_future(
            here.store.change_record(
                person, name, body, version=int(version) if version.isdecimal() else None
            )
        )
    except StoreError as error:
        if error.reason != "conflict":
            raise
        latest = await record_of(here, person, name)
        others = sheet_of(latest)
        return _form(request, who, filled, 409, record=latest, others=others)
    return await _kept(here, person, changed, old)


@router.post("/record/{name}/refill")
async def refill(name: str, here: Here, who: Who, csrf: Word = "") -> Response:
    """Fill in what was said since; what was changed by hand stays."""
    person = checked(who, csrf)
    record = await record_of(here, person, name)
    if record.conversation and "filled" in record.body:
        turns = await asyncio.wrap_future(here.store.turns(person, record.conversation))
        body = sheets.refilled(record, turns)
        if body != record.body:
            changed = here.store.change_record(person, name, body, version=record.version)
            await asyncio.wrap_future(changed)
    return RedirectResponse(f"/record/{name}", 303)


@router.post("/record/{name}/delete")
async def delete(name: str, here: Here, who: Who, csrf: Word = "") -> Response:
    """Delete one with its log, in the file and its free pages."""
    person = checked(who, csrf)
    record = await record_of(here, person, name)
    await asyncio.wrap_future(here.store.delete_record(person, name))
    await asyncio.to_thread(here.store.scrub)
    return RedirectResponse("/plan" if record.kind == sheets.PLAN else "/record", 303)


@router.post("/talk/{name}/record")
async def of_talk(name: str, here: Here, who: Who, csrf: Word = "") -> Response:
    """The worksheet of a conversation, filled with what was said so far."""
    person = checked(who, csrf)
    found = await api.fill(name, here, person)
    return RedirectResponse(f"/record/{found.id}", 303)


@router.get("/plan")
async def plan(request: Request, here: Here, who: Who) -> Response:
    """The plan for hard hours, or how to begin one."""
    if who.person is None:
        return RedirectResponse("/", 303)
    record = await plan_of(here, who.person)
    if record is not None:
        return await show(request, here, who, record)
    return page(request, who, "plan.html", label=open_labels(who.locale).sheets[SafetySteps.kind])


async def plan_of(here: State, person: str) -> Record | None:
    """The plan of a person; None before there is one."""
    found = await asyncio.wrap_future(here.store.records(person, sheets.PLAN))
    return found[0] if found else None


def sheet_of(record: Record) -> Worksheet:
    """The worksheet of a record or of a plan."""
    return worksheet_from(record.body["sheet"])


async def _kept(here: State, person: str, record: Record, old: Worksheet) -> Response:
    """Where to go after saving: danger in new words comes first."""
    before = {one.text for one in rows_of(old, "en")}
    written = [
        one.text
        for one in rows_of(sheet_of(record), "en")
        if one.text not in before and one.name not in (*forms.RATINGS, forms.PATTERN)
    ]
    risk, text = await care.heard(here, person, written)
    if risk is Risk.HIGH and record.kind != sheets.PLAN:
        title = " ".join(text.split())[:TITLE]
        talk = await asyncio.wrap_future(here.store.new_conversation(person, {"title": title}))
        await here.turns.post(person, talk.id, text)
        return RedirectResponse(f"/talk/{talk.id}", 303)
    alarm = "?help=1" if risk >= Risk.MEDIUM else ""
    return RedirectResponse(f"/record/{record.id}{alarm}", 303)


def _form(
    request: Request,
    who: Visitor,
    filled: forms.Filled,
    status: int = 200,
    *,
    record: Record | None = None,
    version: str = "",
    others: Worksheet | None = None,
    task: str = "",
) -> Response:
    label = open_labels(who.locale).sheets[filled.sheet.kind]
    fields = forms.fields_of(filled, who.locale, others)
    wrong = [one for one in fields if one.problem]
    words = texts(who.locale)
    return page(
        request,
        who,
        "record_form.html",
        status,
        label=label,
        kind=filled.sheet.kind,
        fields=fields,
        wrong=wrong,
        conflict=words["conflict"] if others else "",
        record=record,
        version=version or (record.version if record else ""),
        task=task,
        patterns=forms.patterns(who.locale),
        most=sheets.MOST_TEXT,
    )


def _entry(found: Record, locale: Locale) -> dict[str, Any]:
    sheet = sheet_of(found)
    return {
        "id": found.id,
        "kind": open_labels(locale).sheets[sheet.kind].name,
        "title": title_of(sheet),
        "when": day(found.updated),
    }


async def _talk_is_there(here: State, record: Record) -> bool:
    """Whether the conversation that a record came from has not been deleted since."""
    if record.conversation is None:
        return False
    try:
        await asyncio.wrap_future(here.store.conversation(record.person, record.conversation))
    except StoreError as error:
        if error.reason != "gone":
            raise
        return False
    return True


async def record_of(here: State, person: str, name: str) -> Record:
    """A worksheet or the plan of this person.

    Raises:
        StoreError: "gone" when there is none of that name.
        ServeError: 404 when it is something else.
    """
    record = await asyncio.wrap_future(here.store.record(person, name))
    if record.kind not in _KEPT:
        raise ServeError(404, "there is no such worksheet")
    return record
