import numpy as np
import pytest

from tests.evaluate.test_report import GUESS, report
from untwist.errors import DataError
from untwist.evaluate import Spread, over_seeds


def test_mean_and_spread_over_runs():
    # as it is: TP 3 FP 1 FN 1, 6/8; with row 0 alone: TP 1 FN 3, 2/5
    runs = [report(), report(scored=[True, False, False, False])]
    values = [run.scores.micro_f1 for run in runs]
    assert values == [6 / 8, 2 / 5]
    got = over_seeds(runs)["micro_f1"]
    assert got.mean == pytest.approx((0.75 + 0.4) / 2)
    # n - 1: sqrt(2·0.175²/1)
    assert got.sd == pytest.approx(0.175 * 2**0.5)
    assert got.n == 2


def test_one_run_has_no_spread():
    got = over_seeds([report()])["micro_f1"]
    assert (got.mean, got.sd, got.n) == (6 / 8, None, 1)
    assert str(got) == "0.750 (1)"


def test_equal_runs_have_a_spread_of_nothing():
    assert str(over_seeds([report()] * 3)["micro_f1"]) == "0.750 ± 0.000 (3)"


def test_a_score_that_a_run_does_not_know_is_not_counted_as_0():
    given = np.where(GUESS, 0.9, 0.1)
    got = over_seeds([report(probabilities=given), report()])
    assert got["brier"].n == 1
    assert got["brier"].sd is None
    assert over_seeds([report(undistorted=None)])["over_pathologising"] == Spread(None, None, 0)
    assert str(Spread(None, None, 0)) == "–"
    assert Spread(None, None, 0).to_dict() == {"mean": None, "sd": None, "n": 0}


def test_runs_of_different_set_ups_are_not_mixed():
    for other in (report(part="test"), report(corpus="other")):
        with pytest.raises(DataError, match="share corpus, part, rows and labels"):
            over_seeds([report(), other])
    with pytest.raises(DataError, match="share corpus"):
        over_seeds([])
