"""PHQ-9 and GAD-7 as pages: every question may be left out, and danger is answered at once."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from untwist.respond import Instrument, Questionnaire, Score, open_questionnaire, score_text
from untwist.serve import answers
from untwist.serve.errors import ServeError
from untwist.serve.state import Here
from untwist.serve.store import Record
from untwist.serve.web.asking import Who, Word, checked, mine
from untwist.serve.web.render import page
from untwist.serve.web.shown import moment
from untwist.serve.web.tasks import done
from untwist.text import Locale

router = APIRouter(include_in_schema=False)


@router.get("/questionnaire")
async def questionnaires(request: Request, here: Here, who: Who) -> Response:
    """Which there are, and what was answered before."""
    if who.person is None:
        return RedirectResponse("/", 303)
    found = await asyncio.wrap_future(here.store.records(who.person, answers.KIND))
    return page(
        request,
        who,
        "questionnaires.html",
        forms=[open_questionnaire(one, who.locale) for one in Instrument],
        given=[
            {
                "id": one.id,
                "title": open_questionnaire(answers.score_of(one).instrument, who.locale).title,
                "score": one.body["score"],
                "when": moment(one.created),
            }
            for one in found
        ],
    )


@router.get("/questionnaire/{name}")
async def questionnaire(
    request: Request,
    name: str,
    who: Who,
    task: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """The questions."""
    if who.person is None:
        return RedirectResponse("/", 303)
    return page(request, who, "questionnaire.html", form=_form(name, who.locale), task=task)


@router.post("/questionnaire/{name}")
async def answer(request: Request, name: str, here: Here, who: Who) -> Response:
    """Keep the answers; danger in them comes before the sum."""
    sent = await request.form()
    person = checked(who, str(sent.get("csrf", "")))
    form = _form(name, who.locale)
    given = tuple(_number(sent.get(f"q{place}")) for place in range(1, len(form.items) + 1))
    score = Score(form.instrument, given, _number(sent.get("difficulty")))
    kept = await answers.keep(here, person, score, who.locale, who.region)
    await done(here, person, str(sent.get("task", ""))[:40])
    if kept.conversation is not None:
        return RedirectResponse(f"/talk/{kept.conversation}", 303)
    return RedirectResponse(f"/answers/{kept.record.id}", 303)


@router.get("/answers/{name}")
async def one(request: Request, name: str, here: Here, who: Who) -> Response:
    """Answers, item by item, and what the sum says."""
    record = await asyncio.wrap_future(here.store.record(mine(who), name))
    if record.kind != answers.KIND:
        raise ServeError(404, "there are no such answers")
    score = answers.score_of(record)
    return page(
        request,
        who,
        "answers.html",
        record=record,
        found=items_of(record, who.locale),
        said=score_text(score, who.locale, who.region).splitlines()[1:],
        when=moment(record.created),
    )


@router.post("/answers/{name}/delete")
async def delete(name: str, here: Here, who: Who, csrf: Word = "") -> Response:
    """Delete answers, in the file and its free pages."""
    person = checked(who, csrf)
    record = await asyncio.wrap_future(here.store.record(person, name))
    if record.kind == answers.KIND:
        await asyncio.wrap_future(here.store.delete_record(person, name))
        await asyncio.to_thread(here.store.scrub)
    return RedirectResponse("/questionnaire", 303)


def items_of(record: Record, locale: Locale) -> dict[str, Any]:
    """Answers item by item, in words."""
    score = answers.score_of(record)
    form = open_questionnaire(score.instrument, locale)
    return {
        "title": form.title,
        "items": [
            (item, None if given is None else form.choices[given], given)
            for item, given in zip(form.items, score.answers, strict=True)
        ],
        "total": score.total,
        "bands": [form.bands[band.name] for band in score.bands],
        "guarded": score.opens_safety,
    }


def _form(name: str, locale: Locale) -> Questionnaire:
    if name not in [one.value for one in Instrument]:
        raise ServeError(404, "there is no such questionnaire")
    return open_questionnaire(Instrument(name), locale)


def _number(given: object) -> int | None:
    return int(given) if isinstance(given, str) and given in ("0", "1", "2", "3") else None
