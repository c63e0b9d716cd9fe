"""The environment: Gymnasium's rules, real ends, and next states that depend on what was done."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from tests.policy import tiny
from untwist.errors import ConfigError, DataError
from untwist.policy.dynamics import Dynamics
from untwist.policy.env import MAX_TURNS, VectorCounseling
from untwist.policy.gym import CounselingEnv
from untwist.policy.reward import ACTIONS, CRISIS, VALIDATE
from untwist.policy.state import SESSION_FEATURES
from untwist.safety import allowed
from untwist.taxonomy import Risk, Strategy


def same(action, n=64):
    return np.full(n, action, np.int64)


@pytest.mark.parametrize("name", ["untwist/Counseling-v1", "untwist/CounselingBandit-v1"])
def test_both_names_are_environments_by_gymnasiums_own_check(name):
    made = gymnasium.make(name, pool=tiny.pool(), disable_env_checker=True)
    with pytest.warns(UserWarning, match="Box observation space"):
        check_env(made.unwrapped, skip_render_check=True)


def test_the_docstring_has_the_version_history():
    assert "## Version History" in CounselingEnv.__doc__
    assert "* v1:" in CounselingEnv.__doc__


def test_the_next_observation_depends_on_the_action():
    ends = []
    for action in range(CRISIS):
        env = tiny.environment(256, seed=3)
        first, _ = env.reset(3)
        after, *_ = env.step(same(action, 256))
        ends.append((first, after))
    assert all(np.array_equal(ends[0][0], first) for first, _ in ends)
    for one in range(CRISIS):
        for other in range(one):
            assert not np.array_equal(ends[one][1], ends[other][1])
    # not only by the session's own memory of the action: people say something else
    words = [after[:, : -len(SESSION_FEATURES)] for _, after in ends]
    assert not np.array_equal(words[VALIDATE], words[4])


def test_equal_seeds_give_equal_conversations_and_others_do_not():
    def lived(seed):
        env, rng = tiny.environment(32, seed), np.random.default_rng(1)
        return [env.step(rng.integers(0, CRISIS, 32))[:2] for _ in range(5)]

    for (s1, r1), (s2, r2) in zip(lived(5), lived(5), strict=True):
        assert np.array_equal(s1, s2)
        assert np.array_equal(r1, r2)
    assert not np.array_equal(lived(5)[0][0], lived(6)[0][0])


def test_conversations_end_in_every_way_there_is():
    env, rng = tiny.environment(2000, 0), np.random.default_rng(2)
    found = set()
    for _ in range(MAX_TURNS):
        action = np.where(rng.random(2000) < 0.5, VALIDATE, rng.integers(0, 10, 2000))
        _, _, terminated, truncated, info = env.step(action)
        outcome = info["outcome"]
        ends = outcome.resolved | outcome.left | outcome.handed
        assert np.array_equal(terminated, ends)
        assert not (terminated & truncated).any()
        found |= {name for name in ("resolved", "left", "handed") if getattr(outcome, name).any()}
        found |= {"limit"} if truncated.any() else set()
    assert found == {"resolved", "left", "handed", "limit"}


def test_nobody_speaks_longer_than_the_limit_and_then_someone_new_begins():
    calm = Dynamics(leave=0.0, leave_distrust=0.0, leave_stuck=0.0, missed_leave=0.0,
                    resolved_belief=-1.0)  # fmt: skip
    env = tiny.environment(16, dynamics=calm, max_turns=3)
    for turn in range(3):
        *_, terminated, truncated, _ = env.step(same(VALIDATE, 16))
        assert not terminated.any()
        assert truncated.all() == (turn == 2)
    assert (env.seekers.turn == 0).all()
    assert np.isnan(env.response).all()


def test_after_an_end_the_last_state_is_kept_beside_the_new_one():
    env = tiny.environment(300, 1, bandit=True)
    states, _, terminated, _, info = env.step(same(VALIDATE, 300))
    assert terminated.all()
    final = info["final"].states(tiny.pool())
    turn = SESSION_FEATURES.index("first message") - len(SESSION_FEATURES)
    assert (final[:, turn] == 0).all()
    assert (states[:, turn] > 0).all()


def test_the_mask_is_the_gates_by_the_risk_that_is_heard():
    env = tiny.environment(400, 2)
    seen = set()
    for at, mask in enumerate(env.mask()):
        risk = tiny.pool().assessments[env.row[at]].risk
        assert {a for a, may in zip(ACTIONS, mask, strict=True) if may} == allowed(risk)
        seen.add(risk is Risk.HIGH)
    assert seen == {True, False}


def test_rewards_are_made_of_the_words_that_were_answered():
    env = tiny.environment(200, 4)
    said = env.row.copy()
    rewards, _, _, info = env.turn(same(CRISIS, 200))
    high = tiny.pool().truth.risk[said] == Risk.HIGH.rank
    assert high.any()
    assert not high.all()
    assert np.array_equal(rewards, np.where(high, 4.0, -2.0))
    assert np.array_equal(info["components"].safety, rewards)


def test_what_people_say_expresses_what_they_hold():
    env = tiny.environment(500, 6)
    held = env.seekers.belief.argmax(axis=1)
    truth = tiny.pool().truth
    speaks = (env.seekers.belief.max(axis=1) > 0.3) & ~env.seekers.disclosed
    assert truth.labels[env.row[speaks], held[speaks]].all()
    assert (truth.risk[env.row[env.seekers.disclosed]] == Risk.HIGH.rank).all()


@pytest.mark.parametrize("actions", [[0, 1], [10] * 4, [-1] * 4])
def test_actions_that_do_not_fit_are_refused(actions):
    with pytest.raises(DataError):
        tiny.environment(4).step(np.array(actions))


def test_an_empty_room_and_no_turns_are_refused():
    with pytest.raises(ConfigError):
        VectorCounseling(tiny.world(), 0, 0)
    with pytest.raises(ConfigError):
        VectorCounseling(tiny.world(max_turns=0), 1, 0)


def test_the_single_environment_tells_mask_parts_and_end():
    env = CounselingEnv(tiny.pool())
    state, info = env.reset(seed=1)
    assert state.shape == env.observation_space.shape == (tiny.encoder().size,)
    assert info["mask"].shape == (10,)
    for _ in range(MAX_TURNS):
        state, reward, terminated, truncated, info = env.step(VALIDATE)
        assert reward == pytest.approx(sum(info["components"].values()), abs=1e-5)
        if terminated or truncated:
            break
    assert terminated or truncated
    assert terminated == any(info["outcome"].values())
    with pytest.raises(DataError):
        env.step(10)


def test_the_bandit_ends_after_one_turn():
    env = gymnasium.make("untwist/CounselingBandit-v1", pool=tiny.pool(), disable_env_checker=True)
    env.reset(seed=0)
    assert env.step(VALIDATE)[2]


def test_a_session_is_told_as_a_policy_in_service_would_have_it():
    env = tiny.environment(8, 7)
    env.step(same(3, 8))
    env.step(same(VALIDATE, 8))
    at = int(np.flatnonzero(env.seekers.turn == 2)[0])
    session = env.session(at)
    assert session.turn == 2
    assert session.used == (Strategy.REALITY_TESTING, Strategy.EMPATHIC_VALIDATION)
    encoded = tiny.encoder().encode(tiny.pool().assessments[env.row[at]], session)
    np.testing.assert_allclose(encoded, env.places().states(tiny.pool())[at], atol=1e-4)
