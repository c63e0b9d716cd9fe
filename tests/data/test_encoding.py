import codecs
import json

import pytest

from tests.data.test_more_corpora import found, load
from tests.tiny_corpora import write_rows
from tests.tiny_more import COGBIAS, DC, write_cogbias, write_cogdis, write_patternreframe
from untwist.data import Refusals, c2d2, cogbias, cogdis, patternreframe
from untwist.data.encoding import require_encoding
from untwist.data.tables import read_table
from untwist.errors import ConfigError, DataError
from untwist.taxonomy import Distortion

CHINESE = ["我今天又迟到了", "他们在说我的事", "有人觉得这是我的错", "晚饭不好吃", "一个人去看海"]
TRADITIONAL = [
    "我今天又遲到了",
    "他們在說我的事",
    "有人覺得這是我的錯",
    "晚飯不好吃",
    "一個人去看海",
]


def table(folder, rows, encoding, header="text,label"):
    file = folder / "mine.csv"
    text = "\n".join([header, *(f"{row},x" for row in rows)]) + "\n"
    file.write_bytes(text.encode(encoding))
    return file


def texts(file, encoding="utf-8", columns=("text",), refusals=None):
    return [row.cells["text"] for row in read_table(file, ",", columns, refusals, encoding)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "big5", "utf-16"])
def test_a_table_is_read_in_the_encoding_that_is_named(tmp_path, encoding):
    rows = TRADITIONAL if encoding == "big5" else CHINESE
    assert texts(table(tmp_path, rows, encoding), encoding) == rows


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_with_a_mark_is_read_by_its_byte_order_too(tmp_path, codec):
    file = table(tmp_path, CHINESE, codec)
    file.write_bytes("\ufeff".encode(codec) + file.read_bytes())
    assert texts(file, codec) == CHINESE
    assert texts(file, "utf-16") == CHINESE


@pytest.mark.parametrize("name", ["UTF-8", "utf8", "Utf_8", "utf-8-sig"])
def test_utf_8_is_known_by_all_its_names(tmp_path, name):
    assert require_encoding(table(tmp_path, CHINESE, "utf-8"), name) == "utf-8-sig"


@pytest.mark.parametrize(
    ("encoding", "rows", "reads", "give"),
    [
        ("gb18030", CHINESE, "GB18030", "gb18030"),
        ("gbk", CHINESE[:2], "GB18030", "gb18030"),
        ("gb18030", TRADITIONAL, "GB18030", "gb18030"),
        ("big5", TRADITIONAL, "BIG5", "big5"),
    ],
)
def test_chinese_in_another_encoding_is_told_and_named(tmp_path, encoding, rows, reads, give):
    file = table(tmp_path, ["a pear", *rows], encoding)
    with pytest.raises(DataError) as caught:
        texts(file, refusals=Refusals())
    assert str(caught.value) == (
        f"{file}:3: not UTF-8; it reads as {reads}: give --encoding {give}, or save it as UTF-8"
    )
    assert texts(file, give) == ["a pear", *rows]


def test_a_header_in_another_encoding_is_told_by_its_first_line(tmp_path):
    file = table(tmp_path, CHINESE, "gb18030", header="文本,标签")
    with pytest.raises(DataError) as caught:
        texts(file, columns=["文本"], refusals=Refusals())
    assert str(caught.value) == (
        f"{file}:1: not UTF-8; it reads as GB18030: give --encoding gb18030, "
        "or save it as UTF-8 (the header lacks 文本 as UTF-8)"
    )


@pytest.mark.parametrize(
    ("codec", "mark", "reads"),
    [
        ("utf-16-le", codecs.BOM_UTF16_LE, "UTF-16"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "UTF-16"),
        ("utf-16-le", b"", "UTF-16-LE"),
        ("utf-16-be", b"", "UTF-16-BE"),
    ],
)
def test_utf_16_is_told_by_its_mark_or_by_its_nul_bytes(tmp_path, codec, mark, reads):
    file = table(tmp_path, ["上海", *CHINESE], codec, header="上,text,label")
    file.write_bytes(mark + file.read_bytes())
    with pytest.raises(DataError, match=rf":1: not UTF-8; it reads as {reads}: give --encoding "):
        texts(file, refusals=Refusals())


def test_western_bytes_are_not_called_chinese(tmp_path):
    rows = ["I don’t know", "he can’t hear", "she won’t sing", "we aren’t late", "it isn’t far"]
    file = table(tmp_path, rows, "cp1252")
    with pytest.raises(DataError) as caught:
        texts(file, refusals=Refusals())
    assert str(caught.value) == (
        f"{file}:2: not UTF-8: give --encoding with its encoding, or save it as UTF-8"
    )
    assert texts(file, "cp1252") == rows


