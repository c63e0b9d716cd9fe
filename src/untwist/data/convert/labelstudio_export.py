"""Annotations out of a Label Studio export, one dialogue per annotator.

An annotator is known by number alone; names and addresses in the export are not read. Predictions,
and fields that untwist's page does not have, are passed over; a task that nobody annotated gives
nothing. A span says its label even where it was not ticked. The annotators could give the canonical
twelve.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path

from untwist.data.convert.exchanges import BESIDE
from untwist.data.convert.files import read_rows
from untwist.data.convert.labelstudio import DISTORTIONS, EVIDENCE, INTENSITY, RISK, TEXT
from untwist.data.convert.rows import slugs
from untwist.data.convert.wording import wording
from untwist.data.jsonl import from_row
from untwist.data.jsonlines import Failure, Record, record_id
from untwist.data.refusals import Refusals, refuse
from untwist.errors import DataError
from untwist.schema import Dialogue, Json
from untwist.taxonomy import LANGS, Distortion, Intensity, Risk, parse

_OURS = {DISTORTIONS: "choices", EVIDENCE: "labels", INTENSITY: "choices", RISK: "choices"}
_SPACE = re.compile(r"\\n|\s")


def read_label_studio(
    path: Path | str, refusals: Refusals | None = None
) -> Iterator[tuple[str, Dialogue]]:
    """Every annotator's reading of every dialogue, in the order of the export.

    The tasks of one dialogue become one dialogue again; a message that an annotator did not
    reach has no labels there.

    Args:
        path: an export in the format "JSON".
        refusals: collects refused annotations; without it the first one raises.

    Raises:
        DataError: the file is missing or no export, or an annotation is refused and there is no
            collector; the message holds file and line.
    """
    held: dict[tuple[str, str, str], Dialogue] = {}
    for record in read_rows(Path(path)):
        if isinstance(record, Failure):
            refuse(refusals, path, record.line, record.message)
            continue
        for place, annotation in enumerate(_annotations(record, path, refusals), 1):
            try:
                annotator, dialogue = _read(record, annotation)
                key = (annotator, dialogue.corpus, dialogue.id)
                held[key] = merged(held.get(key), dialogue)
            except DataError as error:
                refuse(refusals, path, record.line, f"annotation {place}: {error}")
    for (annotator, _, _), dialogue in held.items():
        yield annotator, dialogue


def _annotations(record: Record, path: Path | str, refusals: Refusals | None) -> list[object]:
    found = record.data.get("annotations")
    if isinstance(found, list) and isinstance(record.data.get("data"), dict):
        return found
    reason = 'no task with "data" and a list of "annotations": export in the format "JSON"'
    refuse(refusals, path, record.line, reason)
    return []


def _read(record: Record, annotation: object) -> tuple[str, Dialogue]:
    if not isinstance(annotation, dict):
        raise DataError("no object")
    if annotation.get("was_cancelled"):
        raise DataError("skipped by its annotator")
    text = record.data["data"].get(TEXT)
    if not isinstance(text, str):
        raise DataError(f'its task has no "{TEXT}"')
    labels = labels_row(annotation.get("result"), text)
    row = row_of_task(record, text, labels)
    return annotator_of(annotation), from_row(Record(record.line, row))


def annotator_of(annotation: Json) -> str:
    """The number of an annotation's annotator, as a string.

    Raises:
        DataError: the export leaves the annotators out.
    """
    by = annotation.get("completed_by")
    number = by.get("id") if isinstance(by, dict) else by
    if type(number) is not int:
        raise DataError('"completed_by" holds no number: export it with the annotators')
    return str(number)


def row_of_task(record: Record, text: str, labels: Json) -> Json:
    """The row of a task's whole dialogue, in which its message alone has labels.

    Args:
        record: the task.
        text: of its message.
        labels: under the keys of our own rows.

    Raises:
        DataError: the task does not fit its dialogue.
    """
    data = record.data["data"]
    named = record_id(record if data.get("id") is None else Record(record.line, data))
    beside = data.get(BESIDE)
    row = deepcopy(beside) if isinstance(beside, dict) else {"id": named}
    if "messages" not in row:
        return row | {"text": text, "lang": data.get("lang")} | labels
    turn, messages = data.get("turn"), row["messages"]
    if not isinstance(messages, list) or type(turn) is not int or not 0 < turn <= len(messages):
        raise DataError('its task\'s "turn" is none of the messages')
    message = messages[turn - 1]
    if not isinstance(message, dict) or message.get("content") != text:
        raise DataError("its task's text was changed: it is not that of the dialogue")
    message |= labels
    return row


def labels_row(results: object, text: str) -> Json:
    """What an annotation says, under the keys of our own rows.

    Args:
        results: of the annotation; fields that are not ours are passed over.
        text: of the message.

    Raises:
        DataError: it says nothing, or contradicts itself or the text.
    """
    if not isinstance(results, list):
        raise DataError('"result" is no list')
    ours = [r for r in results if isinstance(r, dict) and str(r.get("from_name")) in _OURS]
    if not ours:
        raise DataError(f'nothing under "{DISTORTIONS}" or another field of untwist\'s page')
    row: Json = {}
    for result in ours:
        name, value = str(result["from_name"]), result.get("value")
        value = value if isinstance(value, dict) else {}
        names = value.get(_OURS[name])
        if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
            raise DataError(f'"{name}" holds no {_OURS[name]}')
        _fill(row, name, names, value, text)
    return _agreeing(row)


def _fill(row: Json, name: str, names: list[str], value: Json, text: str) -> None:
    if name == DISTORTIONS:
        row["labels"] = _distortions(names)
    elif name == EVIDENCE:
        row.setdefault("evidence", []).extend(_spans(names, value, text))
    else:
        kind: type[Intensity] | type[Risk] = Intensity if name == INTENSITY else Risk
        if len(names) != 1 or names[0] not in _members(kind):
            raise DataError(f'"{name}" holds none of its values, or several')
        row[name] = _members(kind)[names[0]]


def _distortions(names: list[str]) -> list[str]:
    nothing = {wording(lang)["none"] for lang in LANGS}
    if nothing.isdisjoint(names):
        return slugs(frozenset(map(parse, names)))
    if len(names) > 1:
        raise DataError("a distortion and none at the same time")
    return []


def _spans(names: list[str], value: Json, text: str) -> list[Json]:
    start, end, words = value.get("start"), value.get("end"), value.get("text")
    if type(start) is not int or type(end) is not int:
        raise DataError(f'"{EVIDENCE}" without a place in the text')
    if isinstance(words, str) and _bare(words) != _bare(text[start:end]):
        start, end = _of_units(text, start), _of_units(text, end)
        if _bare(words) != _bare(text[start:end]):
            raise DataError(f'"{EVIDENCE}" does not stand where it says')
    return [{"distortion": parse(name).value, "start": start, "end": end} for name in names]


def _of_units(text: str, place: int) -> int:
    """The character at a place that a browser counted in units of UTF-16 (an emoji is two)."""
    units = text.encode("utf-16-le", "surrogatepass")[: 2 * max(place, 0)]
    return len(units.decode("utf-16-le", "ignore"))


def _bare(words: str) -> str:
    """Without white space, which the page writes in its own way."""
    return _SPACE.sub("", words)


def _agreeing(row: Json) -> Json:
    """The labels with those that only a span says."""
    marked = frozenset(Distortion(span["distortion"]) for span in row.get("evidence", ()))
    if row.get("labels") == [] and marked:
        raise DataError("a distortion and none at the same time")
    if marked:
        row["labels"] = slugs(marked | frozenset(map(Distortion, row.get("labels", ()))))
    return row


@cache
def _members(kind: type[Intensity] | type[Risk]) -> dict[str, str]:
    """Every spelling of a member and its value."""
    spelled: dict[str, str] = {}
    for member in kind:
        for name in (str(member.value), *(member.name_in(lang) for lang in LANGS)):
            spelled[name] = str(member.value)
    return spelled


def merged(known: Dialogue | None, dialogue: Dialogue) -> Dialogue:
    """One annotator's labels of one dialogue, from several tasks.

    Raises:
        DataError: the tasks do not belong together, or a message is labelled twice.
    """
    if known is None:
        return dialogue
    if known.utterances != dialogue.utterances:
        raise DataError("its dialogue has other words in another task")
    pairs = list(zip(known.labels, dialogue.labels, strict=True))
    if any(one is not None and other is not None for one, other in pairs):
        raise DataError("its annotator annotated the message twice")
    return replace(known, labels=tuple(one or other for one, other in pairs))
