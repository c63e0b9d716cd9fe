"""A connection that sends no whole request is closed: uvicorn itself has no deadline for headers.

A timer runs from the opening of a connection, and from the first byte after an answer, until the
headers are there in full. What follows them is bounded by `guards`.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

SECONDS = 10.0
"""Until the headers of a request are there."""


class PatientProtocol(H11Protocol):
    """uvicorn's own protocol, with that timer."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection was opened."""
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """A connection is over."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes came; a request may be whole now, or begin."""
        if not self._answering and self._timer is None:
            self._arm()
        super().data_received(data)
        if self._answering:
            self._disarm()

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _arm(self) -> None:
        self._timer = self.loop.call_later(SECONDS, self._too_slow)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if not self._answering and not self.transport.is_closing():
            self.transport.close()
