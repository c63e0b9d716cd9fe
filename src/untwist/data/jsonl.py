"""Any corpus in our own format: one JSON object a line.

    {"id", "text", "lang"?, "labels": [...], "intensity"?, "risk"?, "acuity"?: [...], "group"?,
     "split"?, "evidence"?: [{"distortion", "start", "end"}], "persona"?: {"id", ...}, "register"?}

Source: whoever wrote the file.
Licence: the writer's.
Language: English and Chinese.
Labels: multi-label, canonical slugs or any name or alias; an empty list means "no distortion", null
    or nothing means "not annotated". The first label has no special standing.
Splits: `split` where given; items of one `group` (else of one persona) stay on one side.
Known faults: none of the format's own.
Size: any.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import TypeVar

from untwist.data.jsonlines import Failure, Record, read_records, record_id, text_of
from untwist.data.refusals import Refusals, build_each, refuse
from untwist.errors import DataError
from untwist.schema import Dialogue, Finding, Json, Labels
from untwist.taxonomy import CANONICAL, Acuity, Distortion, Intensity, Risk, parse
from untwist.text import require_text

CORPUS = "jsonl"
_Member = TypeVar("_Member", bound=Enum)


def load(
    path: Path | str,
    refusals: Refusals | None = None,
    *,
    corpus: str = CORPUS,
    carried: frozenset[Distortion] = frozenset(CANONICAL),
) -> Iterator[Dialogue]:
    """Every row of a file, in its order.

    Args:
        path: the file.
        refusals: collects refused rows; without it the first one raises.
        corpus: the corpus' name in the values.
        carried: the labels that its annotators could give; another label is refused.

    Raises:
        DataError: the file is missing, or a row is refused and there is no collector.
    """
    file = Path(path)
    if not file.is_file():
        raise DataError(f"no file {file}: give a JSON Lines file")

    def build(record: Record) -> Dialogue:
        return _build(record, corpus, carried)

    yield from build_each(_readable(file, refusals), build, file, refusals)


def _readable(file: Path, refusals: Refusals | None) -> Iterator[Record]:
    for record in read_records(file):
        if isinstance(record, Failure):
            refuse(refusals, file, record.line, record.message)
        else:
            yield record


def _build(record: Record, corpus: str, carried: frozenset[Distortion]) -> Dialogue:
    data, id = record.data, record_id(record)
    utterance = text_of(data, id)
    labels = _labels(data, utterance.text, carried)
    group = _word(data, "group") or _persona(data) or f"{corpus}:{id}"
    return Dialogue(id, corpus, (utterance,), (labels,), group, _word(data, "split"))


def _labels(data: Json, text: str, carried: frozenset[Distortion]) -> Labels | None:
    names = _strings(data, "labels")
    intensity, risk = _member(data, "intensity", Intensity), _member(data, "risk", Risk)
    acuity = tuple(_in(Acuity, name, "acuity") for name in _strings(data, "acuity") or ())
    if names is None and intensity is None and risk is None:
        return None
    found = None if names is None else frozenset(parse(name) for name in names)
    stray = sorted((found or frozenset()) - carried)
    if stray:
        raise DataError(f'label "{stray[0].value}" is not among those the corpus can carry')
    if intensity is not None and not found:
        raise DataError("an intensity without a distortion: leave it out")
    evidence = _evidence(data, text, found or frozenset())
    return Labels(found, carried, intensity, risk, acuity, evidence)


def _evidence(data: Json, text: str, found: frozenset[Distortion]) -> tuple[Finding, ...]:
    spans = data.get("evidence")
    if spans is None:
        return ()
    if not isinstance(spans, list) or not all(isinstance(span, dict) for span in spans):
        raise DataError('evidence is no list of {"distortion","start","end"}')
    return tuple(_span(span, text, found) for span in spans)


def _span(span: Json, text: str, found: frozenset[Distortion]) -> Finding:
    name, start, end = span.get("distortion"), span.get("start"), span.get("end")
    if not isinstance(name, str):
        raise DataError("evidence without a distortion")
    distortion = parse(name)
    if distortion not in found:
        raise DataError(f'evidence for "{distortion.value}", which is not among the labels')
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
        raise DataError(f"evidence span is not within the text's {len(text)} characters")
    return Finding(distortion, 1.0, start, end)


def _strings(data: Json, key: str) -> list[str] | None:
    value = data.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise DataError(f"{key} is no list of strings")
    return value


def _word(data: Json, key: str) -> str | None:
    value = data.get(key)
    return None if value is None else require_text(value, key)


def _persona(data: Json) -> str | None:
    persona = data.get("persona")
    if persona is None:
        return None
    if not isinstance(persona, dict):
        raise DataError("persona is no object")
    return _word(persona, "id")


def _member(data: Json, key: str, members: type[_Member]) -> _Member | None:
    value = data.get(key)
    return None if value is None else _in(members, value, key)


def _in(members: type[_Member], value: object, key: str) -> _Member:
    for member in members:
        if member.value == value:
            return member
    allowed = ", ".join(str(member.value) for member in members)
    raise DataError(f"{key} is unknown: give one of {allowed}")
