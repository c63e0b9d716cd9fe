"""The work of a recipe of generated data: sources, stages that can be resumed, counts.

    sources -> redacted -> refused before any call -> stages, each with a journal -> entries

The same command on the same folder goes on where it was stopped, and asks nothing twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from untwist.data import (
    Loaded,
    Part,
    Refusals,
    known_corpora,
    load_source,
    parts_of,
)
from untwist.errors import ConfigError
from untwist.generate import Entry, Item, Journal, Summary, run
from untwist.generate.gate import Draft, gate, redacted
from untwist.recipes.generate_folder import identity, journal_of
from untwist.recipes.generate_settings import Config, Stage
from untwist.recipes.runfolder import RunFolder
from untwist.schema import Dialogue, Json


@dataclass(frozen=True, slots=True)
class Shown:
    """How far a stage is.

    Attributes:
        stage: its name.
        done: items finished, those of earlier runs included.
        total: items there are.
        failed: of those that are finished.
        left: seconds that the rest will take at this pace; None while nobody can tell.
        cost: of this run so far; None without prices.
    """

    stage: str
    done: int
    total: int
    failed: int
    left: float | None
    cost: float | None


Show = Callable[[Shown], None]


def show_nobody(shown: Shown) -> None:
    """Tells nobody."""


@dataclass(slots=True)
class Tally:
    """What is counted on the way to the files.

    Attributes:
        refusals: rows that could not be read.
        before: id and reason of the sources that were refused before any call.
        summaries: how each stage went.
        failed: every failed item of every stage.
        tests: names of the registered test sets.
    """

    refusals: Refusals = field(default_factory=Refusals)
    before: list[tuple[str, str]] = field(default_factory=list)
    summaries: dict[str, Summary] = field(default_factory=dict)
    failed: list[Json] = field(default_factory=list)
    tests: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every item of every stage was made."""
        return all(summary.ok for summary in self.summaries.values())

    @property
    def stopped(self) -> bool:
        """Whether a stage ended before its items did."""
        return any(summary.stopped for summary in self.summaries.values())

    def line(self) -> str:
        """One line for a person."""
        return "; ".join(f"{name}: {one.line()}" for name, one in self.summaries.items())


@dataclass(frozen=True, slots=True)
class Generated:
    """What a recipe leaves behind.

    Attributes:
        folder: the run folder.
        ok: whether every item was made; refusals by the gate are no failures.
        line: one line for a person.
        metrics: as metrics.json has them.
    """

    folder: Path
    ok: bool
    line: str
    metrics: Json


def tests_of(config: Config) -> tuple[Part, ...]:
    """The registered test sets: the test parts of the corpora that ship, and those that are named.

    Raises:
        DataError: one cannot be read.
    """
    if not config.gated.leaks:
        return ()
    shipped = [name for name, entry in known_corpora().items() if entry.ships]
    wanted = dict.fromkeys([*shipped, *config.gated.against])
    return tuple(_test_part(load_source(name, config.reading, Refusals())) for name in wanted)


def _test_part(loaded: Loaded) -> Part:
    name = loaded.entry.name
    if name in known_corpora():
        parts: Sequence[str | None] = parts_of(name, loaded.dialogues, "grouped")
    else:
        parts = [dialogue.split for dialogue in loaded.dialogues]
    test = [d for d, part in zip(loaded.dialogues, parts, strict=True) if part == "test"]
    return Part(name, test or list(loaded.dialogues))


def read_sources(
    sources: Sequence[str], config: Config, tests: Sequence[Part], tally: Tally
) -> tuple[list[Dialogue], list[Path]]:
    """The dialogues that may be asked about, redacted, and the files they come from.

    Raises:
        ConfigError: no source is named.
        DataError: a source cannot be read.
    """
    if not sources:
        raise ConfigError("name at least one corpus or file")
    loaded = [load_source(source, config.reading, tally.refusals) for source in sources]
    dialogues = islice((d for one in loaded for d in one.dialogues), config.running.limit)
    return admitted(dialogues, config, tests, tally), [f for one in loaded for f in one.files]


def admitted(
    dialogues: Iterable[Dialogue], config: Config, tests: Sequence[Part], tally: Tally
) -> list[Dialogue]:
    """Those that neither leak nor repeat, redacted; the others are counted before any call."""
    gated = config.gated
    drafts = [Draft(redacted(dialogue), ()) for dialogue in dialogues]
    passed = gate(drafts, tests, repeats=gated.repeats, leaks=gated.leaks)
    tally.before += passed.refused
    tally.tests = tuple(test.name for test in tests)
    return [draft.dialogue for draft in passed.kept]


def do_stage(
    folder: RunFolder,
    stage: Stage,
    items: Callable[[], Iterator[Item]],
    inputs: Mapping[str, str],
    tally: Tally,
    show: Show = show_nobody,
    *,
    again: bool = True,
) -> dict[str, Entry]:
    """Works on every item of a stage that its journal does not hold yet.

    Args:
        folder: of the run.
        stage: its work.
        items: the same in every run.
        inputs: sha256 of each input by name.
        tally: grows.
        show: told how far it is.
        again: whether failures may be tried again.

    Returns:
        Every finished item's entry by its id, failed ones too.

    Raises:
        ConfigError: the folder is that of a run with other settings or inputs.
    """
    running = stage.config.running
    told = identity(stage.config, stage.name, stage.models.names, inputs)
    told["prompts"] = _prompts(stage, items)
    total = sum(1 for _ in items())
    with Journal(folder.path / journal_of(stage.name), told) as journal:
        done, failed = journal.counts()
        watch = _Watch(stage.name, total, show, done + failed.total())
        summary = run(
            items(),
            stage,
            journal,
            concurrency=running.concurrency,
            engine=running.engine,
            workers=running.workers,
            again=running.again if again else (),
            patience=running.patience,
            watch=watch,
        )
        entries = {entry.id: entry for entry in journal.entries()}
    tally.summaries[stage.name] = summary
    tally.failed += [
        {"id": e.id, "stage": stage.name, "reason": e.reason, "message": e.message}
        for e in entries.values()
        if e.status == "failed"
    ]
    return entries


def _prompts(stage: Stage, items: Callable[[], Iterator[Item]]) -> list[str]:
    """Which questions are asked, in which words: name@version; their languages have one version."""
    first = next(items(), None)
    if first is None:
        return []
    work = stage.config.pipeline(stage.name, stage.models.open())
    asked = (one.prompt for one in work.questions(first.value))
    return sorted({f"{id.split('.')[0]}@{id.split('@')[1]}" for id in asked})


class _Watch:
    """Turns finished items into pace and cost."""

    def __init__(self, stage: str, total: int, show: Show, before: int) -> None:
        self._stage, self._total, self._show = stage, total, show
        self._before = before
        self._done = self._failed = 0
        self._cost: float | None = None
        self._started = time.monotonic()

    def __call__(self, entry: Entry) -> None:
        self._done += 1
        self._failed += entry.status == "failed"
        cost = entry.provenance.get("cost")
        if cost is not None:
            self._cost = (self._cost or 0.0) + cost
        done = min(self._before + self._done, self._total)
        pace = (time.monotonic() - self._started) / self._done
        left = pace * (self._total - done)
        self._show(Shown(self._stage, done, self._total, self._failed, left, self._cost))
