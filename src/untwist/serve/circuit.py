"""A language model that is cut off in time, and left alone for a while after failures in a row.

    closed --5 failures in a row--> open --after a rest, one trial--> closed, or open again

While it is open nobody waits for it: the scripted reply comes at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from untwist.errors import ModelError
from untwist.llm import Answer, Model, Request

FAILURES = 5
"""In a row, after which the model is left alone."""
REST = 60.0
"""Seconds for which it is."""


class Circuit(Model):
    """Any model, with deadlines and a circuit breaker; one for all turns of a process.

    Args:
        model: that is asked.
        first: seconds until its first piece, where it streams.
        whole: seconds until its last.
        failures: in a row that open the circuit.
        rest: seconds until it is tried again.
        clock: tells the time.
    """

    def __init__(
        self,
        model: Model,
        *,
        first: float,
        whole: float,
        failures: int = FAILURES,
        rest: float = REST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model, self._clock = model, clock
        self._first, self._whole = first, whole
        self._most, self._rest = failures, rest
        self._failed, self._again = 0, 0.0

    @property
    def name(self) -> str:
        """Of the model."""
        return self._model.name

    @property
    def identity(self) -> str:
        """Of the model."""
        return self._model.identity

    @property
    def open(self) -> bool:
        """Whether the model is left alone now."""
        return self._failed >= self._most and self._clock() < self._again

    async def acomplete(self, request: Request) -> Answer:
        """The whole answer, in time.

        Raises:
            ModelError: none came in time, or the model is left alone.
        """
        parts = [piece async for piece in self.astream(request)]
        return Answer("".join(parts), self.name)

    async def astream(self, request: Request) -> AsyncGenerator[str, None]:
        """The answer piece by piece, in one piece where the model cannot stream.

        Raises:
            ModelError: it did not come in time, or the model is left alone.
        """
        self._enter()
        try:
            async with aclosing(self._pieces(request)) as stream:
                async for piece in stream:
                    yield piece
        except ModelError:
            self._broke()
            raise
        except TimeoutError as error:
            self._broke()
            raise ModelError(
                f"{self.name} was not done in time", reason="timeout", retryable=True
            ) from error
        self._failed = 0

    async def aclose(self) -> None:
        """Let go of whatever the model holds open."""
        await self._model.aclose()

    async def _pieces(self, request: Request) -> AsyncGenerator[str, None]:
        stream = getattr(self._model, "astream", None)
        if stream is None:
            async with asyncio.timeout(self._whole):
                answer = await self._model.acomplete(request)
            yield answer.text
            return
        ends = self._clock() + self._whole
        wait = min(self._first, self._whole)
        async with aclosing(stream(request)) as pieces:
            while True:
                # not around the loop: whoever takes the pieces may take their time over them
                async with asyncio.timeout(wait):
                    piece = await anext(pieces, None)
                if piece is None:
                    return
                yield piece
                wait = max(0.0, ends - self._clock())

    def _enter(self) -> None:
        if self.open:
            raise ModelError(
                f"{self.name} failed again and again and is left alone for a while",
                reason="unreachable",
                retryable=True,
            )
        if self._failed >= self._most:
            # one trial; the others are refused until it is done, or lost
            self._again = self._clock() + self._whole

    def _broke(self) -> None:
        self._failed += 1
        if self._failed >= self._most:
            self._again = self._clock() + self._rest
