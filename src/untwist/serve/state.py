"""What every route uses, and how a route comes by it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import Scope

from untwist.engine import Engine
from untwist.serve import lock
from untwist.serve.auth import CSRF_HEADER, SAFE, Caller, caller_of, must_bring, require
from untwist.serve.errors import ServeError
from untwist.serve.metrics import Metrics
from untwist.serve.settings import ServeSettings
from untwist.serve.store import Store
from untwist.serve.turns import Turns
from untwist.text import Locale


@dataclass(frozen=True)
class State:
    """What every route uses.

    Attributes:
        engine: hears and answers.
        settings: of the operator.
        store: where all is kept.
        turns: makes turns.
        metrics: what is counted.
        shared_metrics: the folder where several workers leave their counts; None is one worker.
    """

    engine: Engine
    settings: ServeSettings
    store: Store
    turns: Turns
    metrics: Metrics
    shared_metrics: str | None = None


def state_of(request: Request) -> State:
    """The state of the application that a request came to."""
    found: State = request.app.state.untwist
    return found


async def caller(request: Request) -> Caller:
    """Who asks.

    Raises:
        ServeError: 401 or 403.
    """
    state = state_of(request)
    found = await caller_of(request, state.store, state.settings)
    if request.method not in SAFE and request.url.path.startswith("/api/"):
        must_bring(found, request.headers.get(CSRF_HEADER))
    if found.via == "cookie" and found.person:
        person = await asyncio.wrap_future(state.store.person(found.person))
        if not lock.is_open(request, found, person.settings.get(lock.KEY), state.store.clock()):
            raise ServeError(403, "this is locked: open it on the first page")
    return found


Asking = Annotated[Caller, Depends(caller)]
Here = Annotated[State, Depends(state_of)]


async def person(asking: Asking) -> str:
    """The person who asks.

    Raises:
        ServeError: 401 without one, 403 for another kind of key.
    """
    return require(asking, "person")


Mine = Annotated[str, Depends(person)]


def locale_asked(scope: Scope) -> Locale:
    """The language that a browser asks for, of those that there are."""
    headers: dict[bytes, bytes] = dict(scope.get("headers", []))
    asked = headers.get(b"accept-language", b"").decode("latin-1").lower()
    parts = (part.strip() for part in asked.split(","))
    first = next((part for part in parts if part[:2] in ("en", "zh")), "en")
    if first.startswith("zh"):
        hant = any(mark in first for mark in ("hant", "tw", "hk", "mo"))
        return "zh-Hant" if hant else "zh"
    return "en"
