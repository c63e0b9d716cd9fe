"""One turn as a server makes it: decided, kept, answered, kept; a client may come and go.

    text -> engine.hear -> store (message and decision together) -> engine.answer -> store -> events

The reply belongs to the server: it is finished whether or not anybody listens. State is in the
store; a process holds a conversation for one turn and lets go. What a dead process left without a
reply is answered by the next one.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from untwist.engine import Engine
from untwist.errors import SafetyError, StoreError, UntwistError
from untwist.safety import help_block, region_of
from untwist.schema import Assessment, Json, Turn, Utterance
from untwist.serve import sse
from untwist.serve.errors import ServeError, status_of
from untwist.serve.metrics import Metrics
from untwist.serve.settings import ServeSettings
from untwist.serve.store import Event, Store, StoredTurn, new_id
from untwist.taxonomy import Risk
from untwist.text import language, locale_of

_POLL = 0.1
_RETRY = 0.02
_WAIT = 6.0
"""Seconds that a message waits for the turn before it, or for the store."""
_SENTENCE = re.compile(r"[^.!?。！？\n]*[.!?。！？\n]*\s*")
T = TypeVar("T")
_REFERRING = {"resource", "help", "help_block"}


@dataclass
class Turns:
    """Makes the turns of one process.

    Attributes:
        engine: hears and answers; must be safe to call from several threads.
        store: where all is kept.
        settings: of the server.
        metrics: what is counted.
    """

    engine: Engine
    store: Store
    settings: ServeSettings
    metrics: Metrics
    _pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(2, "untwist-turn"), init=False
    )
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _order: WeakValueDictionary[str, asyncio.Lock] = field(
        default_factory=WeakValueDictionary, init=False
    )
    _news: WeakValueDictionary[str, asyncio.Event] = field(
        default_factory=WeakValueDictionary, init=False
    )

    async def post(
        self, person: str, conversation: str, text: str, key: str | None = None
    ) -> StoredTurn:
        """Keep a message with its decision, and begin the reply.

        Raises:
            ServeError: with where help is, when the message could not be kept.
            DataError: it cannot be read.
        """
        message = self._message(text)
        began = time.monotonic()
        lock = self._order.setdefault(conversation, asyncio.Lock())
        async with lock:
            while time.monotonic() - began < _WAIT:
                begun = await self._begun(person, conversation, message, key)
                if begun is not None:
                    self.metrics.first_seconds.observe(time.monotonic() - began)
                    return begun
                await asyncio.sleep(_RETRY)
        raise ServeError(
            503, "the conversation is busy: try again in a moment", self._help(message)
        )

    def _message(self, text: str) -> Utterance:
        if len(text) > self.settings.limits.message:
            raise ServeError(
                413,
                f"a message has at most {self.settings.limits.message} characters here",
                self._help(Utterance(text[:2000].strip() or "?")),
            )
        readable = text.encode("utf-8", "ignore").decode("utf-8").replace("\x00", "")
        return Utterance(readable, language(readable))

    async def _begun(
        self, person: str, conversation: str, message: Utterance, key: str | None
    ) -> StoredTurn | None:
        """The turn, kept and at work; None when the conversation is held, or went on meanwhile."""
        try:
            before = await _of(self.store.turns(person, conversation))
        except StoreError as error:
            raise await self._unkept(error, message, []) from error
        if len(before) >= self.settings.limits.turns:
            raise ServeError(
                409, "this conversation is long enough: begin another", self._help(message)
            )
        if before and before[-1].finished is None and key is None:
            # the turn before it has no reply yet
            return None
        history, earlier = said_before(before)
        try:
            assessment = await self._in_thread(self.engine.hear, message, history)
            holder = new_id()
            begun = await _of(
                self.store.begin_turn(
                    person,
                    conversation,
                    {"message": message.to_dict(), "decision": decision_of(assessment)},
                    facts_of(assessment),
                    holder,
                    self.settings.limits.turn + 5,
                    key,
                    len(before),
                )
            )
        except StoreError as error:
            raise await self._unkept(error, message, before) from error
        if begun is None or begun.seq != len(before):
            return begun
        if begun.finished is None and not self._mine(begun.id):
            self._start(self._answered(begun, assessment, history, earlier, holder))
        return begun

    def _mine(self, turn: str) -> bool:
        return turn in self._news

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answered(
        self,
        turn: StoredTurn,
        assessment: Assessment,
        history: Sequence[Utterance],
        earlier: Sequence[Turn],
        holder: str,
    ) -> None:
        news = self._news.setdefault(turn.id, asyncio.Event())
        started = time.monotonic()
        self.metrics.at_work.inc()
        try:
            made = await self._in_thread(self.engine.answer, assessment, history, earlier)
            await _of(self.store.finish_turn(turn, made.to_dict(), events_of(made), holder))
            await self._counted(made)
            self.metrics.turns.labels(made.reply.responder.split("@")[0], "done").inc()
        except (SafetyError, StoreError) as error:
            # the turn stays without a reply; whoever listens is told, and it is answered later
            self.metrics.failures.labels(type(error).__name__).inc()
        finally:
            self.metrics.at_work.dec()
            self.metrics.turn_seconds.observe(time.monotonic() - started)
            news.set()

    async def _counted(self, made: Turn) -> None:
        """A count that cannot be written costs nobody their reply."""
        if not _REFERRING & set(made.reply.parts):
            return
        self.metrics.referrals.inc()
        region = self.settings.region or region_of(made.assessment.utterance.text) or "*"
        try:
            await _of(self.store.count_referral(region, made.reply.lang))
        except StoreError as error:
            self.metrics.failures.labels(type(error).__name__).inc()

    async def follow(self, person: str, turn: str, first: int = 0) -> AsyncIterator[bytes]:
        """The events of a reply from a place on, as they come, with signs of life between them.

        Raises:
            StoreError: "gone" when there is no such turn of this person.
        """
        kept = await _of(self.store.turn(person, turn))
        quiet = time.monotonic()
        until = quiet + self.settings.limits.turn + 10
        while True:
            for event in await _of(self.store.events(turn, first)):
                yield sse.written(event)
                first, quiet = event.n + 1, time.monotonic()
                if event.body["event"] in sse.LAST:
                    return
            if kept.finished is not None:
                return
            await self._wait(turn)
            kept = await _of(self.store.turn(person, turn))
            now = time.monotonic()
            if now > until:
                failure: Json = {"event": "failed", "data": {"help": self.help_for(kept)}}
                yield sse.written(Event(turn, first, failure))
                return
            if now - quiet > self.settings.limits.heartbeat:
                quiet = now
                yield sse.COMMENT

    async def _wait(self, turn: str) -> None:
        news = self._news.get(turn)
        if news is None or news.is_set():
            await asyncio.sleep(_POLL)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.limits.heartbeat / 2):
                await news.wait()

    async def finished(self, person: str, turn: str) -> StoredTurn:
        """A turn once its reply is there.

        Raises:
            ServeError: the reply was not made in time; with where help is.
        """
        until = time.monotonic() + self.settings.limits.turn
        while True:
            kept = await _of(self.store.turn(person, turn))
            if kept.finished is not None:
                return kept
            if time.monotonic() > until:
                raise ServeError(503, "the reply took too long", self.help_for(kept))
            await self._wait(turn)

    async def stateless(self, text: str, history: Sequence[Utterance]) -> Turn:
        """One turn of a conversation that the client keeps; nothing but a count is left of it.

        Raises:
            SafetyError: no reply could be made; its message ends with the help block.
            DataError: the message cannot be read.
        """
        message = self._message(text)
        made = await self._in_thread(self.engine.turn, message, history)
        await self._counted(made)
        return made

    async def recover(self) -> int:
        """Answer what a dead process left without a reply; how many turns that were."""
        holder = new_id()
        left = await _of(self.store.orphans(holder, self.settings.limits.turn + 5))
        for turn in left:
            person = await _of(self.store.owner(turn.conversation))
            before = await _of(self.store.turns(person, turn.conversation))
            history, earlier = said_before(before[: turn.seq])
            message = Utterance.from_dict(turn.said["message"])
            assessment = await self._in_thread(self.engine.hear, message, history)
            await self._answered(turn, assessment, history, earlier, holder)
        return len(left)

    async def close(self) -> None:
        """Let replies at work come to their end, within the time for it."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self.settings.limits.drain)
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _unkept(
        self, error: StoreError, message: Utterance, before: Sequence[StoredTurn]
    ) -> ServeError:
        """The error, with the crisis reply where one is due: it needs no store."""
        if error.reason == "gone":
            return ServeError(404, str(error))
        status = {"full": 507, "conflict": 409}.get(error.reason, 503)
        history, earlier = said_before(before)
        try:
            assessment = await self._in_thread(self.engine.hear, message, history)
            if assessment.risk >= Risk.MEDIUM:
                made = await self._in_thread(self.engine.answer, assessment, history, earlier)
                return ServeError(status, str(error), made.reply.text)
        except SafetyError as failed:
            return ServeError(status, str(error), str(failed))
        return ServeError(status, str(error), self._help(message))

    async def unkept(self, error: UntwistError, text: str) -> ServeError:
        """An error as a person is told it: with the crisis reply or with where help is."""
        if isinstance(error, ServeError) and error.help is not None:
            return error
        readable = text.encode("utf-8", "ignore").decode("utf-8").replace("\x00", "")[:2000]
        message = Utterance(readable.strip() or "?", language(readable))
        if isinstance(error, StoreError):
            return await self._unkept(error, message, [])
        return ServeError(status_of(error), str(error), self._help(message))

    def help_for(self, turn: StoredTurn) -> str:
        """Where help is, in the language of a message."""
        return self._help(Utterance.from_dict(turn.said["message"]))

    def _help(self, message: Utterance) -> str:
        region = self.settings.region or region_of(message.text)
        return help_block(locale_of(message.lang or "en", (message.text,), region), region)

    async def _in_thread(self, work: Callable[..., T], *given: Any) -> T:  # noqa: ANN401
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(work, *given))


