"""One event loop in a thread of its own, for those who call a model and wait."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from concurrent.futures import Future
from functools import lru_cache
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")


def in_background(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine; an interrupt of the waiting thread ends it."""
    future = begun(coroutine)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


def begun(coroutine: Coroutine[Any, Any, T]) -> Future[T]:
    """The coroutine under way; cancelling the future ends it."""
    return asyncio.run_coroutine_threadsafe(coroutine, _loop(os.getpid()))


@lru_cache(maxsize=1)
def _loop(process: int) -> asyncio.AbstractEventLoop:
    """The loop of a process; one that was forked off has to have its own."""
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, name=f"untwist-llm-{process}", daemon=True).start()
    return loop
