"""The page for chains of reasoning: two candidates, of which an expert chooses the better.

Source: CrossLinCD (2025), section 3: two chains per sample, the best is selected by experts. Which
of the two is shown first follows from the item's id, so that the place says nothing of its maker
and every annotator sees the same page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from untwist.data.convert.exchanges import BESIDE
from untwist.data.convert.rows import slugs
from untwist.data.jsonlines import Record, read_each, record_id, text_of
from untwist.data.labelstudio.pages import (
    PAGE,
    add_choice,
    add_rationale,
    add_said,
    add_text,
    as_xml,
    by_name,
    choice_of,
    chosen,
    new_page,
    rationale_of,
    wording,
    written,
)
from untwist.errors import DataError
from untwist.schema import Json
from untwist.taxonomy import Distortion, Lang, parse_all
from untwist.text import require_text

NAME = "chains"
VERSION = "chains@1"
_CHOICE, _TEXT, _LABELS, _CHAINS = "choice", "text", "labels", ("chain_1", "chain_2")
_PLACES = {"0": "first", "1": "second", "": "neither"}


@dataclass(frozen=True, slots=True)
class ChainItem:
    """A message, its labels, and two chains of reasoning from the one to the other.

    Attributes:
        id: unique in its file.
        text: the message.
        lang: of it; None when it is neither English nor Chinese.
        labels: that the chains explain.
        candidates: the two chains.
    """

    id: str
    text: str
    lang: Lang | None
    labels: frozenset[Distortion]
    candidates: tuple[str, str]

    def to_dict(self) -> Json:
        """As JSON values: a row of the file."""
        return {
            "id": self.id,
            "text": self.text,
            "lang": self.lang,
            "labels": slugs(self.labels),
            "candidates": list(self.candidates),
        }


@dataclass(frozen=True, slots=True)
class ChainAnswer:
    """What an annotator said of one pair of chains.

    Attributes:
        chosen: the place of the better one in `ChainItem.candidates`; None when neither will do.
        rationale: why; empty when it was left out.
    """

    chosen: int | None
    rationale: str = ""

    def to_dict(self) -> Json:
        """As JSON values."""
        return {"chosen": self.chosen, "rationale": self.rationale}


def chain_answer(data: Json) -> ChainAnswer:
    """The inverse of `ChainAnswer.to_dict`.

    Raises:
        DataError: the values are no answer.
    """
    place = data.get("chosen")
    if "chosen" not in data or not (place is None or (type(place) is int and place in (0, 1))):
        raise DataError("chosen is 0, 1, or null for neither")
    return ChainAnswer(place, str(data.get("rationale", "")))


def read_chains(path: Path | str) -> Iterator[ChainItem]:
    """The items of a file in order.

    Rows: {"id", "text", "lang"?, "labels": [...], "candidates": [chain, chain]}.

    Raises:
        DataError: a row is no item; nothing is left out in silence.
    """
    return read_each(path, chain_item, "pair of chains")


def chain_item(record: Record) -> ChainItem:
    """The item of one row.

    Raises:
        DataError: the row is none.
    """
    data = record.data
    given, names = data.get("candidates"), data.get("labels")
    if not isinstance(given, list) or len(given) != 2:
        raise DataError("candidates is no list of two chains")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DataError("labels is no list of strings")
    first, second = (require_text(chain, "a chain") for chain in given)
    id = record_id(record)
    utterance = text_of(data, id)
    return ChainItem(id, utterance.text, utterance.lang, parse_all(names), (first, second))


def chain_in(data: Json) -> ChainItem:
    """The item that a task carries.

    Raises:
        DataError: it carries none.
    """
    beside = data.get(BESIDE)
    if not isinstance(beside, dict):
        raise DataError(f'its task has no "{BESIDE}"')
    return chain_item(Record(0, beside))


def config(lang: Lang, *, adjudication: bool = False) -> str:
    """The XML of the page; with `adjudication` it shows what the annotators said."""
    words, page = wording(lang), new_page()
    add_text(page, _TEXT, words[_TEXT])
    add_text(page, _LABELS, words[_LABELS])
    for name in _CHAINS:
        add_text(page, name, words[name])
    if adjudication:
        add_said(page, lang)
    values = [words[word] for word in _PLACES.values()]
    add_choice(page, _CHOICE, _TEXT, words[_CHOICE], values)
    add_rationale(page, _TEXT, lang)
    return as_xml(page)


def task(item: ChainItem, lang: Lang) -> Json:
    """The task of one item."""
    order = order_of(item.id)
    names = [d.name_in(lang) for d in Distortion if d in item.labels]
    data: Json = {PAGE: VERSION, "id": item.id, _TEXT: item.text, "lang": item.lang}
    data[_LABELS] = ", ".join(names) or wording(lang)["none"]
    for name, place in zip(_CHAINS, order, strict=True):
        data[name] = item.candidates[place]
    return {"data": data | {BESIDE: item.to_dict()}}


def order_of(id: str) -> tuple[int, int]:
    """Which candidate is shown first and which second."""
    swapped = hashlib.sha256(id.encode("utf-8", "surrogatepass")).digest()[0] % 2
    return (1, 0) if swapped else (0, 1)


def result_of(answer: ChainAnswer, id: str, lang: Lang) -> list[Json]:
    """What an annotator fills in to say this."""
    place = "" if answer.chosen is None else str(order_of(id).index(answer.chosen))
    said = chosen(_CHOICE, _TEXT, wording(lang)[_PLACES[place]])
    return [said, *written(_TEXT, answer.rationale)]


def answer_of(results: object, data: Json) -> ChainAnswer:
    """What an annotator said; undoes `result_of`, in whichever language the page was.

    Raises:
        DataError: nothing was chosen, or several, or the task has no id.
    """
    if not isinstance(data.get("id"), str):
        raise DataError("its task has no id")
    place = choice_of(by_name(results), _CHOICE, _PLACES)
    found = None if place == "" else order_of(data["id"])[int(place)]
    return ChainAnswer(found, rationale_of(results))
