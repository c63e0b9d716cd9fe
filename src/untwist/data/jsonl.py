"""Any corpus in our own format: one JSON object a line.

A single message:

    {"id", "text", "lang"?, "labels": [...], "intensity"?, "risk"?, "acuity"?: [...], "group"?,
     "split"?, "evidence"?: [{"distortion", "start", "end"}], "persona"?: {"id", ...}, "register"?,
     "corpus"?, "carried"?: [...], "strategy"?, "challenges"?: {label: words}}

Several, each with labels of its own:

    {"id", "corpus"?, "group"?, "split"?, "messages": [{"role", "content", "lang"?, "id"?,
     "labels"?, "evidence"?, "intensity"?, "risk"?, "acuity"?, "carried"?, "strategy"?,
     "challenges"?}]}

Source: whoever wrote the file.
Licence: the writer's.
Language: English and Chinese.
Labels: multi-label, canonical slugs or any name or alias; an empty list means "no distortion", null
    or nothing means "not annotated". The first label has no special standing. `carried` names the
    labels that the annotators could give, where these are not the canonical twelve.
Splits: `split` where given; items of one `group` (else of one persona) stay on one side.
Known faults: none of the format's own.
Size: any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import TypeVar, cast

from untwist.data.encoding import require_encoding
from untwist.data.jsonlines import Failure, Record, read_records, record_id, text_of
from untwist.data.refusals import Refusals, refuse
from untwist.errors import DataError
from untwist.schema import Dialogue, Finding, Json, Labels, Role, Utterance
from untwist.taxonomy import (
    CANONICAL,
    Acuity,
    Distortion,
    Intensity,
    Lang,
    Risk,
    Strategy,
    parse,
    parse_all,
)
from untwist.text import require_text

CORPUS = "jsonl"
"""The corpus of rows that name none."""
EVERY_LABEL = frozenset(CANONICAL)
"""The labels that annotators could give where a row does not say."""
_OF_A_MESSAGE = (
    "text", "lang", "labels", "evidence", "intensity", "risk", "acuity", "carried", "strategy",
    "challenges",
)  # fmt: skip
_Member = TypeVar("_Member", bound=Enum)


def load(
    path: Path | str,
    refusals: Refusals | None = None,
    *,
    corpus: str = CORPUS,
    carried: frozenset[Distortion] = EVERY_LABEL,
) -> Iterator[Dialogue]:
    """Every row of a file, in its order.

    Args:
        path: the file.
        refusals: collects refused rows; without it the first one raises.
        corpus: the corpus' name in the values, for rows that name none.
        carried: the labels that its annotators could give, for rows that do not say; another label
            is refused.

    Raises:
        DataError: the file is missing or as a whole in another encoding, or a row is refused and
            there is no collector.
    """
    file = Path(path)
    if not file.is_file():
        raise DataError(f"no file {file}: give a JSON Lines file")
    require_encoding(file, option=False)

    def build(record: Record) -> Dialogue:
        return from_row(record, corpus=corpus, carried=carried)

    yield from each_once(read_records(file), build, file, refusals)


def each_once(
    records: Iterable[Record | Failure],
    build: Callable[[Record], Dialogue],
    path: Path | str,
    refusals: Refusals | None,
    seen: set[tuple[str, str]] | None = None,
) -> Iterator[Dialogue]:
    """One dialogue per record; what cannot be read, or comes twice in a corpus, is refused.

    Args:
        records: records and failures in the order of the file.
        build: makes one dialogue of one record.
        path: named in refusals.
        refusals: collector; without one the first refused row raises.
        seen: corpus and id of what other files held; grows.

    Raises:
        DataError: a row is refused and there is no collector.
    """
    seen = set() if seen is None else seen
    for record in records:
        if isinstance(record, Failure):
            refuse(refusals, path, record.line, record.message)
            continue
        try:
            dialogue = build(record)
        except DataError as error:
            refuse(refusals, path, record.line, str(error))
            continue
        if (dialogue.corpus, dialogue.id) in seen:
            reason = f'id "{dialogue.id}" occurs twice: make ids unique'
            refuse(refusals, path, record.line, reason)
            continue
        seen.add((dialogue.corpus, dialogue.id))
        yield dialogue


def from_row(
    record: Record, *, corpus: str = CORPUS, carried: frozenset[Distortion] = EVERY_LABEL
) -> Dialogue:
    """The dialogue of one row.

    Args:
        record: the row and its line, which is its id where it has none.
        corpus: the corpus of a row that names none.
        carried: the labels that annotators could give, for rows that do not say.

    Raises:
        DataError: the row breaks the format; the message says where, and quotes no text.
    """
    data, id = record.data, record_id(record)
    corpus = _word(data, "corpus") or corpus
    utterances: tuple[Utterance, ...]
    labels: tuple[Labels | None, ...]
    if data.get("messages") is None:
        utterances = (text_of(data, id),)
        labels = (_labels(data, utterances[0].text, carried),)
    else:
        entries = _entries(data)
        utterances = tuple(_utterance(entry, n) for n, entry in enumerate(entries, 1))
        labels = tuple(
            _labels_of_message(entry, n, utterance.text, carried)
            for n, (entry, utterance) in enumerate(zip(entries, utterances, strict=True), 1)
        )
    group = _word(data, "group") or _persona(data) or f"{corpus}:{id}"
    return Dialogue(id, corpus, utterances, labels, group, _word(data, "split"))


def _entries(data: Json) -> list[Json]:
    """The messages of a row of several."""
    entries = data["messages"]
    if not isinstance(entries, list) or not entries:
        raise DataError('messages is no list of {"role","content"}, or an empty one')
    stray = [key for key in _OF_A_MESSAGE if data.get(key) is not None]
    if stray:
        raise DataError(f'"{stray[0]}" beside "messages": put it into the message it belongs to')
    for place, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            raise DataError(f"message {place} is {type(entry).__name__}, not an object")
    return entries


def _utterance(entry: Json, place: int) -> Utterance:
    role, lang = entry.get("role"), entry.get("lang")
    if role not in ("user", "assistant"):
        raise DataError(f'message {place}: role is neither "user" nor "assistant"')
    if lang not in ("en", "zh", None):
        raise DataError(f'message {place}: lang is neither "en" nor "zh"; leave it out if unknown')
    content = require_text(entry.get("content", ""), f"message {place}: content")
    return Utterance(content, cast("Lang | None", lang), _word(entry, "id"), cast("Role", role))


def _labels_of_message(
    entry: Json, place: int, text: str, carried: frozenset[Distortion]
) -> Labels | None:
    try:
        return _labels(entry, text, carried)
    except DataError as error:
        raise DataError(f"message {place}: {error}") from error


def _labels(data: Json, text: str, carried: frozenset[Distortion]) -> Labels | None:
    names, named = _strings(data, "labels"), _strings(data, "carried")
    carried = carried if named is None else parse_all(named)
    intensity, risk = member_of(data, "intensity", Intensity), member_of(data, "risk", Risk)
    acuity = tuple(_in(Acuity, name, "acuity") for name in _strings(data, "acuity") or ())
    found = None if names is None else parse_all(names)
    evidence = _evidence(data, text, found or frozenset())
    strategy = member_of(data, "strategy", Strategy)
    challenges = _challenges(data, found or frozenset())
    if acuity == () and all(value is None for value in (found, named, intensity, risk, strategy)):
        return None
    stray = sorted((found or frozenset()) - carried)
    if stray:
        raise DataError(f'label "{stray[0].value}" is not among those the corpus can carry')
    if intensity is not None and not found:
        raise DataError("an intensity without a distortion: leave it out")
    return Labels(found, carried, intensity, risk, acuity, evidence, strategy, challenges)


def _challenges(data: Json, found: frozenset[Distortion]) -> tuple[tuple[Distortion, str], ...]:
    given = data.get("challenges")
    if given is None:
        return ()
    if not isinstance(given, dict):
        raise DataError("challenges is no object of label: words")
    made = {parse(name): require_text(words, "a challenge") for name, words in given.items()}
    stray = sorted(made.keys() - found)
    if stray:
        raise DataError(f'a challenge of "{stray[0].value}", which is not among the labels')
    return tuple((distortion, made[distortion]) for distortion in Distortion if distortion in made)


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


def member_of(data: Json, key: str, members: type[_Member]) -> _Member | None:
    """The level or kind that a row names under a key; None where it names none.

    Raises:
        DataError: it is no member; the message lists those there are.
    """
    value = data.get(key)
    return None if value is None else _in(members, value, key)


def _in(members: type[_Member], value: object, key: str) -> _Member:
    for member in members:
        if member.value == value:
            return member
    allowed = ", ".join(str(member.value) for member in members)
    raise DataError(f"{key} is unknown: give one of {allowed}")
