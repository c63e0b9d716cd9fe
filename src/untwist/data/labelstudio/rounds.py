"""A round of annotation: the tasks, and what each annotator said of each.

A round is read from exports of Label Studio (one for a project that all share, or one for each
annotator's own) and kept as a folder: tasks.json, what was asked, and answers.jsonl, one line for
each annotator and item. An annotator is known by number alone; names and addresses in the export
are not read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from untwist.data.convert.exchanges import BESIDE
from untwist.data.convert.files import created, line_of, read_rows, require_new
from untwist.data.convert.labelstudio_export import annotator_of
from untwist.data.jsonlines import Failure, Record, read_records
from untwist.data.labelstudio import chains, rewards, turns
from untwist.data.labelstudio.chains import ChainAnswer, chain_answer
from untwist.data.labelstudio.pages import PAGE, require_writable
from untwist.data.labelstudio.rewards import TripleAnswer, triple_answer
from untwist.data.labelstudio.turns import TurnAnswer, turn_answer
from untwist.data.refusals import Refusals, refuse
from untwist.errors import DataError
from untwist.schema import Json
from untwist.taxonomy import Lang

Page = Literal["turns", "chains", "triples"]
PAGES: tuple[Page, ...] = ("turns", "chains", "triples")
Answer = TurnAnswer | ChainAnswer | TripleAnswer
TASKS, ANSWERS = "tasks.json", "answers.jsonl"
_SKIPPED = "skipped by its annotator"


@dataclass(frozen=True, slots=True)
class Said:
    """What one annotator said of one item.

    Attributes:
        item: name of the task, see `item_of`.
        by: the annotator's number.
        answer: of the kind that the page asks for.
    """

    item: str
    by: str
    answer: Answer

    def to_dict(self) -> Json:
        """As JSON values; read by `untwist evaluate agreement`, too, where it holds labels."""
        return {"id": self.item, "by": self.by} | self.answer.to_dict()


@dataclass(frozen=True, slots=True)
class Round:
    """Tasks of one page and what was said of them.

    Attributes:
        page: which.
        tasks: the data of each task by the name of its item, in the order of the export.
        said: one entry for each annotator and item.
    """

    page: Page
    tasks: Mapping[str, Json]
    said: tuple[Said, ...]

    @property
    def annotators(self) -> tuple[str, ...]:
        """Their numbers, in order."""
        return tuple(sorted({one.by for one in self.said}, key=lambda by: (len(by), by)))

    def by_item(self) -> dict[str, dict[str, Answer]]:
        """What each annotator said of each item; an item that nobody judged is empty."""
        found: dict[str, dict[str, Answer]] = {item: {} for item in self.tasks}
        for one in self.said:
            found[one.item][one.by] = one.answer
        return found


def item_of(data: Json) -> str:
    """The name of a task: its id, with the corpus before it where there is one.

    Raises:
        DataError: the task has no id.
    """
    id, beside = data.get("id"), data.get(BESIDE)
    if not isinstance(id, str) or not id:
        raise DataError('its task has no "id": tasks must be written by untwist')
    corpus = beside.get("corpus") if isinstance(beside, dict) else None
    return f"{corpus}/{id}" if isinstance(corpus, str) else id


def page_of(data: Json) -> Page:
    """The page that a task is for; a task of `untwist data convert` is one for labels.

    Raises:
        DataError: the page is not known.
    """
    given = data.get(PAGE, turns.VERSION)
    for page, version in zip(PAGES, (turns.VERSION, chains.VERSION, rewards.VERSION), strict=True):
        if given == version:
            return page
    raise DataError("its task is for a page that this version does not know")


def config(page: Page, lang: Lang, *, adjudication: bool = False) -> str:
    """The XML of a page.

    Args:
        page: which.
        lang: of headings and values.
        adjudication: show what the annotators said.
    """
    makers = {"turns": turns.config, "chains": chains.config, "triples": rewards.config}
    return makers[page](lang, adjudication=adjudication)


def result_of(answer: Answer, data: Json, lang: Lang) -> list[Json]:
    """What an annotator fills in to give this answer to a task."""
    if isinstance(answer, TurnAnswer):
        return turns.result_of(answer, data["text"], lang)
    if isinstance(answer, ChainAnswer):
        return chains.result_of(answer, data["id"], lang)
    return rewards.result_of(answer, lang)


def answer_of(results: object, data: Json) -> Answer:
    """What an annotator said of a task; undoes `result_of`, in whichever language the page was.

    Raises:
        DataError: nothing was said, or it contradicts itself or the task.
    """
    page = page_of(data)
    if page == "turns":
        return turns.answer_of(results, data)
    return chains.answer_of(results, data) if page == "chains" else rewards.answer_of(results)


def collect(exported: Iterable[Json], refusals: Refusals | None = None, name: str = "") -> Round:
    """A round out of exported tasks.

    The same task may come from several projects; what an annotator said of it twice is refused the
    second time, and so is what was skipped or cannot be read.

    Args:
        exported: tasks of one export or more, in the format "JSON".
        refusals: collects what is refused; without it the first one raises.
        name: of the export, for the refusals; their lines count its tasks.

    Raises:
        DataError: there is no task, the tasks are for several pages, or something is refused and
            there is no collector.
    """
    rows = (Record(place, task) for place, task in enumerate(exported, 1))
    return _collect(((name, row) for row in rows), refusals)


def read_exports(paths: Iterable[Path | str], refusals: Refusals | None = None) -> Round:
    """A round out of files that Label Studio exported in the format "JSON"; see `collect`.

    Raises:
        DataError: a file is missing or no JSON; see `collect`.
    """
    return _collect(((str(p), row) for p in paths for row in read_rows(Path(p))), refusals)


def _collect(rows: Iterable[tuple[str, Record | Failure]], refusals: Refusals | None) -> Round:
    tasks: dict[str, Json] = {}
    said: dict[tuple[str, str], Said] = {}
    for name, row in rows:
        if isinstance(row, Failure):
            refuse(refusals, name, row.line, row.message)
            continue
        try:
            item, data, annotations = _task(row, tasks)
        except DataError as error:
            refuse(refusals, name, row.line, str(error))
            continue
        tasks[item] = data
        for place, annotation in enumerate(annotations, 1):
            try:
                one = _said(item, data, annotation)
                if (item, one.by) in said:
                    raise DataError("its annotator judged the item twice: the first one counts")
            except DataError as error:
                refuse(refusals, name, row.line, f"annotation {place}: {error}")
                continue
            said[item, one.by] = one
    return Round(_one_page(tasks), tasks, tuple(said.values()))


def _task(row: Record, known: Mapping[str, Json]) -> tuple[str, Json, list[object]]:
    data, annotations = row.data.get("data"), row.data.get("annotations", [])
    if not isinstance(data, dict) or not isinstance(annotations, list):
        raise DataError('no task with "data" and "annotations": export in the format "JSON"')
    page_of(data)
    item = item_of(data)
    require_writable(data)
    if item in known and known[item] != data:
        raise DataError("two different tasks under one id")
    return item, data, annotations


def _said(item: str, data: Json, annotation: object) -> Said:
    if not isinstance(annotation, dict):
        raise DataError("no object")
    if annotation.get("was_cancelled"):
        raise DataError(_SKIPPED)
    require_writable(annotation.get("result"))
    return Said(item, annotator_of(annotation), answer_of(annotation.get("result"), data))


def _one_page(tasks: Mapping[str, Json]) -> Page:
    pages = {page_of(data) for data in tasks.values()}
    if not pages:
        raise DataError("no task: nothing was exported, or all of it was refused")
    if len(pages) > 1:
        raise DataError(f"tasks for several pages ({', '.join(sorted(pages))}): take one at a time")
    return pages.pop()


def write_round(round: Round, folder: Path | str) -> None:
    """Write tasks.json and answers.jsonl into a folder.

    Raises:
        DataError: one of the files is there already, or cannot be written.
    """
    tasks, answers = Path(folder) / TASKS, Path(folder) / ANSWERS
    require_new(tasks, answers)
    write_tasks([{"data": data} for data in round.tasks.values()], tasks)
    with created(answers) as file:
        for one in round.said:
            file.write(line_of(one.to_dict()))


def write_tasks(tasks: list[Json], path: Path) -> None:
    """Write tasks as one JSON array, which Label Studio imports.

    Raises:
        DataError: the file is there already, or cannot be written.
    """
    with created(path) as file:
        json.dump(tasks, file, ensure_ascii=False, indent=1)
        file.write("\n")


def read_round(folder: Path | str) -> Round:
    """The round that a folder holds; undoes `write_round`.

    Raises:
        DataError: a file is missing or damaged; the message holds file and line.
    """
    tasks: dict[str, Json] = {}
    path = Path(folder) / TASKS
    for row in read_rows(path):
        if isinstance(row, Failure):
            raise DataError(f"{path}:{row.line}: {row.message}")
        item, data, _ = _task(row, tasks)
        tasks[item] = data
    page = _one_page(tasks)
    said = tuple(_answers(Path(folder) / ANSWERS, page, tasks))
    if len({(one.item, one.by) for one in said}) < len(said):
        raise DataError(f"{folder}: an annotator judged an item twice")
    return Round(page, tasks, said)


def _answers(path: Path, page: Page, tasks: Mapping[str, Json]) -> Iterable[Said]:
    if not path.is_file():
        raise DataError(f"no file {path}: pull the annotations first")
    for row in read_records(path):
        if isinstance(row, Failure):
            raise DataError(f"{path}:{row.line}: {row.message}")
        try:
            yield _answer(row.data, page, tasks)
        except DataError as error:
            raise DataError(f"{path}:{row.line}: {error}") from error


def _answer(data: Json, page: Page, tasks: Mapping[str, Json]) -> Said:
    item, by = data.get("id"), data.get("by")
    if not isinstance(item, str) or not isinstance(by, str) or item not in tasks:
        raise DataError(f'no {{"id", "by"}} of a task in {TASKS}')
    if page == "turns":
        return Said(item, by, turn_answer(data, tasks[item]["text"]))
    return Said(item, by, chain_answer(data) if page == "chains" else triple_answer(data))
