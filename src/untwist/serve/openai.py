"""The wire format that chat clients know, in front of the guarded engine; nothing is kept.

The messages that a client sends are the conversation. A system message and tools are taken and have
no effect: what is said is decided by the engine, and no instruction of a client changes it.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from untwist.schema import Json, Turn, Utterance
from untwist.serve import sse
from untwist.serve.api.values import FAILURES
from untwist.serve.auth import Caller
from untwist.serve.errors import ServeError
from untwist.serve.events import pieces
from untwist.serve.state import Asking, Here, State
from untwist.serve.store import new_id

MODEL = "untwist"
MOST_MESSAGES = 400
router = APIRouter(prefix="/v1", tags=["chat completions"], responses=FAILURES)


class Part(BaseModel):
    """A part of a message; only text is read."""

    model_config = ConfigDict(extra="ignore")

    type: str
    text: str = ""


class ChatMessage(BaseModel):
    """A message; what other programs add is ignored."""

    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        """What it says."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.type == "text")
        return self.content or ""


class Completion(BaseModel):
    """A request; settings of a language model are taken and have no effect."""

    model_config = ConfigDict(extra="ignore")

    model: str = MODEL
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=MOST_MESSAGES)]
    stream: bool = False
    stream_options: dict[str, Any] | None = None


@router.get("/models")
async def models(here: Here, asking: Asking) -> dict[str, Any]:
    """The one model that there is."""
    _may_ask(here, asking)
    one = {"id": MODEL, "object": "model", "created": 0, "owned_by": "untwist"}
    return {"object": "list", "data": [one]}


@router.post("/chat/completions", response_model=None)
async def completions(
    given: Completion, here: Here, asking: Asking
) -> dict[str, Any] | StreamingResponse:
    """Answer the last message of the user, which must come last."""
    _may_ask(here, asking)
    said = [one for one in given.messages if one.role in ("user", "assistant") and one.text.strip()]
    if not said or said[-1].role != "user":
        raise ServeError(422, "the last message must be the user's, and hold text")
    history = [
        Utterance(one.text, role="user" if one.role == "user" else "assistant") for one in said[:-1]
    ]
    made = await here.turns.stateless(said[-1].text, history)
    head: Json = {"id": f"chatcmpl-{new_id()}", "created": int(time.time()), "model": MODEL}
    words = _usage(given, made)
    if given.stream:
        wanted = bool((given.stream_options or {}).get("include_usage"))
        return StreamingResponse(
            _stream(head, made, words if wanted else None), headers=sse.HEADERS
        )
    message = {"role": "assistant", "content": made.reply.text}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {**head, "object": "chat.completion", "choices": [choice], "usage": words}


def _may_ask(here: State, asking: Caller) -> None:
    """A public server answers those with a key; on this machine anybody may ask."""
    if here.settings.public and asking.token is None:
        raise ServeError(401, "this needs a key of this server")


async def _stream(head: Json, made: Turn, usage: Json | None) -> AsyncIterator[bytes]:
    role: Json = {"role": "assistant", "content": ""}
    yield _chunk(head, [_delta(role)])
    for piece in pieces(made.reply.text):
        yield _chunk(head, [_delta({"content": piece})])
    yield _chunk(head, [_delta({}, "stop")])
    if usage is not None:
        yield _chunk({**head, "usage": usage}, [])
    yield b"data: [DONE]\n\n"


def _delta(delta: Json, finish: str | None = None) -> Json:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}


def _chunk(head: Json, choices: list[Json]) -> bytes:
    body = {**head, "object": "chat.completion.chunk", "choices": choices}
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()


def _usage(given: Completion, made: Turn) -> Json:
    """Words and characters in place of tokens, which there are none of."""
    asked = sum(len(one.text.split()) for one in given.messages)
    said = len(made.reply.text.split())
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}
