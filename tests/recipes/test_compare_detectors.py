import pytest

from tests.fakes import FakeDetector, FakeDetectorWithProbabilities
from tests.recipes.tiny import KEYWORDS, metrics_of, own_rows, text_of, write_own
from tests.tiny_corpora import write_lines
from untwist.errors import ConfigError, DataError
from untwist.recipes.compare_detectors import CompareDetectors, Side, run
from untwist.taxonomy import Distortion

D = Distortion
TEST = ("t1", "t2", "t3", "t4")
GOOD = {"t1": ["labeling"], "t2": ["labeling", "fortune_telling"], "t3": [], "t4": []}
BAD = {"t1": [], "t2": ["labeling"], "t3": ["blaming"], "t4": []}


@pytest.fixture
def own(tmp_path):
    return write_own(tmp_path)


@pytest.fixture
def compare(tmp_path, own, no_pictures):
    def go(first, second, name="run", **changes):
        options = {"out": str(tmp_path / name), "corpus": own, "resamples": 50}
        return run(CompareDetectors(**(options | changes)), first, second)

    return go


def file_of(tmp_path, name, said):
    return Side(name, str(write_lines(tmp_path / f"{name}.jsonl", said)))


def labels_of(tmp_path, name, said):
    return file_of(tmp_path, name, [{"id": id, "labels": names} for id, names in said.items()])


def test_the_difference_is_that_of_the_two_scores_on_the_test_rows(tmp_path, compare):
    good, bad = labels_of(tmp_path, "good", GOOD), labels_of(tmp_path, "bad", BAD)
    path, found = compare(good, bad)
    assert [one.part for one in found] == ["published split, test part", "grouped split, test part"]
    # good: TP 3, FN 1; bad: TP 1, FP 1, FN 3
    expected = 6 / 7 - 2 / 6
    assert found[0].differences["micro_f1"].value == pytest.approx(expected)
    # of one undistorted row the bad one makes something
    assert found[0].differences["over_pathologising"].value == -1
    assert (found[0].n, found[0].groups, found[0].unscored_first) == (4, 4, 0)
    metrics = metrics_of(path)
    assert metrics["comparisons"] == [one.to_dict() for one in found]
    assert "good" in found[0].statement()
    assert found[0].statement() in text_of(path)
    _, turned = compare(bad, good, "turned")
    assert turned[0].differences["micro_f1"].value == pytest.approx(-expected)


def test_the_same_answers_under_two_names_show_no_difference(tmp_path, compare):
    _, found = compare(labels_of(tmp_path, "one", GOOD), labels_of(tmp_path, "other", GOOD))
    difference = found[0].differences["micro_f1"]
    assert (difference.value, difference.interval.low, difference.interval.high) == (0, 0, 0)
    assert found[0].statement().startswith("No difference shown between one and other")


def test_a_detector_and_a_file_can_be_compared(tmp_path, compare):
    detector = FakeDetector(KEYWORDS)
    _, found = compare(Side(detector.name, detector), labels_of(tmp_path, "bad", BAD))
    # "failure" and "go wrong" hit one label each, and the second label of t2 is missed
    assert found[0].differences["micro_f1"].value == pytest.approx(4 / 6 - 2 / 6)
    assert found[0].first == "fake-detector 1"


def test_a_row_that_one_side_leaves_out_counts_against_that_side(tmp_path, compare):
    short = {id: GOOD[id] for id in ("t1", "t3", "t4")}
    path, found = compare(labels_of(tmp_path, "whole", GOOD), labels_of(tmp_path, "short", short))
    assert (found[0].unscored_first, found[0].unscored_second) == (0, 1)
    # TP 3, FN 1 against TP 1, FN 3
    assert found[0].differences["micro_f1"].value == pytest.approx(6 / 7 - 2 / 5)
    assert "unscored: 0 by whole, 1 by short" in text_of(path)


def graded(tmp_path, name, high, rows):
    said = [{"id": id, "probabilities": {"labeling": p}} for id, p in (rows | high).items()]
    return file_of(tmp_path, name, said)


