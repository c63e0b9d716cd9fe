"""Dialogues as rows of our own format, the exact inverse of its reader.

A row is read back before it is handed on, so nothing is ever written that would come back as
something else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

from untwist.data.convert.files import created, line_of
from untwist.data.jsonl import CORPUS, EVERY_LABEL, from_row
from untwist.data.jsonlines import Record
from untwist.data.ownlabels import own_words
from untwist.errors import DataError
from untwist.schema import Dialogue, Json, Labels, Utterance
from untwist.taxonomy import Distortion

LABEL_KEYS = (
    "labels", "evidence", "intensity", "risk", "acuity", "carried", "strategy", "challenges", "own",
)  # fmt: skip
"""The keys of a row that annotators, not writers, filled."""


def to_row(dialogue: Dialogue, *, messages: bool = False) -> Json:
    """The row of one dialogue; `untwist.data.load_jsonl` makes the same dialogue of it.

    A corpus' own words (`own_words`) are kept under "own", which the reader passes over.

    Args:
        dialogue: any.
        messages: write a single message, too, in the form for several.

    Raises:
        DataError: the dialogue holds what a row cannot; the reason names neither it nor its text.
    """
    row = {"id": dialogue.id, "corpus": dialogue.corpus}
    if dialogue.corpus == CORPUS:
        del row["corpus"]
    row |= _several(dialogue) if messages or not _is_single(dialogue) else _single(dialogue)
    if dialogue.group != f"{dialogue.corpus}:{dialogue.id}":
        row["group"] = dialogue.group
    if dialogue.split is not None:
        row["split"] = dialogue.split
    if not _same(from_row(Record(0, row)), dialogue):
        raise DataError("a row has no place for one of its values, such as a score other than 1")
    return row


def write_jsonl(dialogues: Iterable[Dialogue], path: Path | str) -> int:
    """Write dialogues as they come, one row each; returns how many.

    On any error the file is taken away again.

    Raises:
        DataError: the file is there already or cannot be written, a dialogue does not fit into a
            row, or its id occurs twice in its corpus.
    """
    count, seen = 0, set[tuple[str, str]]()
    with created(Path(path)) as file:
        for dialogue in dialogues:
            name = f"{dialogue.corpus} {dialogue.id}"
            if (dialogue.corpus, dialogue.id) in seen:
                raise DataError(f"{name} occurs twice: make ids unique within their corpus")
            seen.add((dialogue.corpus, dialogue.id))
            try:
                file.write(line_of(to_row(dialogue)))
            except DataError as error:
                raise DataError(f"{name}: {error}") from error
            count += 1
    return count


def _is_single(dialogue: Dialogue) -> bool:
    """Whether the form for one message can carry it: a message of the person, named as its row."""
    if len(dialogue.utterances) != 1:
        return False
    (utterance,) = dialogue.utterances
    return utterance.role == "user" and utterance.id == dialogue.id


def _single(dialogue: Dialogue) -> Json:
    (utterance,), (labels,) = dialogue.utterances, dialogue.labels
    return {"text": utterance.text} | _lang(utterance) | labels_to_row(labels)


def _several(dialogue: Dialogue) -> Json:
    pairs = zip(dialogue.utterances, dialogue.labels, strict=True)
    return {"messages": [_message(utterance, labels) for utterance, labels in pairs]}


def _message(utterance: Utterance, labels: Labels | None) -> Json:
    entry: Json = {"role": utterance.role, "content": utterance.text} | _lang(utterance)
    if utterance.id is not None:
        entry["id"] = utterance.id
    return entry | labels_to_row(labels)


def _lang(utterance: Utterance) -> Json:
    return {} if utterance.lang is None else {"lang": utterance.lang}


def labels_to_row(labels: Labels | None) -> Json:
    """What annotators said, under the keys of `LABEL_KEYS`; only what is known."""
    if labels is None:
        return {}
    row: Json = {}
    if labels.distortions is not None:
        row["labels"] = slugs(labels.distortions)
    if labels.evidence:
        row["evidence"] = [
            {"distortion": f.distortion.value, "start": f.start, "end": f.end}
            for f in labels.evidence
        ]
    if labels.intensity is not None:
        row["intensity"] = labels.intensity.value
    if labels.risk is not None:
        row["risk"] = labels.risk.value
    if labels.acuity:
        row["acuity"] = [kind.value for kind in labels.acuity]
    if labels.strategy is not None:
        row["strategy"] = labels.strategy.value
    if labels.challenges:
        row["challenges"] = {distortion.value: words for distortion, words in labels.challenges}
    # a row with nothing known would be read as "not annotated", which is something else
    if labels.carried != EVERY_LABEL or not row:
        row["carried"] = slugs(labels.carried)
    own = own_words(labels)
    return row | ({"own": list(own)} if own else {})


def slugs(distortions: frozenset[Distortion]) -> list[str]:
    """The slugs in the order of the taxonomy."""
    return [d.value for d in Distortion if d in distortions]


def _same(read: Dialogue, dialogue: Dialogue) -> bool:
    def plain(labels: Labels | None) -> tuple[object, ...] | None:
        if labels is None:
            return None
        return tuple(getattr(labels, field.name) for field in fields(Labels))

    same_labels = list(map(plain, read.labels)) == list(map(plain, dialogue.labels))
    return same_labels and (
        (read.id, read.corpus, read.utterances, read.group, read.split)
        == (dialogue.id, dialogue.corpus, dialogue.utterances, dialogue.group, dialogue.split)
    )
