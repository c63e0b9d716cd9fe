"""Players among simulated people, and the logs they leave."""

from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from tests.recipes.tiny_policy import ENCODER, A, constant, load, write_corpus
from untwist.errors import ConfigError, DataError
from untwist.policy import AlwaysValidate, LearnedPolicy, MatrixPolicy
from untwist.policy.env import World
from untwist.policy.pool import Pool
from untwist.recipes.policy_players import (
    LearnedPlayer,
    OneStrategy,
    PlainPlayer,
    RandomPlayer,
    best,
    enter,
    log_dialogues,
    pairs,
    play,
)
from untwist.recipes.policy_rows import policy_rows
from untwist.taxonomy import Risk, Strategy


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    rows = policy_rows(load(write_corpus(tmp_path_factory.mktemp("pool"))), ["test"])
    return World(Pool.of(rows.gold(), [row.labels for row in rows.rows], ENCODER), max_turns=4)


def learned(tmp_path, name="toy@1", **values):
    return LearnedPolicy.load(Path(constant(tmp_path / f"{name}-{len(values)}", name, **values)))


def test_the_best_open_action_is_taken_and_the_lower_number_of_equals():
    values = np.array([[0, 5, 5, 9]], np.float32)
    assert best(values, np.array([[True, True, True, True]])).tolist() == [3]
    assert best(values, np.array([[True, True, True, False]])).tolist() == [1]


def test_a_value_that_is_no_number_stops():
    with pytest.raises(DataError, match="train it again"):
        best(np.array([[np.nan, 1]], np.float32), np.ones((1, 2), bool))


def test_shielded_play_answers_danger_with_crisis_intervention_and_nothing_else(world, tmp_path):
    player = LearnedPlayer(learned(tmp_path, A9=1.0))
    found = play(world, player, 200, seed=3)
    calls = found.actions == A["A9"]
    assert found.high.any()
    assert (calls == found.high).all()
    bare = play(world, player, 200, seed=3, shield=False)
    assert (bare.actions[bare.alive] == A["A9"]).all()


def test_every_player_meets_the_same_first_messages(world):
    matrix, chance = PlainPlayer(MatrixPolicy()), RandomPlayer(np.random.default_rng(0))
    first, second = (play(world, one, 50, seed=1) for one in (matrix, chance))
    assert (first.labels[:, 0] == second.labels[:, 0]).all()
    assert first.first_seekers() == second.first_seekers()
    other = play(world, matrix, 50, seed=2)
    assert (first.labels[:, 0] != other.labels[:, 0]).any()


def test_conversations_end_once_and_say_how(world):
    found = play(world, PlainPlayer(MatrixPolicy()), 200, seed=1)
    assert set(found.ends) <= {"resolved", "left", "handed to a human", "turn limit"}
    cut = np.array(found.ends) == "turn limit"
    assert (found.alive[cut].sum(axis=1) == world.max_turns).all()
    handed = np.array(found.ends) == "handed to a human"
    last = found.alive.sum(axis=1) - 1
    assert (found.actions[handed, last[handed]] == A["A9"]).all()


def test_the_random_player_spreads_over_all_that_is_open():
    player = RandomPlayer(np.random.default_rng(0))
    open_ = np.zeros((3_000, 10), bool)
    open_[:, [1, 4, 7]] = True
    counts = np.bincount(player.rows([], [], open_), minlength=10)
    assert counts.nonzero()[0].tolist() == [1, 4, 7]
    # 1,000 each, give or take four standard deviations
    assert abs(counts[[1, 4, 7]] - 1_000).max() < 4 * np.sqrt(3_000 * 2 / 9)


def test_one_strategy_gives_way_to_the_gate(world):
    one = OneStrategy(Strategy.REATTRIBUTION)
    calm = world.pool.assessments[0]
    assert one.choose(calm, frozenset(Strategy)).strategy is Strategy.REATTRIBUTION
    only = frozenset({Strategy.CRISIS_INTERVENTION})
    assert one.choose(calm, only).strategy is Strategy.CRISIS_INTERVENTION


@pytest.mark.parametrize("soft", [1.0, 0.6])
def test_a_log_says_with_which_probability_each_action_was_chosen(world, soft):
    turns = log_dialogues(world, AlwaysValidate(), 300, seed=5, soft=soft)
    for turn in turns:
        if turn.assessment.risk is Risk.HIGH:
            assert (turn.action, turn.propensity) == (Strategy.CRISIS_INTERVENTION, 1)
        else:
            own = turn.action is Strategy.EMPATHIC_VALIDATION
            assert turn.propensity == pytest.approx(soft / 9 + (1 - soft) * own)
    calm = [turn for turn in turns if turn.assessment.risk is not Risk.HIGH]
    share = np.mean([turn.action is Strategy.EMPATHIC_VALIDATION for turn in calm])
    chance = soft / 9 + 1 - soft
    assert abs(share - chance) < 4 * np.sqrt(chance * (1 - chance) / len(calm))


def test_a_log_keeps_dialogues_whole(world):
    turns = log_dialogues(world, MatrixPolicy(), 40, seed=5, soft=0.5)
    names = [name for name, _ in groupby(turns, lambda turn: turn.dialogue)]
    assert len(names) == len(set(names)) == 40
    for _, group in groupby(turns, lambda turn: turn.dialogue):
        whole = list(group)
        assert [turn.turn for turn in whole] == list(range(len(whole)))
        assert [turn.done for turn in whole] == [False] * (len(whole) - 1) + [True]


def test_runs_of_one_system_are_numbered_and_compared_with_the_others_alone(tmp_path):
    first, again = learned(tmp_path, A1=1.0), learned(tmp_path, A1=1.0, A2=2.0)
    entrants = enter([first, again], [PlainPlayer(MatrixPolicy())])
    assert [(one.player.name, one.run) for one in entrants] == [
        ("toy@1", 1), ("toy@1", 2), ("matrix@1", 1),
    ]  # fmt: skip
    assert [(one.run, other.player.name) for one, other in pairs(entrants)] == [
        (1, "matrix@1"), (2, "matrix@1"),
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="that is a baseline's name"):
        enter([learned(tmp_path, "matrix@1")], [PlainPlayer(MatrixPolicy())])
