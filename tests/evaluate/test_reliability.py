import numpy as np
import pytest

from tests.evaluate.test_classify import random_case
from untwist.errors import DataError
from untwist.evaluate import Share, expected_calibration_error, reliability


def test_bins_by_hand():
    got = reliability([[1], [0], [1], [1]], [[0.1], [0.3], [0.9], [0.7]], bins=2)
    assert [(b.low, b.high, b.n) for b in got] == [(0.0, 0.5, 2), (0.5, 1.0, 2)]
    assert [b.mean_probability for b in got] == pytest.approx([0.2, 0.8])
    assert [b.share_of_gold for b in got] == [0.5, 1.0]
    assert got[0].interval == Share(1, 2).interval


def test_an_empty_bin_is_there_and_knows_nothing():
    got = reliability([[1]], [[0.9]], bins=3)
    assert [b.n for b in got] == [0, 0, 1]
    assert got[0].to_dict() == {
        "low": 0.0,
        "high": pytest.approx(1 / 3),
        "n": 0,
        "mean_probability": None,
        "share_of_gold": None,
        "interval": None,
    }


def test_there_are_fifteen_bins_and_one_is_in_the_last():
    got = reliability([[1, 0]], [[1.0, 0.0]])
    assert len(got) == 15
    assert (got[0].n, got[-1].n, got[-1].high) == (1, 1, 1.0)


@pytest.mark.parametrize("seed", range(3))
def test_the_calibration_error_is_the_weighted_distance_of_the_bins(seed):
    gold, given, _ = random_case(seed)
    mask = np.random.default_rng(seed).random(gold.shape) < 0.5
    bins = [b for b in reliability(gold, given, mask) if b.n]
    assert sum(b.n for b in bins) == mask.sum()
    error = sum(b.n * abs(b.share_of_gold - b.mean_probability) for b in bins) / mask.sum()
    assert error == pytest.approx(expected_calibration_error(gold[mask], given[mask]), abs=1e-12)


def test_one_label_is_one_column():
    gold, given, _ = random_case(4)
    got = reliability(gold[:, [3]], given[:, [3]])
    assert sum(b.n for b in got) == len(gold)
    assert sum(b.n * b.share_of_gold for b in got if b.n) == pytest.approx(gold[:, 3].sum())


def test_what_is_no_probability_is_refused():
    with pytest.raises(DataError, match="from 0 to 1"):
        reliability([[1]], [[2.0]])
