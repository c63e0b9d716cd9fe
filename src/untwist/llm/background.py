"""One event loop in a thread of its own, for those who call a model and wait."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from functools import lru_cache
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")


def in_background(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine; an interrupt of the waiting thread ends it."""
    future = asyncio.run_coroutine_threadsafe(coroutine, _loop(os.getpid()))
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


@lru_cache(maxsize=1)
def _loop(process: int) -> asyncio.AbstractEventLoop:
    """The loop of a process; one that was forked off has to have its own."""
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, name=f"untwist-llm-{process}", daemon=True).start()
    return loop
