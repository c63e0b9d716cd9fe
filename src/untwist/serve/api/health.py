"""Whether the server lives, can work, and what it counted."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response
from pydantic import BaseModel

from untwist.errors import StoreError
from untwist.serve.auth import require
from untwist.serve.errors import ServeError
from untwist.serve.state import Asking, Here

router = APIRouter(tags=["operation"])


class Health(BaseModel):
    """That the server is there."""

    status: str


@router.get("/healthz")
async def healthz() -> Health:
    """The process answers."""
    return Health(status="ok")


@router.get("/readyz", responses={503: {"description": "The store cannot be used."}})
async def readyz(here: Here) -> Health:
    """The process can do its work: the store can be read."""
    try:
        async with asyncio.timeout(2):
            await asyncio.wrap_future(here.store.ready())
    except (StoreError, TimeoutError) as error:
        raise ServeError(503, "the store cannot be used") from error
    return Health(status="ready")


@router.get("/metrics", response_class=Response)
async def metrics(here: Here, asking: Asking) -> Response:
    """Counts and times for Prometheus, without a text; for the operator's key when public."""
    if here.settings.public:
        require(asking, "operator")
    return Response(here.metrics.page(here.shared_metrics), media_type="text/plain; version=0.0.4")
