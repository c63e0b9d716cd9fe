"""What tuning formats have in common: a question, its answer, and the exchanges before.

Two tasks. `detect`: the question asks for the distortions of one message, the answer names them; a
turn of a longer dialogue becomes a row of its own, without its context. `dialogue`: the last answer
of the assistant is learned from everything before it.

These formats want a person and an assistant taking turns, the person first and the assistant last.
Turns of one speaker in a row are joined by a line break; what the assistant says before the person,
and the person after the assistant's last answer, is kept beside the conversation. The key "untwist"
says where each turn came from, with its labels, so that reading undoes all of it. It holds JSON as
a string: tools that load a file as a table need one type per column.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from untwist.data.convert.rows import slugs, to_row
from untwist.data.convert.wording import answer, asked, parse_answer, question
from untwist.data.jsonl import from_row
from untwist.data.jsonlines import Record, record_id
from untwist.errors import DataError
from untwist.schema import Dialogue, Json
from untwist.taxonomy import Lang

Task = Literal["detect", "dialogue"]
BESIDE = "untwist"
"""The key of a row that carries what its format has no place for."""

_NOT_ANNOTATED = "messages without labels of distortions"
_NO_LANG = "messages in an unknown language: name the language of the question"
_MISMATCH = 'its conversation and its "untwist" part do not belong together'


@dataclass(frozen=True, slots=True)
class Exchange:
    """One row of a tuning format.

    Attributes:
        prompt: the question, or what the person said last.
        text: the message that the question is about; empty in a dialogue.
        answer: what is to be learned.
        history: what the person and the assistant said before, pair by pair.
        beside: what the format has no place for, as JSON.
    """

    prompt: str
    text: str
    answer: str
    history: tuple[tuple[str, str], ...]
    beside: str

    @property
    def whole(self) -> str:
        """Question and message as they are given to a model."""
        return f"{self.prompt}\n{self.text}" if self.text else self.prompt


@dataclass(frozen=True, slots=True)
class Said:
    """One turn of a conversation as a file has it.

    Attributes:
        role: "user" or "assistant".
        text: the words.
    """

    role: str
    text: str


def exchanges(
    dialogue: Dialogue, task: Task, lang: Lang | None, left_out: Counter[str]
) -> Iterator[Exchange]:
    """The rows of one dialogue.

    Args:
        dialogue: any.
        task: what is to be learned.
        lang: the language of question and answer; None means the message's own.
        left_out: grows by the messages that make no row, with the reason.

    Raises:
        DataError: the dialogue makes no row.
    """
    if task == "dialogue":
        yield _conversation(dialogue)
        return
    for one in _of_the_person(dialogue):
        (utterance,), (labels,) = one.utterances, one.labels
        spoken = lang or utterance.lang
        if labels is None or labels.distortions is None:
            left_out[_NOT_ANNOTATED] += 1
        elif spoken is None:
            left_out[_NO_LANG] += 1
        else:
            beside = _packed("detect", _without_words(to_row(one)))
            said = answer(labels.distortions, spoken)
            yield Exchange(question(spoken), utterance.text, said, (), beside)


def _of_the_person(dialogue: Dialogue) -> Iterator[Dialogue]:
    """Each message of the person as a dialogue of one; a single message as it is."""
    if len(dialogue.utterances) == 1:
        yield dialogue
        return
    pairs = zip(dialogue.utterances, dialogue.labels, strict=True)
    for place, (utterance, labels) in enumerate(pairs, 1):
        if utterance.role == "user" or labels is not None:
            id = f"{dialogue.id}#{place}"
            message = replace(utterance, id=id)
            yield replace(dialogue, id=id, utterances=(message,), labels=(labels,))


def _conversation(dialogue: Dialogue) -> Exchange:
    row = to_row(dialogue, messages=True)
    roles = [entry["role"] for entry in row["messages"]]
    if "user" not in roles or "assistant" not in roles[roles.index("user") :]:
        raise DataError("no answer of the assistant to a message of the person")
    first = roles.index("user")
    last = len(roles) - 1 - roles[::-1].index("assistant")
    turns: list[str] = []
    inside = row["messages"][first : last + 1]
    for _, group in groupby(inside, key=lambda entry: str(entry["role"])):
        turns.append(_joined(list(group)))
    pairs = list(zip(turns[::2], turns[1::2], strict=True))
    asking, answering = pairs.pop()
    return Exchange(asking, "", answering, tuple(pairs), _packed("dialogue", row))


def _joined(entries: list[Json]) -> str:
    """The words of one speaker's turns, taken out of their entries."""
    words = [str(entry.pop("content")) for entry in entries]
    if len(entries) > 1:
        for entry, said in zip(entries, words, strict=True):
            entry["chars"] = len(said)
    return "\n".join(words)


