"""What the columns of a worksheet are called, in each locale: read from data and checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from untwist.respond.book import kept_in, scripts_of
from untwist.respond.page import Node, page
from untwist.respond.worksheet import WORKSHEETS
from untwist.text import Locale

_WORDS: Mapping[str, set[str]] = {
    "notes": set(),
    "share": set(),
    "total": set(),
    "under": {"rest"},
    "over": {"rest"},
    "empty": set(),
    "help": set(),
    "made": set(),
}


@dataclass(frozen=True, slots=True)
class Label:
    """What something is called.

    Attributes:
        name: as a heading.
        hint: what it is for, in a line.
    """

    name: str
    hint: str


@dataclass(frozen=True, slots=True)
class Labels:
    """All headings of one locale.

    Attributes:
        sheets: by kind of worksheet.
        fields: by worksheet field.
        words: what else a page says.
    """

    sheets: Mapping[str, Label]
    fields: Mapping[str, Label]
    words: Mapping[str, str]

    def of(self, field: str) -> Label:
        """Of a field; one that a protocol of somebody's own brought along is called as it is."""
        return self.fields.get(field) or Label(field.replace("_", " ").capitalize(), "")


@cache
def open_labels(locale: Locale, folder: Path | None = None) -> Labels:
    """The headings of one locale, checked.

    Args:
        locale: which language and characters; a folder without Traditional Chinese has Simplified.
        folder: holds one folder per locale; None means the texts that ship with the package.

    Raises:
        ArtifactError: the file is absent or is not JSON.
        DataError: a column has no heading; the message names it.
    """
    if locale == "zh-Hant" and locale not in kept_in(folder):
        locale = "zh"
    root = page(scripts_of(folder) / locale / "worksheets.json")
    sheets, named = root.at("sheets"), root.at("fields")
    needed = [column for sheet in WORKSHEETS.values() for column in sheet.columns]
    fields = {name: _label(named.at(name), "label", "hint") for name in (*named.names(), *needed)}
    return Labels(
        {kind: _label(sheets.at(kind), "title", "about") for kind in WORKSHEETS},
        fields,
        {name: root.at("words").at(name).text(slots) for name, slots in _WORDS.items()},
    )


def _label(node: Node, name: str, hint: str) -> Label:
    return Label(node.at(name).text(set()), node.at(hint).text(set()))
