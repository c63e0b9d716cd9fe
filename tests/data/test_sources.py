import codecs
import json

import pytest

from tests.tiny_corpora import write_corpora, write_socialcd
from tests.tiny_more import write_c2d2, write_cogbias
from untwist.data import Columns, Reading, Refusals, known_corpora, load_source, parts_of
from untwist.errors import ConfigError, DataError
from untwist.taxonomy import Distortion

D = Distortion
ROWS = (("我觉得自己是个废物，没救了", "贴标签"), ("今天去公园散步，天气很好", "无"))


def known(folder, **more):
    return Reading(str(folder), ("all",), unverified=True, **more)


def table(file, encoding="utf-8", sep=",", header=("text", "labels"), rows=ROWS):
    lines = [sep.join(header), *(sep.join(row) for row in rows)]
    file.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return file


def labels_of(loaded):
    return [d.labels[0].distortions for d in loaded.dialogues]


def test_a_corpus_is_read_by_its_name_from_the_folder(tmp_path):
    folder = write_corpora(tmp_path)
    loaded = load_source("socialcd", known(folder))
    assert (loaded.entry.symbol, len(loaded.dialogues)) == ("D_s", 8)
    names = [path.name for path in loaded.files]
    assert names == ["socialcd_3k_train.tsv", "socialcd_3k_test.tsv"]
    assert loaded.changed == loaded.files


def test_a_corpus_that_lies_elsewhere_is_read_from_there(tmp_path):
    write_socialcd(tmp_path / "elsewhere")
    loaded = load_source(f"socialcd={tmp_path / 'elsewhere'}", known(tmp_path / "nowhere"))
    assert len(loaded.dialogues) == 8
    file = tmp_path / "elsewhere/socialcd_3k/socialcd_3k_test.tsv"
    loaded = load_source(f"socialcd={file}", known(tmp_path / "nowhere"))
    assert len(loaded.dialogues) == 3
    assert loaded.files == (file,)
    with pytest.raises(DataError, match=r"no file .*gone"):
        load_source(f"socialcd={tmp_path / 'gone'}", known(tmp_path))


def test_the_corpus_that_ships_is_read_from_the_package_and_nowhere_else(tmp_path):
    assert load_source("open", Reading(str(tmp_path))).entry.free
    with pytest.raises(DataError, match='"open" is read from the package: leave "=mine" out'):
        load_source("open=mine", Reading())


def test_the_options_reach_the_loader_that_has_them(tmp_path):
    write_cogbias(write_c2d2(tmp_path))
    plain = load_source("cogbias", known(tmp_path)).dialogues
    wide = load_source("cogbias", known(tmp_path, unmarked="undistorted")).dialogues
    judged = [sum(one is not None for d in rows for one in d.labels) for rows in (plain, wide)]
    assert judged[0] < judged[1]
    with pytest.raises(ConfigError, match="unmarked"):
        load_source("cogbias", known(tmp_path, unmarked="maybe"))
    with pytest.raises(ConfigError, match="corrupted"):
        load_source("c2d2", known(tmp_path, corrupted="maybe"))
    # what another loader would refuse is nothing to this one
    assert len(load_source("c2d2", known(tmp_path, unmarked="maybe")).dialogues) == 6


@pytest.mark.parametrize(
    ("name", "sep"),
    [("a.csv", ","), ("a.CSV", ","), ("a.tsv", "\t"), ("a.tab", "\t"), ("a.txt", "\t")],
)
def test_the_ending_of_a_table_tells_its_separator(tmp_path, name, sep):
    file = table(tmp_path / name, sep=sep)
    loaded = load_source(str(file), Reading())
    assert labels_of(loaded) == [{D.LABELING}, set()]
    assert [d.id for d in loaded.dialogues] == ["1", "2"]
    assert (loaded.entry.name, loaded.entry.source) == ("a", str(file))
    assert loaded.files == (file,)
    assert loaded.changed == ()


def test_a_file_needs_no_licence_and_is_split_like_any_corpus(tmp_path):
    rows = [(f"text number {n}", "labeling") for n in range(20)]
    loaded = load_source(str(table(tmp_path / "a.csv", rows=rows)), Reading())
    parts = parts_of(loaded.entry.name, loaded.dialogues, "grouped")
    assert {p: parts.count(p) for p in set(parts)} == {"train": 12, "validation": 4, "test": 4}


