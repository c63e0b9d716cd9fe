"""PsySUICIDE: short messages in eleven classes of suicide, self-injury and aggression.

Source: qiuhuachuan/PsyGUARD, data/valid.json (PsyGUARD, EMNLP 2024).
Licence: MIT (the repository).
Language: Chinese.
Labels: multi-label, eleven classes; one of them is "none of these" and stands alone. Kept as
    written; the levels accepted are those of the gravest class.
Splits: published; only the validation part is read here.
Known faults: about a quarter each from machine-written client turns, synthetic messages, social
    media and real sessions; `idx` is not unique, so the place in the file names a message; two
    classes have fewer than five rows; some classes speak of other people too (exploration,
    aggression by others).
Size: 1,480 messages, 1,075 of them "none of these", 21 with two labels or more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from untwist.data.refusals import Refusals, build_each
from untwist.data.risklabels import judged, message
from untwist.data.tables import locate
from untwist.errors import DataError
from untwist.schema import Dialogue, Json
from untwist.taxonomy import Risk

CORPUS = "psysuicide"
FILE = "psysuicide/psysuicide_valid.json"
NONE = "与自杀/自伤/攻击行为无关"
CLASSES: dict[str, tuple[str, frozenset[Risk]]] = {
    "自杀未遂": ("suicide attempt", frozenset({Risk.HIGH})),
    "自杀准备行为": ("preparatory act", frozenset({Risk.HIGH})),
    "自杀计划": ("suicide plan", frozenset({Risk.HIGH})),
    "主动自杀意图": ("active ideation", frozenset({Risk.HIGH})),
    "被动自杀意图": ("passive ideation", frozenset({Risk.MEDIUM, Risk.HIGH})),
    "自伤行为": ("self-injury", frozenset({Risk.MEDIUM, Risk.HIGH})),
    "自伤意图": ("intent of self-injury", frozenset({Risk.MEDIUM, Risk.HIGH})),
    "用户攻击行为": ("aggression by the user", frozenset({Risk.LOW, Risk.MEDIUM, Risk.HIGH})),
    "他人攻击行为": ("aggression by others", frozenset({Risk.LOW, Risk.MEDIUM, Risk.HIGH})),
    "关于自杀的探索": ("exploration about suicide", frozenset({Risk.LOW, Risk.MEDIUM, Risk.HIGH})),
    NONE: ("none of these", frozenset({Risk.NONE, Risk.LOW, Risk.MEDIUM})),
}
"""The corpus's classes in its order: name in English, levels of ours that agree."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of the list; the file is read whole, so the place stands for the line."""

    line: int
    data: object


def load(path: Path | str, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """Every message of the file, in its order.

    Args:
        path: the JSON file or a folder above it; refusals count its entries as lines.
        refusals: collects refused rows; without it the first one raises.

    Raises:
        DataError: the file is missing or no JSON list, or a row is refused and there is no
            collector.
    """
    file = locate(path, FILE)
    split = "validation" if file.stem.endswith("_valid") else None
    entries = [_Entry(place, data) for place, data in enumerate(_list(file), 1)]

    def build(entry: _Entry) -> Dialogue:
        data = _object(entry.data)
        labels = judged(*_labels(data))
        return message(CORPUS, f"{split or 'all'}-{entry.line}", data["text"], labels, split)

    yield from build_each(entries, build, file, refusals)


def _list(file: Path) -> list[object]:
    try:
        data = json.loads(file.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise DataError(f"{file}: no UTF-8 JSON: {type(error).__name__}") from error
    if not isinstance(data, list):
        raise DataError(f"{file}: no list of messages")
    return data


def _object(data: object) -> Json:
    if not isinstance(data, dict) or not isinstance(data.get("text"), str):
        raise DataError('no object with a string "text"')
    return data


def _labels(data: Json) -> tuple[tuple[str, ...], frozenset[Risk]]:
    names, flags = data.get("labels"), data.get("label")
    if not isinstance(names, list) or not names:
        raise DataError('"labels" is no list of names')
    if any(name not in CLASSES for name in names):
        raise DataError("an unknown class")
    own = tuple(name for name in CLASSES if name in names)
    if NONE in own and len(own) > 1:
        raise DataError("a class stands beside the one that excludes all others")
    if flags != [float(name in own) for name in CLASSES]:
        raise DataError('"labels" and "label" contradict each other')
    # the classes are in order of gravity as far as the levels that they accept differ
    gravest = min((CLASSES[name][1] for name in own), key=len)
    return own, gravest
