"""One turn as a server makes it: decided, kept, answered, kept; a client may come and go.

    text -> hear -> store (message and decision together) -> answer -> store -> events

The reply belongs to the server: it is finished whether or not anybody listens. State is in the
store; a process holds a conversation for one turn and lets go. What a dead process left without a
reply is answered by the next one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from untwist.engine import Engine
from untwist.errors import SafetyError, StoreError, UntwistError
from untwist.safety import region_codes, region_of
from untwist.schema import Assessment, Json, Turn, Utterance
from untwist.serve import sse
from untwist.serve.errors import ServeError, status_of
from untwist.serve.events import Said, decision_of, facts_of, said_before
from untwist.serve.metrics import Metrics
from untwist.serve.settings import ServeSettings
from untwist.serve.speaking import Say, Speaker
from untwist.serve.store import Event, Store, StoredTurn, new_id
from untwist.serve.told import Told
from untwist.serve.webhook import Webhook
from untwist.taxonomy import Risk

_POLL = 0.1
_RETRY, _SLOWEST = 0.02, 0.2
_WAIT = 6.0
"""Seconds that a message waits for the turn before it, or for the store."""
T = TypeVar("T")
Heard = tuple[Assessment, Sequence[Utterance], Sequence[Turn]]
"""What was heard, what was said before it, and the turns so far."""
_REFERRING = {"resource", "help", "help_block"}


class _Bell:
    """Rings whenever a reply has gone on; whoever waits takes `next` before looking at the store.

    Attributes:
        here: whether the reply is made by this process; only then does the bell ring.
        lost: why the reply was made and could not be kept, with the reply; None if it was.
        next: is set when it goes on.
    """

    def __init__(self) -> None:
        self.here = False
        self.lost: ServeError | None = None
        self.next = asyncio.Event()

    def ring(self) -> None:
        self.next.set()
        self.next = asyncio.Event()


@dataclass
class Turns:
    """Makes the turns of one process.

    Attributes:
        engine: hears and answers; must be safe to call from several threads.
        store: where all is kept.
        settings: of the server.
        metrics: what is counted.
        speaker: makes the replies.
        told: what somebody is told when there is no reply.
    """

    engine: Engine
    store: Store
    settings: ServeSettings
    metrics: Metrics
    speaker: Speaker = field(init=False)
    told: Told = field(init=False)
    _webhook: Webhook = field(init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _order: WeakValueDictionary[str, asyncio.Lock] = field(
        default_factory=WeakValueDictionary, init=False
    )
    _bells: WeakValueDictionary[str, _Bell] = field(default_factory=WeakValueDictionary, init=False)

    def __post_init__(self) -> None:
        self.speaker = Speaker(self.engine, self.settings.limits, self.metrics)
        self.told = Told(self.speaker, self.settings)
        self._webhook = Webhook(self.settings.crisis_webhook, self.metrics, time.time)

    async def post(
        self, person: str, conversation: str, text: str, key: str | None = None
    ) -> StoredTurn:
        """Keep a message with its decision, and begin the reply.

        Raises:
            ServeError: with where help is, when the message could not be kept.
            DataError: it cannot be read.
        """
        region = await self._region(person)
        message = self.told.message(text, region)
        began, pause = time.monotonic(), _RETRY
        lock = self._order.setdefault(conversation, asyncio.Lock())
        async with lock:
            while time.monotonic() - began < _WAIT:
                begun = await self._begun(person, conversation, message, key, region)
                if begun is not None:
                    self.metrics.first_seconds.observe(time.monotonic() - began)
                    return begun
                await asyncio.sleep(pause)
                pause = min(_SLOWEST, pause * 1.5)
        busy = "the conversation is busy: try again in a moment"
        raise await self.told.refused(503, busy, message, region=region)

    async def _region(self, person: str) -> str:
        """Where a person is, as they said; else where the server is."""
        try:
            said = (await _of(self.store.person(person))).settings.get("region")
        except StoreError:
            # whoever writes is answered all the same
            said = None
        return said if isinstance(said, str) and said in region_codes() else self.settings.region

    async def _begun(
        self, person: str, conversation: str, message: Utterance, key: str | None, region: str
    ) -> StoredTurn | None:
        """The turn, kept and at work; None when the conversation is held, or went on meanwhile."""
        try:
            known = await self._known(person, conversation, message, key, region)
            before = [] if known else await _of(self.store.turns(person, conversation))
        except StoreError as error:
            raise await self.told.unkept(error, message, [], region=region) from error
        if known is not None:
            return known
        if before and before[-1].finished is None:
            # the turn before it has no reply yet
            return None
        history, earlier = said_before(before)
        if len(before) >= self.settings.limits.turns:
            long = "this conversation is long enough: begin another"
            raise await self.told.refused(409, long, message, before, region=region)
        try:
            assessment = await self.speaker.hear(message, history)
            holder, name = new_id(), new_id()
            begun = await _of(
                self.store.begin_turn(
                    person,
                    conversation,
                    {"message": message.to_dict(), "decision": decision_of(assessment)},
                    facts_of(assessment),
                    holder,
                    self.speaker.longest,
                    key,
                    len(before),
                    name,
                )
            )
        except (StoreError, SafetyError) as error:
            raise await self.told.unkept(error, message, before, region=region) from error
        if begun is not None and begun.id == name:
            said = (assessment, history, earlier)
            self._start(self._answered(begun, said, holder, region))
        return begun

    async def _known(
        self, person: str, conversation: str, message: Utterance, key: str | None, region: str
    ) -> StoredTurn | None:
        """The turn of this key, if this message made it."""
        if key is None:
            return None
        found = await _of(self.store.turn_by_key(person, conversation, key))
        if found is not None and found.said["message"]["text"] != message.text:
            other = "this Idempotency-Key was used for another message"
            raise await self.told.refused(409, other, message, region=region)
        return found

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answered(
        self,
        turn: StoredTurn,
        heard: Heard,
        holder: str,
        region: str,
        said: Said | None = None,
    ) -> None:
        bell, said = self._bell(turn.id), said or Said()
        loop, started = asyncio.get_running_loop(), time.monotonic()

        def say(sentence: str) -> None:
            # kept before anybody sees it, so that any worker can say it again
            self.store.add_events(turn, [said.more(sentence)], holder).result()
            loop.call_soon_threadsafe(bell.ring)

        bell.here = True
        self.metrics.at_work.inc()
        try:
            made = await self._made(heard, say, region)
            bell.lost = await self._kept(turn, made, said.rest(made), holder, region)
        finally:
            self.metrics.at_work.dec()
            self.metrics.turn_seconds.observe(time.monotonic() - started)
            bell.here = False
            bell.ring()

    async def _kept(
        self, turn: StoredTurn, made: Turn, rest: Sequence[Json], holder: str, region: str
    ) -> ServeError | None:
        """Keep a reply; why it could not be kept, with the crisis reply where it is one.

        The turn stays without a reply then, and is answered later.
        """
        try:
            await _of(self.store.finish_turn(turn, made.to_dict(), rest, holder))
        except StoreError as error:
            self.metrics.failures.labels(f"turn-{error.reason}").inc()
            if error.reason == "conflict":
                # another has taken it over, and says how it goes on
                return None
            danger = made.assessment.risk >= Risk.MEDIUM
            helps = self.told.floor(region).help(made.assessment.utterance)
            words = made.reply.text if danger else helps
            return ServeError(status_of(error), str(error), words)
        self.metrics.turns.labels(made.reply.responder.split("@")[0], "done").inc()
        await self._counted(made, region)
        return None

    async def _made(self, heard: Heard, say: Say, region: str) -> Turn:
        """The turn; where help is, when none could be made."""
        try:
            return await self.speaker.answer(*heard, say, region)
        except Exception as error:  # noqa: BLE001 - whatever fails, the person gets an answer
            self.metrics.failures.labels(type(error).__name__).inc()
            return await self.speaker.in_thread(self.told.floor(region).instead, heard[0])

    async def _counted(self, made: Turn, region: str) -> None:
        """A count that cannot be written costs nobody their reply."""
        if made.assessment.risk is Risk.HIGH:
            self._webhook.tell()
        if not _REFERRING & set(made.reply.parts):
            return
        self.metrics.referrals.inc()
        place = region or region_of(made.assessment.utterance.text) or "*"
        try:
            await _of(self.store.count_referral(place, made.reply.lang))
        except StoreError as error:
            self.metrics.failures.labels(type(error).__name__).inc()

    async def follow(self, person: str, turn: str, first: int = 0) -> AsyncIterator[bytes]:
        """The events of a reply from a place on, as they come, with signs of life between them.

        Raises:
            StoreError: "gone" when there is no such turn of this person.
        """
        bell = self._bell(turn)
        quiet = time.monotonic()
        until = quiet + self.settings.limits.turn + 10
        while True:
            # both are taken before the look at what came: what comes meanwhile is not missed
            news = bell.next
            kept = await _of(self.store.turn(person, turn))
            for event in await _of(self.store.events(turn, first)):
                yield sse.written(event)
                first, quiet = event.n + 1, time.monotonic()
                if event.body["event"] in sse.LAST:
                    return
            if kept.finished is not None:
                return
            await self._wait(bell, news)
            now = time.monotonic()
            if bell.lost or now > until:
                words = bell.lost.help if bell.lost else self.help_for(kept)
                failure: Json = {"event": "failed", "data": {"help": words}}
                # the place of the last one, so that nothing is left out by who comes back with it
                yield sse.written(Event(turn, first - 1, failure))
                return
            if now - quiet > self.settings.limits.heartbeat / 2:
                quiet = now
                yield sse.COMMENT

    def _bell(self, turn: str) -> _Bell:
        return self._bells.setdefault(turn, _Bell())

    async def _wait(self, bell: _Bell, news: asyncio.Event) -> None:
        """Until the reply goes on here, or it is time to look whether another worker made it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.limits.heartbeat / 3 if bell.here else _POLL):
                await news.wait()

    async def finished(self, person: str, turn: str) -> StoredTurn:
        """A turn once its reply is there.

        Raises:
            ServeError: the reply was not made in time; with where help is.
        """
        bell = self._bell(turn)
        until = time.monotonic() + self.settings.limits.turn
        while True:
            news = bell.next
            kept = await _of(self.store.turn(person, turn))
            if kept.finished is not None:
                return kept
            if bell.lost:
                raise bell.lost
            if time.monotonic() > until:
                raise ServeError(503, "the reply took too long", self.help_for(kept))
            await self._wait(bell, news)

    async def stateless(self, text: str, history: Sequence[Utterance]) -> Turn:
        """One turn of a conversation that the client keeps; nothing but a count is left of it.

        Raises:
            ServeError: no reply could be made; with where help is.
            DataError: the message cannot be read.
        """
        message = self.told.message(text)
        try:
            assessment = await self.speaker.hear(message, history)
            made = await self.speaker.answer(assessment, history, ())
        except SafetyError as error:
            raise await self.told.unkept(error, message, [], history) from error
        await self._counted(made, self.settings.region)
        return made

    async def recover(self) -> int:
        """Answer what a dead process left without a reply; how many turns that were.

        One that cannot be answered, such as a damaged one, keeps no other from it.
        """
        holder = new_id()
        left = await _of(self.store.orphans(holder, self.speaker.longest))
        for turn in left:
            try:
                await self._recovered(turn, holder)
            except (UntwistError, LookupError, ValueError, TypeError) as error:
                self.metrics.failures.labels(f"recover-{type(error).__name__}").inc()
        return len(left)

    async def _recovered(self, turn: StoredTurn, holder: str) -> None:
        person = await _of(self.store.owner(turn.conversation))
        before = await _of(self.store.turns(person, turn.conversation))
        history, earlier = said_before(before[: turn.seq])
        message = Utterance.from_dict(turn.said["message"])
        told = await _of(self.store.events(turn.id))
        assessment = await self.speaker.in_thread(self.told.floor().heard, message, history)
        said = (assessment, history, earlier)
        await self._answered(turn, said, holder, await self._region(person), Said.of(told))

    def stop(self) -> None:
        """The server is told to stop: no model is waited for any more."""
        self.speaker.stop()

    async def close(self) -> None:
        """Let replies at work come to their end, within the time for it."""
        self.stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self.settings.limits.drain)
        self.speaker.close()
        self._webhook.close()

    async def unkept(self, error: Exception, text: str) -> ServeError:
        """An error as a person is told it: with the crisis reply or with where help is."""
        return await self.told.failed(error, text)

    def help_for(self, turn: StoredTurn) -> str:
        """Where help is, in the language of a message."""
        return self.told.floor().help(Utterance.from_dict(turn.said["message"]))


async def _of(future: Future[T]) -> T:
    """The result of a store's call; a cancelled wait does not undo what was asked."""
    return await asyncio.shield(asyncio.wrap_future(future))