def test_the_columns_of_a_table_can_be_named(tmp_path):
    header = ("satz", "name", "was", "teil", "von")
    rows = [("I fail", "r1", "labeling|blaming", "test", "p"), ("Tea", "r2", "", "train", "p")]
    file = table(tmp_path / "a.csv", header=header, rows=rows)
    columns = Columns("satz", "name", "was", separator="|", split="teil", group="von")
    loaded = load_source(str(file), Reading(columns=columns))
    assert [d.id for d in loaded.dialogues] == ["r1", "r2"]
    assert labels_of(loaded)[0] == {D.LABELING, D.BLAMING}
    assert [d.split for d in loaded.dialogues] == ["test", "train"]
    assert len({d.group for d in loaded.dialogues}) == 1
    with pytest.raises(DataError, match="text, labels"):
        load_source(str(file), Reading())


def test_the_label_set_of_a_table_can_be_named(tmp_path):
    file = table(tmp_path / "a.csv", rows=[("I fail", "labeling")])
    loaded = load_source(str(file), Reading(taxonomy="c2d2-7"))
    assert loaded.entry.taxonomy == "c2d2-7"
    assert D.BLAMING not in loaded.dialogues[0].labels[0].carried
    with pytest.raises(DataError, match="unknown taxonomy"):
        load_source(str(file), Reading(taxonomy="c2d2-8"))


def test_any_other_file_is_json_lines_in_our_own_format(tmp_path):
    file = tmp_path / "mine.jsonl"
    rows = [{"id": "a", "text": "I fail", "labels": ["labeling"]}, {"id": "b", "text": "Tea"}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    loaded = load_source(str(file), Reading())
    assert [d.id for d in loaded.dialogues] == ["a", "b"]
    assert {d.corpus for d in loaded.dialogues} == {"mine"}
    assert loaded.dialogues[0].labels[0].distortions == {D.LABELING}


def test_a_gb18030_table_is_read_when_it_is_named_so(tmp_path):
    file = table(tmp_path / "a.csv", "gb18030")
    loaded = load_source(str(file), Reading(encoding="gb18030"))
    assert loaded.dialogues[0].utterances[0].text == ROWS[0][0]
    assert labels_of(loaded) == [{D.LABELING}, set()]


def test_a_gb18030_table_that_is_not_named_so_is_told_by_its_bytes(tmp_path):
    file = table(tmp_path / "a.csv", "gb18030")
    with pytest.raises(DataError, match="it reads as GB18030: give --encoding gb18030") as error:
        load_source(str(file), Reading(), Refusals())
    assert str(error.value).startswith(f"{file}:2: not UTF-8")


def test_a_utf_8_table_that_is_named_gb18030_is_not_misread(tmp_path):
    file = table(tmp_path / "a.csv")
    with pytest.raises(DataError, match="it is UTF-8 and not gb18030: leave --encoding out"):
        load_source(str(file), Reading(encoding="gb18030"))
    with pytest.raises(ConfigError, match='unknown encoding "gb"'):
        load_source(str(file), Reading(encoding="gb"))


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    file = table(tmp_path / "a.csv")
    file.write_bytes(codecs.BOM_UTF8 + file.read_bytes())
    assert len(load_source(str(file), Reading()).dialogues) == 2


def test_json_lines_in_another_encoding_are_refused_line_by_line_with_what_to_do(tmp_path):
    file = tmp_path / "mine.jsonl"
    row = {"id": "a", "text": ROWS[0][0]}
    file.write_bytes((json.dumps(row, ensure_ascii=False) + "\n").encode("gb18030"))
    refusals = Refusals()
    assert load_source(str(file), Reading(encoding="gb18030"), refusals).dialogues == ()
    (refusal,) = refusals
    assert str(refusal).startswith(f"{file}:1: not UTF-8")
    assert "save the file as UTF-8" in str(refusal)
    with pytest.raises(DataError, match="not UTF-8"):
        load_source(str(file), Reading())


@pytest.mark.parametrize("source", ["reframe", "reframe=elsewhere"])
def test_what_is_neither_a_file_nor_a_corpus_is_named_with_the_nearest_and_all_corpora(source):
    with pytest.raises(DataError) as error:
        load_source(source, Reading())
    message = str(error.value)
    assert message.startswith(
        f'"{source}" is neither a file nor a corpus; did you mean "reframing"'
    )
    assert all(name in message for name in known_corpora())


def test_a_path_without_a_file_is_named_as_such(tmp_path):
    with pytest.raises(DataError, match=r"no file .*mine\.csv: name a file of your own"):
        load_source(str(tmp_path / "mine.csv"), Reading())
    with pytest.raises(DataError, match="is a folder: name a file in it"):
        load_source(str(tmp_path), Reading())


def test_a_name_fit_for_a_leaderboard_is_made_of_the_file_name(tmp_path):
    file = table(tmp_path / "my own: table.csv")
    assert load_source(str(file), Reading()).entry.name == "my-own-table"
