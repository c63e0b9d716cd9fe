"""PHQ-9 and GAD-7: their words, answers, and the history of both."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from untwist.respond import Instrument, Questionnaire, Score, open_questionnaire, score_text
from untwist.serve import answers
from untwist.serve.api import values
from untwist.serve.api.values import Given, LocaleName, Name
from untwist.serve.errors import ServeError
from untwist.serve.state import Here, Mine

router = APIRouter(prefix="/api", tags=["questionnaires"], responses=values.FAILURES)
_Answer = Annotated[int, Field(ge=0, le=3, strict=True)] | None


class FormView(BaseModel):
    """The words of a questionnaire; `source` says who made it, and that it may be shown."""

    name: str
    title: str
    intro: str
    items: list[str]
    choices: list[str]
    difficulty: str
    difficulty_choices: list[str]
    source: str


class NewAnswers(Given):
    """Answers from 0 to 3 in order; null for a question that was left out."""

    answers: Annotated[list[_Answer], Field(min_length=7, max_length=9)]
    difficulty: _Answer = None
    locale: LocaleName = "en"


class AnswersView(BaseModel):
    """Answers with what follows from them; a sum is no diagnosis."""

    id: str
    created: float
    body: dict[str, Any]


class AnswersKept(AnswersView):
    """Answers that were kept just now.

    `safety` is the crisis reply to an answer above 0 to the question about death and self-harm: it
    must be shown at once, before anything else; `session` is the conversation that it begins.
    """

    text: str
    safety: str | None
    session: str | None


@router.get("/questionnaires")
async def questionnaires(locale: LocaleName = "en") -> list[FormView]:
    """All questionnaires."""
    return [_form(open_questionnaire(one, locale)) for one in Instrument]


@router.get("/questionnaires/{name}")
async def questionnaire(name: Instrument, locale: LocaleName = "en") -> FormView:
    """One questionnaire."""
    return _form(open_questionnaire(name, locale))


@router.post("/questionnaires/{name}", status_code=201)
async def answer(name: Instrument, given: NewAnswers, here: Here, mine: Mine) -> AnswersKept:
    """Keep answers; danger in them is answered at once."""
    score = Score(name, tuple(given.answers), given.difficulty)
    person = await asyncio.wrap_future(here.store.person(mine))
    region = person.settings.get("region") or here.settings.region or None
    kept = await answers.keep(here, mine, score, given.locale, region)
    return AnswersKept(
        id=kept.record.id,
        created=kept.record.created,
        body=kept.record.body,
        text=score_text(score, given.locale, region),
        safety=kept.safety,
        session=kept.conversation,
    )


@router.get("/answers")
async def history(here: Here, mine: Mine) -> list[AnswersView]:
    """All answers, the latest first, item by item."""
    found = await asyncio.wrap_future(here.store.records(mine, answers.KIND))
    return [AnswersView(id=one.id, created=one.created, body=one.body) for one in found]


@router.delete("/answers/{name}", status_code=204)
async def delete(name: Name, here: Here, mine: Mine) -> Response:
    """Delete answers."""
    record = await asyncio.wrap_future(here.store.record(mine, name))
    if record.kind != answers.KIND:
        raise ServeError(404, "there are no such answers")
    await asyncio.wrap_future(here.store.delete_record(mine, name))
    await asyncio.to_thread(here.store.scrub)
    return Response(status_code=204)


def _form(found: Questionnaire) -> FormView:
    return FormView(
        name=found.instrument.value,
        title=found.title,
        intro=found.intro,
        items=list(found.items),
        choices=list(found.choices),
        difficulty=found.difficulty,
        difficulty_choices=list(found.difficulty_choices),
        source=found.source,
    )
