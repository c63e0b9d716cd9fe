"""One shape for every error: {"error": {"code": ..., "message": ..., "help"?: ...}}.

`help` is a crisis reply or the help block: it is there whenever somebody wrote something that got
no reply, so that nobody is left with an error alone.
"""

from __future__ import annotations

import math

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from untwist.errors import (
    ConfigError,
    DataError,
    ModelError,
    SafetyError,
    StoreError,
    UntwistError,
)
from untwist.schema import Json

RETRY = 2
"""Seconds after which a busy server may be asked again."""

_CODES = {
    400: "bad_request",
    401: "no_key",
    403: "forbidden",
    404: "not_found",
    405: "method",
    408: "too_slow",
    409: "conflict",
    413: "too_large",
    415: "media_type",
    422: "invalid",
    429: "too_many",
    500: "failed",
    503: "busy",
    507: "full",
}
_STORE = {"full": 507, "gone": 404, "conflict": 409}


class ServeError(UntwistError):
    """An answer that is an error.

    Attributes:
        status: of HTTP.
        help: what a person is shown beside the message; None where nobody wrote anything.
    """

    def __init__(self, status: int, message: str, help_text: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.help = help_text


def body(status: int, message: str, help_text: str | None = None) -> Json:
    """The one shape."""
    extra = {"help": help_text} if help_text is not None else {}
    return {"error": {"code": _CODES.get(status, "failed"), "message": message, **extra}}


def response(status: int, message: str, help_text: str | None = None) -> JSONResponse:
    """The one shape as an answer; nothing that is private may be kept by a cache."""
    headers = {"Cache-Control": "no-store"}
    if status in (429, 503):
        headers["Retry-After"] = str(math.ceil(RETRY))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body(status, message, help_text), status, headers)


def status_of(error: UntwistError) -> int:
    """Which status an error of ours has."""
    if isinstance(error, ServeError):
        return error.status
    if isinstance(error, StoreError):
        return _STORE.get(error.reason, 503)
    if isinstance(error, DataError | ConfigError):
        return 422
    if isinstance(error, SafetyError | ModelError):
        return 503
    return 500


def faults(error: RequestValidationError) -> str:
    """Where and of what kind, never the value: it may be what somebody wrote."""
    found = [f"{'.'.join(map(str, one['loc']))}: {one['type']}" for one in error.errors()[:5]]
    return "; ".join(found)


def install(app: FastAPI) -> None:
    """Answer every error in the one shape."""

    async def own(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, UntwistError)
        return response(status_of(error), str(error), getattr(error, "help", None))

    async def http(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        plain = {404: "there is nothing here", 405: "this address takes another method"}
        return response(error.status_code, plain.get(error.status_code, str(error.detail)))

    async def invalid(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return response(422, faults(error))

    async def unknown(_: Request, error: Exception) -> JSONResponse:
        return response(500, f"the server failed ({type(error).__name__})")

    app.add_exception_handler(UntwistError, own)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, unknown)
