"""The application: `create_app(engine, settings, store)`; no globals, nothing read at import."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping

from fastapi import FastAPI

import untwist
from untwist.engine import Engine
from untwist.errors import StoreError, UntwistError
from untwist.safety import help_block
from untwist.serve import errors, openai, stopping, unanswered
from untwist.serve.api import account, clinician, health, questionnaires, records, sessions
from untwist.serve.guards import Guards
from untwist.serve.metrics import Metrics
from untwist.serve.settings import ServeSettings
from untwist.serve.state import State, locale_asked
from untwist.serve.store import Store
from untwist.serve.turns import Turns
from untwist.serve.web import site

_ROUTERS = (
    health.router,
    sessions.router,
    account.router,
    records.router,
    questionnaires.router,
    clinician.router,
    openai.router,
)
_LAG = 0.5
_SWEEP = 3600.0
_RECOVER = 5.0


def create_app(
    engine: Engine,
    settings: ServeSettings,
    store: Store,
    environment: Mapping[str, str] | None = None,
) -> FastAPI:
    """An ASGI application that owns the store and closes it at its end.

    Args:
        engine: hears and answers; called from several threads at once.
        settings: of the operator.
        store: opened, with its tables up to date.
        environment: tells where several workers leave their counts; None is one worker.
    """
    metrics = Metrics()
    turns = Turns(engine, store, settings, metrics)
    shared = (environment or {}).get("PROMETHEUS_MULTIPROC_DIR")
    state = State(engine, settings, store, turns, metrics, shared)
    app = FastAPI(
        title="untwist",
        version=untwist.__version__,
        description="Hears cognitive distortions, notices risk, answers with care.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=_lifespan,
    )
    app.state.untwist = state
    errors.install(app)
    for router in _ROUTERS:
        app.include_router(router)
    site.install(app)
    unanswered.install(app, turns)
    app.add_middleware(
        Guards,
        limits=settings.limits,
        secure=settings.secure,
        help_for=lambda scope: help_block(locale_asked(scope), settings.region or None),
    )
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state: State = app.state.untwist
    watching = [
        asyncio.create_task(work) for work in (_lag(state), _recovering(state), _retention(state))
    ]
    try:
        with stopping.heard(state.turns.stop):
            yield
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        await state.turns.close()
        await asyncio.to_thread(state.store.close)


async def _lag(state: State) -> None:
    while True:
        before = time.monotonic()
        await asyncio.sleep(_LAG)
        state.metrics.loop_lag.set(max(0.0, time.monotonic() - before - _LAG))


async def _recovering(state: State) -> None:
    """Answer what dead processes left, at the start and ever after."""
    while True:
        try:
            await state.turns.recover()
        except UntwistError as error:
            reason = getattr(error, "reason", type(error).__name__)
            state.metrics.failures.labels(f"recover-{reason}").inc()
        await asyncio.sleep(_RECOVER)


async def _retention(state: State) -> None:
    """Erase those who stayed away, and leave nothing of them in the file."""
    while state.settings.retention_days:
        try:
            if await asyncio.wrap_future(state.store.retire(state.settings.retention_days)):
                await asyncio.to_thread(state.store.scrub)
        except StoreError as error:
            state.metrics.failures.labels(f"retention-{error.reason}").inc()
        await asyncio.sleep(_SWEEP)
