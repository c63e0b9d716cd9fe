import os

import pytest

from tests.recipes.tiny import metrics_of, own_rows, row, text_of, write_own
from tests.tiny_corpora import write_corpora
from tests.tiny_more import write_more_corpora
from untwist.data import Reading, Refusals, load_source
from untwist.errors import DataError
from untwist.recipes.data_stats import (
    DataStats,
    chapters,
    count,
    differences,
    ours,
    published,
    run,
)
from untwist.taxonomy import Distortion

D = Distortion


@pytest.fixture
def folder(tmp_path):
    write_more_corpora(tmp_path / "corpora")
    return write_corpora(tmp_path / "corpora")


@pytest.fixture
def counted(folder):
    def go(*names):
        how = Reading(str(folder), ("all",), unverified=True)
        return {name: count(load_source(name, how)) for name in names}

    return go


def table_of(counted, title):
    """Rows of one table by their first cell."""
    tables = [t for chapter in chapters(counted, Refusals()) for t in chapter.tables]
    (table,) = [t for t in tables if t.title == title]
    return table.header, {row[0]: row[1:] for row in table.rows}


def test_table_1_shows_the_count_of_the_files_and_then_what_was_printed(counted):
    header, rows = table_of(counted("socialcd", "reframing"), "Counts of CrossLinCD")
    assert header == ("", "D_s", "D_r")
    # three rows of the made-up D_s and one of D_r are labelled so; the paper prints 1,961 and 104
    assert rows["Labeling"] == ("3 (1,961)", "1 (104)")
    # D_r cannot carry a mental filter, D_s can and has none here
    assert rows["Mental filter"] == ("0 (378)", "–")
    assert rows["Comparing"] == ("–", "1 (8)")
    # 9 labels on 8 rows
    assert rows["labels per row"][0] == "1.12 (1.71)"
    assert rows["train"][0] == "3 (2,043)"
    assert rows["validation"][0] == "2 (682)"
    assert rows["test"][0] == "3 (682)"
    assert rows["rows"] == ("8 (3,407)", "6 (698)")


def test_a_cell_in_which_files_and_paper_agree_stands_once(counted):
    found = counted("socialcd")
    paper = published()["crosslincd_table1"]
    paper["rows"][0], kept = 8, paper["rows"][0]
    try:
        _, rows = table_of(found, "Counts of CrossLinCD")
        assert rows["rows"] == ("8",)
        assert "rows" not in {d["what"] for d in differences(found)}
    finally:
        paper["rows"][0] = kept


def test_every_cell_that_differs_is_listed_and_no_cell_that_the_paper_leaves_empty(counted):
    found = {(d["corpus"], d["what"]): d for d in differences(counted("socialcd", "cogdis"))}
    assert {corpus for corpus, _ in found} == {"socialcd"}
    one = found["socialcd", "labeling"]
    assert (one["files"], one["paper"]) == (3, 1961)
    assert ("socialcd", "negative_emotion") not in found
    # 12 labels and six other lines
    assert len(found) == 12 + 6


def test_a_label_that_cannot_be_carried_is_not_known_and_one_that_never_came_is_0(counted):
    found = counted("reframing", "socialcd")
    assert ours(found["reframing"], "mental_filter") is None
    assert ours(found["socialcd"], "mental_filter") == 0
    # words of the corpus itself
    assert ours(found["reframing"], "Comparing") == 1


def test_table_2_counts_turns_labels_and_dialogues_of_a_made_up_file(counted):
    header, rows = table_of(counted("cogbias"), "CogBiasESC")
    assert header == ("", "files at hand", "paper, train", "paper, test", "paper, all")
    # three dialogues of 6, 2 and 4 messages; 4 judged turns with 1, 2, 1 and 0 labels
    assert {name: cells[0] for name, cells in rows.items()} == {
        "dialogues": "3",
        "utterances": "12",
        "seeker": "6",
        "counsellor": "6",
        "turns per dialogue": "4.0",
        "annotated dialogues": "3",
        "annotated": "4",
        "labels": "4",
        "labels per dialogue": "1.3",
        "label types": "4",
    }
    assert rows["dialogues"][1:] == ("2,094", "405", "2,499")


def test_what_the_paper_counts_as_undistorted_can_be_counted_so(folder):
    how = Reading(str(folder), ("all",), unverified=True, unmarked="undistorted")
    plain = count(load_source("cogbias", Reading(str(folder), ("all",), unverified=True)))
    wide = count(load_source("cogbias", how))
    assert (plain.turns.annotated, wide.turns.annotated) == (4, 5)
    assert (plain.undistorted, wide.undistorted) == (1, 2)
    assert wide.turns.labels == plain.turns.labels


