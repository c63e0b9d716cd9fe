"""What is kept, as rows that a page, a sheet of paper or a clinician reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from untwist.respond import Share, Worksheet, open_labels, worksheet_from
from untwist.schema import Json
from untwist.taxonomy import Distortion
from untwist.text import Locale


@dataclass(frozen=True, slots=True)
class Row:
    """One filled field.

    Attributes:
        name: of the field.
        label: as a heading.
        text: what stands in it.
    """

    name: str
    label: str
    text: str


def rows_of(sheet: Worksheet, locale: Locale) -> list[Row]:
    """What was filled in, in the order of the worksheet; what was left out is not there."""
    labels = open_labels(locale)
    filled = ((name, getattr(sheet, name)) for name in sheet.columns)
    return [
        *(
            Row(name, labels.of(name).name, said(value, locale))
            for name, value in filled
            if value not in (None, ())
        ),
        *(Row(note.field, labels.of(note.field).name, note.text) for note in sheet.notes),
    ]


def said(value: object, locale: Locale) -> str:
    """A value in words."""
    if isinstance(value, Distortion):
        mark = ": " if locale == "en" else "："
        return f"{value.name_in(locale)}{mark}{value.definition_in(locale)}"
    if isinstance(value, tuple):
        return "\n".join(f"{one.factor} {one.percent:g}" for one in value if isinstance(one, Share))
    return str(value)


def title_of(sheet: Worksheet) -> str:
    """The first words of a worksheet, to find it again; "" when there are none."""
    for name in ("automatic_thought", "rule", "situation", *sheet.columns):
        value = getattr(sheet, name, None)
        if isinstance(value, str):
            return " ".join(value.split())[:80]
    return ""


def change_rows(log: Sequence[Json], locale: Locale) -> list[dict[str, Any]]:
    """A log of changes in words: when, who, and which fields became what; the latest first."""
    rows: list[dict[str, Any]] = []
    old: list[Row] = []
    for entry in log:
        new = rows_of(worksheet_from(entry["body"]["sheet"]), locale)
        names = {one.name for one in new}
        rows.append(
            {
                "when": moment(entry["at"]),
                "actor": entry["actor"],
                "changed": [one for one in new if one not in old],
                "emptied": [one.label for one in old if one.name not in names],
            }
        )
        old = new
    return rows[::-1]


def day(at: float) -> str:
    """A day in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def moment(at: float) -> str:
    """A day and time in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
