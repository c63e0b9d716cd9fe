"""What the recipes of generated data share: a folder that can be resumed, a gate, counts, a report.

    sources -> redacted -> refused before any call -> stages (journals) -> drafts -> gate -> files

A run folder holds, beside what every run folder holds, `items.jsonl` (what may be used, each row
with its provenance), `refused.jsonl` and `failed.jsonl` (ids and reasons, never words), a journal
per stage, and what the pipeline adds (`queue.jsonl`, `review.jsonl`). The same command on the same
folder goes on where it was stopped, and asks nothing twice.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from untwist.cluster import Engine
from untwist.data import (
    Loaded,
    Part,
    Reading,
    Refusals,
    known_corpora,
    load_source,
    parts_of,
    to_row,
)
from untwist.errors import ConfigError
from untwist.evaluate import Table
from untwist.generate import Entry, Item, Journal, Summary, Work, run, write_rows
from untwist.generate.asking import Sampling
from untwist.generate.gate import Draft, gate, kind_of, redacted
from untwist.generate.pipeline import Pipeline
from untwist.llm import Cache, CachedModel, Model, Prices, Usage, open_model
from untwist.recipes.publish import Chapter, publish
from untwist.recipes.runfolder import CONFIG, MANIFEST, RunFolder, manifest, open_run, to_toml
from untwist.schema import Dialogue, Json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SCHEMA = "untwist/generated@1"
ITEMS, REFUSED, FAILED, QUEUE = "items.jsonl", "refused.jsonl", "failed.jsonl", "queue.jsonl"
_NOT_IDENTITY = ("out", "running", "command", "gold", "review", "region")
"""Settings that change how a run is done or told, and no item that a model makes."""
_PROTOCOL = (
    "Every text that comes in is redacted before a model reads it. An item whose call failed is "
    "counted under its reason and is no row. What repeats an earlier row, stands in a registered "
    "test set ({tests}) or breaks a rule of safe wording is refused, named in refused.jsonl and "
    "counted. Each row says in its provenance which model, prompt, seed and call made it."
)


@dataclass(frozen=True, slots=True)
class Running:
    """How a pipeline is run; nothing here changes what one item becomes."""

    concurrency: int = 8
    """Items at once."""
    engine: Engine = "local"
    """This process, or Ray."""
    workers: int = 0
    """Processes on Ray; 0 is one per core."""
    again: tuple[str, ...] = ()
    """Reasons of failures that are tried again; "all" is every one."""
    patience: int | None = 50
    """Failures in a row after which the run stops; None never does."""
    limit: int | None = None
    """How many sources are taken, from the first; None is all."""


@dataclass(frozen=True, slots=True)
class Gated:
    """What may not be written."""

    against: tuple[str, ...] = ()
    """Test sets beside those that ship: corpora by name, or files (their test part, else whole)."""
    leaks: bool = True
    """Whether what stands in a test set is refused."""
    repeats: bool = True
    """Whether near-duplicates are refused."""


class Models(Protocol):
    """Where the models of a run come from; small enough to be sent to other processes."""

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called, in order."""

    def open(self) -> tuple[Model, ...]:
        """The models, ready to be asked."""