def test_the_report_has_the_corpora_their_parts_labels_and_levels(folder, tmp_path, no_pictures):
    own = write_own(tmp_path)
    how = Reading(str(folder), ("all",), unverified=True)
    config = DataStats(str(tmp_path / "run"), (own, "cogbias", "cogdis"), how, "untwist data stats")
    path, metrics = run(config)
    assert metrics_of(path) == metrics
    assert list(metrics["corpora"]) == ["own", "cogbias", "cogdis"]
    report = text_of(path)
    # 8 labels on 9 rows, 2 rows without
    assert "| own | 9 | 9 | 9 | 0.89 | 2 | – |" in report
    assert "| own | published | 3 | 2 | 4 |" in report
    assert "| own | grouped | 3 | 2 | 4 |" in report
    assert "| Labeling | 4 | 1 |" in report
    # of two of the three is known that they are distorted, and not how
    assert "| cogdis | 3 | 3 | 1 | 0.00 | 1 | 2 |" in report
    assert "### Risk" in report
    assert "### Intensity" in report
    assert "CrossLinCD, Table 1" not in report
    assert "CoPoLLM, Table 2" in report
    assert "0 rows refused." in report


def test_the_labels_are_drawn_as_in_figure_2(folder, tmp_path):
    how = Reading(str(folder), ("all",), unverified=True)
    path, _ = run(DataStats(str(tmp_path / "run"), ("socialcd", "reframing"), how))
    assert {f.name for f in path.iterdir()} >= {"labels-1.png", "labels-1.svg"}
    assert "(labels-1.svg)" in text_of(path)


def test_no_row_and_no_label_is_counted_as_such(tmp_path, no_pictures):
    rows = [{"id": "1", "text": "Apples"}]
    path, metrics = run(DataStats(str(tmp_path / "run"), (write_own(tmp_path, rows),)))
    found = metrics["corpora"]["own"]
    assert (found["rows"], found["judged"], found["labels"]) == (1, 0, None)
    assert "| own | 1 | 1 | 0 | – | – | – | 6.00 | en 1 |" in text_of(path)
    empty = tmp_path / "empty.jsonl"
    empty.write_text("", encoding="utf-8")
    _, metrics = run(DataStats(str(tmp_path / "two"), (str(empty),)))
    assert metrics["corpora"]["empty"]["rows"] == 0


def test_refused_rows_are_counted_and_handed_to_the_caller(tmp_path, no_pictures):
    refusals = Refusals()
    file = write_own(tmp_path, [*own_rows(), row("x", "Pears", "test") | {"labels": ["gloom"]}])
    path, metrics = run(DataStats(str(tmp_path / "run"), (file,)), refusals)
    assert metrics["refused"]["count"] == len(refusals) == 1
    assert "1 rows refused: " in text_of(path)


def test_two_corpora_of_one_name_are_refused_and_none_overwrites_the_other(tmp_path):
    files = (write_own(tmp_path / "one"), write_own(tmp_path / "two"))
    with pytest.raises(DataError, match='"own" is there already'):
        run(DataStats(str(tmp_path / "run"), files))


@pytest.fixture(scope="module")
def public():
    place = os.environ.get("UNTWIST_CORPORA")
    if not place:
        pytest.skip("UNTWIST_CORPORA does not name the folder of the public corpora")
    return Reading(place, ("all",))


@pytest.mark.corpora
@pytest.mark.parametrize("name", ["socialcd", "reframing", "therapist-part", "therapist-whole"])
def test_the_public_files_have_the_sizes_and_labels_of_table_1(public, name):
    paper = published()["crosslincd_table1"]
    column = list(paper["corpora"]).index(name)
    found = count(load_source(name, public))
    for key in ("train", "validation", "test", "rows"):
        assert ours(found, key) == paper[key][column], key
    # the paper's mean number of labels in D_s does not follow from its own counts
    left = {"labels_per_row", "chars_per_row"} if name == "socialcd" else set()
    assert {d["what"] for d in differences({name: found})} == left


@pytest.mark.corpora
def test_the_aligned_corpus_differs_from_table_1_where_the_published_file_has_fewer_rows(public):
    found = differences({"crosslincd": count(load_source("crosslincd", public))})
    assert {d["what"]: (d["files"], d["paper"]) for d in found if d["what"] != "chars_per_row"} == {
        "labeling": (2184, 2186),
        "fortune_telling": (863, 864),
        "personalization": (328, 329),
        "train": (3417, 3420),
        "validation": (1140, 1141),
        "test": (1140, 1141),
        "rows": (5697, 5702),
    }
