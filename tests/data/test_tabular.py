import json

import pytest

from tests.tiny_corpora import write_lines, write_rows
from untwist.data import Refusals, tabular
from untwist.data.tabular import Columns
from untwist.errors import ConfigError, DataError
from untwist.taxonomy import CANONICAL, Distortion, taxonomy

D = Distortion
LABELLED = Columns(labels="labels")


def load(path, columns=LABELLED, **options):
    refusals = Refusals()
    return list(tabular.load(path, refusals, columns=columns, **options)), refusals


def found(dialogues):
    return [d.labels[0].distortions if d.labels[0] else None for d in dialogues]


def table(folder, header, *rows, name="mine.csv"):
    return write_rows(folder / name, header, rows, "," if name.endswith(".csv") else "\t")


def test_a_table_of_texts_alone_has_no_labels(tmp_path):
    file = table(tmp_path, ["text"], ["a pear"], ["梨"])
    dialogues, refusals = load(file, Columns())
    assert len(refusals) == 0
    assert [(d.id, d.labels, d.split, d.corpus) for d in dialogues] == [
        ("1", (None,), None, "table"), ("2", (None,), None, "table"),
    ]  # fmt: skip
    assert [d.utterances[0].lang for d in dialogues] == ["en", "zh"]
    assert [d.group for d in dialogues] == ["table:1", "table:2"]


def test_every_column_is_found_by_the_name_that_the_caller_gives(tmp_path):
    header = ["nr", "who", "part", "tongue", "said", "seen"]
    columns = Columns("said", "nr", "seen", "|", "who", "part", "tongue")
    file = table(tmp_path, header, ["7", "ann", "dev", "en", "梨", "mind reading | 乱贴标签"],
                 ["8", "", "", "", "梨", "none"], name="mine.tsv")  # fmt: skip
    (first, second), refusals = load(file, columns, corpus="fruit")
    assert len(refusals) == 0
    assert (first.id, first.group, first.split) == ("7", "ann", "dev")
    assert first.utterances[0].lang == "en"
    assert (second.group, second.split) == ("fruit:8", None)
    assert second.utterances[0].lang == "zh"
    assert found([first, second]) == [{D.MIND_READING, D.LABELING}, set()]
    assert first.labels[0].carried == set(CANONICAL)


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("labeling", {D.LABELING}),
        ("Labeling; Mind Reading", {D.LABELING, D.MIND_READING}),
        ("灾难化;", {D.MAGNIFICATION}),
        ("", set()),
        ("None", set()),
        (" NO distortion ", set()),
        ("无", set()),
        ("none; none", set()),
    ],
)
def test_a_label_column_takes_any_name_and_words_for_none(tmp_path, cell, meant):
    dialogues, refusals = load(table(tmp_path, ["text", "labels"], ["梨", cell]))
    assert len(refusals) == 0
    assert found(dialogues) == [meant]


def test_an_empty_cell_is_not_annotated_when_the_caller_says_so(tmp_path):
    file = table(tmp_path, ["text", "labels"], ["a", ""], ["b", "fine"])
    assert found(load(file, none=["fine"])[0]) == [None, set()]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("labelling it", 'did you mean "labeling"?'),
        ("labeling; none", "a distortion and none at once"),
        ("comparing", 'label "comparing" needs a taxonomy that has it'),
    ],
)
def test_other_labels_are_refused_and_the_nearest_is_named(tmp_path, cell, reason):
    file = table(tmp_path, ["text", "labels"], ["a", cell], ["b", "labeling"])
    dialogues, refusals = load(file)
    assert [d.id for d in dialogues] == ["2"]
    assert [r.line for r in refusals] == [2]
    assert reason in refusals.summary()


def test_a_taxonomy_gives_the_names_and_the_mask(tmp_path):
    file = table(tmp_path, ["text", "labels"], ["a", "Comparing"], ["b", "mind reading"])
    dialogues, refusals = load(file, taxonomy="reframing-14")
    assert found(dialogues) == [{D.COMPARING}]
    assert dialogues[0].labels[0].carried == taxonomy("reframing-14").covered
    assert 'did you mean "Mind reading"?' in refusals.summary()
    with pytest.raises(DataError, match="unknown taxonomy"):
        load(file, taxonomy="reframing-15")


