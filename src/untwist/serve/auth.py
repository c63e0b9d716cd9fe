"""Who asks: a cookie of a browser or a key of a program, and what it may do.

A cookie is for pages of this origin alone: whatever changes something must come from here
(Sec-Fetch-Site, Origin) and bring the token that only our pages hold. A key stands in the header
Authorization. Secrets are compared as hashes in the store.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from untwist.serve.errors import ServeError
from untwist.serve.settings import ServeSettings
from untwist.serve.store import Store, Token
from untwist.serve.store.values import Scope

COOKIE_DAYS = 400
CSRF_FIELD = "csrf"
CSRF_HEADER = "x-untwist-csrf"
SAFE = ("GET", "HEAD", "OPTIONS")
_SECURE_NAME, _PLAIN_NAME = "__Host-untwist", "untwist"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        token: as the store knows it; None for a program on this machine without a key.
        via: by which way.
        secret: of the cookie; "" without one.
    """

    token: Token | None
    via: Literal["cookie", "key", "none"]
    secret: str = ""

    @property
    def person(self) -> str | None:
        """Whose things may be touched; None without a person."""
        return self.token.person if self.token else None

    @property
    def csrf(self) -> str:
        """What a form of this caller must bring."""
        return hmac.new(self.secret.encode(), b"untwist csrf", hashlib.sha256).hexdigest()


async def caller_of(request: Request, store: Store, settings: ServeSettings) -> Caller:
    """Who asks, by key before cookie.

    Raises:
        ServeError: 401 with a key that is worth nothing, 403 for a request from another site.
    """
    given = request.headers.get("authorization", "")
    if given.lower().startswith("bearer "):
        token = await asyncio.wrap_future(store.token(given[7:].strip()))
        if token is None and (settings.public or given[7:].strip().startswith("ut-")):
            raise ServeError(401, "this key is worth nothing here")
        return Caller(token, "key")
    must_be_ours(request, settings)
    secret = request.cookies.get(_name(settings), "")
    token = await asyncio.wrap_future(store.token(secret)) if secret else None
    return Caller(token, "cookie", secret) if token else Caller(None, "none")


def must_be_ours(request: Request, settings: ServeSettings) -> None:
    """Refuse what another site makes a browser send.

    Raises:
        ServeError: 403.
    """
    if request.method in SAFE:
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site not in (None, "same-origin", "none") or (
        origin and not _own(request, origin, settings)
    ):
        raise ServeError(403, "this request comes from another site")


def must_bring(caller: Caller, brought: str | None) -> None:
    """Refuse a change by cookie that does not bring the token of our pages.

    Raises:
        ServeError: 403.
    """
    if caller.via == "cookie" and not hmac.compare_digest(brought or "", caller.csrf):
        raise ServeError(403, "the page is too old: load it again")


def require(caller: Caller, *scopes: Scope) -> str:
    """The person who asks, if they may.

    Raises:
        ServeError: 401 without a key or cookie, 403 with one of another kind.
    """
    if caller.token is None or (caller.person is None and "operator" not in scopes):
        raise ServeError(401, "this needs a key or a cookie of this server")
    if caller.token.scope not in scopes:
        raise ServeError(403, "this key may not do that")
    return caller.person or ""


def set_cookie(response: Response, secret: str, settings: ServeSettings) -> None:
    """Let a browser be known again."""
    response.set_cookie(
        _name(settings),
        secret,
        max_age=COOKIE_DAYS * 86_400,
        httponly=True,
        secure=settings.secure,
        samesite="strict",
        path="/",
    )


def drop_cookie(response: Response, settings: ServeSettings) -> None:
    """Let a browser be forgotten."""
    response.delete_cookie(
        _name(settings), path="/", httponly=True, secure=settings.secure, samesite="strict"
    )


def _name(settings: ServeSettings) -> str:
    return _SECURE_NAME if settings.secure else _PLAIN_NAME


def _own(request: Request, origin: str, settings: ServeSettings) -> bool:
    if settings.origin:
        return origin == settings.origin.rstrip("/")
    return urlsplit(origin).netloc == request.headers.get("host")
