"""What stands around every request: size, time, number, and headers. Plain ASGI, no buffering."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from untwist.serve import errors
from untwist.serve.settings import Limits

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; manifest-src 'self'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), interest-cohort=()",
}
_NO_STORE = (b"cache-control", b"no-store")
_STRICT = "max-age=31536000; includeSubDomains"
_TOO_LARGE = "the request has more bytes than are taken here"
_SAYING = re.compile(r"/api/sessions/[^/]+/messages|/begin|/talk/[^/]+|/v1/chat/completions")
"""Where somebody says something and waits for a reply."""
ALWAYS = ("/healthz", "/help", "/static/")
"""What is answered however many requests are at work."""


@dataclass
class _Body:
    """How much of a request is there.

    Attributes:
        whole: all of it.
    """

    whole: bool


class Guards:
    """Refuses what is too large, too slow or too much, and adds headers that browsers obey.

    Args:
        app: what is guarded.
        limits: the bounds.
        secure: whether browsers come by https.
        help_for: the help block for a request that is refused, by its headers.
    """

    def __init__(
        self, app: ASGIApp, limits: Limits, *, secure: bool, help_for: Callable[[Scope], str]
    ) -> None:
        self._app = app
        self._limits = limits
        self._at_work = 0
        self._help_for = help_for
        given = {**_HEADERS, **({"Strict-Transport-Security": _STRICT} if secure else {})}
        named = [(k.lower().encode(), v.encode()) for k, v in given.items()]
        # what is private may be kept by no cache; what may be kept says so itself
        self._headers = [*named, _NO_STORE]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._at_work >= self._limits.requests and not scope["path"].startswith(ALWAYS):
            await self._refuse(scope, send, 503, "too many requests at work: try again in a moment")
            return
        self._at_work += 1
        try:
            await self._guarded(scope, receive, send)
        finally:
            self._at_work -= 1

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": self._with_headers(message)}
                if not body.whole:
                    # what still comes is not read: the connection ends with the answer
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        most = self._most(scope)
        body = _Body(not _brings(scope))
        if _declared(scope) > most:
            await self._refuse(scope, send, 413, _TOO_LARGE)
            return
        try:
            await self._app(scope, self._bounded(scope, receive, most, body), sending)
        except HTTPException as error:
            if started:
                raise
            await self._refuse(scope, send, error.status_code, error.detail)

    def _most(self, scope: Scope) -> int:
        restoring = scope["path"].rstrip("/").endswith(("/import", "/restore"))
        return self._limits.archive if restoring else self._limits.body

    def _bounded(self, scope: Scope, receive: Receive, most: int, body: _Body) -> Receive:
        """The request's body, bounded in bytes and in time until it is there in full."""
        seen, whole = 0, False
        until = asyncio.get_running_loop().time() + self._limits.receiving
        kept = heard(scope)

        async def receiving() -> Message:
            nonlocal seen, whole
            if whole:
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, "the request took too long to arrive") from None
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if kept is not None and seen <= most:
                    kept.extend(message.get("body", b""))
                whole = body.whole = not message.get("more_body", False)
            if seen > most:
                raise HTTPException(413, _TOO_LARGE)
            return message

        return receiving

    def _with_headers(self, message: MutableMapping[str, Any]) -> list[tuple[bytes, bytes]]:
        given = list(message.get("headers", []))
        known = {name.lower() for name, _ in given}
        return [*given, *((k, v) for k, v in self._headers if k not in known)]

    async def _refuse(self, scope: Scope, send: Send, status: int, message: str) -> None:
        answer = errors.response(status, message, self._help_for(scope))
        headers = self._with_headers({"headers": [*answer.raw_headers, (b"connection", b"close")]})
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": bytes(answer.body)})


def heard(scope: Scope) -> bytearray | None:
    """The bytes that came in a request by which somebody says something; None in any other.

    They are kept for as long as the request, so that whatever fails can be answered with help.
    """
    if scope["method"] != "POST" or not _SAYING.fullmatch(scope["path"].rstrip("/")):
        return None
    found: bytearray = scope.setdefault("untwist.heard", bytearray())
    return found


def _brings(scope: Scope) -> bool:
    """Whether a body comes with a request."""
    return _declared(scope) > 0 or any(name == b"transfer-encoding" for name, _ in scope["headers"])


def _declared(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:18])
    return 0
