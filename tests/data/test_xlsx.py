"""Workbooks: what is written is read back, and what others save is read too."""

import zipfile

import pytest

from untwist.data import read_xlsx, xlsx_bytes
from untwist.data import xlsx as module
from untwist.errors import DataError

ROWS = [["code", "reply", "CogA"], ["a1", "=1+1 & <b>“好”</b>\nsecond line", 5], ["a2", "", 2.5]]


def written(tmp_path, rows=ROWS, **more):
    file = tmp_path / "sheet.xlsx"
    file.write_bytes(xlsx_bytes(rows, **more))
    return file


def changed(tmp_path, **parts):
    """The same workbook with some parts replaced or added."""
    source, file = written(tmp_path), tmp_path / "changed.xlsx"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(file, "w") as new:
        names = {name: old.read(name).decode() for name in old.namelist()}
        for name, text in {**names, **parts}.items():
            new.writestr(name, text)
    return file


def sheet(body):
    return {
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{module._MAIN}"><sheetData>{body}'
        "</sheetData></worksheet>"
    }


def test_what_is_written_is_read_back(tmp_path):
    expected = [["code", "reply", "CogA"], ["a1", ROWS[1][1], "5"], ["a2", "", "2.5"]]
    assert read_xlsx(written(tmp_path)) == expected


def test_equal_rows_give_equal_bytes():
    assert xlsx_bytes(ROWS) == xlsx_bytes(ROWS)


def test_a_text_is_never_a_formula_and_cells_offer_their_values(tmp_path):
    with zipfile.ZipFile(written(tmp_path, choices={2: ("1", "2", "n/a")})) as packed:
        text = packed.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in text
    assert 'sqref="C2:C3"' in text
    assert '"1,2,n/a"' in text


def test_shared_and_formatted_texts_gaps_and_formulas_are_read_as_programs_save_them(tmp_path):
    strings = (
        f'<sst xmlns="{module._MAIN}"><si><t>plain</t></si><si><r><t>bold</t></r><r><t> and not'
        "</t></r><rPh><t>hint</t></rPh></si></sst>"
    )
    body = (
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c></row>'
        '<row r="2"><c r="AB2"><f>1+1</f><v>2</v></c></row><row r="3"/>'
    )
    file = changed(tmp_path, **{"xl/sharedStrings.xml": strings}, **sheet(body))
    rows = read_xlsx(file)
    assert rows[0] == ["plain", "", "bold and not"]
    assert rows[1] == [""] * 27 + ["2"]
    assert rows[2] == []


def test_letters_that_xml_cannot_hold_are_left_out(tmp_path):
    assert read_xlsx(written(tmp_path, [["a\x00b\x0bc"]])) == [["abc"]]


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"xl/workbook.xml": "<broken"}, "no XLSX workbook"),
        ({"xl/workbook.xml": "<no-sheet/>"}, "no XLSX workbook"),
        ({"xl/_rels/workbook.xml.rels": "<a/>"}, "no XLSX workbook"),
        ({"xl/workbook.xml": '<?xml version="1.0"?><a/>'.encode("utf-16")}, "no XLSX workbook"),
        ({"xl/workbook.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}, "declares entities"),
        (sheet('<row r="1"><c r="ZZZ1"><v>1</v></c></row>'), "more than 256 columns"),
        (sheet('<row r="1"><c r="A1" t="s"><v>9</v></c></row>'), "no XLSX workbook"),
    ],
    ids=["xml", "sheet", "relations", "utf-16", "entities", "wide", "index"],
)
def test_a_damaged_workbook_is_refused_with_what_to_do(tmp_path, parts, says):
    with pytest.raises(DataError, match=says):
        read_xlsx(changed(tmp_path, **parts))


def test_a_part_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_PART", 10)
    with pytest.raises(DataError, match="larger than 10 bytes"):
        read_xlsx(written(tmp_path))


def test_what_is_no_workbook_or_not_there_is_one_line(tmp_path):
    file = tmp_path / "a.xlsx"
    file.write_text("no", encoding="utf-8")
    with pytest.raises(DataError, match="no XLSX workbook"):
        read_xlsx(file)
    with pytest.raises(DataError, match="cannot read"):
        read_xlsx(tmp_path / "none.xlsx")
    with pytest.raises(DataError, match="header"):
        xlsx_bytes([])
