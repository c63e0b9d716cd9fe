import numpy as np
import pytest
from sklearn import metrics

from tests.evaluate.test_classify import random_case
from untwist.errors import DataError
from untwist.evaluate import average_precision, expected_calibration_error, probability_scores


def flags(*values):
    return np.array(values, bool)


def test_average_precision_by_hand():
    # ranked: hit, miss, hit; precision at the hits 1/1 and 2/3, each a recall step of 1/2
    got = average_precision(flags(1, 0, 1), np.array([0.9, 0.8, 0.3]))
    assert got == pytest.approx((1 + 2 / 3) / 2)


def test_tied_scores_are_taken_together():
    # one step: recall 1 at precision 1/2, whatever the order of the rows
    assert average_precision(flags(1, 0), np.array([0.5, 0.5])) == 0.5
    assert average_precision(flags(0, 1), np.array([0.5, 0.5])) == 0.5


def test_average_precision_without_gold_labels_is_not_known():
    assert average_precision(flags(0, 0), np.array([0.5, 0.4])) is None


@pytest.mark.parametrize("seed", range(5))
def test_auprc_and_brier_equal_scikit_learn(seed):
    gold, given, _ = random_case(seed)
    given = given.round(2)
    got = probability_scores(gold, given)
    each = metrics.average_precision_score(gold, given, average=None)
    assert got.auprc_classes == pytest.approx(each, abs=1e-12)
    assert got.auprc.value == pytest.approx(each.mean(), abs=1e-12)
    micro = metrics.average_precision_score(gold, given, average="micro")
    assert got.auprc_micro == pytest.approx(micro, abs=1e-12)
    brier = metrics.brier_score_loss(gold.ravel(), given.ravel())
    assert got.brier == pytest.approx(brier, abs=1e-12)


def test_ece_by_hand():
    given = np.array([0.1, 0.1, 0.9, 0.9])
    # bin of 0.1: 1 of 2 gold against 0.1; bin of 0.9: 1 of 2 gold against 0.9; (2·0.4 + 2·0.4)/4
    assert expected_calibration_error(flags(1, 0, 1, 0), given) == pytest.approx(0.4)


def test_a_calibrated_forecast_has_no_error_and_1_is_in_the_last_bin():
    assert expected_calibration_error(flags(1, 1, 0), np.array([1.0, 1.0, 0.0])) == 0.0
    half = np.full(4, 0.5)
    assert expected_calibration_error(flags(1, 0, 1, 0), half) == pytest.approx(0.0)


def test_there_are_fifteen_bins_of_equal_width():
    # 0.06 is below 1/15 and 0.07 above it: two bins, each off by 1 - 0.06 and 0.07
    given = np.array([0.06, 0.07])
    want = (0.94 + 0.07) / 2
    assert expected_calibration_error(flags(1, 0), given) == pytest.approx(want)
    assert expected_calibration_error(flags(1, 0), given, bins=1) == pytest.approx(0.87 / 2)


def test_a_probability_on_an_edge_belongs_to_the_bin_above():
    # halves: 0.5 and 0.9 share the upper bin, 1 of 2 gold against a mean of 0.7
    upper = expected_calibration_error(flags(0, 1), np.array([0.5, 0.9]), bins=2)
    assert upper == pytest.approx(0.2)
    # 0.2 and 0.8 do not: each is off by 0.2, which a shared bin would hide
    apart = expected_calibration_error(flags(0, 1), np.array([0.2, 0.8]), bins=2)
    assert apart == pytest.approx(0.2)


def test_masked_cells_are_left_out_even_when_they_hold_nonsense():
    gold, given, _ = random_case(1)
    mask = np.ones(gold.shape, bool)
    mask[:, 3] = False
    spoilt = given.copy()
    spoilt[:, 3] = np.nan
    got = probability_scores(gold, spoilt, mask)
    keep = np.arange(12) != 3
    want = probability_scores(gold[:, keep], given[:, keep])
    assert (got.ece, got.brier, got.auprc_micro) == (want.ece, want.brier, want.auprc_micro)
    assert got.auprc_classes[3] is None
    assert got.auprc.classes == 11
    assert got.auprc.value == pytest.approx(want.auprc.value)


def test_the_oracle_threshold_is_the_best_single_one():
    gold, given, _ = random_case(2)
    got = probability_scores(gold, given)
    steps = np.unique(given)
    best = max(metrics.f1_score(gold, given >= t, average="micro") for t in steps[::40])
    again = metrics.f1_score(gold, given >= got.oracle_threshold, average="micro")
    assert got.oracle_f1 == pytest.approx(again)
    assert got.oracle_f1 >= best


def test_values_that_are_no_probabilities_are_refused():
    for bad in (1.1, -0.1, float("nan")):
        with pytest.raises(DataError, match="from 0 to 1"):
            probability_scores([[True]], [[bad]])


def test_without_cells_nothing_is_known():
    got = probability_scores(np.zeros((0, 2), bool), np.zeros((0, 2)))
    assert (got.ece, got.brier, got.auprc.value, got.oracle_f1) == (None, None, None, None)


@pytest.mark.parametrize("seed", range(5))
def test_masked_scores_equal_scikit_learn_on_the_cells_that_are_left(seed):
    gold, given, _ = random_case(seed, rows=60, labels=4)
    mask = np.random.default_rng(seed).random(gold.shape) < 0.6
    got = probability_scores(gold, given, mask)
    for c, value in enumerate(got.auprc_classes):
        truth, chance = gold[mask[:, c], c], given[mask[:, c], c]
        want = metrics.average_precision_score(truth, chance) if truth.any() else None
        assert value == (None if want is None else pytest.approx(want, abs=1e-9))
    pool = gold[mask], given[mask]
    assert got.auprc_micro == pytest.approx(metrics.average_precision_score(*pool), abs=1e-9)
    assert got.brier == pytest.approx(metrics.brier_score_loss(*pool), abs=1e-9)


def test_brier_by_hand_where_all_cells_are_of_one_kind():
    # (0.1² + 0.3²)/2 and (0.9² + 0.7²)/2
    assert probability_scores([[0, 0]], [[0.1, 0.3]]).brier == pytest.approx(0.05)
    assert probability_scores([[1, 1]], [[0.1, 0.3]]).brier == pytest.approx(0.65)
