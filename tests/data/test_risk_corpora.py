"""The loaders of the public risk corpora, on made-up rows in their formats."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from tests.tiny_corpora import (
    PSYSUICIDE_NONE,
    psysuicide_entry,
    write_risk_corpora,
    write_rows,
)
from untwist.data import Refusals, RiskLabels, corpora_of, loader_of, psysuicide, reddit_cssrs
from untwist.errors import DataError
from untwist.taxonomy import Risk


@pytest.fixture
def folder(tmp_path):
    return write_risk_corpora(tmp_path)


def load(name, path):
    refusals = Refusals()
    return list(loader_of(name)(path, refusals)), refusals


def test_every_risk_corpus_loads_without_a_refusal_and_every_label_is_one_of_risk(folder):
    sizes = {}
    for name in corpora_of("risk"):
        dialogues, refusals = load(name, folder)
        sizes[name] = len(dialogues)
        assert len(refusals) == 0
        for dialogue in dialogues:
            assert dialogue.corpus == name
            for labels in dialogue.labels:
                assert isinstance(labels, RiskLabels)
                assert labels.own
                assert labels.accept
                assert labels.distortions is None
                assert labels.risk is None or labels.accept == {labels.risk}
    assert sizes == {
        "psysuicide": 5, "sos_1k": 4, "sos_4k": 4, "suicide_binary_zh": 2, "reddit_cssrs": 3,
    }  # fmt: skip


def test_every_risk_corpus_has_a_manifest_entry_and_its_headings():
    from untwist.data import sos_1k, sos_4k, suicide_binary_zh

    headings = ("Source:", "Licence:", "Language:", "Labels:", "Splits:", "Known faults:", "Size:")
    modules = (psysuicide, sos_1k, sos_4k, suicide_binary_zh, reddit_cssrs)
    assert [m.CORPUS for m in modules] == list(corpora_of("risk"))
    for module in modules:
        lines = module.__doc__.splitlines()
        found = [h for line in lines for h in headings if line.startswith(h)]
        assert found == list(headings), module.__name__


def test_psysuicide_keeps_its_classes_and_accepts_the_levels_of_the_gravest(folder):
    labels = [d.labels[0] for d in load("psysuicide", folder)[0]]
    assert labels[3].own == ("自杀计划", "主动自杀意图")
    assert labels[3].risk is Risk.HIGH
    assert labels[4].accept == {Risk.MEDIUM, Risk.HIGH}
    assert labels[4].risk is None
    assert Risk.HIGH not in labels[1].accept


def test_psysuicide_names_a_message_by_its_place_because_idx_repeats(folder):
    dialogues, _ = load("psysuicide", folder)
    assert [d.id for d in dialogues] == [f"validation-{n}" for n in range(1, 6)]
    assert {d.split for d in dialogues} == {"validation"}


@pytest.mark.parametrize(
    "entry",
    [
        "no object",
        {"text": 1},
        psysuicide_entry("苹果", "没有这一类"),
        psysuicide_entry("苹果"),
        psysuicide_entry("苹果", "自杀计划", PSYSUICIDE_NONE),
        {**psysuicide_entry("苹果", "自杀计划"), "label": [0.0] * 11},
        psysuicide_entry(" ", "自杀计划"),
    ],
)
def test_a_bad_psysuicide_entry_is_refused_at_its_place_and_the_rest_goes_on(tmp_path, entry):
    file = tmp_path / "psysuicide_valid.json"
    good = psysuicide_entry("今天天气不错", PSYSUICIDE_NONE)
    file.write_text(json.dumps([entry, good]), encoding="utf-8")
    dialogues, refusals = load("psysuicide", file)
    assert [d.id for d in dialogues] == ["validation-2"]
    assert [r.line for r in refusals] == [1]
    with pytest.raises(DataError, match=r"psysuicide_valid\.json:1:"):
        list(loader_of("psysuicide")(file, None))


@pytest.mark.parametrize("text", ["{", '{"a": 1}'])
def test_a_psysuicide_file_that_is_no_list_is_named(tmp_path, text):
    file = tmp_path / "psysuicide_valid.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="psysuicide_valid"):
        load("psysuicide", file)


def test_sos_1k_joins_its_two_files_and_keeps_both_labels(folder):
    dialogues, _ = load("sos_1k", folder)
    assert [d.labels[0].own for d in dialogues] == [
        ("4", "low"), ("0", "low"), ("7", "high"), ("6", "low"),
    ]  # fmt: skip
    assert [d.split for d in dialogues] == ["train", "test", "train", "train"]
    assert dialogues[0].labels[0].accept == {Risk.MEDIUM, Risk.HIGH}
    assert dialogues[1].labels[0].accept == {Risk.NONE, Risk.LOW}


def test_sos_1k_refuses_a_row_whose_twin_is_another_or_missing_or_out_of_range(folder):
    header = ["comment", "myLabel", "part"]
    rows = [["我想死", "4", "test"], ["今天去公园走了走", "11", "test"], ["走走", "1", "test"],
            ["工作好累", "6", "fold5"], ["没有了", "1", "fold1"]]  # fmt: skip
    write_rows(folder / "sos_1k/sos_fgc_1k_all.tsv", header, rows, "\t")
    dialogues, refusals = load("sos_1k", folder)
    assert [d.id for d in dialogues] == ["4"]
    assert [r.line for r in refusals] == [2, 3, 4, 6]


def test_the_parts_of_sos_4k_and_the_binary_set_are_kept(folder):
    assert Counter(d.split for d in load("sos_4k", folder)[0]) == {
        "train": 2, "validation": 1, "test": 1,
    }  # fmt: skip
    one, _ = load("sos_4k", folder / "sos_4k/sos_4k_val.tsv")
    assert [(d.id, d.split, d.labels[0].own) for d in one] == [("val-1", "validation", ("1",))]
    binary, _ = load("suicide_binary_zh", folder)
    assert [(d.id, d.split) for d in binary] == [("train-1", "train"), ("val-1", "validation")]


def test_low_in_the_binary_set_says_nothing_of_our_levels(folder):
    low, high = (d.labels[0] for d in load("suicide_binary_zh", folder)[0])
    assert low.own == ("low",)
    assert low.accept == set(Risk)
    assert high.risk is Risk.HIGH


def test_the_label_of_a_reddit_user_stands_on_every_post_and_says_that_it_is_of_all(folder):
    user = load("reddit_cssrs", folder)[0][0]
    assert [u.text for u in user.utterances] == [
        "Nice tea", "I want to die", 'He said "it\'s fine"',
    ]  # fmt: skip
    assert [u.id for u in user.utterances] == ["user-0/1", "user-0/2", "user-0/3"]
    assert {labels.own for labels in user.labels} == {("Ideation",)}
    assert all(labels.whole for labels in user.labels)


def test_posts_without_words_and_a_post_that_is_cut_off_are_left_out(folder):
    _, second, third = load("reddit_cssrs", folder)[0]
    assert [u.text for u in second.utterances] == ["The bus was late"]
    assert [u.text for u in third.utterances] == ["Nice tea", "My dog's walk"]


@pytest.mark.parametrize(
    "row",
    [
        ["user-0", "['tea'", "Ideation"],
        ["user-0", "tea", "Ideation"],
        ["user-0", "[]", "Ideation"],
        ["user-0", "['tea', 3]", "Ideation"],
        ["user-0", "['tea']", "Low"],
        ["", "['tea']", "Ideation"],
        ["user-0", "[' ']", "Ideation"],
    ],
)
def test_a_reddit_row_that_is_no_list_of_posts_or_has_no_known_level_is_refused(tmp_path, row):
    file = tmp_path / "reddit_cssrs_500users_all.csv"
    write_rows(file, ["User", "Post", "Label"], [row, ["user-1", "['tea']", "Attempt"]], ",")
    dialogues, refusals = load("reddit_cssrs", file)
    assert [d.id for d in dialogues] == ["user-1"]
    assert len(refusals) == 1


@pytest.fixture(scope="module")
def public():
    place = os.environ.get("UNTWIST_CORPORA")
    if not place:
        pytest.skip("UNTWIST_CORPORA does not name the folder of the public corpora")
    return Path(place)


SOS_4K = (168 + 42 + 53, 360 + 90 + 113, 266 + 66 + 83, 235 + 58 + 73, 363 + 91 + 114,
          266 + 67 + 83, 320 + 80 + 100, 279 + 70 + 87, 104 + 26 + 32, 159 + 40 + 50,
          173 + 43 + 54)  # fmt: skip
PUBLISHED = {
    "psysuicide": (1480, dict(zip(
        psysuicide.CLASSES, (11, 2, 15, 146, 137, 18, 3, 33, 25, 36, 1075), strict=True))),
    "sos_1k": (1249, {"0": 64, "1": 63, "2": 67, "3": 148, "4": 248, "5": 93, "6": 213, "7": 199,
                      "8": 41, "9": 71, "10": 42, "low": 648, "high": 601}),
    "sos_4k": (4208, {str(level): n for level, n in enumerate(SOS_4K)}),
    "suicide_binary_zh": (1249, {"low": 648, "high": 601}),
    "reddit_cssrs": (500, {"Supportive": 108, "Indicator": 99, "Ideation": 171, "Behavior": 77,
                           "Attempt": 45}),
}  # fmt: skip


@pytest.mark.corpora
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_public_risk_files_give_the_published_counts(public, name):
    dialogues, refusals = load(name, public)
    size, counts = PUBLISHED[name]
    assert len(refusals) == 0
    assert len(dialogues) == size
    assert Counter(own for d in dialogues for own in d.labels[0].own) == counts


@pytest.mark.corpora
def test_the_published_parts_of_the_public_risk_files_are_kept(public):
    parts = {name: Counter(d.split for d in load(name, public)[0]) for name in PUBLISHED}
    assert parts["sos_1k"] == {"train": 999, "test": 250}
    assert parts["sos_4k"] == {"train": 2693, "validation": 673, "test": 842}
    assert parts["suicide_binary_zh"] == {"train": 999, "validation": 250}


@pytest.mark.corpora
def test_28_reddit_users_are_cut_off_at_the_source(public):
    dialogues, _ = load("reddit_cssrs", public)
    assert sum(len(d.utterances) for d in dialogues) == 9099
    text = (public / reddit_cssrs.FILE).read_text(encoding="utf-8")
    assert sum(len(cell) == reddit_cssrs.CUT_AT for cell in _cells(text)) == 28


def _cells(text):
    import csv
    import io

    return [row["Post"] for row in csv.DictReader(io.StringIO(text, newline=""))]