def said_before(turns: Sequence[StoredTurn]) -> tuple[list[Utterance], list[Turn]]:
    """What was said by both, and the turns, for an engine that keeps nothing."""
    history: list[Utterance] = []
    earlier: list[Turn] = []
    for kept in turns:
        history.append(Utterance.from_dict(kept.said["message"]))
        if kept.turn is not None:
            made = Turn.from_dict(kept.turn)
            earlier.append(made)
            history.append(Utterance(made.reply.text, made.reply.lang, role="assistant"))
    return history, earlier


def decision_of(assessment: Assessment) -> Json:
    """What is kept with a message before anything is said."""
    return {
        "level": assessment.risk.value,
        "acuity": [kind.value for kind in assessment.acuity],
        "reasons": list(assessment.reasons),
        "detector": assessment.detector,
    }


def facts_of(assessment: Assessment) -> Json:
    """What the audit trail holds of a decision: no text."""
    facts = decision_of(assessment)
    return {**facts, "reasons": facts["reasons"][:12]}


def events_of(turn: Turn) -> list[Json]:
    """A whole reply as events: its sentences, then the end with the record."""
    said = [{"event": "delta", "data": {"text": piece}} for piece in pieces(turn.reply.text)]
    return [*said, {"event": "done", "data": turn.to_dict()}]


def pieces(text: str) -> list[str]:
    """A text in sentences that make it again when they are put together."""
    return [piece for piece in _SENTENCE.findall(text) if piece]


async def _of(future: Future[T]) -> T:
    """The result of a store's call; a cancelled wait does not undo what was asked."""
    return await asyncio.shield(asyncio.wrap_future(future))
