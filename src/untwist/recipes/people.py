"""Recipe: people label, choose and judge in Label Studio.

    rows -> tasks, redacted -> projects on a server (or a file)
    projects (or exports) -> a round: tasks.json and answers.jsonl

Label Studio's free edition shows everyone in a project everyone's annotations. Where annotators
must not have each other's work before them, each gets a project of their own (`copies`), and the
rounds are put together when they are pulled. It has no closed doors, though: who looks for
another's project finds it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from untwist.data import Reading, Refusals, load_source, read_triples
from untwist.data.convert.files import read_rows
from untwist.data.jsonlines import Failure
from untwist.data.labelstudio import (
    TASKS,
    Page,
    Round,
    Server,
    chain_task,
    collect,
    config,
    item_of,
    page_of,
    read_chains,
    read_exports,
    triple_task,
    turn_tasks,
)
from untwist.data.refusals import refuse
from untwist.errors import ConfigError, DataError
from untwist.generate.gate import redacted
from untwist.recipes.rows import Progress, quiet
from untwist.safety import redact
from untwist.schema import Dialogue, Json
from untwist.taxonomy import Lang


@dataclass(frozen=True, slots=True)
class Tasks:
    """What is to be asked.

    Attributes:
        page: on which page.
        rows: the tasks, no item twice.
        redacted: of how many dialogues, pairs or triples a name or a number became a mark.
        left_out: what of the source is not in them, with counts.
    """

    page: Page
    rows: tuple[Json, ...]
    redacted: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)

    def sample(self, size: int, rng: np.random.Generator) -> Tasks:
        """A joint sample: so many of the tasks, in the order of the source.

        Raises:
            ConfigError: there are fewer.
        """
        if not 0 < size <= len(self.rows):
            raise ConfigError(f"a sample of {size} out of {len(self.rows)} tasks: ask for fewer")
        places = sorted(rng.permutation(len(self.rows))[:size].tolist())
        return replace(self, rows=tuple(self.rows[place] for place in places))


def make_tasks(
    page: Page,
    source: str,
    how: Reading,
    lang: Lang,
    refusals: Refusals | None = None,
    *,
    predictions: bool = False,
    unlabelled: bool = False,
) -> Tasks:
    """The tasks of a source, redacted.

    Args:
        page: "turns" takes a corpus or a file of texts, "chains" and "triples" a file of theirs.
        source: name or path.
        how: how corpora and files of texts are read.
        lang: of the page.
        refusals: collects what cannot be read; without it the first one raises.
        predictions: show the labels of the source; only of turns.
        unlabelled: only messages that the source has no labels of, such as those that a queue of
            models' votes left open; only of turns.

    Raises:
        DataError: the source cannot be read, an item is there twice, or there is nothing to ask.
    """
    if page == "turns":
        return _turns(source, how, lang, refusals, predictions=predictions, unlabelled=unlabelled)
    if page == "chains":
        bare = [chain_task(item, lang) for item in read_chains(source)]
    else:
        bare = [triple_task(triple, lang) for triple in read_triples(source)]
    rows = [_without_names(row) for row in bare]
    changed = sum(one != other for one, other in zip(bare, rows, strict=True))
    return Tasks(page, _once(rows, source), changed)


def _turns(
    source: str,
    how: Reading,
    lang: Lang,
    refusals: Refusals | None,
    *,
    predictions: bool,
    unlabelled: bool,
) -> Tasks:
    left_out: Counter[str] = Counter()
    rows: list[Json] = []
    changed = 0
    for place, dialogue in enumerate(load_source(source, how, refusals).dialogues, 1):
        clean = redacted(dialogue)
        changed += clean.utterances != dialogue.utterances
        try:
            asked = turn_tasks(clean, lang, left_out, predictions=predictions)
            rows += [task for task in asked if not unlabelled or _is_open(clean, task)]
        except DataError as error:
            refuse(refusals, source, place, str(error))
    counts = {why: n for why, n in left_out.items() if n}
    return Tasks("turns", _once(rows, source), changed, counts)


def _is_open(dialogue: Dialogue, task: Json) -> bool:
    """Whether nobody has said yet which distortions a task's message shows."""
    labels = dialogue.labels[task["data"].get("turn", 1) - 1]
    return labels is None or labels.distortions is None


def _without_names(value: Json) -> Json:
    """The same task with every text redacted, those that it carries unseen included."""

    def clean(inner: object, key: str = "") -> object:
        if isinstance(inner, str):
            return inner if key in ("id", "group", "page") else redact(inner)
        if isinstance(inner, list):
            return [clean(one) for one in inner]
        return {k: clean(v, k) for k, v in inner.items()} if isinstance(inner, dict) else inner

    return {key: clean(inner, key) for key, inner in value.items()}


def _once(rows: Iterable[Json], source: Path | str) -> tuple[Json, ...]:
    held: dict[str, Json] = {}
    for row in rows:
        item = item_of(row["data"])
        if item in held:
            raise DataError(f'"{item}" occurs twice: make ids unique')
        held[item] = row
    if not held:
        raise DataError(f"{source}: nothing to ask")
    return tuple(held.values())


