"""All pages together: routes, static files, errors for people, and the lock before them."""

from __future__ import annotations

from importlib.resources import files as resources
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from untwist.errors import UntwistError
from untwist.serve.errors import status_of
from untwist.serve.web import (
    account,
    around,
    clinician,
    files,
    history,
    learn,
    pages,
    questionnaires,
    records,
    tasks,
    trends,
)
from untwist.serve.web.render import LOCKED_PAGE, Locked, nobody, page, texts, whoever

_PLACES = (pages, around, files, records, tasks, history, trends, questionnaires, learn)
ROUTERS = tuple(place.router for place in (*_PLACES, account, clinician))
_NOT_PAGES = ("/api/", "/v1/", "/healthz", "/readyz", "/metrics", "/static/")
_LONG = "public, max-age=31536000, immutable"


class _Kept(StaticFiles):
    """Files whose address changes with their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = _LONG
        return answer


def install(app: FastAPI) -> None:
    """Add the pages to an application."""
    for router in ROUTERS:
        app.include_router(router)
    folder = Path(str(resources("untwist.serve.web").joinpath("static")))
    app.mount("/static", _Kept(directory=folder), name="static")
    for kind in (UntwistError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, _for_people(app.exception_handlers[kind]))


def _for_people(for_programs: Any) -> Any:  # noqa: ANN401
    """An error as a page where a person asked, and as it was for a program."""

    async def shown(request: Request, error: Exception) -> Response:
        if not is_page(request):
            answer = await for_programs(request, error)
            assert isinstance(answer, Response)
            return answer
        if isinstance(error, Locked):
            return page(request, await whoever(request), LOCKED_PAGE, 403, problem="")
        return await _said(request, _status(error), getattr(error, "help", None))

    return shown


def _status(error: Exception) -> int:
    if isinstance(error, HTTPException):
        return error.status_code
    if isinstance(error, UntwistError):
        return status_of(error)
    return 422 if isinstance(error, RequestValidationError) else 500


def is_page(request: Request) -> bool:
    """Whether a person asked, and not a program."""
    asked = "text/html" in request.headers.get("accept", "")
    return asked and not request.url.path.startswith(_NOT_PAGES)


async def _said(request: Request, status: int, help_text: str | None) -> Response:
    who = nobody(request)
    words = texts(who.locale)
    gone = status in (401, 404, 405)
    return page(
        request,
        who,
        "message.html",
        status,
        title=words["not_found" if gone else "failed"],
        text=words["not_found_text"] if gone else "",
        help=help_text or "",
    )
