"""The columns of worksheets: what may stand in one, as a person writes it and as it is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from untwist.errors import DataError
from untwist.respond.state import Share
from untwist.schema import Json
from untwist.taxonomy import CANONICAL, Distortion
from untwist.text import require_text

HIGHEST = 100
"""Top of every rating; the bottom is 0."""
NUMBERS = frozenset({"emotion_before", "belief_before", "belief_after", "emotion_after", "rating"})
"""Fields that hold a rating from 0 to 100."""


_SLICE = re.compile(r"(\S.*?)[ :=：]*(?<![\d.])(\d{1,3}(?:\.\d+)?) ?[%％]?")
_BETWEEN = re.compile(r"[,;，；、\n]")


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was said beside the columns of a worksheet.

    Attributes:
        field: the worksheet field it answers, such as "worst".
        text: the person's words.
    """

    field: str
    text: str

    def to_dict(self) -> Json:
        """As JSON values."""
        return {"field": self.field, "text": self.text}


def nothing_in(name: str) -> tuple[Share, ...] | None:
    """What stands in a column that was left out."""
    return () if name == "factors" else None


def read_column(name: str, written: str) -> Any:  # noqa: ANN401
    """A value as a person writes it.

    Raises:
        DataError: it cannot stand in the column.
    """
    if name in NUMBERS:
        digits = written.removesuffix("%").strip()
        if not (digits.isascii() and digits.isdigit()):
            raise DataError(f"{name} is a whole number from 0 to {HIGHEST}")
        return int(digits)
    if name == "factors":
        return _slices(written)
    return _distortion(written) if name == "distortion" else written


def _slices(written: str) -> tuple[Share, ...]:
    """Slices such as "timing 20, my part 30%": a cause and then its number."""
    found = [_SLICE.fullmatch(piece.strip()) for piece in _BETWEEN.split(written.strip(" ,;"))]
    if not all(found):
        raise DataError('factors are written as "timing 20, my part 30"')
    return tuple(Share(match[1], float(match[2])) for match in found if match)


def _distortion(name: str) -> Distortion:
    known = {
        **{d.value: d for d in CANONICAL},
        **{d.name_in("en").lower(): d for d in CANONICAL},
        **{d.name_in("zh"): d for d in CANONICAL},
    }
    if (found := known.get(name.lower())) is None:
        raise DataError(f"distortion is one of {', '.join(d.value for d in CANONICAL)}")
    return found


def stored_column(name: str, value: Any) -> Any:  # noqa: ANN401
    """A value as it stands in a record, in the shape of the column; the worksheet checks the rest.

    Raises:
        DataError: it has another shape.
    """
    if name == "factors":
        return _factors(value)
    if name == "distortion":
        return _distortion(value) if isinstance(value, str) else value
    return value


def _factors(value: Any) -> tuple[Share, ...]:  # noqa: ANN401
    try:
        return tuple(Share(entry["factor"], entry["percent"]) for entry in value)
    except (KeyError, TypeError):
        raise DataError('factors must be a list of {"factor", "percent"}') from None


def notes_from(value: Any) -> tuple[Note, ...]:  # noqa: ANN401
    """The notes of a record.

    Raises:
        DataError: they are no list of notes.
    """
    try:
        notes = tuple(Note(entry["field"], entry["text"]) for entry in value)
    except (KeyError, TypeError):
        raise DataError('notes must be a list of {"field", "text"}') from None
    if not all(isinstance(part, str) for note in notes for part in (note.field, note.text)):
        raise DataError('notes must be a list of {"field", "text"}')
    return notes


def checked_column(name: str, value: Any) -> Any:  # noqa: ANN401
    """A value that may stand in a field.

    Raises:
        DataError: it may not.
    """
    if value is None:
        return None
    if name in NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= HIGHEST:
            raise DataError(f"{name} is a whole number from 0 to {HIGHEST}")
        return value
    if name == "factors":
        return tuple(_slice(share) for share in value)
    if name == "distortion":
        return value if isinstance(value, Distortion) else _distortion(str(value))
    if not isinstance(value, str):
        raise DataError(f"{name} must be a text or null")
    if not value.strip():
        return None
    require_text(value)
    return value.strip()


def _slice(share: Share) -> Share:
    number = share.percent
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise DataError(f"a slice of factors is a number from 0 to {HIGHEST}")
    if not 0 <= number <= HIGHEST:
        raise DataError(f"a slice of factors is a number from 0 to {HIGHEST}")
    if not isinstance(share.factor, str) or not share.factor.strip():
        raise DataError("every slice of factors needs a name")
    require_text(share.factor)
    return Share(share.factor.strip(), float(number))


def plain_column(value: Any) -> Any:  # noqa: ANN401
    """A value as JSON."""
    if isinstance(value, tuple):
        return [{"factor": share.factor, "percent": share.percent} for share in value]
    return value.value if isinstance(value, Distortion) else value
