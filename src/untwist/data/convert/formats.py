"""One door for every format: dialogues to files, and files to dialogues."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from untwist.data.convert import dataset_info
from untwist.data.convert.alpaca import from_alpaca, to_alpaca
from untwist.data.convert.chats import MESSAGES, SHAREGPT
from untwist.data.convert.exchanges import Exchange, Task, exchanges
from untwist.data.convert.files import created, line_of, nothing_written, read_rows, require_new
from untwist.data.convert.hf import read_folder, write_folder
from untwist.data.convert.labelstudio import config, tasks
from untwist.data.convert.labelstudio_export import read_label_studio
from untwist.data.convert.rows import to_row
from untwist.data.jsonl import each_once, from_row
from untwist.data.jsonlines import Record
from untwist.data.refusals import Refusals
from untwist.errors import ConfigError, DataError
from untwist.schema import Dialogue, Json
from untwist.taxonomy import Lang

_TUNING: dict[str, tuple[Callable[[Exchange], Json], Callable[[Record], Dialogue]]] = {
    "alpaca": (to_alpaca, from_alpaca),
    "sharegpt": (SHAREGPT.write, SHAREGPT.read),
    "messages": (MESSAGES.write, MESSAGES.read),
}
FORMATS: tuple[str, ...] = ("jsonl", *_TUNING, "label-studio", "hf")
"""The formats by name; jsonl is our own."""

_NAME = re.compile(r"[\w-][\w.-]*")


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    Attributes:
        files: new or, for `dataset_info.json`, added to.
        rows: how many rows, over all files.
        left_out: what no row carries: reason to count, of dialogues or, where the reason says so,
            of messages and labels.
    """

    files: tuple[Path, ...]
    rows: int
    left_out: dict[str, int]


def write(
    dialogues: Iterable[Dialogue],
    out: Path | str,
    format: str,
    *,
    name: str,
    licence: str | None = None,
    task: Task = "detect",
    lang: Lang | None = None,
    predictions: bool = False,
) -> Written:
    """Write dialogues in a format, into a folder; no file is overwritten.

    Args:
        dialogues: taken as they come.
        out: the folder, made if need be.
        format: one of `FORMATS`.
        name: of the data set; files are called by it.
        licence: an identifier such as "cc-by-4.0"; only the card of "hf" says it, and needs it.
        task: "detect" has a row per message and its labels, "dialogue" a row per dialogue;
            "jsonl" is the same for both.
        lang: the language of questions, label names and annotation pages; None means that of each
            message, or of the first message for a page (English where that has none).
        predictions: with "label-studio", show the annotators the labels that are there.

    Raises:
        ConfigError: the format or the name is none, or a licence is missing.
        DataError: a file is there already or cannot be written, or not one row could be written.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError("a name has letters, digits, dots, dashes and underscores only")
    folder = Path(out)
    left_out: Counter[str] = Counter()
    unique = _unique(dialogues, left_out)
    if format == "hf":
        files, rows = write_folder(unique, folder, left_out, name=name, licence=licence, task=task)
    elif format == "label-studio":
        files, rows = _write_tasks(unique, folder / name, left_out, task, lang, predictions)
    elif format == "jsonl":
        files = [folder / f"{name}.jsonl"]
        rows = _write_lines(_rows(unique, _our_row, left_out), files[0], left_out)
    else:
        files, rows = _write_tuning(unique, folder, format, left_out, name, task, lang)
    return Written(tuple(files), rows, dict(+left_out))


def read(path: Path | str, format: str, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """Read dialogues of a format.

    Of "label-studio" each annotator's dialogues come as those of a corpus of their own, named
    CORPUS@ANNOTATOR; `read_label_studio` gives the two apart.

    Args:
        path: the file; for "hf" the folder.
        format: one of `FORMATS`.
        refusals: collects refused rows; without it the first one raises.

    Raises:
        ConfigError: there is no such format.
        DataError: there is no such file, or a row is refused and there is no collector.
    """
    file = Path(path)
    if format == "hf":
        return read_folder(file, refusals)
    if format == "label-studio":
        return (_of(annotator, d) for annotator, d in read_label_studio(file, refusals))
    build = from_row if format == "jsonl" else _tuning(format)[1]
    return each_once(read_rows(file), build, file, refusals)


def _of(annotator: str, dialogue: Dialogue) -> Dialogue:
    return replace(dialogue, corpus=f"{dialogue.corpus}@{annotator}")


def _tuning(format: str) -> tuple[Callable[[Exchange], Json], Callable[[Record], Dialogue]]:
    if format not in _TUNING:
        raise ConfigError(f'unknown format "{format}": there are {", ".join(FORMATS)}')
    return _TUNING[format]


def _unique(dialogues: Iterable[Dialogue], left_out: Counter[str]) -> Iterator[Dialogue]:
    seen: set[tuple[str, str]] = set()
    for dialogue in dialogues:
        if (dialogue.corpus, dialogue.id) in seen:
            left_out["an id that occurs twice in its corpus"] += 1
            continue
        seen.add((dialogue.corpus, dialogue.id))
        yield dialogue


def _rows(
    dialogues: Iterable[Dialogue],
    make: Callable[[Dialogue], Iterable[Json]],
    left_out: Counter[str],
) -> Iterator[Json]:
    for dialogue in dialogues:
        try:
            rows = list(make(dialogue))
        except DataError as error:
            left_out[str(error)] += 1
            continue
        yield from rows


def _our_row(dialogue: Dialogue) -> list[Json]:
    return [to_row(dialogue)]


def _write_lines(rows: Iterable[Json], path: Path, left_out: Counter[str]) -> int:
    count = 0
    with created(path) as file:
        for row in rows:
            file.write(line_of(row))
            count += 1
        if not count:
            raise nothing_written(left_out)
    return count


def _write_tuning(
    dialogues: Iterable[Dialogue],
    folder: Path,
    format: str,
    left_out: Counter[str],
    name: str,
    task: Task,
    lang: Lang | None,
) -> tuple[list[Path], int]:
    """The file and its entry in the folder's `dataset_info.json`."""
    spell, _ = _tuning(format)
    path = folder / f"{name}.jsonl"
    dataset_info.entries(folder, name)

    def make(dialogue: Dialogue) -> Iterator[Json]:
        return map(spell, exchanges(dialogue, task, lang, left_out))

    rows = _write_lines(_rows(dialogues, make, left_out), path, left_out)
    described = dataset_info.entry(format, path.name, task)
    return [path, dataset_info.register(folder, name, described)], rows


def _write_tasks(
    dialogues: Iterator[Dialogue],
    stem: Path,
    left_out: Counter[str],
    task: Task,
    lang: Lang | None,
    predictions: bool,
) -> tuple[list[Path], int]:
    """The tasks as one array, and the page that shows them."""
    files = [stem.with_name(stem.name + ending) for ending in (".json", ".xml")]
    require_new(*files)
    first = list(next(([dialogue] for dialogue in dialogues), []))
    found = [u.lang for d in first for u in d.utterances if u.lang is not None]
    page: Lang = lang or (found[0] if found else "en")

    def make(dialogue: Dialogue) -> Iterator[Json]:
        return tasks(dialogue, task, page, left_out, predictions=predictions)

    count = 0
    with created(files[0]) as file:
        for row in _rows(chain(first, dialogues), make, left_out):
            file.write(("[\n" if count == 0 else ",\n") + line_of(row).rstrip("\n"))
            count += 1
        if not count:
            raise nothing_written(left_out)
        file.write("\n]\n")
        with created(files[1]) as xml:
            xml.write(config(page, task))
    return files, count
