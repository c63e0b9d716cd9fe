"""Reading an archive that somebody brings: what cannot be shown later is refused before it is kept.

The store takes care of names and numbers; here every content is read once as the pages read it, so
that no file, made by hand or damaged, can leave somebody with pages that fail.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter

from untwist.errors import DataError
from untwist.respond import Score, worksheet_from
from untwist.safety import region_codes
from untwist.schema import Json, Turn, Utterance
from untwist.serve import answers, sheets
from untwist.text import LOCALES

_UTTERANCE, _TURN = TypeAdapter(Utterance), TypeAdapter(Turn)
_LONGEST = 1000
"""Characters of one setting."""
_MOST = 9_000_000_000
"""Seconds and counts are below this: the year 2255."""


def read(archive: Json) -> Json:
    """The archive, every part of which can be shown.

    Raises:
        DataError: a part cannot; it says of which kind, and repeats nothing.
    """
    try:
        _settings(archive["settings"])
        for talk in archive["conversations"]:
            _times(talk, "created", "updated")
            for turn in talk["turns"]:
                _turn(turn)
        for record in archive["records"]:
            _times(record, "created", "updated", "version")
            _record(record["kind"], record["body"])
            for change in record["changes"]:
                _times(change, "at", "version")
                _record(record["kind"], change["body"])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        # what the error says may repeat what was written
        raise DataError(f"the archive is damaged ({type(error).__name__})") from None
    return archive


def _settings(found: Mapping[str, Any]) -> None:
    if found.get("region") and found["region"] not in region_codes():
        raise DataError("the archive names a region that is not known here")
    if found.get("locale") and found["locale"] not in LOCALES:
        raise DataError("the archive names a language that is not known here")
    for value in found.values():
        if not (value is None or isinstance(value, str | bool | int | float)):
            raise DataError("the archive holds a setting that is none")
        if isinstance(value, str) and len(value) > _LONGEST:
            raise DataError("the archive holds a setting that is too long")


def _turn(found: Mapping[str, Any]) -> None:
    _times(found, "created", "seq")
    if found["finished"] is not None:
        _times(found, "finished")
    _UTTERANCE.validate_python(asdict(Utterance.from_dict(found["said"]["message"])))
    dict(found["said"]["decision"])
    if found["turn"] is not None:
        # what is read from JSON has its names, not yet its types
        _TURN.validate_python(asdict(Turn.from_dict(found["turn"])))
    if (found["turn"] is None) != (found["finished"] is None):
        raise DataError("the archive holds a reply that is half there")


def _times(found: Mapping[str, Any], *names: str) -> None:
    for name in names:
        value = found[name]
        if isinstance(value, bool) or not math.isfinite(value) or not 0 <= value < _MOST:
            raise DataError("the archive holds a time or a number that cannot be")


def _record(kind: str, body: Mapping[str, Any]) -> None:
    _KINDS.get(kind, dict)(body)


def _sheet(body: Mapping[str, Any]) -> None:
    worksheet_from(body["sheet"])
    if "filled" in body:
        worksheet_from(body["filled"])


def _opinion(body: Mapping[str, Any]) -> None:
    str.strip(body["turn"])
    for label, said in body["labels"].items():
        str.strip(label)
        str.strip(said)


def _rating(body: Mapping[str, Any]) -> None:
    str.strip(body["turn"])
    if body["helpful"] not in (-1, 0, 1):
        raise DataError("the archive holds a rating that is none")


def _score(body: Mapping[str, Any]) -> None:
    if dict(body) != answers.body_of(Score.from_dict(body)):
        raise DataError("the archive holds a score that does not follow from its answers")


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    sheets.SHEET: _sheet,
    sheets.OPINION: _opinion,
    sheets.RATING: _rating,
    answers.KIND: _score,
}
