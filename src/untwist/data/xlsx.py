"""A sheet as an XLSX file and back, with the standard library alone (ECMA-376, the part we need).

Written: one sheet of texts and numbers, a first row that stays in sight, cells that offer a list of
values. Every text is written as a text, so that no cell can be a formula. Read: the first sheet of
a workbook as spreadsheet programs save it; a formula counts for the value it was saved with.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from untwist.errors import DataError

Cell = str | int | float | None
MAX_PART = 64 * 1024 * 1024
"""Largest part of a workbook that is unpacked, in bytes."""
MAX_COLUMNS = 256
"""Widest row that is read."""

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SHEET = "xl/worksheets/sheet1.xml"
_DATE = (1980, 1, 1, 0, 0, 0)
# what XML 1.0 cannot hold
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_PLACE = re.compile(r"^([A-Z]{1,3})[0-9]+$")
_WIDE, _NARROW = 60, 14
# RuntimeError: encrypted, or packed in a way that is not known
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, ElementTree.ParseError, KeyError, ValueError, IndexError,
    StopIteration, RuntimeError, EOFError,
)  # fmt: skip
_PARTS: Mapping[str, str] = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-'
    'officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-'
    'officedocument.spreadsheetml.worksheet+xml"/>'
    '<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-'
    'officedocument.spreadsheetml.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{_RELS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_RELS}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_RELS}/styles" Target="styles.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELS}"><sheets>'
    '<sheet name="1" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts>'
    '<fills count="1"><fill/></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="1"><xf applyAlignment="1">'
    '<alignment vertical="top" wrapText="1"/></xf></cellXfs></styleSheet>',
}


def xlsx_bytes(
    rows: Sequence[Sequence[Cell]], choices: Mapping[int, Sequence[str]] | None = None
) -> bytes:
    """A workbook of one sheet; equal rows give equal bytes.

    Args:
        rows: the first one is the header.
        choices: by column, counted from 0, the values that its cells offer.

    Raises:
        DataError: there is no row.
    """
    if not rows:
        raise DataError("a sheet needs a header at least")
    parts = {**_PARTS, _SHEET: _sheet(rows, choices or {})}
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in parts.items():
            packed.writestr(zipfile.ZipInfo(name, _DATE), _HEAD + text, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _sheet(rows: Sequence[Sequence[Cell]], choices: Mapping[int, Sequence[str]]) -> str:
    widths = "".join(
        f'<col min="{n}" max="{n}" width="{_width(rows, n - 1)}" customWidth="1"/>'
        for n in range(1, len(rows[0]) + 1)
    )
    body = "".join(
        f'<row r="{y}">{"".join(_cell(cell, x, y) for x, cell in enumerate(row))}</row>'
        for y, row in enumerate(rows, 1)
    )
    pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    return (
        f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">{pane}</sheetView>'
        f"</sheetViews><cols>{widths}</cols><sheetData>{body}</sheetData>"
        f"{_validations(choices, len(rows))}</worksheet>"
    )


def _width(rows: Sequence[Sequence[Cell]], column: int) -> int:
    longest = max(len(str(row[column])) for row in rows if column < len(row))
    return _WIDE if longest > _WIDE else max(_NARROW, longest + 2)


def _cell(cell: Cell, x: int, y: int) -> str:
    if cell is None or cell == "":
        return ""
    place = f"{_letters(x)}{y}"
    if isinstance(cell, int | float):
        return f'<c r="{place}"><v>{cell}</v></c>'
    text = escape(_UNWRITABLE.sub("", cell))
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _validations(choices: Mapping[int, Sequence[str]], rows: int) -> str:
    if not choices or rows < 2:
        return ""
    each = "".join(
        f'<dataValidation type="list" allowBlank="1" showErrorMessage="1" '
        f"sqref={quoteattr(f'{_letters(x)}2:{_letters(x)}{rows}')}>"
        f"<formula1>{escape(chr(34) + ','.join(values) + chr(34))}</formula1></dataValidation>"
        for x, values in choices.items()
    )
    return f'<dataValidations count="{len(choices)}">{each}</dataValidations>'


def _letters(column: int) -> str:
    found, left = "", column + 1
    while left:
        left, place = divmod(left - 1, 26)
        found = chr(ord("A") + place) + found
    return found


def read_xlsx(path: Path | str) -> list[list[str]]:
    """The rows of the first sheet, as texts; an empty cell is "".

    Numbers are as they were saved, whole ones without a point.

    Raises:
        DataError: the file cannot be read, or is no workbook.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            shared = _shared(packed)
            return [_row(row, shared) for row in _part(packed, _first(packed)).iter(_tag("row"))]
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except _DAMAGED as error:
        raise DataError(f"{path} is no XLSX workbook that can be read: save it again") from error


def _tag(name: str) -> str:
    return f"{{{_MAIN}}}{name}"


def _part(packed: zipfile.ZipFile, name: str) -> ElementTree.Element:
    with packed.open(name) as file:
        raw = file.read(MAX_PART + 1)
    if len(raw) > MAX_PART:
        raise DataError(f"a part of the workbook is larger than {MAX_PART:,} bytes: split it")
    text = raw.decode("utf-8-sig")
    # entities can make a small file endless, and no workbook needs any
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise DataError("the workbook declares entities: save it again with a spreadsheet program")
    return ElementTree.fromstring(text)


def _first(packed: zipfile.ZipFile) -> str:
    """The part of the first sheet, whatever it is called."""
    sheet = next(_part(packed, "xl/workbook.xml").iter(_tag("sheet")))
    wanted = sheet.attrib[f"{{{_RELS}}}id"]
    for relation in _part(packed, "xl/_rels/workbook.xml.rels"):
        if relation.attrib["Id"] == wanted:
            target = relation.attrib["Target"]
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    raise KeyError(wanted)


def _shared(packed: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in packed.namelist():
        return []
    return [_text(item) for item in _part(packed, "xl/sharedStrings.xml").iter(_tag("si"))]


def _text(item: ElementTree.Element) -> str:
    """The words of a text, its runs of formatting joined; hints of pronunciation left out."""
    hints = {id(one) for hint in item.iter(_tag("rPh")) for one in hint.iter(_tag("t"))}
    return "".join(one.text or "" for one in item.iter(_tag("t")) if id(one) not in hints)


def _row(row: ElementTree.Element, shared: Sequence[str]) -> list[str]:
    cells: dict[int, str] = {}
    for place, cell in enumerate(row.iter(_tag("c"))):
        column = _column(cell.attrib.get("r"), place)
        if column >= MAX_COLUMNS:
            raise DataError(f"a row has more than {MAX_COLUMNS} columns")
        cells[column] = _value(cell, shared)
    return [cells.get(column, "") for column in range(max(cells, default=-1) + 1)]


def _column(place: str | None, otherwise: int) -> int:
    found = _PLACE.match(place or "")
    if found is None:
        return otherwise
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return column - 1


def _value(cell: ElementTree.Element, shared: Sequence[str]) -> str:
    kind = cell.attrib.get("t", "n")
    if kind == "inlineStr":
        return "".join(_text(one) for one in cell.iter(_tag("is")))
    found = cell.find(_tag("v"))
    raw = "" if found is None else found.text or ""
    if kind == "s":
        return shared[int(raw)]
    if kind != "n" or not raw:
        return raw
    number = float(raw)
    return str(int(number)) if number.is_integer() else raw