@dataclass(frozen=True)
class Given:
    """Models that are at hand, for this process alone."""

    models: tuple[Model, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """See `Models.names`."""
        return tuple(model.name for model in self.models)

    def open(self) -> tuple[Model, ...]:
        """See `Models.open`."""
        return self.models


@dataclass(frozen=True)
class Named:
    """Models by name, as `untwist.llm.open_model` takes them, behind one cache.

    Attributes:
        given: their names; empty is the one of the environment.
        config: the file that describes them; None is that of the environment.
        cache: the file of answers; None keeps none.
    """

    given: tuple[str, ...] = ()
    config: str | None = None
    cache: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """See `Models.names`."""
        return tuple(model.name for model in _named(self.given, self.config, None))

    def open(self) -> tuple[Model, ...]:
        """The models; opened once in a process, so that their limits hold over all stages.

        Raises:
            ConfigError: nothing says where a model is.
            DataError: the cache cannot be opened.
        """
        return _named(self.given, self.config, self.cache)


@lru_cache(maxsize=2)
def _named(given: tuple[str, ...], config: str | None, cache: str | None) -> tuple[Model, ...]:
    models = tuple(open_model(name, os.environ, config) for name in given or (None,))
    if cache is None:
        return models
    Path(cache).parent.mkdir(parents=True, exist_ok=True)
    answers = Cache(cache)
    return tuple(CachedModel(model, answers) for model in models)


class Config(Protocol):
    """The configuration of a recipe of generated data."""

    @property
    def out(self) -> str:
        """The run folder."""

    @property
    def command(self) -> str:
        """What starts this run."""

    @property
    def running(self) -> Running:
        """How it is run."""

    @property
    def gated(self) -> Gated:
        """What may not be written."""

    @property
    def reading(self) -> Reading:
        """How sources are read."""

    @property
    def sampling(self) -> Sampling:
        """How models are sampled."""

    def pipeline(self, stage: str, models: Sequence[Model]) -> Pipeline:
        """The work of one stage."""


@dataclass(frozen=True)
class Stage:
    """The work of one stage as a job that opens where it is done.

    Attributes:
        config: of the recipe.
        name: of the stage; also the name of its journal.
        models: whom to ask.
    """

    config: Config
    name: str
    models: Models

    def open(self) -> Work:
        """The pipeline with its models."""
        return self.config.pipeline(self.name, self.models.open())


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


def open_folder(
    config: Config, inputs: Sequence[Path | str], seed: int, stages: Sequence[str]
) -> RunFolder:
    """A new run folder, or the one of a run that was stopped.

    Raises:
        ConfigError: the folder holds something else.
        DataError: an input is missing.
    """
    path, text = Path(config.out), to_toml(_settings(config))
    same = (path / CONFIG).is_file() and (path / CONFIG).read_text(encoding="utf-8") == text
    if not same and not any((path / journal_of(stage)).is_file() for stage in stages):
        return open_run(path, _settings(config), seed, inputs)
    folder = RunFolder(path)
    folder.write_text(CONFIG, text)
    folder.write_json(MANIFEST, manifest(seed, inputs))
    return folder


def inputs_of(folder: RunFolder) -> dict[str, str]:
    """The sha256 of each input of an open run folder, as its manifest has them."""
    told: dict[str, str] = json.loads((folder.path / MANIFEST).read_text("utf-8"))["inputs"]
    return told


def _settings(config: Config) -> DataclassInstance:
    settings: Any = config
    return settings  # type: ignore[no-any-return]


def journal_of(stage: str) -> str:
    """The file name of a stage's journal."""
    return f"{stage}.sqlite"


def identity(config: Config, stage: str, names: Sequence[str], inputs: Mapping[str, str]) -> Json:
    """What must be the same again for a journal to be gone on with."""
    settings = {k: v for k, v in asdict(_settings(config)).items() if k not in _NOT_IDENTITY}
    # more attempts mend an item that failed; they change none that was made
    del settings["sampling"]["attempts"]
    return {"stage": stage, "models": list(names), "inputs": dict(inputs), "settings": settings}


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


Stages = Mapping[str, Callable[[], Iterator[Item]]]
"""The items of every stage by its name; of a later stage all that there can be."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a stage will ask, without asking.

    Attributes:
        stage: its name.
        items: how many; of a stage after another at most so many.
        questions: how many, when every answer can be read at once.
        prompt_tokens: of all questions, guessed from their letters.
        completion_tokens: of all answers at most, by the limit of one.
        cost: at most; None without prices.
    """

    stage: str
    items: int
    questions: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None


def estimate(
    config: Config, stages: Stages, models: Models, prices: Prices | None = None
) -> list[Estimate]:
    """What every stage of a run will ask; nothing is asked and nothing written.

    A token is taken to be four Latin letters, or one Chinese character.

    Args:
        config: of the recipe.
        stages: the items by stage.
        models: who would be asked.
        prices: per million tokens.
    """
    found = []
    longest = config.sampling.max_tokens or 0
    for name, items in stages.items():
        work = config.pipeline(name, models.open())
        count = asked = tokens = 0
        for item in items():
            count += 1
            for question in work.questions(item.value):
                asked += 1
                tokens += sum(_tokens(str(one["content"])) for one in question.messages)
        usage = Usage(tokens, asked * longest)
        cost = prices.of(usage) if prices else None
        found.append(Estimate(name, count, asked, tokens, usage.completion, cost))
    return found


def _tokens(text: str) -> int:
    wide = sum(ord(letter) > 0x2E7F for letter in text)
    return wide + (len(text) - wide + 3) // 4


def rows(drafts: Iterable[Draft]) -> Iterator[Json]:
    """Drafts as rows of our own format, with what stands beside."""
    for draft in drafts:
        yield to_row(draft.dialogue) | draft.beside


def finish(
    folder: RunFolder,
    config: Config,
    tally: Tally,
    kept: Sequence[Draft],
    refused: Sequence[tuple[str, str]],
    *,
    title: str,
    names: Sequence[str],
    statistics: Json,
    chapters: Sequence[Chapter],
    more: Mapping[str, Sequence[Json]] | None = None,
) -> Generated:
    """Writes the files of a run: rows, refusals, failures, metrics and report.

    Args:
        folder: of the run.
        config: of the recipe.
        tally: what was counted.
        kept: what passed the gate, in order.
        refused: what did not, with the reasons.
        title: of the report.
        names: of the models.
        statistics: of the pipeline's own, into metrics.json.
        chapters: of the pipeline's own, into the report.
        more: further files by name.
    """
    write_rows(folder.path / ITEMS, rows(kept))
    turned_away = [*tally.before, *refused]
    write_rows(folder.path / REFUSED, ({"id": id, "reason": why} for id, why in turned_away))
    write_rows(folder.path / FAILED, tally.failed)
    for name, lines in (more or {}).items():
        write_rows(folder.path / name, lines)
    metrics = _metrics(config, tally, len(kept), refused, names, statistics)
    metrics["files"] = {name: len(lines) for name, lines in (more or {}).items()}
    folder.write_metrics(metrics)
    protocol = _PROTOCOL.format(tests=", ".join(tally.tests) or "none was named")
    told = [_counts(metrics), *chapters]
    publish(folder, title, told, protocol=protocol, command=config.command)
    return Generated(folder.path, tally.ok, f"{len(kept):,} rows written; {tally.line()}", metrics)


def _metrics(
    config: Config,
    tally: Tally,
    written: int,
    refused: Sequence[tuple[str, str]],
    names: Sequence[str],
    statistics: Json,
) -> Json:
    totals: Counter[str] = Counter()
    for summary in tally.summaries.values():
        totals.update(dict(summary.totals))
    wanted = ("asked", "cached", "prompt_tokens", "completion_tokens", "cost", "seconds")
    return {
        "schema": SCHEMA,
        "command": config.command,
        "models": list(names),
        "written": written,
        "unread": {"count": len(tally.refusals), "by_reason": tally.refusals.by_reason()},
        "refused_before": _by_kind(tally.before),
        "refused": _by_kind(refused),
        "stages": {
            name: {"done": s.done, "failed": dict(s.failed), "stopped": s.stopped}
            for name, s in tally.summaries.items()
        },
        "calls": {name: totals.get(name) for name in wanted},
        "tests": list(tally.tests),
        "statistics": statistics,
    }


def _by_kind(refused: Sequence[tuple[str, str]]) -> dict[str, int]:
    return dict(Counter(kind_of(reason) for _, reason in refused).most_common())


def _counts(metrics: Json) -> Chapter:
    """The chapter that says what became of every source and item."""
    lines = [("rows written", metrics["written"])]
    lines += [(f"not read: {why}", n) for why, n in metrics["unread"]["by_reason"].items()]
    lines += [(f"refused before any call: {w}", n) for w, n in metrics["refused_before"].items()]
    for name, stage in metrics["stages"].items():
        lines.append((f"{name}: done", stage["done"]))
        lines += [(f"{name}: failed, {why}", n) for why, n in stage["failed"].items()]
    lines += [(f"refused: {why}", n) for why, n in metrics["refused"].items()]
    calls = metrics["calls"]
    lines += [("calls made", calls["asked"] or 0), ("answers from the cache", calls["cached"] or 0)]
    for key, name in (("prompt_tokens", "tokens asked"), ("completion_tokens", "tokens answered")):
        if calls[key] is not None:
            lines.append((name, calls[key]))
    cells = tuple((name, f"{int(n):,}") for name, n in lines)
    if calls["cost"] is not None:
        cells = (*cells, ("cost", f"{calls['cost']:.4f}"))
    return Chapter("What became of it", (), (Table("", ("what", "count"), cells),))
