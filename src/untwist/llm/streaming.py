"""The pieces of an answer as they come, for whoever waits in no event loop, until a deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Generator
from concurrent.futures import Future
from contextlib import aclosing
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Protocol, runtime_checkable

from untwist.errors import ModelError, UntwistError
from untwist.llm.background import begun
from untwist.llm.calls import Model, Request
from untwist.ports import ChatModel

_GRACE = 0.2
"""Seconds that an error of the model's own has after the deadline, since it says more."""


@runtime_checkable
class Streaming(Protocol):
    """A model that sends its answer piece by piece."""

    def astream(self, request: Request) -> Any:  # noqa: ANN401
        """An asynchronous generator of pieces."""


class _End:
    """After the last piece."""


_Item = str | Exception | _End


def pieces(
    model: ChatModel | Model, request: Request, deadline: float
) -> Generator[str, None, None]:
    """The answer piece by piece; in one piece where the model cannot stream.

    Closing the generator ends the call, where the model can be ended.

    Args:
        model: any.
        request: free text.
        deadline: seconds for the whole answer.

    Raises:
        ModelError: no whole answer came in time; what was yielded before is none.
    """
    items: SimpleQueue[_Item] = SimpleQueue()
    call = _begin(model, request, deadline, items)
    ends = time.monotonic() + deadline + _GRACE
    try:
        while not isinstance(item := _next(items, ends, model.name), _End):
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        if call is not None:
            call.cancel()


def _next(items: SimpleQueue[_Item], ends: float, name: str) -> _Item:
    try:
        return items.get(timeout=max(0.0, ends - time.monotonic()))
    except Empty:
        raise _late(name) from None


def _late(name: str) -> ModelError:
    return ModelError(f"{name} was not done in time", reason="timeout", retryable=True)


def _begin(
    model: ChatModel | Model, request: Request, deadline: float, items: SimpleQueue[_Item]
) -> Future[None] | None:
    if isinstance(model, Streaming | Model):
        return begun(_sent(model, request, deadline, items))
    # nobody can end such a call: its thread dies with the process at the latest
    Thread(target=_asked, args=(model, request, items), daemon=True).start()
    return None


async def _sent(
    model: Streaming | Model, request: Request, deadline: float, items: SimpleQueue[_Item]
) -> None:
    last: _Item = _End()
    try:
        async with asyncio.timeout(deadline):
            async for piece in _pieces_of(model, request):
                items.put(piece)
    except TimeoutError:
        last = _late(getattr(model, "name", "the model"))
    except Exception as error:  # noqa: BLE001
        last = _told(error, getattr(model, "name", "the model"))
    finally:
        items.put(last)


async def _pieces_of(model: Streaming | Model, request: Request) -> AsyncIterator[str]:
    if isinstance(model, Streaming):
        async with aclosing(model.astream(request)) as stream:
            async for piece in stream:
                yield piece
    else:
        yield (await model.acomplete(request)).text


def _asked(model: ChatModel, request: Request, items: SimpleQueue[_Item]) -> None:
    options = {"max_tokens": request.max_tokens, "temperature": request.temperature}
    try:
        text = model.chat(request.messages, seed=request.seed, prompt=request.prompt, **options)
        if not isinstance(text, str):
            raise ModelError(f"{model.name} answered with no text", reason="empty")
        items.put(text)
        items.put(_End())
    except Exception as error:  # noqa: BLE001
        items.put(_told(error, model.name))


def _told(error: Exception, name: str) -> Exception:
    """What whoever waits raises, since in the other thread nobody would see it.

    An error of a model of somebody's own is a failure of the model, told without its words.
    """
    if isinstance(error, UntwistError):
        return error
    return ModelError(f"{name} failed ({type(error).__name__})")
