"""Whoever wrote a message that got no reply is told where help is, whatever went wrong before it.

An error may come before a message is looked at: the store cannot say whose key it is, a form is not
what was expected, a route fails. Then the text is read from the request here.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from untwist.errors import UntwistError
from untwist.serve.errors import ServeError, faults
from untwist.serve.guards import heard
from untwist.serve.state import locale_asked
from untwist.serve.told import FAILED
from untwist.serve.turns import Turns

Handler = Callable[[Request, Any], Awaitable[Response]]
_LONGEST = 20_000


def install(app: FastAPI, turns: Turns) -> None:
    """Put this before the handlers of errors that are there."""
    own = app.exception_handlers[UntwistError]
    for kind in (UntwistError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, _with_help(app.exception_handlers[kind], own, turns))


def _with_help(plain: Any, own: Any, turns: Turns) -> Handler:  # noqa: ANN401
    async def answered(request: Request, error: Exception) -> Response:
        text = written(request.scope)
        if text is None:
            answer: Response = await plain(request, error)
        else:
            answer = await own(request, await _told(request, _plain(error), text, turns))
        return answer

    return answered


async def _told(request: Request, error: Exception, text: str, turns: Turns) -> ServeError:
    try:
        return await turns.unkept(error, text)
    except Exception:  # noqa: BLE001 - the text that is always there is what is left
        return ServeError(500, FAILED, turns.told.floor().always(locale_asked(request.scope)))


def _plain(error: Exception) -> Exception:
    """An error of the frameworks as one of ours."""
    if isinstance(error, RequestValidationError):
        return ServeError(422, faults(error))
    if isinstance(error, HTTPException):
        return ServeError(error.status_code, str(error.detail))
    return error


def written(scope: Scope) -> str | None:
    """What a person said in a request; None where it says nothing to anybody."""
    came = heard(scope)
    if came is None:
        return None
    path = scope["path"]
    if path.startswith(("/begin", "/talk/")):
        found = parse_qs(bytes(came), errors="ignore").get(b"text", [b""])
        return found[0].decode("utf-8", "ignore")[:_LONGEST]
    try:
        given = json.loads(came or b"{}")
    except (ValueError, RecursionError):
        return ""
    if path.startswith("/v1/"):
        return _last(given)
    return _text(given, "text")


def _last(given: Any) -> str:  # noqa: ANN401
    said = given.get("messages") if isinstance(given, dict) else None
    users = [
        one
        for one in (said if isinstance(said, list) else [])
        if isinstance(one, dict) and one.get("role") == "user"
    ]
    if not users:
        return ""
    parts = users[-1].get("content")
    if isinstance(parts, list):
        return "\n".join(_text(part, "text") for part in parts)[:_LONGEST]
    return _text(users[-1], "content")


def _text(given: Any, name: str) -> str:  # noqa: ANN401
    value = given.get(name) if isinstance(given, dict) else None
    return value[:_LONGEST] if isinstance(value, str) else ""