def test_columns_of_0_and_1_are_the_labels_and_the_mask(tmp_path):
    one_hot = ("mind_reading", "乱贴标签")
    file = table(tmp_path, ["text", *one_hot], ["a", "1", " 0"], ["b", "0", "0"],
                 ["c", "1", "1"], ["d", "", "1"], ["e", "2", "0"])  # fmt: skip
    dialogues, refusals = load(file, Columns(one_hot=one_hot))
    assert found(dialogues) == [{D.MIND_READING}, set(), {D.MIND_READING, D.LABELING}]
    assert {d.labels[0].carried for d in dialogues} == {frozenset({D.MIND_READING, D.LABELING})}
    assert [r.line for r in refusals] == [5, 6]
    with pytest.raises(DataError, match='did you mean "blaming"'):
        load(file, Columns(one_hot=("blamings",)))


def test_columns_that_contradict_each_other_are_no_columns():
    with pytest.raises(ConfigError, match="one of them"):
        Columns(labels="a", one_hot=("b",))
    with pytest.raises(ConfigError, match="separator"):
        Columns(separator="")


def test_a_missing_column_names_those_that_are_there_and_the_nearest(tmp_path):
    file = table(tmp_path, ["Id", "Texts", "label"], ["1", "a", "labeling"])
    with pytest.raises(DataError) as caught:
        load(file, Columns(text="texts", id="Id"))
    message = str(caught.value)
    assert message.startswith(f"{file}:1: the header lacks texts: it has Id, Texts, label")
    assert message.endswith("nearest to texts: Texts")


def test_a_header_that_is_a_row_is_not_quoted(tmp_path):
    text = "a pear and a plum and a peach and an apricot and a cherry"
    file = table(tmp_path, [text, "x"], ["a", "b"])
    with pytest.raises(DataError, match="it has x, 1 longer than a name") as caught:
        load(file, Columns())
    assert "pear" not in str(caught.value)


def test_a_column_that_stands_twice_is_not_chosen_by_luck(tmp_path):
    file = table(tmp_path, ["text", "text"], ["a", "b"])
    with pytest.raises(DataError, match="has column text twice"):
        load(file, Columns())


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (["1", " ", ""], "column text is empty"),
        (["", "pear", ""], "column id is empty"),
        (["1", "pear", "fr"], 'lang is "fr"'),
        (["1", "pear"], "2 cells where a row has 3"),
    ],
)
def test_a_bad_row_is_refused_with_its_line_and_the_rest_goes_on(tmp_path, row, reason):
    file = table(tmp_path, ["id", "text", "lang"], row, ["2", "plum", "en"])
    dialogues, refusals = load(file, Columns(id="id", lang="lang"))
    assert [d.id for d in dialogues] == ["2"]
    assert [r.line for r in refusals] == [2]
    assert reason in refusals.summary()
    with pytest.raises(DataError, match=r"mine\.csv:2: "):
        list(tabular.load(file, columns=Columns(id="id", lang="lang")))


def test_an_id_that_occurs_twice_is_refused_and_names_the_first_place(tmp_path):
    file = table(tmp_path, ["id", "text"], ["1", "pear"], ["1", "plum"])
    dialogues, refusals = load(file, Columns(id="id"))
    assert [d.utterances[0].text for d in dialogues] == ["pear"]
    assert f'id "1" is at {file}:2 too' in refusals.summary()


def test_files_become_parts_and_an_id_in_two_of_them_is_refused_with_both_places(tmp_path):
    train = table(tmp_path, ["id", "text"], ["1", "pear"], ["2", "plum"], name="train.csv")
    test = table(tmp_path, ["id", "text"], ["3", "fig"], ["2", "date"], name="test.tsv")
    refusals = Refusals()
    parts = {"train": train, "test": test}
    dialogues = list(tabular.load_parts(parts, refusals, columns=Columns(id="id")))
    assert [(d.id, d.split) for d in dialogues] == [("1", "train"), ("2", "train"), ("3", "test")]
    (refusal,) = refusals
    assert (refusal.path, refusal.line) == (str(test), 3)
    assert f"{train}:3" in refusal.reason


def test_parts_without_ids_are_numbered_each_by_itself(tmp_path):
    train = table(tmp_path, ["text"], ["pear"], name="train.csv")
    test = table(tmp_path, ["text"], ["plum"], name="test.csv")
    parts = {"train": train, "test": test}
    dialogues = tabular.load_parts(parts, columns=Columns())
    assert [d.id for d in dialogues] == ["train-1", "test-1"]
    with pytest.raises(ConfigError, match="one of them"):
        list(tabular.load_parts(parts, columns=Columns(split="part")))


