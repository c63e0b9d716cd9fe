from itertools import product

import numpy as np
import pytest

from untwist.evaluate import all_labels, best_constant, sample_prior, scores


def test_the_best_constant_set_of_a_skewed_corpus_is_its_biggest_label():
    gold = np.zeros((10, 3), bool)
    gold[:6, 0], gold[6:9, 1], gold[9:, 2] = True, True, True
    # {0}: 12/(10+10) = 0.6; {0, 1}: 2·9/(20+10) = 0.6, no better; {0, 1, 2}: 20/40
    assert best_constant(gold).tolist() == [True, False, False]


@pytest.mark.parametrize("seed", range(4))
def test_greedy_finds_the_best_of_all_sets_under_a_common_mask(seed):
    rng = np.random.default_rng(seed)
    gold = rng.random((40, 4)) < rng.random(4) * 0.7
    sets = [np.array(kept, bool) for kept in product([0, 1], repeat=4)]
    best = max(scores(gold, np.broadcast_to(s, gold.shape)).micro_f1 or 0 for s in sets)
    got = scores(gold, np.broadcast_to(best_constant(gold), gold.shape)).micro_f1
    assert got == pytest.approx(best)


def test_a_masked_label_is_never_in_the_constant_set():
    gold = np.array([[1, 1], [1, 0]], bool)
    assert best_constant(gold, [[False, True]] * 2).tolist() == [False, True]


def test_without_gold_labels_the_constant_set_is_empty():
    assert not best_constant(np.zeros((4, 3), bool)).any()
    assert not best_constant(np.zeros((0, 3), bool)).any()


def test_the_sampled_floor_follows_the_prior_and_the_seed():
    gold = np.zeros((100, 3), bool)
    gold[:30, 0], gold[:, 1] = True, True
    drawn = sample_prior(gold, 20_000, np.random.default_rng(7))
    assert drawn.shape == (20_000, 3)
    # standard deviation of the share: sqrt(0.3·0.7/20,000) = 0.0032
    assert abs(drawn[:, 0].mean() - 0.3) < 0.02
    assert drawn[:, 1].all()
    assert not drawn[:, 2].any()
    assert (drawn == sample_prior(gold, 20_000, np.random.default_rng(7))).all()


def test_the_prior_is_taken_over_unmasked_cells():
    gold = np.array([[1, 1], [0, 1]], bool)
    mask = np.array([[1, 0], [0, 0]], bool)
    drawn = sample_prior(gold, 50, np.random.default_rng(0), mask)
    assert drawn[:, 0].all()
    assert not drawn[:, 1].any()


def test_all_labels_marks_every_cell():
    assert all_labels(2, 3).tolist() == [[True] * 3] * 2
