"""Worksheets written anew, field by field, and read from records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, TypeVar

from untwist.errors import DataError
from untwist.respond.columns import Note, notes_from, nothing_in, read_column, stored_column
from untwist.respond.worksheet import KIND, WORKSHEETS, Worksheet

W = TypeVar("W", bound=Worksheet)


def with_field(sheet: W, name: str, value: str | None) -> W:
    """The worksheet with one field written anew.

    Args:
        sheet: stays as it is.
        name: of the column, or "notes.FIELD" for something that was said beside the columns.
        value: as a person writes it: words, a rating such as "70", the name of a distortion, or
            slices such as "timing 20, my part 30"; None or nothing empties the field.

    Raises:
        DataError: there is no such field, or the value cannot stand in it.
    """
    written = value.strip() if value else None
    beside, _, field = name.partition(".")
    if beside == "notes" and field:
        return replace(sheet, notes=_noted(sheet.notes, field, written or None))
    if name not in sheet.columns:
        raise DataError(f'a {sheet.kind} has no field "{name}"; {_nearest(name, sheet.columns)}')
    changed: dict[str, Any] = {name: read_column(name, written) if written else nothing_in(name)}
    return replace(sheet, **changed)


def worksheet_from(data: Mapping[str, Any]) -> Worksheet:
    """A worksheet from the values of `Worksheet.to_dict`; what is absent was left out.

    Raises:
        DataError: it is no worksheet; the message names the field and quotes nothing else of it.
    """
    name = data.get(KIND)
    sheet = WORKSHEETS.get(name) if isinstance(name, str) else None
    if sheet is None:
        raise DataError(f'"{KIND}" must be one of {", ".join(WORKSHEETS)}')
    unknown = [key for key in data if key not in (*sheet.columns, KIND, "notes", "id")]
    if unknown:
        raise DataError(
            f'a {sheet.kind} has no field "{unknown[0]}"; {_nearest(unknown[0], sheet.columns)}'
        )
    values = {
        key: stored_column(key, data[key]) for key in sheet.columns if data.get(key) is not None
    }
    return sheet(**values, notes=notes_from(data.get("notes") or ()))


def _noted(notes: tuple[Note, ...], field: str, text: str | None) -> tuple[Note, ...]:
    """The notes with one of them written anew, in its place, or without it."""
    new = () if text is None else (Note(field, text),)
    places = [i for i, note in enumerate(notes) if note.field == field]
    if not places:
        return (*notes, *new)
    kept = tuple(note for note in notes if note.field != field)
    return (*kept[: places[0]], *new, *kept[places[0] :])


def _nearest(name: str, columns: tuple[str, ...]) -> str:
    near = get_close_matches(name, columns, 1)
    return f'did you mean "{near[0]}"?' if near else f"it has {', '.join(columns)}"
