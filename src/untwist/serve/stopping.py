"""Hearing that the process is told to stop, before the server waits for its connections to end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def heard(tell: Callable[[], None]) -> Iterator[None]:
    """Call `tell` in this event loop at the first sign, and let the server hear it as well.

    Outside of a main thread, where signals cannot be heard, nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {sign: signal.getsignal(sign) for sign in _SIGNALS}

    def passed_on(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(tell)
        known = before[signal.Signals(number)]
        if callable(known):
            known(number, frame)

    for sign in _SIGNALS:
        signal.signal(sign, passed_on)
    try:
        yield
    finally:
        for sign, known in before.items():
            signal.signal(sign, known)
