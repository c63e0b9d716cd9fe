import numpy as np
import pytest

from tests.evaluate.test_classify import random_case
from untwist.errors import DataError
from untwist.evaluate import (
    apply,
    probability_scores,
    scores,
    tune_threshold,
    tune_thresholds,
    tune_together,
)


def test_the_threshold_by_hand():
    gold = [[1, 0], [1, 0], [0, 1]]
    given = [[0.9, 0.2], [0.6, 0.7], [0.1, 0.5]]
    # t 0.9: 2·1/(1+3); 0.7: 2·1/(2+3); 0.6: 2·2/(3+3) = 2/3; 0.5: 2·3/(4+3) = 6/7; 0.2: 6/8
    assert tune_threshold(gold, given) == 0.5
    assert scores(gold, apply(given, 0.5)).micro_f1 == pytest.approx(6 / 7)


def test_a_threshold_is_inclusive():
    assert apply([[0.5, 0.49]], 0.5).tolist() == [[True, False]]


def test_of_equal_thresholds_the_highest_wins():
    # 0.8: 2·1/(1+2) = 2/3; 0.6: 2·1/(2+2) = 1/2; 0.4: 2·2/(4+2) = 2/3
    assert tune_threshold([[1], [0], [0], [1]], [[0.8], [0.6], [0.4], [0.4]]) == 0.8


@pytest.mark.parametrize("seed", range(4))
def test_no_other_threshold_has_a_better_micro_f1(seed):
    gold, given, _ = random_case(seed, rows=12, labels=3, share=0.3)
    mask = np.random.default_rng(seed).random(gold.shape) < 0.8
    found = tune_threshold(gold, given, mask)
    tried = {t: scores(gold, given >= t, mask).micro_f1 for t in np.unique(given[mask])}
    assert tried[found] == pytest.approx(max(tried.values()))
    best = max(t for t, f1 in tried.items() if f1 >= max(tried.values()) - 1e-12)
    assert found == best


def test_tuning_reaches_the_oracle_on_its_own_rows_only():
    gold, given, _ = random_case(1)
    other, chances, _ = random_case(2)
    tuned = tune_threshold(other, chances)
    oracle = probability_scores(gold, given)
    assert tune_threshold(gold, given) == oracle.oracle_threshold
    assert scores(gold, apply(given, tuned)).micro_f1 <= oracle.oracle_f1


def test_each_label_has_its_own_threshold_and_one_without_support_keeps_the_shared_one():
    gold = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]], bool)
    given = np.array([[0.9, 0.1, 0.6], [0.8, 0.2, 0.7], [0.3, 0.4, 0.2], [0.2, 0.1, 0.1]])
    # column 0 is parted by 0.8, column 1 by 0.4, column 2 has no gold label
    assert tune_thresholds(gold, given) == (0.8, 0.4, tune_threshold(gold, given))


def test_a_masked_gold_label_is_no_support():
    gold, given = [[1, 1], [0, 0]], [[0.9, 0.3], [0.1, 0.2]]
    mask = [[True, False], [True, True]]
    assert tune_thresholds(gold, given, mask) == (0.9, 0.9)


def test_masked_cells_do_not_move_the_threshold_even_when_they_hold_nonsense():
    gold, given, _ = random_case(5, rows=50, labels=3)
    mask = np.ones(gold.shape, bool)
    mask[:, 2] = False
    spoilt = given.copy()
    spoilt[:, 2] = np.nan
    assert tune_threshold(gold, spoilt, mask) == tune_threshold(gold[:, :2], given[:, :2])
    assert not apply(spoilt, 0.0)[:, 2].any()


def test_thresholds_may_differ_by_label():
    assert apply([[0.5, 0.5]], (0.4, 0.6)).tolist() == [[True, False]]


def test_nothing_to_tune_on_is_an_error_and_no_default():
    with pytest.raises(DataError, match="no gold label among the validation rows"):
        tune_threshold([[0]], [[0.5]])
    with pytest.raises(DataError, match="no gold label"):
        tune_thresholds(np.zeros((0, 2)), np.zeros((0, 2)))


def test_thresholds_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match=r"shape \(3,\) for probabilities of \(1, 2\)"):
        apply([[0.5, 0.5]], (0.1, 0.2, 0.3))
    for bad in (-0.1, 1.1, float("nan")):
        with pytest.raises(DataError, match="from 0 to 1"):
            apply([[0.5]], bad)
    with pytest.raises(DataError, match="from 0 to 1"):
        tune_threshold([[1]], [[1.5]])


def pooled(gold, guess, mask):
    hits = (gold & guess & mask).sum()
    return 2 * hits / ((gold & mask).sum() + (guess & mask).sum())


@pytest.mark.parametrize("seed", range(8))
def test_thresholds_chosen_together_are_never_worse_on_validation_than_one_for_all(seed):
    rng = np.random.default_rng(seed)
    gold = rng.random((40, 5)) < [0.6, 0.3, 0.1, 0.05, 0.0]
    given = np.round(np.clip(gold * 0.3 + rng.random((40, 5)) * 0.8, 0, 1), 2)
    mask = rng.random((40, 5)) < 0.9
    one = pooled(gold, given >= tune_threshold(gold, given, mask), mask)
    together = pooled(gold, apply(given, tune_together(gold, given, mask)), mask)
    assert together >= one - 1e-12


@pytest.mark.parametrize("seed", range(6))
def test_no_single_move_of_thresholds_chosen_together_would_help(seed):
    rng = np.random.default_rng(100 + seed)
    gold = rng.random((15, 3)) < [0.7, 0.3, 0.1]
    given = np.round(rng.random((15, 3)), 1)
    mask = np.ones((15, 3), bool)
    found = np.array(tune_together(gold, given))
    best = pooled(gold, given >= found, mask)
    for place in range(3):
        for other in (*given[:, place], 1.0):
            moved = found.copy()
            moved[place] = other
            assert pooled(gold, given >= moved, mask) <= best + 1e-12


def test_a_label_that_only_costs_is_never_given():
    # the first label is right wherever it is likely; the second has no gold label and scores .9
    gold = [[1, 0], [1, 0], [0, 0]]
    given = [[0.8, 0.9], [0.7, 0.9], [0.1, 0.9]]
    assert tune_together(gold, given) == (0.7, 1.0)
