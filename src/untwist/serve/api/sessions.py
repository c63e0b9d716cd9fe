"""People, their conversations and messages; a reply as JSON or as a stream that can be resumed."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from starlette.responses import StreamingResponse

from untwist.schema import Json
from untwist.serve import sse
from untwist.serve.api import values
from untwist.serve.auth import require
from untwist.serve.errors import ServeError
from untwist.serve.state import Asking, Here, Mine

router = APIRouter(prefix="/api", tags=["conversation"], responses=values.FAILURES)
_STREAM: dict[int | str, dict[str, object]] = {
    200: {"content": {"text/event-stream": {}}, "description": "The reply."}
}


@router.post("/people", status_code=201)
async def new_person(given: values.NewPerson, here: Here, asking: Asking) -> values.Made:
    """Somebody new. On a public server this asks for the operator's key."""
    if here.settings.public:
        require(asking, "operator")
    settings: Json = given.model_dump(exclude_none=True)
    made, secret = await asyncio.wrap_future(here.store.new_person(settings))
    return values.Made(id=made.id, key=secret)


@router.post("/sessions", status_code=201)
async def new_session(given: values.NewSession, here: Here, mine: Mine) -> values.Session:
    """Begin a conversation."""
    made = await asyncio.wrap_future(here.store.new_conversation(mine, {"title": given.title}))
    return values.session(made)


@router.get("/sessions")
async def sessions(
    here: Here,
    mine: Mine,
    before: float | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> values.SessionList:
    """Conversations, the latest first."""
    found = await asyncio.wrap_future(here.store.conversations(mine, before, limit))
    return values.SessionList(sessions=[values.session(one) for one in found])


@router.post("/search")
async def search(given: values.Search, here: Here, mine: Mine) -> values.SessionList:
    """Conversations in which these words were said; no words stand in an address."""
    found = await asyncio.wrap_future(here.store.search(mine, given.words, given.limit))
    return values.SessionList(sessions=[values.session(one) for one in found])


@router.get("/sessions/{name}")
async def session(name: values.Name, here: Here, mine: Mine) -> values.SessionView:
    """One conversation with its turns."""
    found = await asyncio.wrap_future(here.store.conversation(mine, name))
    turns = await asyncio.wrap_future(here.store.turns(mine, name))
    own = values.session(found).model_dump()
    return values.SessionView(**own, log=[values.turn(one) for one in turns])


@router.delete("/sessions/{name}", status_code=204)
async def delete_session(name: values.Name, here: Here, mine: Mine) -> Response:
    """Delete a conversation with all that was said."""
    await asyncio.wrap_future(here.store.delete_conversation(mine, name))
    await asyncio.to_thread(here.store.scrub)
    return Response(status_code=204)


@router.post("/sessions/{name}/messages", response_model=values.TurnView, responses=_STREAM)
async def message(
    name: values.Name,
    given: values.Message,
    request: Request,
    here: Here,
    mine: Mine,
    idempotency_key: Annotated[values.Key | None, Header()] = None,
) -> values.TurnView | StreamingResponse:
    """Say something. The message and what was decided about safety are kept before anything else.

    With `Accept: text/event-stream` the reply comes as events, else as one value when it is whole.
    The same Idempotency-Key gives the same turn, however often it is sent.
    """
    begun = await here.turns.post(mine, name, given.text, idempotency_key)
    if "text/event-stream" in request.headers.get("accept", ""):
        stream = here.turns.follow(mine, begun.id)
        return StreamingResponse(stream, headers=sse.HEADERS)
    return values.turn(await here.turns.finished(mine, begun.id))


@router.get("/turns/{name}")
async def turn(name: values.Name, here: Here, mine: Mine) -> values.TurnView:
    """One turn, for clients that ask again instead of listening."""
    return values.turn(await asyncio.wrap_future(here.store.turn(mine, name)))


@router.get("/turns/{name}/events", response_class=StreamingResponse, responses=_STREAM)
async def events(
    name: values.Name,
    here: Here,
    mine: Mine,
    last_event_id: Annotated[str | None, Header()] = None,
) -> StreamingResponse:
    """The events of a reply, from the one after Last-Event-ID on; on any worker."""
    first = 0
    if last_event_id:
        of, first = sse.place_of(last_event_id)
        if of != name:
            raise ServeError(422, "Last-Event-ID belongs to another reply")
    await asyncio.wrap_future(here.store.turn(mine, name))
    return StreamingResponse(here.turns.follow(mine, name, first), headers=sse.HEADERS)
