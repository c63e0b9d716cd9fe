"""What changes over time, drawn and in tables; nothing is judged and nothing is predicted."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from untwist.respond import Instrument, open_questionnaire
from untwist.serve import answers
from untwist.serve.api import records as api
from untwist.serve.state import Here
from untwist.serve.web import charts
from untwist.serve.web.asking import Who
from untwist.serve.web.render import page, texts
from untwist.serve.web.shown import day
from untwist.taxonomy import Distortion
from untwist.text import Locale

router = APIRouter(include_in_schema=False)
MOST = 30
"""Points of a chart; the table has all."""


@router.get("/trends")
async def trends(request: Request, here: Here, who: Who) -> Response:
    """Patterns, ratings before and after, questionnaires."""
    if who.person is None:
        return RedirectResponse("/", 303)
    found = await api.trends(here, who.person)
    return page(
        request,
        who,
        "trends.html",
        counts=counts(found.distortions, who.locale),
        ratings=[
            chart
            for what in ("belief", "emotion")
            if (chart := ratings(found.ratings, what, who.locale))
        ],
        scores=[
            chart
            for instrument in Instrument
            if (chart := scores(found.scores, instrument, who.locale))
        ],
    )


def counts(found: dict[str, int], locale: Locale) -> list[dict[str, Any]]:
    """How often each pattern was heard, the most frequent first."""
    most = max(found.values(), default=0)
    return [
        {"name": Distortion(name).name_in(locale), "count": n, "bar": charts.bar(n, most)}
        for name, n in found.items()
    ]


def ratings(found: list[dict[str, Any]], what: str, locale: Locale) -> dict[str, Any] | None:
    """One kind of rating before and after; None when there is none."""
    rows = [
        charts.Pair(day(one["at"]), one[f"{what}_before"], one[f"{what}_after"])
        for one in found
        if (one[f"{what}_before"], one[f"{what}_after"]) != (None, None)
    ]
    if not rows:
        return None
    words = texts(locale)
    title = words[f"trend_{what}"]
    about = words["trend_pairs"].format(n=len(rows[-MOST:]))
    return {
        "title": title,
        "chart": charts.pairs(rows[-MOST:], title, about),
        "rows": rows[::-1],
    }


def scores(
    found: list[dict[str, Any]], instrument: Instrument, locale: Locale
) -> dict[str, Any] | None:
    """The sums of one questionnaire; None when there is none."""
    form = open_questionnaire(instrument, locale)
    rows = [
        charts.Point(day(one["at"]), int(one["score"]))
        for one in found
        if one["questionnaire"] == instrument.value
    ]
    if not rows:
        return None
    bands = [(form.bands[one.name], one.low, one.high) for one in answers.bands(instrument)]
    most = bands[-1][2]
    about = texts(locale)["trend_scores"].format(n=len(rows[-MOST:]), most=most)
    drawn: Markup = charts.scores(rows[-MOST:], bands, most, form.title, about)
    return {
        "title": form.title,
        "chart": drawn,
        "rows": [
            {"when": one.when, "value": one.value, "band": _band(one.value, bands)}
            for one in rows[::-1]
        ],
    }


def _band(value: int, bands: list[tuple[str, int, int]]) -> str:
    return next((name for name, low, high in bands if low <= value <= high), "")
