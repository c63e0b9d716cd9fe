"""Calibration and thresholds: known values, and what happens at the edges."""

import numpy as np
import pytest

from untwist.detect.thresholds import (
    Decision,
    best_threshold,
    decide,
    f1,
    platt,
    precise_threshold,
)

_GRID = np.array([0.1, 0.3, 0.5, 0.7, 0.9], np.float32)


def test_platt_recovers_a_known_slope_and_shift():
    rng = np.random.default_rng(0)
    logit = rng.normal(0, 2, 20_000).astype(np.float32)
    gold = (rng.random(20_000) < 1 / (1 + np.exp(-(2 * logit - 1)))).astype(np.float32)
    slope, shift = platt(logit, gold, np.ones_like(gold))
    assert abs(slope - 2) < 0.1
    assert abs(shift + 1) < 0.1


def test_platt_changes_nothing_where_only_one_answer_is_known():
    ones = np.ones(5, np.float32)
    assert platt(ones, ones, ones) == (1.0, 0.0)


def test_platt_stays_finite_on_a_separable_head():
    logit = np.array([-1, -2, 1, 2], np.float32)
    slope, shift = platt(logit, (logit > 0).astype(np.float32), np.ones(4, np.float32))
    assert 0 < slope < 100
    assert abs(shift) < 10


def test_f1_counts_cells():
    gold = np.array([1, 1, 0, 0], bool)
    found = np.array([1, 0, 1, 0], bool)
    assert f1(gold, found) == 0.5  # 2*1 / (2 + 2)
    assert f1(np.zeros(3, bool), np.zeros(3, bool)) == 0.0


def test_the_best_threshold_has_the_best_f1_and_is_the_highest_of_equals():
    chance = np.array([0.2, 0.4, 0.8, 0.95], np.float32)
    gold = np.array([0, 0, 1, 1], bool)
    # at 0.5 and 0.7 F1 is 1: the higher one is taken
    assert best_threshold(chance, gold, np.ones(4, bool), _GRID) == np.float32(0.7)


def test_a_precise_threshold_keeps_its_promise_or_never_fires():
    chance = np.array([0.9, 0.8, 0.7, 0.6], np.float32)
    gold = np.array([1, 1, 0, 1], bool)
    cut = precise_threshold(chance, gold, np.ones(4, bool), 1.0)
    assert list(chance > cut) == [True, True, False, False]
    nothing = np.zeros(4, bool)
    assert precise_threshold(chance, nothing, np.ones(4, bool), 0.9) == 1.0


_ONE = np.array([0.5, 0.4], np.float32)


@pytest.mark.parametrize(
    ("likely", "any_chance", "fires"),
    [
        ([0.6, 0.5], 0.8, [True, True]),  # both above their thresholds
        ([0.6, 0.1], 0.8, [True, False]),
        ([0.6, 0.5], 0.2, [False, False]),  # below the gate nothing is heard
        ([0.3, 0.3], 0.8, [False, False]),
        ([0.3, 0.3], 0.95, [False, True]),  # sure of something: 0.3/0.4 is more than 0.3/0.5
    ],
)
def test_a_window_is_given_labels_by_one_rule(likely, any_chance, fires):
    rule = Decision(_ONE, gates=(0.3,), sure=0.9)
    fired = rule.fire(
        np.array([likely], np.float32), np.array([any_chance], np.float32), np.array([1])
    )
    assert fired.tolist() == [fires]


@pytest.mark.parametrize(("windows", "fires"), [(1, True), (2, True), (3, False), (99, False)])
def test_a_window_of_a_long_text_must_pass_a_higher_gate(windows, fires):
    rule = Decision(_ONE, gates=(0.3, 0.5, 0.9), sure=1.0)
    fired = rule.fire(np.array([[0.6, 0.1]]), np.array([0.7]), np.array([windows]))
    assert fired.any() == fires


def test_the_chosen_rule_spares_undistorted_texts():
    rng = np.random.default_rng(0)
    gold = rng.random((400, 2)) < 0.3
    likely = (0.5 * gold + 0.5 * rng.random((400, 2))).astype(np.float32)
    any_chance = (0.5 * gold.any(axis=1) + 0.5 * rng.random(400)).astype(np.float32)
    texts, known = np.arange(400), np.ones((400, 2), bool)
    for rate in (0.5, 0.1, 0.02):
        rule = decide(likely, any_chance, texts, gold, known, rate)
        assert list(rule.gates) == sorted(rule.gates)
        found = rule.fire(likely, any_chance, np.ones(400, np.int64))
        assert found[~gold.any(axis=1)].any(axis=1).mean() <= rate
        assert found[gold.any(axis=1)].any()
