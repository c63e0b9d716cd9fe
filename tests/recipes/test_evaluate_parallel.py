import json

import pytest

from tests.fakes import FakeDetector
from tests.tiny_corpora import write_lines
from untwist.errors import DataError
from untwist.evaluate import check
from untwist.recipes.evaluate_parallel import EvaluateParallel, run
from untwist.taxonomy import Distortion

D = Distortion
PAIRS = [
    ("p1", "I am a failure", "我是个废物", ["labeling"]),
    ("p2", "It will go wrong", "肯定完了", ["fortune_telling"]),
    ("p3", "Apples are red", "苹果是红的", []),
]
KEYWORDS = {"failure": D.LABELING, "废物": D.LABELING, "完了": D.FORTUNE_TELLING}


def rows(pairs=PAIRS):
    return [
        {"id": f"{lang}-{group}", "text": text, "labels": labels, "group": group}
        for group, en, zh, labels in pairs
        for lang, text in (("en", en), ("zh", zh))
    ]


def compare(tmp_path, some, keywords=KEYWORDS):
    file = write_lines(tmp_path / "pairs.jsonl", some)
    config = EvaluateParallel(str(tmp_path / "run"), str(file), resamples=20)
    return run(config, FakeDetector(keywords))


def test_pairs_with_the_same_labels_are_told_from_those_that_are_right(tmp_path):
    path, metrics = compare(tmp_path, rows())
    # p1 the same and right; p2 heard in Chinese alone; p3 silent and right in both
    assert (metrics["same"]["hits"], metrics["same"]["of"]) == (2, 3)
    assert metrics["both_right"]["hits"] == 2
    assert metrics["silent_in_both"]["hits"] == 1
    assert metrics["langs"]["en"]["right"]["hits"] == 2
    assert metrics["langs"]["zh"]["right"]["hits"] == 3
    # English: 1 hit of 2 labels, nothing false: 2 / (1 + 2)
    assert metrics["langs"]["en"]["micro_f1"] == pytest.approx(2 / 3)
    check(json.loads((path / "metrics.json").read_text(encoding="utf-8")), "parallel")


def test_a_detector_that_hears_nothing_always_agrees_with_itself_and_it_shows(tmp_path):
    path, metrics = compare(tmp_path, rows(), {})
    assert metrics["same"]["value"] == 1.0
    assert metrics["silent_in_both"]["value"] == 1.0
    assert metrics["langs"]["en"]["micro_f1"] == 0.0
    assert "nothing found in either | 1.000" in (path / "report.md").read_text(encoding="utf-8")


def test_a_group_that_is_no_pair_is_refused(tmp_path):
    with pytest.raises(DataError, match="p3 is no pair of an English and a Chinese message"):
        compare(tmp_path, rows()[:-1])
