"""Making a reply: in few threads from scripts, in more where a language model is waited for.

    heard -> plain engine                            -> the reply
          -> engine with a model, sentence by sentence -> kept as events -> the reply
                 too slow, broken, too many, a stop    -> plain engine; what was said is taken back

What waits for a model never stands before somebody's crisis reply: that has threads of its own, and
no model is asked for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from untwist.engine import Engine
from untwist.errors import SafetyError, StoreError
from untwist.ports import StreamingResponder
from untwist.respond import GeneratedResponder, ScriptedResponder
from untwist.schema import Assessment, Turn, Utterance, Verdict
from untwist.serve.metrics import Metrics
from untwist.serve.settings import Limits
from untwist.taxonomy import Risk

T = TypeVar("T")
Say = Callable[[str], None]
"""Takes a sentence that may be shown, in the thread in which it was made; raises to end it."""
_GRACE = 2.0
"""Seconds that a model's turn has beyond its deadline, which its own errors say better."""


@dataclass
class Speaker:
    """Makes the replies of one process.

    Attributes:
        engine: hears and answers; must be safe to call from several threads.
        limits: of the server.
        metrics: what is counted.
        plain: the same engine without a language model.
    """

    engine: Engine
    limits: Limits
    metrics: Metrics
    plain: Engine = field(init=False)
    _pool: ThreadPoolExecutor = field(init=False)
    _asking: ThreadPoolExecutor = field(init=False)
    _asked: int = field(default=0, init=False)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def __post_init__(self) -> None:
        self.plain = without_model(self.engine)
        self._pool = ThreadPoolExecutor(2, "untwist-turn")
        self._asking = ThreadPoolExecutor(self.limits.asking, "untwist-ask")

    @property
    def streams(self) -> bool:
        """Whether replies may come sentence by sentence."""
        return isinstance(self.engine.responder, StreamingResponder)

    @property
    def longest(self) -> float:
        """Seconds after which a reply that is not there was left by a dead process."""
        return self.limits.turn + 5 if self.streams else min(10.0, self.limits.turn)

    async def hear(self, message: Utterance, history: Sequence[Utterance]) -> Assessment:
        """What is known before anything is said.

        Raises:
            SafetyError: it could not be heard.
        """
        return await self.in_thread(self.plain.hear, message, history)

    async def answer(
        self,
        assessment: Assessment,
        history: Sequence[Utterance],
        earlier: Sequence[Turn],
        say: Say | None = None,
        region: str = "",
    ) -> Turn:
        """The whole turn.

        Args:
            assessment: what was heard.
            history: what was said before.
            earlier: the turns so far.
            say: what a model says, on the way; None waits for the whole.
            region: where the person is, for help lines; "" is as the engine has it.

        Raises:
            SafetyError: no reply could be made.
        """
        why = None
        if self.streams and assessment.risk is not Risk.HIGH:
            asked = placed(self.engine, region)
            made = await self._with_model(asked, assessment, history, earlier, say or _unsaid)
            if isinstance(made, Turn):
                return made
            why = made
            self.metrics.failures.labels(f"model-{why}").inc()
        scripted = placed(self.plain, region)
        plain = await self.in_thread(scripted.answer, assessment, history, earlier)
        return plain if why is None else _instead(plain, why)

    def stop(self) -> None:
        """From now on no model is waited for; turns that wait are finished from scripts."""
        self._stopping.set()

    def close(self) -> None:
        """Let go of the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._asking.shutdown(wait=False, cancel_futures=True)

    async def in_thread(self, work: Callable[..., T], *given: Any) -> T:  # noqa: ANN401
        """The result of short work that would hold up the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(work, *given))

    async def _with_model(
        self,
        engine: Engine,
        assessment: Assessment,
        history: Sequence[Utterance],
        earlier: Sequence[Turn],
        say: Say,
    ) -> Turn | str:
        """The turn, or why there is none."""
        if self._stopping.is_set():
            return "stopped"
        if self._asked >= self.limits.asking:
            return "busy"
        stream = engine.answering(assessment, history, earlier)
        self._asked += 1
        making = asyncio.get_running_loop().run_in_executor(
            self._asking, partial(_spoken, stream, say)
        )
        # a thread cannot be ended: its place is free when it is done
        making.add_done_callback(self._done)
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait(
                (making, stopping),
                timeout=self.limits.whole + _GRACE,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if making.done():
                return making.result()
        except (SafetyError, StoreError) as error:
            # what could not be kept was seen by nobody: the script is tried
            return type(error).__name__
        finally:
            stopping.cancel()
        return "stopped" if self._stopping.is_set() else "timeout"

    def _done(self, made: asyncio.Future[Turn]) -> None:
        self._asked -= 1
        if not made.cancelled():
            made.exception()


def placed(engine: Engine, region: str) -> Engine:
    """The same engine for somebody in a region, whose help lines it shows; "" changes nothing."""
    responder = engine.responder
    if not region or region == engine.region:
        return engine
    if isinstance(responder, GeneratedResponder):
        there = replace(responder, fallback=replace(responder.fallback, region=region))
        return replace(engine, region=region, responder=there)
    if isinstance(responder, ScriptedResponder):
        return replace(engine, region=region, responder=replace(responder, region=region))
    return replace(engine, region=region)


def without_model(engine: Engine) -> Engine:
    """The same engine, with scripts alone."""
    responder = engine.responder
    if isinstance(responder, GeneratedResponder):
        return replace(engine, responder=responder.fallback)
    return engine


def _instead(plain: Turn, why: str) -> Turn:
    """The scripted turn, which says why no model spoke."""
    return replace(plain, verdict=Verdict(False, (f"model:{why}",)), replaced=True)


def _spoken(stream: Generator[str, None, Turn], say: Say) -> Turn:
    try:
        while True:
            say(next(stream))
    except StopIteration as ended:
        turn: Turn = ended.value
        return turn
    finally:
        stream.close()


def _unsaid(_: str) -> None:
    return None
