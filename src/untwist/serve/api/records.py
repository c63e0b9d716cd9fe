"""Worksheets, ratings, opinions on labels, own distortions, trends."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, Field, StringConstraints

from untwist.respond import (
    WORKSHEETS,
    Worksheet,
    worksheet_csv,
    worksheet_from,
    worksheet_markdown,
)
from untwist.safety import help_block
from untwist.serve import care, sheets
from untwist.serve.api import values
from untwist.serve.api.values import Given, Name
from untwist.serve.errors import ServeError
from untwist.serve.state import Here, Mine, State
from untwist.serve.store import Record
from untwist.taxonomy import CANONICAL, Distortion, Risk
from untwist.text import language, locale_of

router = APIRouter(prefix="/api", tags=["records"], responses=values.FAILURES)


class SheetView(BaseModel):
    """A worksheet with its place; times are seconds since 1970, UTC.

    `help` is there when what was written may speak of danger: show it at once.
    """

    id: str
    session: str | None
    version: int
    created: float
    updated: float
    sheet: dict[str, Any]
    help: str | None = None


class NewSheet(Given):
    """An empty worksheet of a kind, or one with these values."""

    sheet: dict[str, Any]


class Change(BaseModel):
    """One entry of the log of changes."""

    version: int
    at: float
    actor: str
    body: dict[str, Any]


class NewRating(Given):
    """How a reply was, as the person says."""

    turn: Name
    helpful: Literal[-1, 0, 1]
    note: Annotated[str, StringConstraints(max_length=2000)] = ""


class NewOpinion(Given):
    """What the person says of a label that was heard: it fits, it does not, or another one does."""

    distortion: Distortion
    opinion: Literal["accept", "reject"] | Distortion


class OwnDistortion(Given):
    """A pattern of the person's own, with the known one that it belongs to, if any."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    definition: Annotated[str, StringConstraints(max_length=500)] = ""
    parent: Distortion | None = None


class RecordView(BaseModel):
    """Something that a person keeps."""

    id: str
    kind: str
    session: str | None
    version: int
    created: float
    updated: float
    body: dict[str, Any]


class Trends(BaseModel):
    """What is drawn over time."""

    distortions: dict[str, Annotated[int, Field(ge=0)]]
    ratings: list[dict[str, Any]]
    scores: list[dict[str, Any]]


def view(found: Record) -> RecordView:
    """A record as it is sent."""
    return RecordView(
        id=found.id,
        kind=found.kind,
        session=found.conversation,
        version=found.version,
        created=found.created,
        updated=found.updated,
        body=found.body,
    )


def sheet_view(found: Record) -> SheetView:
    """A worksheet as it is sent."""
    return SheetView(
        id=found.id,
        session=found.conversation,
        version=found.version,
        created=found.created,
        updated=found.updated,
        sheet=found.body["sheet"],
    )


@router.get("/worksheets")
async def worksheets(here: Here, mine: Mine) -> list[SheetView]:
    """All worksheets, the latest first."""
    found = await asyncio.wrap_future(here.store.records(mine, sheets.SHEET))
    return [sheet_view(one) for one in found]


@router.post("/worksheets", status_code=201)
async def new_worksheet(given: NewSheet, here: Here, mine: Mine) -> SheetView:
    """Keep a worksheet."""
    sheet = worksheet_from(given.sheet)
    kept = here.store.add_record(mine, sheets.SHEET, sheets.body_of(sheet))
    return await _heard(here, mine, await asyncio.wrap_future(kept), sheet)


@router.post("/sessions/{name}/worksheet")
async def fill(
    name: Name,
    here: Here,
    mine: Mine,
    kind: Literal[tuple(WORKSHEETS)] | None = None,  # type: ignore[valid-type]
) -> SheetView:
    """The worksheet of a conversation, filled with what was said; changes by hand stay."""
    turns = await asyncio.wrap_future(here.store.turns(mine, name))
    known = [
        one
        for one in await asyncio.wrap_future(here.store.records(mine, sheets.SHEET))
        if one.conversation == name
        and "filled" in one.body
        and kind in (None, one.body["sheet"]["worksheet"])
    ]
    if known:
        body = sheets.refilled(known[0], turns)
        if body == known[0].body:
            return sheet_view(known[0])
        changed = here.store.change_record(mine, known[0].id, body, version=known[0].version)
        return sheet_view(await asyncio.wrap_future(changed))
    sheet = sheets.filled_by(turns, WORKSHEETS[kind] if kind else None)
    made = here.store.add_record(
        mine, sheets.SHEET, sheets.body_of(sheet, sheet), conversation=name
    )
    return sheet_view(await asyncio.wrap_future(made))


@router.get("/worksheets/{name}")
async def worksheet(name: Name, here: Here, mine: Mine) -> SheetView:
    """One worksheet."""
    return sheet_view(await _sheet(here, mine, name))


@router.put("/worksheets/{name}")
async def change(
    name: Name,
    given: NewSheet,
    here: Here,
    mine: Mine,
    if_match: Annotated[str | None, Header(pattern=r'^"?\d{1,9}"?$')] = None,
) -> SheetView:
    """Put other values in place; with If-Match only if nobody changed it since that version."""
    old = await _sheet(here, mine, name)
    sheet = worksheet_from(given.sheet)
    if sheet.kind != old.body["sheet"]["worksheet"]:
        raise ServeError(422, "a worksheet cannot become one of another kind")
    body = {**old.body, **sheets.body_of(sheet)}
    version = int(if_match.strip('"')) if if_match else None
    changed = here.store.change_record(mine, name, body, version=version)
    return await _heard(here, mine, await asyncio.wrap_future(changed), sheet)


