"""Worksheets as pages to read (Markdown) and as tables to count with (CSV).

What a person wrote is data here: in Markdown it is escaped, so that it cannot become markup, and in
CSV no cell can begin a formula.
"""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from untwist import safety
from untwist.respond.columns import HIGHEST
from untwist.respond.labels import Labels, open_labels
from untwist.respond.worksheet import (
    KIND,
    WORKSHEETS,
    CostBenefit,
    ResponsibilityPie,
    SafetySteps,
    Worksheet,
)
from untwist.taxonomy import Distortion, Lang
from untwist.text import Locale

_MARKUP = re.compile(r"([\\`*_\[\]#|~$])")
_BULLET = re.compile(r"^(\s*)([-+=])", re.MULTILINE)
_NUMBERED = re.compile(r"^(\s*\d+)([.)])", re.MULTILINE)
_FORMULA = re.compile(r"[\s\x00-\x1f\ufeff]*[=+\-@＝＋－＠]|[\t\r]")
_SIDES = ("benefits", "costs")
"""Columns that stand side by side."""


def worksheet_markdown(
    sheet: Worksheet,
    locale: Locale = "en",
    *,
    region: str | None = None,
    blank: bool = False,
    scripts: Path | None = None,
) -> str:
    """A worksheet as a page.

    Args:
        sheet: what stands in it is escaped and never becomes markup.
        locale: of the headings; the person's words stay as they are.
        region: whose lines of help stand under the steps for hard hours; None means any place.
        blank: show what was left out as well, each with its hint, to be filled in by hand.
        scripts: folder with other headings; None means those that ship with the package.

    Raises:
        ConfigError: the region is unknown.
    """
    labels = open_labels(locale, scripts)
    title = labels.sheets[sheet.kind]
    parts = [f"# {title.name}", title.hint, *_sections(sheet, labels, locale, blank)]
    if sheet.empty and not blank:
        parts.append(labels.words["empty"])
    if isinstance(sheet, SafetySteps):
        parts += [f"## {labels.words['help']}", safety.help_block(locale, region)]
    parts.append(f"*{labels.words['made']}*")
    return "\n\n".join(parts) + "\n"


def worksheet_csv(sheets: Sequence[tuple[str, Worksheet]]) -> str:
    """Worksheets as a table, one row each, to be plotted or counted.

    Args:
        sheets: each with its id.

    Returns:
        CSV with a header of field names, the same in every language; columns that none of the
        sheets has are left out. A cell that a spreadsheet would take for a formula is kept as
        words by an apostrophe before it.
    """
    present = {sheet.kind for _, sheet in sheets}
    columns = dict.fromkeys(
        c for kind in WORKSHEETS if kind in present for c in WORKSHEETS[kind].columns
    )
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id", KIND, *columns, "notes"])
    for name, sheet in sheets:
        cells = [_cell(getattr(sheet, column, None)) for column in columns]
        notes = "\n".join(f"{note.field}: {note.text}" for note in sheet.notes)
        writer.writerow([_cell(name), sheet.kind, *cells, _cell(notes)])
    return out.getvalue()


def _sections(sheet: Worksheet, labels: Labels, locale: Locale, blank: bool) -> Iterator[str]:
    for name in sheet.columns:
        value = getattr(sheet, name)
        if isinstance(sheet, CostBenefit) and name in _SIDES:
            if name == _SIDES[0]:
                yield from _side_by_side(sheet, labels, blank)
            continue
        if value in (None, ()) and not blank:
            continue
        label = labels.of(name)
        yield f"## {label.name}"
        if isinstance(sheet, ResponsibilityPie) and name == "factors" and value:
            yield _pie(sheet, labels)
        else:
            yield _shown(value, locale) if value not in (None, ()) else _hint(label.hint)
    if sheet.notes:
        yield f"## {labels.words['notes']}"
        for note in sheet.notes:
            yield f"**{_escaped(labels.of(note.field).name)}**  \n{_lines(note.text)}"


def _side_by_side(sheet: CostBenefit, labels: Labels, blank: bool) -> Iterator[str]:
    if sheet.benefits is None and sheet.costs is None and not blank:
        return
    heads = " | ".join(labels.of(name).name for name in _SIDES)
    cells = " | ".join(_in_table(getattr(sheet, name)) for name in _SIDES)
    yield f"| {heads} |\n|---|---|\n| {cells} |"


def _pie(sheet: ResponsibilityPie, labels: Labels) -> str:
    rows = [f"| {_in_table(f.factor)} | {f.percent:g} |" for f in sheet.factors]
    total = sum(f.percent for f in sheet.factors)
    head = f"| | {labels.words['share']} |\n|---|---:|"
    table = "\n".join([head, *rows, f"| {labels.words['total']} | {total:g} |"])
    if total == HIGHEST:
        return table
    word = labels.words["under" if total < HIGHEST else "over"]
    return f"{table}\n\n{word.format(rest=f'{abs(HIGHEST - total):g}')}"


def _shown(value: object, locale: Locale) -> str:
    if isinstance(value, Distortion):
        lang: Lang = "en" if locale == "en" else "zh"
        return f"{value.name_in(lang)}: {value.definition_in(lang)}"
    return _lines(str(value))


def _hint(hint: str) -> str:
    return f"*{hint}*\n\n____"


def _escaped(text: str) -> str:
    """Words that no reader of Markdown takes for markup or for HTML."""
    plain = _MARKUP.sub(r"\\\1", html.escape(text, quote=False))
    return _NUMBERED.sub(r"\1\\\2", _BULLET.sub(r"\1\\\2", plain))


def _lines(text: str) -> str:
    """A text whose line ends stay where they are."""
    return "  \n".join(_escaped(text).splitlines())


def _in_table(text: str | None) -> str:
    return "<br>".join(_escaped(text).splitlines()) if text else " "


def _cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        value = "; ".join(f"{share.factor} {share.percent:g}" for share in value)
    text = str(value.value if isinstance(value, Distortion) else value)
    return f"'{text}" if _FORMULA.match(text) else text