def test_probabilities_alone_are_cut_at_a_threshold_from_validation(tmp_path, compare):
    rows = {"v1": 0.6, "v2": 0.2, "t1": 0.6, "t2": 0.59, "t3": 0.1, "t4": 0.1}
    side, labels = graded(tmp_path, "graded", {}, rows), labels_of(tmp_path, "bad", BAD)
    _, found = compare(side, labels)
    # at 0.6 t1 alone is given a label: TP 1, FN 3
    assert found[0].differences["micro_f1"].value == pytest.approx(2 / 5 - 2 / 6)
    lower = graded(tmp_path, "lower", {"v1": 0.5}, rows)
    _, found = compare(lower, labels, "lower")
    assert found[0].differences["micro_f1"].value == pytest.approx(4 / 6 - 2 / 6)


def test_test_labels_change_no_threshold(tmp_path, no_pictures):
    rows = {"v1": 0.6, "v2": 0.2, "t1": 0.6, "t2": 0.5, "t3": 0.1, "t4": 0.1}
    changed = [r | {"labels": []} if r["id"] == "t1" else r for r in own_rows()]
    own = write_own(tmp_path, changed)
    config = CompareDetectors(str(tmp_path / "run"), own, resamples=50)
    silent = labels_of(tmp_path, "silent", {id: [] for id in TEST})
    _, found = run(config, graded(tmp_path, "graded", {}, rows), silent)
    # a threshold that had seen the test labels would be 0.5 and hit t2; this one gives t1 alone
    assert found[0].differences["micro_f1"].value == 0
    assert found[0].differences["over_pathologising"].value == pytest.approx(1 / 2)


@pytest.mark.parametrize("lacking", ["v2", "t4"])
def test_probabilities_that_lack_a_row_of_either_part_cannot_be_cut(tmp_path, compare, lacking):
    rows = {"v1": 0.6, "v2": 0.2, "t1": 0.6, "t2": 0.5, "t3": 0.1, "t4": 0.1}
    said = [{"id": id, "probabilities": {"labeling": p}} for id, p in rows.items()]
    said = [{"id": s["id"], "labels": []} if s["id"] == lacking else s for s in said]
    with pytest.raises(DataError, match=r"probabilities"):
        compare(file_of(tmp_path, "graded", said), labels_of(tmp_path, "bad", BAD))


def test_two_systems_of_one_name_and_no_resamples_are_refused(tmp_path, compare):
    side = labels_of(tmp_path, "one", GOOD)
    with pytest.raises(ConfigError, match="two names"):
        compare(side, side)
    with pytest.raises(ConfigError, match="one resample at least"):
        compare(side, labels_of(tmp_path, "other", GOOD), resamples=0)


def test_a_slip_in_a_file_is_named_and_leaves_no_folder(tmp_path, compare):
    bad = file_of(tmp_path, "bad", [{"id": "x", "labels": []}])
    with pytest.raises(DataError, match=r'bad\.jsonl:1: own has no row "x"'):
        compare(labels_of(tmp_path, "good", GOOD), bad)
    assert not (tmp_path / "run").exists()


def test_a_corpus_without_a_test_part_has_nothing_to_compare_on(tmp_path, no_pictures):
    own = write_own(tmp_path, [r for r in own_rows() if r["split"] != "test"])
    one = FakeDetectorWithProbabilities(KEYWORDS)
    config = CompareDetectors(str(tmp_path / "run"), own, resamples=50)
    with pytest.raises(DataError, match="own has no test part"):
        run(config, Side("one", one), Side("other", one))


def test_the_inputs_of_the_run_are_the_corpus_and_both_files(tmp_path, compare, own):
    path, _ = compare(labels_of(tmp_path, "good", GOOD), labels_of(tmp_path, "bad", BAD))
    manifest = text_of(path, "manifest.json")
    for name in ("own", "good", "bad"):
        assert f"/{name}.jsonl" in manifest
