"""Worksheets as forms: every field may stay empty, and nothing that was typed is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from starlette.datastructures import FormData

from untwist.errors import DataError
from untwist.respond import (
    Labels,
    Note,
    ResponsibilityPie,
    Share,
    Worksheet,
    open_labels,
    with_field,
)
from untwist.serve.sheets import MOST_TEXT
from untwist.serve.web.render import texts
from untwist.serve.web.shown import said
from untwist.taxonomy import CANONICAL, Distortion
from untwist.text import Locale

RATINGS = ("emotion_before", "belief_before", "belief_after", "emotion_after", "rating")
SLICES, PATTERN = "factors", "distortion"
_MORE_SLICES, _LEAST_SLICES = 2, 5


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form.

    Attributes:
        name: of the input.
        kind: "text", "rating", "pattern", "slices" or "note".
        label: what it is called.
        hint: what it is for.
        value: as it stands in the input.
        slices: of a pie: pairs of a cause and its number, some of them empty.
        problem: why the value cannot be kept; "" when it can.
        kept: what was written elsewhere meanwhile; None without a conflict.
    """

    name: str
    kind: str
    label: str
    hint: str
    value: str = ""
    slices: tuple[tuple[str, str], ...] = ()
    problem: str = ""
    kept: str | None = None


@dataclass(frozen=True, slots=True)
class Filled:
    """What somebody typed.

    Attributes:
        sheet: with every value that can be kept.
        typed: by field, what cannot be kept, as it was typed.
        problems: by field, why.
    """

    sheet: Worksheet
    typed: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)


def fields_of(filled: Filled, locale: Locale, others: Worksheet | None = None) -> list[Field]:
    """The fields of a form.

    Args:
        filled: what stands in them.
        locale: of the labels.
        others: what was kept elsewhere meanwhile; shown beside what differs from it.
    """
    labels = open_labels(locale)
    sheet = filled.sheet
    made = [_field(name, getattr(sheet, name), labels) for name in sheet.columns]
    made += [
        Field(note.field, "note", labels.of(note.field).name, "", note.text) for note in sheet.notes
    ]
    made = [
        replace(one, value=filled.typed.get(one.name, one.value), problem=problem)
        for one in made
        for problem in (filled.problems.get(one.name, ""),)
    ]
    return [_beside(one, sheet, others, locale) for one in made] if others else made


def read(form: FormData, old: Worksheet, locale: Locale) -> Filled:
    """A form as a worksheet of the kind of `old`; a field that is not there stays as it was."""
    sheet, typed, problems = old, dict[str, str](), dict[str, str]()
    words = texts(locale)
    for name in old.columns:
        if name == SLICES:
            continue
        given = form.get(name)
        if not isinstance(given, str):
            continue
        value = _plain(given)
        try:
            if len(value) > MOST_TEXT:
                raise DataError("too long")
            sheet = with_field(sheet, name, value)
        except DataError:
            typed[name] = value
            problem = "problem_rating" if name in RATINGS else "problem_long"
            problems[name] = words[problem].format(most=MOST_TEXT)
    if isinstance(sheet, ResponsibilityPie) and "factor" in form:
        sheet, bad = _with_slices(sheet, form)
        if bad:
            problems[SLICES] = words["problem_slices"]
    return Filled(_with_notes(sheet, form), typed, problems)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\x00", "").strip()


def _field(name: str, value: object, labels: Labels) -> Field:
    label = labels.of(name)
    if name in RATINGS:
        return Field(name, "rating", label.name, label.hint, "" if value is None else str(value))
    if name == PATTERN:
        chosen = value.value if isinstance(value, Distortion) else ""
        return Field(name, "pattern", label.name, label.hint, chosen)
    if name == SLICES:
        assert isinstance(value, tuple)
        given = [(one.factor, f"{one.percent:g}") for one in value]
        empty = max(_LEAST_SLICES - len(given), _MORE_SLICES)
        slices = tuple([*given, *[("", "")] * empty])
        return Field(name, "slices", label.name, label.hint, slices=slices)
    return Field(name, "text", label.name, label.hint, str(value or ""))


def _beside(one: Field, sheet: Worksheet, others: Worksheet, locale: Locale) -> Field:
    """A field with what others wrote in it, where that is something else."""
    if one.kind == "note":
        kept: object = next((n.text for n in others.notes if n.field == one.name), None)
        mine: object = one.value
    else:
        kept, mine = getattr(others, one.name), getattr(sheet, one.name)
    if kept == mine:
        return one
    return replace(one, kept="" if kept in (None, ()) else said(kept, locale))


def _with_slices(sheet: ResponsibilityPie, form: FormData) -> tuple[Worksheet, bool]:
    """With the slices of a form, and whether one of them could not be read."""
    slices: list[Share] = []
    bad = False
    for cause, number in zip(form.getlist("factor"), form.getlist("percent"), strict=False):
        if not isinstance(cause, str) or not isinstance(number, str):
            continue
        name = _plain(cause)[:MOST_TEXT]
        if not name and not number.strip():
            continue
        share = _number(number)
        if not name or share is None:
            bad = True
            continue
        slices.append(Share(name, share))
    return replace(sheet, factors=tuple(slices)), bad


def _number(text: str) -> float | None:
    try:
        found = float(text.strip().removesuffix("%"))
    except ValueError:
        return None
    return found if 0 <= found <= 100 else None


def _with_notes(sheet: Worksheet, form: FormData) -> Worksheet:
    """With the notes as they were typed; a note that was emptied goes."""
    given: dict[str, list[str]] = {}
    for name, text in zip(form.getlist("note_field"), form.getlist("note"), strict=False):
        if isinstance(name, str) and isinstance(text, str):
            given.setdefault(name, []).append(_plain(text)[:MOST_TEXT])
    notes = []
    for note in sheet.notes:
        typed = given.get(note.field)  # several notes may answer the same field, in this order
        text = typed.pop(0) if typed else note.text
        if text:
            notes.append(Note(note.field, text))
    return replace(sheet, notes=tuple(notes))


def patterns(locale: Locale) -> list[tuple[str, str, str]]:
    """The patterns to choose from, by name: slug, name, definition."""
    found: Sequence[Distortion] = sorted(CANONICAL, key=lambda one: one.name_in(locale))
    return [(one.value, one.name_in(locale), one.definition_in(locale)) for one in found]
