"""The columns of a data set for Hugging Face's library, one list of types for every use.

Every row has every column, with null for what is not known: the library wants one type per column,
in all parts of a data set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from untwist.data.convert.exchanges import Task
from untwist.data.convert.rows import to_row
from untwist.data.jsonl import from_row
from untwist.data.jsonlines import Record
from untwist.errors import DataError
from untwist.schema import Dialogue, Json
from untwist.taxonomy import Distortion

Column = str | list[Any] | dict[str, Any]
"""A type by name, a list of one type, or an object by its keys."""

_SPAN: Column = {"distortion": "string", "start": "int64", "end": "int64"}
_LABELS: dict[str, Column] = {
    "labels": ["string"],
    "evidence": [_SPAN],
    "intensity": "string",
    "risk": "string",
    "acuity": ["string"],
    "carried": ["string"],
    "strategy": "string",
    "challenges": {distortion.value: "string" for distortion in Distortion},
    "own": ["string"],
}
_WORDS: dict[str, Column] = {"lang": "string", "id": "string"}
COLUMNS: dict[Task, dict[str, Column]] = {
    "detect": {"id": "string", "corpus": "string", "text": "string", "lang": "string"}
    | _LABELS
    | {"group": "string", "split": "string"},
    "dialogue": {
        "id": "string",
        "corpus": "string",
        "group": "string",
        "split": "string",
        "messages": [{"role": "string", "content": "string"} | _WORDS | _LABELS],
    },
}
"""The columns of each task: `detect` has one message per row, `dialogue` a list of them."""


def to_columns(dialogue: Dialogue, task: Task) -> Json:
    """One row with every column of its task.

    Raises:
        DataError: the dialogue does not fit into one row of this task.
    """
    row = to_row(dialogue, messages=task == "dialogue")
    if task == "detect" and "messages" in row:
        raise DataError('more than one message, or one with a name of its own: use "dialogue"')
    filled: Json = _filled(row, COLUMNS[task])
    return filled


def _filled(value: Any, column: Column) -> Any:  # noqa: ANN401 - JSON of any shape
    if value is None or isinstance(column, str):
        return value
    if isinstance(column, list):
        return [_filled(one, column[0]) for one in value]
    return {key: _filled(value.get(key), kind) for key, kind in column.items()}


def from_columns(record: Record) -> Dialogue:
    """The dialogue of one row, nulls or not.

    Raises:
        DataError: the row breaks the format.
    """
    return from_row(Record(record.line, _known(record.data)))


def _known(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """The same without the keys that hold null."""
    if isinstance(value, Mapping):
        return {key: _known(one) for key, one in value.items() if one is not None}
    return [_known(one) for one in value] if isinstance(value, list) else value


def columns_as_yaml(task: Task, indent: int) -> str:
    """The columns and types as the head of a card says them.

    Args:
        task: which columns.
        indent: spaces before each line.
    """
    return "\n".join(" " * indent + line for line in _yaml(COLUMNS[task]))


def _yaml(columns: Mapping[str, Column]) -> list[str]:
    lines: list[str] = []
    for name, column in columns.items():
        lines.append(f"- name: {name}")
        inner = column[0] if isinstance(column, list) else column
        key = "list" if isinstance(column, list) else "dtype"
        if isinstance(inner, str):
            lines.append(f"  {key}: {inner}")
        else:
            lines += [f"  {key}:", *("  " + line for line in _yaml(inner))]
    return lines
