import json

import pytest

from tests.tiny_corpora import write_lines
from untwist.errors import ConfigError, DataError
from untwist.evaluate import check
from untwist.recipes.evaluate_agreement import EvaluateAgreement, run

TEXTS = [
    {"id": "a", "text": "I am a failure", "labels": ["labeling"], "intensity": "severe",
     "risk": "low"},
    {"id": "b", "text": "It will go wrong", "labels": ["fortune_telling"], "intensity": "mild",
     "risk": "none"},
    {"id": "c", "text": "Apples are red", "labels": [], "risk": "none"},
    {"id": "d", "text": "Pears are green", "labels": [], "risk": "none"},
]  # fmt: skip
SECOND = [
    {"id": "a", "labels": ["labeling"], "intensity": "moderate", "risk": "low"},
    {"id": "b", "labels": [], "risk": "low"},
    {"id": "c", "labels": [], "risk": "none"},
    {"id": "z", "labels": ["blaming"]},
]


@pytest.fixture(autouse=True)
def _pictures(no_pictures):
    """Tables alone are of interest here."""


def agree(tmp_path, *more):
    first = write_lines(tmp_path / "mine.jsonl", TEXTS)
    others = [write_lines(tmp_path / f"l{n}.jsonl", rows) for n, rows in enumerate(more)]
    names = (str(first), *map(str, others))
    return run(EvaluateAgreement(str(tmp_path / "run"), names, resamples=20))


def test_shared_rows_are_compared_label_by_label_and_the_others_counted(tmp_path):
    path, metrics = agree(tmp_path, SECOND)
    assert (metrics["rows"], metrics["only_in_some"]) == (3, 2)
    (pair,) = metrics["pairs"]
    # of a, b, c: both see labeling once; only the first sees fortune telling
    assert pair["labels"]["labeling"]["kappa"] == 1.0
    assert pair["labels"]["fortune_telling"]["kappa"] == 0.0
    # any: first yes yes no, second yes no no: seen 2/3, chance (2*1 + 1*2)/9 = 4/9 -> 2/5
    assert pair["any"]["kappa"] == pytest.approx(0.4)
    # pool: 36 cells, 1 both, 1 first alone, 34 neither
    seen, chance = 35 / 36, (2 * 1 + 34 * 35) / 36**2
    assert pair["pooled"]["kappa"] == pytest.approx((seen - chance) / (1 - chance))
    assert pair["exact"] == pytest.approx(2 / 3)
    assert metrics["fleiss"] is None
    check(json.loads((path / "metrics.json").read_text(encoding="utf-8")), "agreement")


def test_levels_are_compared_where_both_judge(tmp_path):
    _, metrics = agree(tmp_path, SECOND)
    (pair,) = metrics["pairs"]
    assert pair["intensity"]["n"] == 1
    assert pair["intensity"]["equal"]["hits"] == 0
    assert (pair["risk"]["n"], pair["risk"]["equal"]["hits"]) == (3, 2)


def test_three_labellings_give_every_pair_and_fleiss(tmp_path):
    path, metrics = agree(tmp_path, SECOND, SECOND)
    assert [pair["labellers"] for pair in metrics["pairs"]] == [[0, 1], [0, 2], [1, 2]]
    assert metrics["pairs"][2]["exact"] == 1.0
    assert metrics["fleiss"]["labeling"]["kappa"] == 1.0
    check(json.loads((path / "metrics.json").read_text(encoding="utf-8")), "agreement")


def test_one_labelling_alone_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="name a second labelling"):
        agree(tmp_path)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"id": "a", "labels": ["gloom"]}], r"l0\.jsonl:1: unknown distortion"),
        ([SECOND[0], SECOND[0]], r'l0\.jsonl:2: id "a" occurs twice'),
        ([{"id": "a", "labels": "labeling"}], r"l0\.jsonl:1: no \{"),
        ([{"id": "q", "labels": []}], "share no row"),
    ],
)
def test_labels_that_cannot_be_used_say_where_and_why(tmp_path, rows, message):
    with pytest.raises(DataError, match=message):
        agree(tmp_path, rows)
