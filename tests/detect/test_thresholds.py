"""Calibration and thresholds: known values, and what happens at the edges."""

import numpy as np

from untwist.detect.thresholds import best_threshold, f1, gate_for, platt, precise_threshold

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


def test_the_gate_is_the_lowest_that_spares_enough_undistorted_texts():
    any_chance = np.array([0.2, 0.4, 0.6, 0.95], np.float32)
    clean = np.array([1, 1, 1, 0], bool)
    fires = np.ones(4, bool)
    # above 0.5 only one of three clean texts fires: 0.33 <= 0.34; above 0.3 two of three do
    assert gate_for(any_chance, fires, clean, 0.34, _GRID) == np.float32(0.5)
