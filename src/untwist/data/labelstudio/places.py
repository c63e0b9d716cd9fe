"""In which unit the spans of an annotation count: characters, or units of UTF-16.

A browser counts an emoji as two, Python as one. Nothing in an export says which of them counted, so
the words that come with the spans decide, for all spans of an annotation at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import accumulate

from untwist.data.convert.labelstudio import EVIDENCE
from untwist.errors import DataError
from untwist.schema import Json

_SPACE = re.compile(r"\\n|\s")
_TWO_UNITS = "\U00010000"


def in_characters(results: object, text: str) -> object:
    """The results of an annotation with every span in characters.

    Args:
        results: of the annotation; what is no whole span is passed on as it is.
        text: of the message.

    Raises:
        DataError: the spans fit in neither unit, or in both at different places with equal words.
    """
    if not isinstance(results, list) or max(text, default="") < _TWO_UNITS:
        return results
    spans = [result["value"] for result in results if _is_span(result)]
    of_units = _characters(text)
    worded = [span for span in spans if isinstance(span.get("text"), str)]
    as_they_are = [(span["start"], span["end"]) for span in worded]
    counted = [(of_units.get(start, -1), of_units.get(end, -1)) for start, end in as_they_are]
    words = [str(span["text"]) for span in worded]
    if _fit(text, as_they_are, words):
        if as_they_are != counted and _fit(text, counted, words):
            raise DataError(
                f'"{EVIDENCE}" fits in two ways beside an emoji, with equal words at both places: '
                "mark a longer stretch"
            )
        return results
    if not _fit(text, counted, words):
        raise DataError(f'"{EVIDENCE}" does not stand where it says')
    return [_moved(result, of_units) if _is_span(result) else result for result in results]


def _is_span(result: object) -> bool:
    """Whether it is a stretch of the text with a place."""
    if not isinstance(result, dict) or result.get("from_name") != EVIDENCE:
        return False
    value = result.get("value")
    return isinstance(value, dict) and all(type(value.get(end)) is int for end in ("start", "end"))


def _characters(text: str) -> dict[int, int]:
    """For each place between characters, counted in units of UTF-16, the place in characters."""
    units = accumulate((1 + (ch >= _TWO_UNITS) for ch in text), initial=0)
    return {unit: place for place, unit in enumerate(units)}


def _fit(text: str, places: list[tuple[int, int]], words: list[str]) -> bool:
    """Whether the words stand there, white space apart, which the page writes in its own way."""
    return all(
        0 <= start <= end and _SPACE.sub("", said) == _SPACE.sub("", text[start:end])
        for (start, end), said in zip(places, words, strict=True)
    )


def _moved(result: Json, of_units: Mapping[int, int]) -> Json:
    value = result["value"]
    if value["start"] not in of_units or value["end"] not in of_units:
        raise DataError(f'"{EVIDENCE}" begins or ends inside a character')
    return result | {
        "value": value | {end: of_units[value[end]] for end in ("start", "end")},
    }
