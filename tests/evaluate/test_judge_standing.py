"""What a judge's scores are worth: by hand, against scikit-learn, and for judges of known worth."""

import numpy as np
import pytest

from untwist.errors import DataError
from untwist.evaluate import (
    MIN_RATED,
    preferences,
    quadratic_kappa,
    settled,
    standing,
    steadiness,
)

LIKERT = (1, 2, 3, 4, 5)


def rng():
    return np.random.default_rng(5)


def groups(n):
    return [f"g{k}" for k in range(n)]


def rated(n, judge):
    """Two people who mostly agree, and a judge that is a function of what the reply is worth."""
    worth = [1 + k % 5 for k in range(n)]
    people = [(w, w if k % 4 else max(1, w - 1)) for k, w in enumerate(worth)]
    return standing(
        [judge(k, w) for k, w in enumerate(worth)], people, LIKERT, groups(n), rng(), 200
    )


def test_weighted_kappa_is_that_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    chance = np.random.default_rng(2)
    one, other = chance.integers(1, 6, 80), chance.integers(1, 6, 80)
    expected = metrics.cohen_kappa_score(one, other, weights="quadratic")
    assert quadratic_kappa(one, other, groups(80), rng(), 10)[0] == pytest.approx(expected)


def test_kappa_of_those_who_always_say_one_thing_is_not_known():
    assert quadratic_kappa([3, 3], [3, 3], groups(2), rng(), 10) == (None, None)
    assert quadratic_kappa([], [], [], rng(), 10) == (None, None)


def test_a_judge_like_people_may_be_shown_with_its_bias():
    found = rated(60, lambda _, worth: (worth, worth))
    assert found.n == 60
    assert found.kappa > 0.9
    assert found.withheld is None
    # people give w, or the mean of w and w - 1 in every fourth reply that is not the lowest
    assert 0 < found.bias.value < 0.2


def test_a_kind_judge_is_seen_by_its_bias():
    found = rated(60, lambda _, worth: (min(5, worth + 1),))
    assert found.bias.value == pytest.approx(rated(60, lambda _, w: (w,)).bias.value + 0.8)
    assert found.agreement.value < found.within_one.value


def test_a_judge_that_guesses_is_withheld():
    found = rated(60, lambda k, _: (1 + (k * 7 + k // 5) % 5,))
    assert "no better than chance" in found.withheld


def test_a_judge_that_always_says_the_same_is_withheld():
    found = rated(60, lambda *_: (4,))
    assert "no better than chance" in found.withheld


def test_a_judge_needs_enough_replies_that_two_people_rated():
    few = rated(MIN_RATED - 1, lambda _, worth: (worth,))
    assert few.withheld == f"{MIN_RATED - 1} replies rated by two people or more; it takes 30"
    alone = standing([(3,)] * 50, [(3, None)] * 50, LIKERT, groups(50), rng(), 10)
    assert alone.n == 0
    assert alone.withheld.startswith("0 replies")


def test_repeats_are_compared_and_what_is_unscored_is_counted():
    forward, turned = [(3, 3), (4, None)], [(3, 2), (5, 5)]
    found = steadiness(forward, turned, LIKERT, ["a", "b"], rng(), 20)
    assert (found.rows, found.asked, found.unscored) == (2, 8, 1)
    # (3,3,3,2): 3 of 6 pairs; (4,5,5): 1 of 3
    assert (found.same.hits, found.same.of) == (4, 9)
    assert found.order.value == pytest.approx(((3 - 2.5) + (4 - 5)) / 2)


def test_a_judge_that_was_not_turned_round_has_no_effect_of_order():
    found = steadiness([(3,), (4,)], [(), ()], LIKERT, ["a", "b"], rng(), 20)
    assert found.order is None
    assert found.same.of == 0


def test_only_what_is_said_in_both_orders_is_settled():
    assert settled("first", "second") == "first"
    assert settled("second", "first") == "second"
    assert settled("same", "same") == "same"
    assert settled("first", "first") is None
    assert settled("first", "same") is None
    assert settled(None, "second") is None


def test_a_judge_that_names_whatever_stands_first_settles_nothing_and_it_shows():
    found = preferences([("first", "first")] * 10)
    assert found.unsettled.value == 1
    assert found.first_shown.value == 1
    assert found.won.value is None
    fair = preferences([("first", "second"), ("second", "first"), ("same", "same")])
    assert (fair.won.hits, fair.lost.hits, fair.won.of) == (1, 1, 3)
    assert fair.first_shown.value == 0.5


def test_lists_of_different_length_are_refused():
    with pytest.raises(DataError):
        standing([(1,)], [], LIKERT, ["a"], rng())
    with pytest.raises(DataError):
        steadiness([(1,)], [], LIKERT, ["a"], rng())
    with pytest.raises(DataError):
        quadratic_kappa([1], [1, 2], ["a"], rng())
