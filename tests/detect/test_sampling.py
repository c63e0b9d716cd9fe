"""The order of batches: every text once, like lengths together, corpora by plan."""

from collections import Counter

import numpy as np
import pytest

from untwist.detect.sampling import batches, epoch

LENGTHS = {"big": [5 + (7 * i) % 50 for i in range(64)], "small": [9] * 16, "tiny": [3] * 5}


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("grouped", [True, False])
def test_every_text_comes_once_in_batches_of_the_size_asked_for(grouped):
    found = batches(LENGTHS["big"], 10, rng(), grouped=grouped)
    assert sorted(int(i) for one in found for i in one) == list(range(64))
    assert sorted(len(one) for one in found) == [4, *[10] * 6]


def test_grouping_wastes_less_padding():
    def padding(grouped):
        size = np.array(LENGTHS["big"])
        found = batches(LENGTHS["big"], 8, rng(), grouped=grouped)
        return sum(int((size[one].max() - size[one]).sum()) for one in found)

    assert padding(True) < padding(False) / 4


def test_equal_seeds_give_equal_orders_and_others_differ():
    one, same, other = (batches(LENGTHS["big"], 8, rng(s), grouped=True) for s in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("sampling", ["paper", "round_robin", "proportional"])
def test_an_epoch_has_every_text_of_every_corpus_once(sampling):
    found = epoch(LENGTHS, 8, sampling, rng())
    seen = sorted((name, int(i)) for name, places in found for i in places)
    assert seen == sorted((name, i) for name, ns in LENGTHS.items() for i in range(len(ns)))


def test_the_papers_order_is_corpus_after_corpus():
    names = [name for name, _ in epoch(LENGTHS, 8, "paper", rng())]
    assert names == ["big"] * 8 + ["small"] * 2 + ["tiny"]


def test_turns_go_round_until_a_corpus_has_no_more():
    names = [name for name, _ in epoch(LENGTHS, 8, "round_robin", rng())]
    assert names[:6] == ["big", "small", "tiny", "big", "small", "big"]
    assert names[6:] == ["big"] * 5


def test_proportional_batches_are_shuffled():
    names = [name for name, _ in epoch(LENGTHS, 8, "proportional", rng())]
    assert Counter(names) == {"big": 8, "small": 2, "tiny": 1}
    assert names != sorted(names)


def test_a_high_temperature_draws_corpora_alike_and_a_low_one_by_size():
    def share(temperature):
        drawn = Counter()
        for seed in range(200):
            plan = epoch(LENGTHS, 8, "temperature", rng(seed), temperature=temperature)
            assert len(plan) == 11
            drawn.update(name for name, _ in plan)
        return drawn["tiny"] / drawn.total()

    assert share(1000.0) == pytest.approx(1 / 3, abs=0.04)
    assert share(1.0) == pytest.approx(5 / 85, abs=0.02)


def test_a_small_corpus_that_is_through_begins_anew_with_all_of_its_texts():
    plan = epoch({"big": [3] * 400, "tiny": [3] * 5}, 5, "temperature", rng(), temperature=1000.0)
    own = [tuple(sorted(int(i) for i in places)) for name, places in plan if name == "tiny"]
    assert len(own) > 10
    assert set(own) == {(0, 1, 2, 3, 4)}
