"""What a chat server sent, as values: one JSON object, or a stream of events.

Leaves out: whether what was said can be used; that is for the caller to judge.
"""

from __future__ import annotations

import asyncio
import codecs
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from untwist.errors import ModelError
from untwist.llm.calls import Usage
from untwist.llm.wire import Response

DONE = "[DONE]"
"""The last event of a stream."""
GRACE = 1.0
"""Seconds that a stream has to end after its last event."""


@dataclass(slots=True)
class Said:
    """What has come of an answer.

    Attributes:
        text: so far.
        model: as the server calls it; "" when it does not say.
        finish: why it ended; "" while it has not.
        refused: whether the model declined in the field made for that.
        usage: its tokens; None when the server does not say.
    """

    text: str = ""
    model: str = ""
    finish: str = ""
    refused: bool = False
    usage: Usage | None = None


def whole(raw: bytes, response: Response) -> Any:  # noqa: ANN401
    """The JSON value of a body.

    Raises:
        ModelError: it is empty, a web page, no UTF-8 or no JSON.
    """
    if not raw.strip():
        raise ModelError("the server sent nothing", reason="empty", retryable=True)
    if "text/html" in response.headers.get("content-type", "") or raw.lstrip()[:1] == b"<":
        raise ModelError(
            "the server sent a web page: is the URL right, and is it the model's?",
            reason="html",
            retryable=True,
        )
    return _loaded(_decoded(raw))


def message_of(value: Any) -> Said:  # noqa: ANN401
    """What an answer in one piece says.

    Raises:
        ModelError: it has not the form of a chat completion, or it holds an error.
    """
    choice = _choice(value)
    message = choice.get("message") if choice else None
    if choice is None or not isinstance(message, Mapping):
        raise _no_answer()
    said = Said()
    _note(value, choice, said)
    said.refused = bool(message.get("refusal"))
    said.text = _text(message.get("content"))
    # a server that leaves the reason out has sent the whole object, so the answer has its end
    said.finish = said.finish or "stop"
    return said


async def events(body: AsyncIterator[bytes], said: Said) -> AsyncGenerator[Any, None]:
    """The values of server-sent events, up to the last, after which `said` has its end.

    Raises:
        ModelError: no UTF-8, no JSON, or no proper end.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    rest = ""
    async for piece in body:
        try:
            rest += decoder.decode(piece)
        except UnicodeDecodeError as error:
            raise _bad_encoding() from error
        *lines, rest = rest.split("\n")
        for line in lines:
            text = line.strip()
            if not text.startswith("data:"):
                continue
            data = text[5:].strip()
            if data == DONE:
                said.finish = said.finish or "stop"
                await _drain(body)
                return
            yield _loaded(data)


async def _drain(body: AsyncIterator[bytes]) -> None:
    """Reads the end of a body, so that its connection can be used again, but waits for none."""
    with suppress(TimeoutError, ModelError):
        async with asyncio.timeout(GRACE):
            async for _ in body:
                pass


def delta_of(event: Any, said: Said) -> str:  # noqa: ANN401
    """The text in one event of a stream; what else it tells is noted in `said`.

    Raises:
        ModelError: it has not the form of a chunk, or it holds an error.
    """
    choice = _choice(event)
    if choice is None:
        # the last event may hold the usage and nothing else
        said.usage = _usage(event) or said.usage
        return ""
    delta = choice.get("delta") or {}
    if not isinstance(delta, Mapping):
        raise _no_answer()
    _note(event, choice, said)
    said.refused = said.refused or bool(delta.get("refusal"))
    return _text(delta.get("content"))


def _choice(value: Any) -> Mapping[str, Any] | None:  # noqa: ANN401
    if not isinstance(value, Mapping):
        raise _no_answer()
    if value.get("error"):
        raise ModelError("the server sent an error", reason="server", retryable=True)
    choices = value.get("choices")
    if choices == []:
        return None
    if not isinstance(choices, list) or not isinstance(choices[0], Mapping):
        raise _no_answer()
    found: Mapping[str, Any] = choices[0]
    return found


def _note(value: Mapping[str, Any], choice: Mapping[str, Any], said: Said) -> None:
    model, finish = value.get("model"), choice.get("finish_reason")
    said.model = model if isinstance(model, str) else said.model
    said.finish = finish if isinstance(finish, str) else said.finish
    said.usage = _usage(value) or said.usage


def _usage(value: Mapping[str, Any]) -> Usage | None:
    found = value.get("usage")
    if not isinstance(found, Mapping):
        return None
    counts = [found.get(name) for name in ("prompt_tokens", "completion_tokens")]
    numbers = [n for n in counts if isinstance(n, int) and not isinstance(n, bool) and n >= 0]
    return Usage(*numbers) if len(numbers) == 2 else None


def _text(content: Any) -> str:  # noqa: ANN401
    if content is None:
        return ""
    if not isinstance(content, str):
        raise _no_answer()
    return content


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _bad_encoding() from error


def _loaded(text: str) -> Any:  # noqa: ANN401
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(
            "the server sent what is no JSON", reason="not_json", retryable=True
        ) from error


def _bad_encoding() -> ModelError:
    return ModelError("the server sent what is no UTF-8", reason="bad_encoding", retryable=True)


def _no_answer() -> ModelError:
    return ModelError(
        "the server sent no chat completion: is it an OpenAI-compatible one?", reason="not_json"
    )
