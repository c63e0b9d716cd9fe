"""Many items through a model at once: resumable, counted, and each finished exactly once.

    items -> work (so many at a time) -> Journal -> Summary

An item whose work fails is an entry with its reason, and never a row of the output. A fault of the
settings ends the run; so does a budget that is spent, and then the items that were not asked stay
unfinished, for a later run with a larger one.

Leaves out: what the work is, and what is refused of what it made.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from untwist.cluster import Engine
from untwist.errors import ConfigError, DataError, UntwistError
from untwist.generate.journal import Entry, Item, Journal, digest_of
from untwist.generate.work import Job, Outcome, Work, attempted
from untwist.llm import waited

CONCURRENCY = 8
"""Items that are worked on at once, unless told otherwise."""
TURN = 16
"""Items after which a task lets the others go first, if its work never waits."""


@dataclass(frozen=True, slots=True)
class Summary:
    """How a run went, or goes.

    Attributes:
        done: items finished well, in this run and those before it.
        failed: items that failed, by reason, in this run and those before it.
        skipped: of both, those that were finished before this run.
        stopped: why the run ended before its items did; None when it did not.
        seconds: of this run.
        totals: the sums of the numbers in the provenance of all finished items.
        earlier: the same sums as they stood before this run: what earlier runs took, as far as the
            journal knows it.
    """

    done: int
    failed: Mapping[str, int]
    skipped: int
    stopped: str | None
    seconds: float
    totals: Mapping[str, float]
    earlier: Mapping[str, float] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether every item is there."""
        return not self.failed and self.stopped is None

    def line(self) -> str:
        """One line for a person: counts, and the reasons, the most frequent first."""
        ranked = sorted(self.failed.items(), key=lambda pair: (-pair[1], pair[0]))
        text = f"{self.done:,} done, {sum(self.failed.values()):,} failed"
        if ranked:
            text += " (" + ", ".join(f"{name} {n:,}" for name, n in ranked) + ")"
        if self.skipped:
            text += f", {self.skipped:,} of them in an earlier run"
        if self.earlier.get("asked"):
            text += f", calls before this run: {self.earlier['asked']:,.0f}"
            cost = self.earlier.get("cost")
            text += f" (cost {cost:,.4f})" if cost is not None else ""
        if self.stopped:
            text += f"; stopped: {self.stopped}, the same command goes on from here"
        return text


def run(
    items: Iterable[Item],
    work: Work | Job,
    journal: Journal,
    *,
    concurrency: int = CONCURRENCY,
    engine: Engine = "local",
    workers: int = 0,
    again: Collection[str] = (),
    patience: int | None = None,
    watch: Callable[[Entry], None] | None = None,
) -> Summary:
    """Work on every item that the journal does not hold yet; see `arun`.

    Args:
        items: with ids that are the same each time; read as they are needed.
        work: what is done to one; on Ray a `Job`.
        journal: open; holds every finished item exactly once.
        concurrency: items at once, over all processes; half more than the model's own limit of
            calls keeps that limit used while items are written down.
        engine: this process, or Ray.
        workers: processes on Ray; 0 is one per core.
        again: reasons of failures to try again; "all" is every one.
        patience: failures in a row after which the run stops; None never does.
        watch: is told of every finished item.

    Raises:
        ConfigError: a setting is wrong, the work's own included.
        DataError: the items are not those of the journal, or it cannot be written.
        MissingExtra: the work or the engine needs packages that are not installed.
    """
    options: dict[str, Any] = {
        "concurrency": concurrency, "again": again, "patience": patience, "watch": watch
    }  # fmt: skip
    if engine == "local":
        here = work.open() if isinstance(work, Job) else work
        return waited(arun(items, here, journal, **options))
    if not isinstance(work, Job):
        raise ConfigError("on Ray the work has to be a job that can be sent: give one with open()")
    from untwist.generate.remote import on_ray

    with on_ray(work, workers, concurrency) as there:
        return waited(_arun(items, there, journal, **options))