def test_a_row_that_is_refused_does_not_take_its_id(tmp_path):
    file = table(tmp_path, ["id", "text"], ["1", " "], ["1", "plum"])
    assert [d.utterances[0].text for d in load(file, Columns(id="id"))[0]] == ["plum"]


def test_json_lines_take_numbers_lists_and_null(tmp_path):
    columns = Columns(id="id", labels="labels", group="who")
    rows = [
        {"id": 7, "text": "pear", "labels": ["labeling", "读心术"], "who": 3},
        {"id": "8", "text": "plum", "labels": [], "who": None},
        {"id": "9", "text": "fig", "labels": None, "who": None},
        {"id": "10", "text": "date", "labels": "labeling;blaming", "who": "x"},
    ]
    dialogues, refusals = load(write_lines(tmp_path / "mine.jsonl", rows), columns)
    assert len(refusals) == 0
    assert [(d.id, d.group) for d in dialogues] == [
        ("7", "3"), ("8", "table:8"), ("9", "table:9"), ("10", "x"),
    ]  # fmt: skip
    assert found(dialogues) == [
        {D.LABELING, D.MIND_READING}, set(), None, {D.LABELING, D.BLAMING},
    ]  # fmt: skip


def test_json_lines_take_0_and_1_in_every_way_that_they_are_written(tmp_path):
    rows = [{"text": "pear", "labeling": one} for one in (1, 0, True, False, "1", "0", None, 2)]
    file = write_lines(tmp_path / "mine.ndjson", rows)
    dialogues, refusals = load(file, Columns(one_hot=("labeling",)))
    assert found(dialogues) == [{D.LABELING}, set()] * 3
    assert [r.line for r in refusals] == [7, 8]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"text": "pear", "id": "1"}, "the row lacks labels: it has text, id"),
        ({"text": "pear", "id": "1", "label": []}, "nearest to labels: label"),
        ({"text": 3, "id": "1", "labels": []}, "column text is int"),
        ({"text": None, "id": "1", "labels": []}, "column text is NoneType"),
        ({"text": "pear", "id": 1.5, "labels": []}, "column id holds neither"),
        ({"text": "pear", "id": True, "labels": []}, "column id holds neither"),
        ({"text": "pear", "id": None, "labels": []}, "column id is empty"),
        ({"text": "pear", "id": "1", "labels": 3}, "column labels holds neither"),
        ({"text": "pear", "id": "1", "labels": [3]}, "column labels holds neither"),
        ({"text": "pear", "id": "1", "labels": ["gloom"]}, "unknown distortion"),
        ([], "a JSON list"),
    ],
)
def test_a_bad_json_line_is_refused(tmp_path, row, reason):
    good = {"text": "plum", "id": "2", "labels": []}
    file = write_lines(tmp_path / "mine.jsonl", [row, good])
    dialogues, refusals = load(file, Columns(id="id", labels="labels"))
    assert [d.id for d in dialogues] == ["2"]
    assert [r.line for r in refusals] == [1]
    assert reason in refusals.summary()


def test_other_endings_and_missing_files_are_named(tmp_path):
    with pytest.raises(DataError, match="no file"):
        load(tmp_path / "mine.csv")
    (tmp_path / "mine.xlsx").write_bytes(b"PK")
    with pytest.raises(ConfigError, match=r'unknown ending "\.xlsx": give one of \.csv'):
        load(tmp_path / "mine.xlsx")


def test_nothing_of_a_large_table_is_lost(tmp_path):
    rows = [[f"text {n}, with a comma", "labeling" if n % 3 else ""] for n in range(2000)]
    dialogues, refusals = load(table(tmp_path, ["text", "labels"], *rows))
    assert len(refusals) == 0
    assert [d.utterances[0].text for d in dialogues] == [text for text, _ in rows]
    assert sum(bool(labels) for labels in found(dialogues)) == 1333


def test_json_lines_in_another_encoding_are_named_as_such(tmp_path):
    lines = [json.dumps({"text": text}, ensure_ascii=False) for text in ("我的梨", "我的桃")]
    file = tmp_path / "mine.jsonl"
    file.write_bytes("\n".join(lines).encode("gb18030"))
    with pytest.raises(DataError, match=r":1: not UTF-8; it reads as GB18030: save it as UTF-8$"):
        load(file, Columns())
    with pytest.raises(ConfigError, match="read as UTF-8 only"):
        load(file, Columns(), encoding="gb18030")
