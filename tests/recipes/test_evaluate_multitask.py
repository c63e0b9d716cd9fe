import json
from dataclasses import replace
from functools import cache

import pytest

from tests.detect import tiny
from tests.recipes.test_evaluate_matrix import FIRST, SECOND, sources
from tests.recipes.tiny import metrics_of, text_of
from untwist.detect import fit
from untwist.errors import ConfigError, DataError
from untwist.recipes.evaluate_multitask import SPLITS, WAYS, EvaluateMultitask, run


@cache
def detector():
    return fit(tiny.examples(), replace(tiny.CONFIG, bits=12), 0, "tiny-v1")


@pytest.fixture
def multitask(tmp_path, no_pictures):
    def go(name="run", corpora=None, **changes):
        corpora = corpora or sources(tmp_path / name)
        options = {"out": str(tmp_path / name / "out"), "corpora": corpora, "resamples": 20}
        return run(EvaluateMultitask(**(options | changes)), detector())

    return go


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("multitask")
    config = EvaluateMultitask(str(folder / "out"), sources(folder), resamples=20)
    return run(config, detector())


def result(metrics, split, way):
    (found,) = [r for r in metrics["results"] if (r["split"], r["way"]) == (split, way)]
    return found


def micro(metrics, split, way, rule="one"):
    return [cell[rule]["micro_f1"] for cell in result(metrics, split, way)["cells"]]


def test_every_way_of_sharing_is_scored_by_every_split_and_the_report_says_so(done):
    path, metrics = done
    assert metrics["start"] == "tiny-v1"
    assert "from tiny-v1" in text_of(path)
    pairs = [(r["split"], r["way"]) for r in metrics["results"]]
    assert pairs == [(split, way) for split in SPLITS for way in WAYS]
    assert metrics_of(path) == json.loads(json.dumps(metrics))
    assert text_of(path).count("one model for all, taught by those of each corpus") == 15


def test_a_model_of_its_own_learns_what_its_corpus_means_and_a_shared_one_cannot_mean_both(done):
    _, metrics = done
    # "bbbb" is fortune telling in the first corpus; in the second, which can carry every label, it
    # is blaming, and the last test row bears a label it never does in its training rows: of three
    # labels two are hit, and blaming is said for the third
    assert micro(metrics, "published", "own") == [1, pytest.approx(2 * 2 / (2 * 2 + 1 + 1))]
    # labels that the first corpus cannot carry are masked there, so sharing costs it nothing
    assert micro(metrics, "published", "shared")[0] == 1


def test_the_mean_is_that_of_the_corpora_and_lies_within_its_interval(done):
    _, metrics = done
    for one in metrics["results"]:
        for rule in ("one", "together"):
            cells = [cell[rule]["micro_f1"] for cell in one["cells"]]
            mean = one["mean"][rule]
            assert mean["micro_f1"] == pytest.approx(sum(cells) / 2)
            assert mean["interval"][0] <= mean["micro_f1"] + 1e-9
            assert mean["micro_f1"] <= mean["interval"][1] + 1e-9


def test_a_twin_among_the_training_rows_of_another_corpus_is_counted_and_can_be_left_out(done):
    _, metrics = done
    seen = {
        (split, way): [cell["seen"] for cell in result(metrics, split, way)["cells"]]
        for split in ("published", "published-without-twins")
        for way in ("own", "shared", "then-own")
    }
    # "AAAA 0aaa!" of the second corpus' test rows stands among the training rows of the first
    assert seen == {
        ("published", "own"): [0, 0],
        ("published", "shared"): [0, 1],
        ("published", "then-own"): [0, 1],
        ("published-without-twins", "own"): [0, 0],
        ("published-without-twins", "shared"): [0, 0],
        ("published-without-twins", "then-own"): [0, 0],
    }


def test_the_way_to_report_is_the_best_on_validation_rows(done):
    path, metrics = done
    for split in SPLITS:
        means = {w: result(metrics, split, w)["validation_mean"] for w in WAYS}
        assert means[metrics["best"][split]] == max(means.values())
    assert "| **a model for each corpus** |" in text_of(path)


def test_a_test_label_changes_no_threshold(multitask, tmp_path, done):
    other = [r | {"labels": ["labeling"]} if r["id"] == "t2" else r for r in FIRST]
    _, metrics = multitask("turned", sources(tmp_path / "turned", first=other))
    for one, before in zip(metrics["results"], done[1]["results"], strict=True):
        assert one["cells"][0]["threshold"] == before["cells"][0]["threshold"]
    assert micro(metrics, "published", "own")[0] < 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"corpora": ("open",)}, "two corpora at least"), ({"resamples": 0}, "one resample at least")],
)
def test_one_corpus_or_no_resample_is_refused(multitask, changes, message):
    with pytest.raises(ConfigError, match=message):
        multitask(**changes)


def test_a_corpus_with_nothing_to_tune_on_is_refused_before_a_folder_is_made(multitask, tmp_path):
    silent = [r | {"labels": []} if r["split"] == "validation" else r for r in SECOND]
    with pytest.raises(DataError, match="no label in the validation part"):
        multitask("bare", sources(tmp_path / "bare", second=silent))
    assert not (tmp_path / "bare" / "out").exists()
