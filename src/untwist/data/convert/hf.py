"""Hugging Face datasets: as objects of the library, and as a folder that it loads.

A dialogue without a published part stands in "train"; its `split` still says that it has none.
"""

from __future__ import annotations

import importlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from untwist.data.convert.card import card, require_licence
from untwist.data.convert.columns import COLUMNS, Column, from_columns, to_columns
from untwist.data.convert.exchanges import Task
from untwist.data.convert.files import created, line_of, nothing_written, read_rows, require_new
from untwist.data.jsonl import each_once
from untwist.data.jsonlines import Record
from untwist.data.refusals import Refusals
from untwist.errors import DataError, MissingExtra
from untwist.schema import Dialogue, Json

_PART = re.compile(r"\w+", re.ASCII)
_SAME_PART = {"dev": "validation", "val": "validation", "valid": "validation"}


def part_of(dialogue: Dialogue) -> str:
    """The part of a data set in which a dialogue stands; "train" when it has no published part.

    Raises:
        DataError: the library takes no part of that name.
    """
    part = dialogue.split or "train"
    if not _PART.fullmatch(part):
        raise DataError("its part has a name with other characters than letters and digits")
    return _SAME_PART.get(part, part)


def to_datasets(dialogues: Iterable[Dialogue], *, task: Task = "detect") -> Any:  # noqa: ANN401
    """A `datasets.DatasetDict` by published part.

    Raises:
        MissingExtra: the library is not installed.
        DataError: a dialogue does not fit; the message names it.
    """
    library = _library()
    parts: dict[str, list[Json]] = {}
    for dialogue in dialogues:
        try:
            parts.setdefault(part_of(dialogue), []).append(to_columns(dialogue, task))
        except DataError as error:
            raise DataError(f"{dialogue.corpus} {dialogue.id}: {error}") from error
    features = library.Features({k: _feature(library, c) for k, c in COLUMNS[task].items()})
    return library.DatasetDict(
        {name: library.Dataset.from_list(rows, features=features) for name, rows in parts.items()}
    )


def from_datasets(data: Any, refusals: Refusals | None = None) -> Iterator[Dialogue]:  # noqa: ANN401
    """The dialogues of a `DatasetDict`, part by part, or of one `Dataset`.

    Args:
        data: with the columns of `to_datasets`.
        refusals: collects refused rows under the name of their part and their 1-based number;
            without it the first one raises.

    Raises:
        DataError: a row is refused and there is no collector.
    """
    parts = data if isinstance(data, Mapping) else {"data set": data}
    seen: set[tuple[str, str]] = set()
    for name, rows in parts.items():
        records = (Record(number, row) for number, row in enumerate(rows, 1))
        yield from each_once(records, from_columns, name, refusals, seen)


def _library() -> Any:  # noqa: ANN401 - a module that the base install leaves out
    try:
        return importlib.import_module("datasets")
    except ImportError as error:
        raise MissingExtra("HF datasets", "finetune") from error


def _feature(library: Any, column: Column) -> Any:  # noqa: ANN401 - the library's own types
    if isinstance(column, str):
        return library.Value(column)
    if isinstance(column, list):
        return library.List(_feature(library, column[0]))
    return {key: _feature(library, kind) for key, kind in column.items()}


def write_folder(
    dialogues: Iterable[Dialogue],
    folder: Path,
    left_out: Counter[str],
    *,
    name: str,
    licence: str | None,
    task: Task = "detect",
) -> tuple[list[Path], int]:
    """`data/PART.jsonl` and a card, which `datasets.load_dataset(folder)` reads.

    Args:
        dialogues: written as they come.
        folder: made if need be.
        left_out: grows by the dialogues that do not fit, by reason.
        name: the data set's name for people.
        licence: an identifier such as "cc-by-4.0".
        task: one message per row, or a list of them.

    Returns:
        The files, the card last, and the number of rows.

    Raises:
        ConfigError: there is no licence, or it is no identifier.
        DataError: a file is there already, or no dialogue fits.
    """
    readme, data = folder / "README.md", folder / "data"
    licence = require_licence(licence)
    require_new(readme, *sorted(data.glob("*.jsonl")))
    langs: Counter[str] = Counter()
    with ExitStack() as open_files:
        counts = _pour(dialogues, data, task, left_out, langs, open_files)
        rows = counts.total()
        if not rows:
            raise nothing_written(left_out)
        files = {part: f"data/{part}.jsonl" for part in sorted(counts)}
        with created(readme) as file:
            file.write(card(name, licence, task, files, sorted(langs), rows))
    return [*(folder / relative for relative in files.values()), readme], rows


def _pour(
    dialogues: Iterable[Dialogue],
    data: Path,
    task: Task,
    left_out: Counter[str],
    langs: Counter[str],
    open_files: ExitStack,
) -> Counter[str]:
    """Every row into the file of its part; returns the rows of each part."""
    files: dict[str, TextIO] = {}
    counts: Counter[str] = Counter()
    for dialogue in dialogues:
        try:
            part, line = part_of(dialogue), line_of(to_columns(dialogue, task))
        except DataError as error:
            left_out[str(error)] += 1
            continue
        if part not in files:
            files[part] = open_files.enter_context(created(data / f"{part}.jsonl"))
        files[part].write(line)
        counts[part] += 1
        langs.update(u.lang for u in dialogue.utterances if u.lang is not None)
    return counts


def read_folder(folder: Path, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """The dialogues of a folder that `write_folder` wrote, part by part.

    Args:
        folder: holds `data/*.jsonl`.
        refusals: collects refused rows; without it the first one raises.

    Raises:
        DataError: there is no such file, or a row is refused and there is no collector.
    """
    files = sorted((folder / "data").glob("*.jsonl"))
    if not files:
        raise DataError(f"no {folder / 'data'}/*.jsonl: give the folder of a data set")
    seen: set[tuple[str, str]] = set()
    for file in files:
        yield from each_once(read_rows(file), from_columns, file, refusals, seen)