def read_tasks(folder: Path | str) -> Tasks:
    """Tasks that are ready, from the folder of a round or of a queue.

    Raises:
        DataError: the folder holds none, or they are damaged or for several pages.
    """
    path = Path(folder) / TASKS
    rows = list(read_rows(path))
    bad = [f"{path}:{row.line}: {row.message}" for row in rows if isinstance(row, Failure)]
    if bad:
        raise DataError(bad[0])
    tasks = [row.data for row in rows if not isinstance(row, Failure)]
    if not all(isinstance(task.get("data"), dict) for task in tasks):
        raise DataError(f'{path} holds no tasks with "data"')
    pages = {page_of(task["data"]) for task in tasks}
    if len(pages) > 1:
        raise DataError(f"{path} holds tasks for several pages: take one at a time")
    return Tasks(pages.pop() if pages else "turns", _once(tasks, path))


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did.

    Attributes:
        projects: numbers on the server, each with how many tasks it got now.
        there_already: how many tasks were there before, over all projects.
    """

    projects: Mapping[int, int]
    there_already: int


def open_projects(
    server: Server,
    title: str,
    page: Page,
    lang: Lang,
    *,
    copies: int = 1,
    overlap: int = 1,
    adjudication: bool = False,
    predictions: bool = False,
) -> tuple[int, ...]:
    """Make the projects of a round; returns their numbers.

    Args:
        server: where.
        title: of the project; of several, each gets its place behind it.
        page: of all of them.
        lang: of the page.
        copies: one project for each annotator, so that they do not see each other's work.
        overlap: how many annotate each task of one shared project.
        adjudication: the page shows what the annotators said.
        predictions: annotators start from the predictions of the tasks.

    Raises:
        ConfigError: both copies and overlap are asked for, or the server refuses.
        DataError: its answer cannot be read.
    """
    if min(copies, overlap) < 1 or (copies > 1 and overlap > 1):
        raise ConfigError("ask for copies (a project each) or for overlap (one shared), not both")
    xml = config(page, lang, adjudication=adjudication)
    places = [f" ({n} of {copies})" for n in range(1, copies + 1)] if copies > 1 else [""]
    numbers = tuple(server.create(title + place, xml, overlap) for place in places)
    if predictions:
        for number in numbers:
            server.show_predictions(number)
    return numbers


def push(
    server: Server,
    projects: Sequence[int],
    tasks: Tasks,
    *,
    deal: bool = False,
    progress: Progress = quiet,
) -> Pushed:
    """Send tasks to projects; what is there already is not sent again.

    Args:
        server: where.
        projects: each gets every task, or with `deal` its share.
        tasks: in this order.
        deal: each task to one project only, in turn.
        progress: told how many of the projects are done.

    Raises:
        ConfigError: the server cannot be reached or refuses, or no project is named.
        DataError: its answer cannot be read.
    """
    if not projects:
        raise ConfigError("name a project, or make one")
    held = {project: _held(server, project) for project in projects}
    somewhere = set().union(*held.values())
    sent: dict[int, int] = {}
    fresh = [row for row in tasks.rows if item_of(row["data"]) not in somewhere]
    for place, project in enumerate(projects):
        if deal:
            rows = fresh[place :: len(projects)]
        else:
            rows = [row for row in tasks.rows if item_of(row["data"]) not in held[project]]
        sent[project] = server.add(project, rows)
        progress("projects", place + 1, len(projects))
    wanted = len(tasks.rows) * (1 if deal else len(projects))
    return Pushed(sent, wanted - sum(sent.values()))


def _held(server: Server, project: int) -> set[str]:
    exported = server.export(project)
    return {item_of(task["data"]) for task in exported if isinstance(task.get("data"), dict)}


def pull(server: Server, projects: Sequence[int], refusals: Refusals | None = None) -> Round:
    """What annotators said, out of one project or several of one page.

    Raises:
        ConfigError: the server cannot be reached or refuses.
        DataError: there is no task, or something is refused and there is no collector.
    """
    exported = [task for project in projects for task in server.export(project)]
    return _clean(collect(exported, refusals, f"projects {_numbers(projects)}"))


def pull_files(paths: Sequence[Path | str], refusals: Refusals | None = None) -> Round:
    """The same out of files that Label Studio exported in the format "JSON".

    Raises:
        DataError: a file cannot be read, there is no task, or something is refused and there is no
            collector.
    """
    return _clean(read_exports(paths, refusals))


def _numbers(projects: Sequence[int]) -> str:
    return json.dumps(list(projects))[1:-1]


def _clean(found: Round) -> Round:
    """Annotators write reasons of their own: names and numbers are taken out of them, too."""
    said = tuple(
        replace(one, answer=replace(one.answer, rationale=redact(one.answer.rationale)))
        for one in found.said
    )
    return replace(found, said=said)
