"""The page for labels: each message of the person on its own, what was said before above it.

Distortions (several may hold), the words that show each of them, intensity, risk, and why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from untwist.data.convert import labelstudio as plain
from untwist.data.convert.labelstudio_export import labels_row, merged, row_of_task
from untwist.data.convert.rows import labels_to_row
from untwist.data.jsonl import EVERY_LABEL, from_row
from untwist.data.jsonlines import Record
from untwist.data.labelstudio.pages import (
    PAGE,
    Element,
    add_rationale,
    add_said,
    as_xml,
    rationale_of,
    written,
)
from untwist.data.labelstudio.places import in_characters
from untwist.errors import DataError
from untwist.schema import Dialogue, Json, Labels, Utterance
from untwist.taxonomy import CANONICAL, Intensity, Lang, Risk

NAME = "turns"
VERSION = "turns@1"


@dataclass(frozen=True, slots=True)
class TurnAnswer:
    """What an annotator said of one message.

    Attributes:
        labels: distortions, evidence, intensity and risk.
        rationale: why; empty when it was left out.
    """

    labels: Labels
    rationale: str = ""

    def to_dict(self) -> Json:
        """As JSON values."""
        return labels_to_row(self.labels) | {"rationale": self.rationale}


def turn_answer(data: Json, text: str) -> TurnAnswer:
    """The inverse of `TurnAnswer.to_dict`.

    Args:
        data: the values.
        text: of the message, which the evidence is checked against.

    Raises:
        DataError: they are no answer.
    """
    known = {k: v for k, v in data.items() if k not in ("id", "corpus", "text", "messages")}
    (labels,) = from_row(Record(0, {"id": "0", "text": text} | known)).labels
    if labels is None:
        raise DataError("an answer that says nothing")
    return TurnAnswer(labels, str(data.get("rationale", "")))


def config(lang: Lang, *, adjudication: bool = False) -> str:
    """The XML of the page.

    Args:
        lang: of headings and labels.
        adjudication: show what the annotators said.
    """
    page = ElementTree.fromstring(plain.config(lang, "dialogue"))
    _explain(page, lang)
    for field in page.iter("Choices"):
        if field.get("name") == plain.RISK:
            field.set("required", "true")
    if adjudication:
        add_said(page, lang)
    add_rationale(page, plain.TEXT, lang)
    return as_xml(page)


def _explain(page: Element, lang: Lang) -> None:
    """Definitions appear where the pointer rests on a name."""
    members = (*CANONICAL, *Intensity, *Risk)
    hints = {member.name_in(lang): member.definition_in(lang) for member in members}
    for tag in ("Choice", "Label"):
        for value in page.iter(tag):
            hint = hints.get(value.get("value", ""))
            if hint:
                value.set("hint", hint)


def tasks(
    dialogue: Dialogue, lang: Lang, left_out: Counter[str], *, predictions: bool = False
) -> Iterator[Json]:
    """One task per message of the person.

    Args:
        dialogue: any.
        lang: of the page.
        left_out: grows by the labels that are not written.
        predictions: show the dialogue's labels; never in a round that measures agreement.

    Raises:
        DataError: the dialogue makes no task.
    """
    for task in plain.tasks(dialogue, "dialogue", lang, left_out, predictions=predictions):
        yield task | {"data": {PAGE: VERSION} | task["data"]}


def result_of(answer: TurnAnswer, text: str, lang: Lang) -> list[Json]:
    """What an annotator fills in to say this."""
    said = plain.result_of(answer.labels, Utterance(text), lang)
    return said + written(plain.TEXT, answer.rationale)


def answer_of(results: object, data: Json) -> TurnAnswer:
    """What an annotator said; undoes `result_of`, in whichever language the page was.

    Args:
        results: of the annotation.
        data: of its task.

    Raises:
        DataError: they hold nothing, contradict each other or the text, or leave open where the
            evidence stands.
    """
    text = data.get(plain.TEXT)
    if not isinstance(text, str):
        raise DataError(f'its task has no "{plain.TEXT}"')
    row = labels_row(in_characters(results, text), text)
    return turn_answer(row | {"rationale": rationale_of(results)}, text)


def dialogue_of(data: Json, labels: Labels) -> Dialogue:
    """The dialogue that a task was taken from, with labels of its message alone.

    Raises:
        DataError: the task does not fit its dialogue.
    """
    record = Record(0, {"data": data})
    return from_row(Record(0, row_of_task(record, data[plain.TEXT], labels_to_row(labels))))


def place_of(data: Json) -> tuple[str, str, int]:
    """Corpus and id of the dialogue that a task was taken from, and which turn it is, from 1.

    Raises:
        DataError: the task does not fit its dialogue.
    """
    one = dialogue_of(data, Labels(frozenset(), EVERY_LABEL))
    turn = data.get("turn", 1)
    return one.corpus, one.id, turn


def dialogues_of(labelled: Iterable[tuple[Json, Labels]]) -> list[Dialogue]:
    """The dialogues of several tasks, each with the labels of all its tasks, in order.

    Raises:
        DataError: a task does not fit its dialogue.
    """
    held: dict[tuple[str, str], Dialogue] = {}
    for data, labels in labelled:
        one = dialogue_of(data, labels)
        held[one.corpus, one.id] = merged(held.get((one.corpus, one.id)), one)
    return list(held.values())
