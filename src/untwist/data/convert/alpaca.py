"""Alpaca rows: instruction, input, output, and history for dialogues.

Source: LLaMA-Factory's data formats, which train on the answers in `history` too.
"""

from __future__ import annotations

from untwist.data.convert.exchanges import BESIDE, Exchange, Said, dialogue_of
from untwist.data.jsonlines import Record
from untwist.errors import DataError
from untwist.schema import Dialogue, Json


def to_alpaca(exchange: Exchange) -> Json:
    """One exchange as a row; `history` is there when it is a dialogue."""
    row: Json = {
        "instruction": exchange.prompt,
        "input": exchange.text,
        "output": exchange.answer,
    }
    if not exchange.text:
        row["history"] = [list(pair) for pair in exchange.history]
    return row | {BESIDE: exchange.beside}


def from_alpaca(record: Record) -> Dialogue:
    """The dialogue of one row, ours or another's.

    Raises:
        DataError: the row is no Alpaca row, or has a system text.
    """
    data = record.data
    if data.get("system"):
        raise DataError('a "system" text has no place in a dialogue: take it out')
    parts = [_words(data, "instruction"), _words(data, "input", optional=True)]
    prompt = "\n".join(part for part in parts if part)
    turns = [*_history(data), Said("user", prompt), Said("assistant", _words(data, "output"))]
    return dialogue_of(turns, record)


def _words(data: Json, key: str, *, optional: bool = False) -> str:
    value = data.get(key)
    if value is None and optional:
        return ""
    if not isinstance(value, str):
        raise DataError(
            f'"{key}" is missing or no string: an Alpaca row has instruction and output'
        )
    return value


def _history(data: Json) -> list[Said]:
    pairs = data.get("history")
    if pairs is None:
        return []
    if not isinstance(pairs, list):
        raise DataError("history is no list of pairs")
    said: list[Said] = []
    for place, pair in enumerate(pairs, 1):
        if not isinstance(pair, list) or [type(words) for words in pair] != [str, str]:
            raise DataError(f"history entry {place} is no pair of strings")
        said += [Said("user", pair[0]), Said("assistant", pair[1])]
    return said