@router.get("/worksheets/{name}/history")
async def history(name: Name, here: Here, mine: Mine) -> list[Change]:
    """The log of changes, the oldest first."""
    rows = await asyncio.wrap_future(here.store.record_history(mine, name))
    return [Change(**row) for row in rows]


@router.get("/worksheets/{name}/file", response_class=Response)
async def file(
    name: Name,
    here: Here,
    mine: Mine,
    form: Literal["markdown", "csv"] = "markdown",
    locale: values.LocaleName = "en",
) -> Response:
    """One worksheet as a file."""
    record = await _sheet(here, mine, name)
    sheet, told = sheets.sheet_of(record), await _region(here, mine)
    if form == "csv":
        return _file(worksheet_csv([(record.id, sheet)]), "text/csv", "worksheet.csv")
    text = worksheet_markdown(sheet, locale, region=told)
    return _file(text, "text/markdown", "worksheet.md")


@router.get("/worksheets.csv", response_class=Response)
async def table(here: Here, mine: Mine) -> Response:
    """All worksheets as one table."""
    found = await asyncio.wrap_future(here.store.records(mine, sheets.SHEET))
    rows = [(one.id, sheets.sheet_of(one)) for one in found]
    return _file(worksheet_csv(rows), "text/csv", "worksheets.csv")


@router.delete("/worksheets/{name}", status_code=204)
async def delete(name: Name, here: Here, mine: Mine) -> Response:
    """Delete a worksheet with its log."""
    await _sheet(here, mine, name)
    await asyncio.wrap_future(here.store.delete_record(mine, name))
    await asyncio.to_thread(here.store.scrub)
    return Response(status_code=204)


@router.post("/ratings", status_code=201)
async def rate(given: NewRating, here: Here, mine: Mine) -> RecordView:
    """Say how a reply was; the last word on a turn counts."""
    await asyncio.wrap_future(here.store.turn(mine, given.turn))
    kept = sheets.keep_of_turn(here.store, mine, sheets.RATING, given.turn, given.model_dump())
    return view(await kept)


@router.put("/turns/{name}/opinion")
async def opinion(name: Name, given: NewOpinion, here: Here, mine: Mine) -> RecordView:
    """Accept, reject or change a label: the model suggests, the person decides."""
    turn = await asyncio.wrap_future(here.store.turn(mine, name))
    if given.distortion.value not in sheets.heard_in(turn):
        raise ServeError(422, "this label was not heard in this message")
    said = str(given.opinion)
    return view(await sheets.keep_opinion(here.store, mine, name, given.distortion.value, said))


@router.get("/distortions/own")
async def own_distortions(here: Here, mine: Mine) -> list[RecordView]:
    """Patterns of the person's own."""
    found = await asyncio.wrap_future(here.store.records(mine, sheets.OWN))
    return [view(one) for one in found]


@router.post("/distortions/own", status_code=201)
async def own_distortion(given: OwnDistortion, here: Here, mine: Mine) -> RecordView:
    """Add a pattern of one's own."""
    if given.parent is not None and given.parent not in CANONICAL:
        raise ServeError(422, "a pattern belongs to one of the twelve, or to none")
    body = given.model_dump(mode="json")
    return view(await asyncio.wrap_future(here.store.add_record(mine, sheets.OWN, body)))


@router.delete("/distortions/own/{name}", status_code=204)
async def forget_distortion(name: Name, here: Here, mine: Mine) -> Response:
    """Delete a pattern of one's own."""
    record = await asyncio.wrap_future(here.store.record(mine, name))
    if record.kind != sheets.OWN:
        raise ServeError(404, "there is no such pattern")
    await asyncio.wrap_future(here.store.delete_record(mine, name))
    return Response(status_code=204)


@router.get("/trends")
async def trends(here: Here, mine: Mine) -> Trends:
    """What is drawn over time: labels as the person sees them, ratings, scores."""
    talks = await asyncio.wrap_future(here.store.conversations(mine, None, 1000))
    turns = [
        turn for one in talks for turn in await asyncio.wrap_future(here.store.turns(mine, one.id))
    ]
    kept = await asyncio.wrap_future(here.store.records(mine))
    by_kind: dict[str, list[Record]] = {}
    for one in kept:
        by_kind.setdefault(one.kind, []).append(one)
    opinions = {one.body["turn"]: one.body["labels"] for one in by_kind.get(sheets.OPINION, [])}
    found = sheets.trends(
        turns, by_kind.get(sheets.SHEET, []), by_kind.get("questionnaire", []), opinions
    )
    return Trends(**found)


async def _sheet(here: Here, mine: str, name: str) -> Record:
    record = await asyncio.wrap_future(here.store.record(mine, name))
    if record.kind != sheets.SHEET:
        raise ServeError(404, "there is no such worksheet")
    return record


async def _heard(here: State, mine: str, record: Record, sheet: Worksheet) -> SheetView:
    """A worksheet that was kept, with where help is when what stands in it may speak of danger."""
    written = [str(text) for text in sheet.to_dict().values() if isinstance(text, str)]
    written += [note.text for note in sheet.notes]
    risk, text = await care.heard(here, mine, written, talk=False)
    view = sheet_view(record)
    if risk < Risk.MEDIUM:
        return view
    region = await _region(here, mine)
    locale = locale_of(language(text) or "en", (text,), region)
    return view.model_copy(update={"help": help_block(locale, region)})


async def _region(here: Here, mine: str) -> str | None:
    person = await asyncio.wrap_future(here.store.person(mine))
    return person.settings.get("region") or here.settings.region or None


def _file(text: str, kind: str, name: str) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return Response(text, media_type=f"{kind}; charset=utf-8", headers=headers)
