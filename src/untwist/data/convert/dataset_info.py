"""The `dataset_info.json` of a LLaMA-Factory data folder: one entry per file."""

from __future__ import annotations

import json
from pathlib import Path

from untwist.data.convert.chats import MESSAGES, SHAREGPT, Chat
from untwist.data.convert.exchanges import Task
from untwist.errors import ConfigError, DataError
from untwist.schema import Json

FILE = "dataset_info.json"
_CHATS = {"sharegpt": SHAREGPT, "messages": MESSAGES}


def entry(format: str, file_name: str, task: Task) -> Json:
    """What LLaMA-Factory must know of one file.

    Args:
        format: "alpaca", "sharegpt" or "messages".
        file_name: relative to the folder.
        task: with "dialogue" an Alpaca file has a history column.

    Raises:
        ConfigError: LLaMA-Factory reads no such format.
    """
    if format == "alpaca":
        columns = {"prompt": "instruction", "query": "input", "response": "output"}
        if task == "dialogue":
            columns["history"] = "history"
        return {"file_name": file_name, "formatting": "alpaca", "columns": columns}
    if format not in _CHATS:
        raise ConfigError(f'"{format}" has no entry: give alpaca, sharegpt or messages')
    chat = _CHATS[format]
    return {
        "file_name": file_name,
        "formatting": "sharegpt",
        "columns": {"messages": chat.turns},
        "tags": _tags(chat),
    }


def _tags(chat: Chat) -> Json:
    return {
        "role_tag": chat.role,
        "content_tag": chat.content,
        "user_tag": chat.user,
        "assistant_tag": chat.assistant,
        "system_tag": "system",
    }


def entries(folder: Path, name: str) -> Json:
    """The entries of a folder, to which `name` may be added; empty when there is no file.

    Raises:
        DataError: the file is unreadable, or has an entry of that name.
    """
    path = folder / FILE
    try:
        known = json.loads(path.read_text(encoding="utf-8-sig")) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is not readable JSON: repair it, or move it away") from error
    if not isinstance(known, dict):
        raise DataError(f"{path} holds no object of entries: repair it, or move it away")
    if name in known:
        raise DataError(f'{path} has an entry "{name}" already: choose another name')
    return known


def register(folder: Path, name: str, described: Json) -> Path:
    """Add one entry and keep the others; returns the file.

    Raises:
        DataError: the file is unreadable, or has an entry of that name.
    """
    path, whole = folder / FILE, entries(folder, name) | {name: described}
    beside = path.with_name(f".{FILE}.new")
    beside.write_text(json.dumps(whole, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    beside.replace(path)
    return path
