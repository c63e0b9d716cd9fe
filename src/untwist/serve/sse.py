"""Server-sent events with ids, so that a stream that broke can be taken up on any worker."""

from __future__ import annotations

import json
import re

from untwist.errors import DataError
from untwist.serve.store import Event

COMMENT = b": \n\n"
"""A sign of life; no client sees it as an event."""
HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
    "Connection": "keep-alive",
}
LAST = ("done", "failed")
"""Events that end a stream; without one a reply is not whole."""

_ID = re.compile(r"([A-Za-z0-9_-]{16,32})\.(-1|\d{1,6})", re.ASCII)


def written(event: Event) -> bytes:
    """One event on the wire; its id is TURN.N."""
    data = json.dumps(event.body["data"], ensure_ascii=False)
    return f"id: {event.turn}.{event.n}\nevent: {event.body['event']}\ndata: {data}\n\n".encode()


def place_of(last_event_id: str) -> tuple[str, int]:
    """The turn and the place after a Last-Event-ID.

    Raises:
        DataError: it is none of ours.
    """
    found = _ID.fullmatch(last_event_id.strip())
    if found is None:
        raise DataError("Last-Event-ID is none of this server's")
    return found[1], int(found[2]) + 1