def _without_words(row: Json) -> Json:
    return {
        key: [{k: v for k, v in entry.items() if k != "content"} for entry in value]
        if key == "messages"
        else value
        for key, value in row.items()
        if key != "text"
    }


def _packed(task: Task, row: Json) -> str:
    return json.dumps({"task": task} | row, ensure_ascii=False)


def dialogue_of(turns: Sequence[Said], record: Record) -> Dialogue:
    """The dialogue of one row; undoes `exchanges`, and takes rows that others wrote.

    A row whose first turn is our question is a detection row; its answer gives the labels.

    Args:
        turns: the conversation in order.
        record: the row; its "untwist" part is used where it has one.

    Raises:
        DataError: the row makes no dialogue; the message quotes no text.
    """
    beside = _beside(record)
    task = beside.pop("task", None)
    row = beside or {"id": record_id(record)}
    message = (
        asked(turns[0].text) if [said.role for said in turns] == ["user", "assistant"] else None
    )
    if message is not None and task != "dialogue":
        row = _answered(row, message, turns[1].text)
    elif task == "detect":
        raise DataError("a detection row must hold the question, the message and the answer")
    else:
        row = row | {"messages": _restored(turns, row.get("messages"))}
    return from_row(Record(record.line, row))


def _beside(record: Record) -> Json:
    """A fresh copy of the "untwist" part; empty when there is none."""
    packed = record.data.get(BESIDE)
    if packed is None:
        return {}
    try:
        beside = json.loads(packed) if isinstance(packed, str) else deepcopy(packed)
    except (ValueError, RecursionError) as error:
        raise DataError(f'"{BESIDE}" holds no JSON: leave it as it was written') from error
    if not isinstance(beside, dict) or "id" not in beside:
        raise DataError(f'"{BESIDE}" holds no object with an id: leave it as it was written')
    return beside


def _answered(row: Json, message: str, said: str) -> Json:
    labels = slugs(parse_answer(said))
    if "messages" not in row:
        return row | {"text": message, "labels": labels}
    entries = row["messages"]
    if not isinstance(entries, list) or len(entries) != 1 or not isinstance(entries[0], dict):
        raise DataError(_MISMATCH)
    return row | {"messages": [entries[0] | {"content": message, "labels": labels}]}


def _restored(turns: Sequence[Said], entries: object) -> list[Json]:
    if entries is None:
        return [{"role": said.role, "content": said.text} for said in turns]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DataError(_MISMATCH)
    inside = [entry for entry in entries if "content" not in entry]
    blocks = [list(group) for _, group in groupby(inside, key=lambda entry: str(entry.get("role")))]
    if [block[0].get("role") for block in blocks] != [said.role for said in turns]:
        raise DataError(_MISMATCH)
    for block, said in zip(blocks, turns, strict=True):
        for entry, words in zip(block, _cut(said.text, block), strict=True):
            entry["content"] = words
            entry.pop("chars", None)
    return entries


def _cut(text: str, block: list[Json]) -> list[str]:
    """One turn of the file as the turns it was joined from."""
    if len(block) == 1:
        return [text]
    words: list[str] = []
    start = 0
    for entry in block:
        chars = entry.get("chars")
        if type(chars) is not int or chars < 0:
            raise DataError(_MISMATCH)
        words.append(text[start : start + chars])
        start += chars + 1
    if "\n".join(words) != text:
        raise DataError("a turn joined from several was changed: its parts cannot be told apart")
    return words