async def arun(
    items: Iterable[Item],
    work: Work,
    journal: Journal,
    *,
    concurrency: int = CONCURRENCY,
    again: Collection[str] = (),
    patience: int | None = None,
    watch: Callable[[Entry], None] | None = None,
) -> Summary:
    """The run inside a running event loop; see `run`."""

    async def attempt(item: Item) -> Outcome:
        return await attempted(work, item)

    return await _arun(
        items, attempt, journal,
        concurrency=concurrency, again=again, patience=patience, watch=watch,
    )  # fmt: skip


async def _arun(
    items: Iterable[Item],
    attempt: Callable[[Item], Awaitable[Outcome]],
    journal: Journal,
    *,
    concurrency: int,
    again: Collection[str],
    patience: int | None,
    watch: Callable[[Entry], None] | None,
) -> Summary:
    if concurrency < 1:
        raise ConfigError(f"concurrency is {concurrency}: give at least 1")
    started, earlier = time.monotonic(), journal.totals()
    state = _State(journal, frozenset(again), patience, watch)
    todo = state.unfinished(items)
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(state.drain(todo, attempt))
    except BaseExceptionGroup as errors:
        raise _first(errors) from None
    finally:
        journal.sync()
    done, failed = journal.counts()
    seconds = time.monotonic() - started
    return Summary(done, failed, state.skipped, state.stopped, seconds, journal.totals(), earlier)


@dataclass(slots=True)
class _State:
    """What the tasks of one run share; they run in one thread."""

    journal: Journal
    again: frozenset[str]
    patience: int | None
    watch: Callable[[Entry], None] | None
    skipped: int = 0
    stopped: str | None = None
    in_a_row: int = 0
    on_the_way: set[str] = field(default_factory=set)

    def unfinished(self, items: Iterable[Item]) -> Iterator[tuple[int, Item]]:
        """The items that have to be worked on, with their places, as they are asked for."""
        retry = self._failed_again()
        fresh = self.journal.empty
        for at, item in enumerate(items):
            if self.stopped:
                return
            if item.id in self.on_the_way:
                raise DataError(f'two items share the id "{item.id}": give each its own')
            # a fresh journal could only hold a second item of the same id, and `put` finds that
            status = None if fresh else self.journal.status(at, item)
            if status == "done" or (status == "failed" and not retry(item)):
                self.skipped += 1
                continue
            yield at, item

    def _failed_again(self) -> Callable[[Item], bool]:
        if "all" in self.again:
            return lambda _: True
        if not self.again:
            return lambda _: False
        return lambda item: self.journal.reason(item.id) in self.again

    async def drain(
        self, todo: Iterator[tuple[int, Item]], attempt: Callable[[Item], Awaitable[Outcome]]
    ) -> None:
        """Take one item after the other until there is none; nothing is queued."""
        for n, (at, item) in enumerate(todo):
            self.on_the_way.add(item.id)
            outcome = await attempt(item)
            self._keep(at, item, outcome)
            self.on_the_way.discard(item.id)
            if n % TURN == TURN - 1:
                # work that never waits (a cache) would keep an interrupt from its turn
                await asyncio.sleep(0)

    def _keep(self, at: int, item: Item, outcome: Outcome) -> None:
        if outcome.status == "stopped":
            self.stopped = self.stopped or outcome.reason
            return
        entry = Entry(
            at, item.id, outcome.status, outcome.reason, outcome.message, outcome.value,
            outcome.provenance, digest_of(item),
        )  # fmt: skip
        self.journal.put(entry)
        self.in_a_row = 0 if outcome.status == "done" else self.in_a_row + 1
        if self.patience and self.in_a_row >= self.patience:
            self.stopped = self.stopped or f"{self.in_a_row} failures in a row ({outcome.reason})"
        if self.watch:
            self.watch(entry)


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that a person can act on, out of those that ended together."""
    flat: list[BaseException] = []
    for error in errors.exceptions:
        flat.append(_first(error) if isinstance(error, BaseExceptionGroup) else error)
    return next((e for e in flat if isinstance(e, UntwistError)), flat[0])
