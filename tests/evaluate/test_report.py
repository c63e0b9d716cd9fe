import json

import numpy as np
import pytest

from untwist.errors import DataError
from untwist.evaluate import DetectionReport, detection_report, markdown, with_none

LABELS = ("first", "second", "third")
GOLD = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 0]], bool)
GUESS = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 1, 0]], bool)
MASK = np.array([[1, 1, 0]] * 4, bool)


def report(**changes):
    options = {
        "corpus": "tiny",
        "part": "all rows",
        "detector": "fake 1",
        "thresholds": "fixed",
        "command": "make it",
        "labels": LABELS,
        "mask": MASK,
        "undistorted": ~GOLD.any(axis=1),
        "resamples": 20,
    }
    groups = ["a", "a", "b", "c"]
    return detection_report(GOLD, GUESS, groups, np.random.default_rng(0), **(options | changes))


def test_a_report_holds_everything_a_number_needs():
    got = report()
    assert (got.n, got.groups, got.unscored) == (4, 3, 0)
    # TP 3 FP 1 FN 1
    assert got.scores.micro_f1 == 6 / 8
    assert got.alarms.over_pathologising == 1.0
    assert [b.name for b in got.baselines] == ["best constant", "prior sampling", "all labels"]
    # both labels: TP 4 FP 4; one alone: 4/(4+4)
    assert got.baselines[2].scores.micro_f1 == 8 / 12
    assert got.baselines[0].labels == ("first", "second")


def test_the_dictionary_is_json_and_keyed_by_label():
    values = report().to_dict()
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    assert list(values["classes"]) == list(LABELS)
    assert values["classes"]["third"]["cells"] == 0
    assert values["probabilities"] == "not offered"
    assert values["command"] == "make it"
    assert values["intervals"]["micro_f1"]["resamples"] == 20


def test_the_table_says_what_is_not_offered_not_known_and_not_carried():
    text = report(undistorted=None).to_markdown()
    row = next(line for line in text.splitlines() if line.startswith("| tiny | all rows | 4 |"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    header = text.splitlines()[text.splitlines().index(row) - 2]
    columns = [cell.strip() for cell in header.strip("|").split("|")]
    shown = dict(zip(columns, cells, strict=True))
    assert shown["over-pathologising"] == "–"
    assert shown["AUPRC"] == shown["ECE"] == shown["Brier"] == "not offered"
    assert shown["micro-F1"].startswith("0.750 [")
    assert shown["macro-F1 (mean)"].endswith("(2)")
    assert "| third | not carried | – | – | – | – | not offered |" in text
    assert "Thresholds: fixed." in text
    assert "Command: `make it`" in text


def test_probabilities_of_answered_rows_fill_their_columns():
    given = np.where(GUESS, 0.9, 0.1)
    got = report(probabilities=given)
    # 8 cells, 2 wrong by 0.9, 6 by 0.1: (2·0.81 + 6·0.01)/8
    assert got.probabilities.brier == pytest.approx((2 * 0.81 + 6 * 0.01) / 8)
    assert "not offered" not in got.to_markdown()
    fewer = report(probabilities=given, scored=[True, True, False, True])
    assert fewer.probabilities.cells == 6


def test_unscored_rows_are_counted_and_leave_the_false_alarms():
    got = report(scored=[True, True, False, False])
    assert got.unscored == 2
    assert got.alarms.rows == 0
    # rows 0 and 1: TP 2 FN 1; row 3 misses one
    assert got.scores.micro_f1 == 4 / 6


def test_floors_come_from_other_rows_when_they_are_given():
    other = np.array([[1, 0, 0]] * 5, bool)
    got = report(baseline_gold=other, baselines_from="training rows")
    assert got.baselines[0].labels == ("first",)
    assert "| tiny | all rows | best constant: first | training rows |" in got.to_markdown()


def test_one_page_holds_several_reports():
    text = markdown([report(), report(part="test")])
    assert text.count("| tiny | test | 4 |") == 1
    assert text.count("### tiny, ") == 2
    assert text.count("Command:") == 1
    assert markdown([]) == ""


def test_equal_chance_gives_an_equal_report():
    assert report() == report()


def columns(text):
    """The first line of the main table, by column."""
    lines = text[text.index("## Scores") :].splitlines()
    header, row = ([cell.strip() for cell in lines[n].strip("|").split("|")] for n in (2, 4))
    return dict(zip(header, row, strict=True))


def test_the_number_with_none_as_a_class_has_a_column_and_a_floor_of_its_own():
    got = report()
    assert got.with_none == with_none(GOLD, GUESS, MASK)
    # labels TP 3 FP 1 FN 1; none: row 2 is none and was not called so: FN 1; 6/(6+1+2)
    assert got.with_none.micro_f1 == 6 / 9
    # constant {first, second}: TP 4 FP 4, none missed once: 8/(8+4+1)
    assert got.with_none_floor == 8 / 13
    shown = columns(got.to_markdown())
    assert shown["micro-F1, with 'none' as a class"] == "0.667"
    assert shown["best constant, with 'none' as a class"] == "0.615"
    assert shown["micro-F1"].startswith("0.750")


def test_silence_is_the_floor_where_most_texts_are_undistorted():
    gold = np.zeros((5, 3), bool)
    gold[0, 0] = True
    got = detection_report(
        gold, gold, list("abcde"), np.random.default_rng(0), corpus="calm", part="all",
        detector="fake", thresholds="fixed", command="c", labels=LABELS, resamples=5,
    )  # fmt: skip
    # always none: TP 4, FP 1, FN 1: 8/10; always "first": TP 1, FP 4, FN 4: 2/10
    assert got.with_none_floor == 8 / 10


def test_thresholds_that_differ_have_a_column_and_leave_the_head():
    text = markdown([report(thresholds="fixed at 0.25"), report(thresholds="tuned | validation")])
    assert "Thresholds:" not in text
    assert columns(text)["threshold"] == "fixed at 0.25"
    assert "tuned \\| validation" in text
    assert "threshold" not in columns(markdown([report(), report(part="test")]))


def test_a_report_reads_back_as_it_was():
    given = np.where(GUESS, 0.9, 0.1)
    for one in (report(), report(undistorted=None), report(probabilities=given)):
        text = json.dumps(one.to_dict(), allow_nan=False)
        again = DetectionReport.from_dict(json.loads(text))
        assert again == one
        assert again.sha256 == one.sha256
        assert again.to_markdown() == one.to_markdown()


def test_the_order_of_keys_in_a_file_does_not_matter():
    one = report(probabilities=np.where(GUESS, 0.9, 0.1), labels=("z", "y", "x"))
    again = DetectionReport.from_dict(json.loads(json.dumps(one.to_dict(), sort_keys=True)))
    assert again == one
    assert again.sha256 == one.sha256


def test_another_report_has_another_sha256():
    assert len(report().sha256) == 64
    assert report().sha256 != report(command="make it otherwise").sha256


def test_a_report_whose_columns_are_not_its_labels_is_refused():
    values = report().to_dict()
    with pytest.raises(DataError, match="columns of a report are not its labels"):
        DetectionReport.from_dict({**values, "labels": ["first", "second"]})
    with pytest.raises(DataError, match=r'detection-report\.n must be "integer"'):
        DetectionReport.from_dict({**values, "n": "4"})