@pytest.mark.parametrize("damaged", [1, 3])
def test_a_few_damaged_rows_of_a_utf_8_file_cost_only_themselves(tmp_path, damaged):
    file = table(tmp_path, [*CHINESE, "a pear"], "utf-8")
    lines = file.read_bytes().split(b"\n")
    for line in range(1, 1 + damaged):
        lines[line] = lines[line].replace("我".encode(), b"\xce")
    file.write_bytes(b"\n".join(lines))
    refusals = Refusals()
    assert texts(file, refusals=refusals) == [*CHINESE[damaged:], "a pear"]
    assert [r.line for r in refusals] == list(range(2, 2 + damaged))
    assert set(refusals.by_reason()) == {
        "column text holds bytes that are not utf-8: save the row as UTF-8"
    }


def test_many_damaged_rows_among_more_sound_ones_are_refused_one_by_one(tmp_path):
    file = table(tmp_path, CHINESE * 4, "utf-8")
    raw = file.read_bytes().replace("晚饭".encode(), b"\xff")
    file.write_bytes(raw)
    refusals = Refusals()
    assert len(texts(file, refusals=refusals)) == 16
    assert len(refusals) == 4


def test_damage_in_a_column_that_nobody_asked_for_costs_the_row_too(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_bytes(b"text,label\npear,\xff\nplum,x\n")
    refusals = Refusals()
    assert texts(file, refusals=refusals) == ["plum"]
    assert "column label holds bytes" in refusals.summary()


def test_a_nul_in_a_row_does_not_make_utf_16(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_bytes(b"text,label\npe\x00ar,x\nplum,x\n")
    assert texts(file) == ["pe\x00ar", "plum"]


def test_damage_in_another_encoding_costs_one_row(tmp_path):
    file = table(tmp_path, CHINESE, "gb18030")
    file.write_bytes(file.read_bytes() + b"\xff\xff,x\npear,x\n")
    refusals = Refusals()
    assert texts(file, "gb18030", refusals=refusals) == [*CHINESE, "pear"]
    assert [r.line for r in refusals] == [7]
    assert "not gb18030" in refusals.summary()


def test_a_file_that_ends_within_a_character_is_an_error_and_no_shorter_table(tmp_path):
    file = table(tmp_path, CHINESE, "utf-16")
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DataError, match="not utf-16"):
        texts(file, "utf-16")


def test_utf_8_is_never_read_as_another_encoding(tmp_path):
    file = table(tmp_path, CHINESE, "utf-8")
    for encoding in ("gb18030", "big5", "latin-1", "utf-16"):
        with pytest.raises(DataError, match=f"UTF-8 and not {encoding}: leave --encoding out"):
            texts(file, encoding)


@pytest.mark.parametrize("encoding", ["gb18031", "base64", ""])
def test_an_unknown_encoding_is_the_caller_s_mistake(tmp_path, encoding):
    with pytest.raises(ConfigError, match="unknown encoding"):
        texts(table(tmp_path, CHINESE, "utf-8"), encoding)


def test_an_empty_file_has_no_header(tmp_path):
    (tmp_path / "mine.csv").write_bytes(b"")
    with pytest.raises(DataError, match="the header lacks text: it has nothing"):
        texts(tmp_path / "mine.csv")


def test_json_corpora_in_another_encoding_are_named_as_such(tmp_path):
    file = write_cogbias(tmp_path)
    text = json.dumps(COGBIAS * 2, ensure_ascii=False, indent=1)
    file.write_text(text, encoding="gb18030")
    with pytest.raises(DataError, match=r"not UTF-8; it reads as GB18030: save it as UTF-8$"):
        load(cogbias.load, file)
    file.write_bytes(text.encode().replace("工作".encode(), b"\xff", 1))
    with pytest.raises(DataError, match=r"json:\d+: not UTF-8: save it as UTF-8$"):
        load(cogbias.load, file)
    file.write_text(text, encoding="utf-16")
    with pytest.raises(DataError, match=r"it reads as UTF-16: save it as UTF-8$"):
        load(cogbias.load, file)


def test_one_damaged_json_line_costs_one_row(tmp_path):
    file = write_patternreframe(tmp_path) / patternreframe.FILE
    file.write_bytes(file.read_bytes().replace(b"The cake", b"The c\xff", 1))
    dialogues, refusals = load(patternreframe.load, tmp_path)
    assert len(dialogues) == 4
    assert [r.line for r in refusals] == [1]


def test_a_table_without_a_header_in_another_encoding_is_named_as_such(tmp_path):
    file = write_cogdis(tmp_path)
    file.write_text(file.read_text(encoding="utf-8"), encoding="gb18030")
    with pytest.raises(DataError, match=r"cogdis_all\.tsv:1: not UTF-8; it reads as GB18030"):
        load(cogdis.load, tmp_path)


def test_c2d2_is_read_in_the_encoding_in_which_it_was_given(tmp_path):
    row = ["我今天又迟到了", *["0"] * len(DC)]
    file = write_rows(tmp_path / "train.tsv", ["原始文本", *DC], [row], "\t")
    file.write_text(file.read_text(encoding="utf-8"), encoding="gb18030")
    with pytest.raises(DataError, match="give --encoding gb18030"):
        load(c2d2.load, file)
    dialogues, _ = load(c2d2.load, file, encoding="gb18030")
    assert found(dialogues) == [frozenset[Distortion]()]
    assert dialogues[0].utterances[0].text == row[0]
