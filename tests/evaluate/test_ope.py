"""Off-policy estimates: by hand, and against a world whose values are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from untwist.errors import DataError
from untwist.evaluate import ESTIMATORS, Logged, fitted_values, off_policy


def rng(seed=0):
    return np.random.default_rng(seed)


def logged(*turns):
    """Turns as (dialogue, action, propensity, reward)."""
    names, actions, chances, rewards = zip(*turns, strict=True)
    return Logged(names, np.array(actions), np.array(chances, float), np.array(rewards, float))


def one_hot(actions):
    return np.eye(10)[list(actions)]


# two dialogues; the target policy does action 1, then action 0
TURNS = logged(("a", 1, 0.5, 1), ("a", 0, 0.5, 2), ("b", 0, 0.5, 10), ("b", 0, 0.5, 10))
TARGET = one_hot([1, 0, 1, 0])


def test_weighted_importance_sampling_by_hand():
    # a: (1/0.5)(1/0.5) = 4 times its return 1 + 2·0.5 = 2; b: 0. Weighted: 8 / 4
    found = off_policy(TURNS, TARGET, rng(), gamma=0.5)
    assert found.values["wis"] == pytest.approx(2)
    assert found.values["pdwis"] == pytest.approx(2)
    assert found.values["logged"] == pytest.approx((2 + 15) / 2)
    assert (found.effective, found.matched, found.dialogues, found.turns) == (1, 1, 2, 4)
    assert found.values["dr"] is None
    assert found.intervals["wdr"] is None


def test_per_decision_weights_by_hand():
    turns = logged(("a", 1, 0.5, 1), ("a", 0, 0.5, 4), ("b", 1, 0.25, 3), ("b", 0, 1.0, 2))
    found = off_policy(turns, TARGET, rng(), gamma=1)
    # turn 0: weights 2 and 4, (2·1 + 4·3) / 6; turn 1: weights 4 and 4, (4·4 + 4·2) / 8
    assert found.values["pdwis"] == pytest.approx(14 / 6 + 3)
    # whole: weights 4 and 4, returns 5 and 5
    assert found.values["wis"] == pytest.approx(5)


def test_doubly_robust_by_hand():
    q = np.zeros((4, 10))
    q[[0, 2], 1], q[[1, 3], 0] = 3, 1
    found = off_policy(TURNS, TARGET, rng(), gamma=0.5, values=q)
    # model alone: 3 and 3
    assert found.values["dm"] == pytest.approx(3)
    # a: V0 + 2(r0 - Q0) + ½[2·V1 + 4(r1 - Q1)] = 3 + 2(1-3) + ½(2·1 + 4·1) = 2
    # b: V0 + 0·… = 3
    assert found.values["dr"] == pytest.approx((2 + 3) / 2)
    # weighted: turn 0: mean V 3, then a alone: 1 - 3; turn 1: ½[1 + (2 - 1)]
    assert found.values["wdr"] == pytest.approx(3 - 2 + 0.5 * 2)


def test_a_perfect_model_needs_no_weights():
    q = np.zeros((4, 10))
    # what action 1 then 0 earns in a world that pays 1, then 2
    q[[0, 2], 1], q[[1, 3], 0] = 1 + 0.5 * 2, 2
    turns = logged(("a", 1, 0.5, 1), ("a", 0, 0.5, 2), ("b", 1, 0.5, 1), ("b", 0, 0.5, 2))
    found = off_policy(turns, TARGET, rng(), gamma=0.5, values=q)
    for name in ("dm", "dr", "wdr", "wis"):
        assert found.values[name] == pytest.approx(2), name


def test_the_logging_policy_judged_by_itself_is_what_it_earned():
    turns = logged(("a", 1, 0.25, 1), ("b", 2, 0.5, 5), ("b", 3, 0.25, 1))
    target = np.zeros((3, 10))
    for row, (action, chance) in enumerate(zip(turns.actions, turns.propensities, strict=True)):
        target[row, action] = chance
        target[row, 9] = 1 - chance
    found = off_policy(turns, target, rng(), gamma=1)
    assert found.values["wis"] == pytest.approx(found.values["logged"])
    assert found.effective == pytest.approx(2)


def test_without_any_common_action_nothing_is_known_but_the_model():
    found = off_policy(TURNS, one_hot([5] * 4), rng(), gamma=1, values=np.ones((4, 10)))
    assert (found.values["wis"], found.values["pdwis"]) == (None, None)
    assert (found.effective, found.matched) == (0, 0)
    assert found.values["dm"] == 1


def world(n, seed):
    """Two states told by a feature; action 0 pays 1 in one and action 1 in the other; 3 turns."""
    chance = rng(seed)
    state = chance.integers(2, size=(n, 3))
    actions = chance.integers(2, size=(n, 3))
    rewards = (state == actions) + chance.normal(0, 0.1, (n, 3))
    names = tuple(str(i) for i in np.repeat(np.arange(n), 3))
    turns = Logged(names, actions.ravel(), np.full(3 * n, 0.5), rewards.ravel())
    right = one_hot(state.ravel())
    return turns, np.stack([state.ravel() == 0, state.ravel() == 1], axis=1), right


def test_estimates_find_the_known_value_of_the_policy_that_is_always_right():
    # pays 1 a turn: 1 + 0.8 + 0.64
    turns, features, right = world(400, 3)
    values = fitted_values(turns, features, right, gamma=0.8)
    found = off_policy(turns, right, rng(), gamma=0.8, values=values)
    for name in ("wis", "pdwis", "dr", "wdr"):
        assert found.values[name] == pytest.approx(2.44, abs=0.12), name
        assert found.intervals[name].low <= 2.44 <= found.intervals[name].high, name
    width = {k: v.high - v.low for k, v in found.intervals.items()}
    assert width["wdr"] < width["wis"]
    assert found.values["logged"] == pytest.approx(1.22, abs=0.1)


def test_a_model_is_fitted_on_other_dialogues():
    turns, features, right = world(40, 1)
    rewards = turns.rewards.copy()
    rewards[:3] = 1_000
    spoilt = Logged(turns.dialogues, turns.actions, turns.propensities, rewards)
    plain, other = (fitted_values(t, features, right, gamma=0.8) for t in (turns, spoilt))
    first = np.array([int(name) % 2 == 0 for name in turns.dialogues])
    assert other[first] == pytest.approx(plain[first])
    assert np.abs(other[~first] - plain[~first]).max() > 1


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0.1, 1), st.floats(-5, 5)), min_size=2))
def test_weighted_estimates_stay_within_what_was_logged(turns):
    found = off_policy(
        logged(*((str(n), *turn) for n, turn in enumerate(turns))),
        np.full((len(turns), 10), 0.1), rng(), gamma=1, resamples=5,
    )  # fmt: skip
    rewards = [reward for *_, reward in turns]
    assert min(rewards) - 1e-9 <= found.values["wis"] <= max(rewards) + 1e-9
    assert 1 - 1e-9 <= found.effective <= len(turns) + 1e-9
    assert set(found.values) == set(found.intervals) == set(ESTIMATORS)


@pytest.mark.parametrize(
    ("turns", "why"),
    [
        ([("a", 0, 0.0, 1)], "propensity"),
        ([("a", 0, 1.5, 1)], "propensity"),
        ([("a", 10, 0.5, 1)], "action is none"),
        ([("a", 0, 0.5, float("nan"))], "reward is NaN"),
        ([("a", 0, 1, 1), ("b", 0, 1, 1), ("a", 0, 1, 1)], "two pieces"),
    ],
)
def test_logs_that_cannot_be_are_refused(turns, why):
    with pytest.raises(DataError, match=why):
        logged(*turns)


def test_probabilities_and_values_that_cannot_be_are_refused():
    with pytest.raises(DataError, match="add up to 1"):
        off_policy(TURNS, np.zeros((4, 10)), rng(), gamma=1)
    with pytest.raises(DataError, match="modelled values"):
        off_policy(TURNS, TARGET, rng(), gamma=1, values=np.full((4, 10), np.nan))
    with pytest.raises(DataError, match="gamma is 2"):
        off_policy(TURNS, TARGET, rng(), gamma=2)
    with pytest.raises(DataError, match="2 dialogues for 3 folds"):
        fitted_values(TURNS, np.ones((4, 1)), TARGET, gamma=1, folds=3)
