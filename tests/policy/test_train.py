"""Learning: its two formulas by hand, exact repetition, exact resumption, every switch."""

import inspect
import math
import shutil
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from tests.policy import tiny
from untwist.errors import ArtifactError, ConfigError, DataError
from untwist.policy.checkpoint import resume_run, save_run
from untwist.policy.env import Places
from untwist.policy.improve import Judged
from untwist.policy.learning import Learning, world_of
from untwist.policy.replay import Replay, Transitions
from untwist.policy.reward import CRISIS, PRESETS, grade_of
from untwist.policy.state import SESSION_FEATURES, encode_sessions
from untwist.policy.train import Trainer, double_q_target, kl_term, loss_and_slope, softmax
from untwist.respond import ScriptedResponder
from untwist.schema import START
from untwist.taxonomy import Intensity, Risk

SMALL = Learning(episodes=400, environments=8, capacity=300, batch=16, updates=2, hidden=(16, 8),
                 warm_up=40, epsilon_steps=400, log_every=10)  # fmt: skip


def trainer(learning=SMALL, seed=0, **world):
    return Trainer(tiny.world(**world), learning, seed)


def rows(*values):
    return np.array(values, np.float32)


def test_the_kl_term_is_what_a_hand_computes():
    # softmax of (ln 3, 0) is (3/4, 1/4), of (0, 0) is (1/2, 1/2)
    target, online = rows([math.log(3), 0.0]), rows([0.0, 0.0])
    expected = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    assert kl_term(target, online, 1.0) == pytest.approx(expected, rel=1e-5)
    other_way = 0.5 * math.log(2 / 3) + 0.5 * math.log(2)
    assert kl_term(online, target, 1.0) == pytest.approx(other_way, rel=1e-5)
    assert kl_term(target, target, 1.0) == 0.0


def test_the_temperature_divides_the_values_and_its_square_multiplies_the_term():
    target, online = rows([2 * math.log(3), 0.0]), rows([0.0, 0.0])
    expected = 4 * (0.75 * math.log(1.5) + 0.25 * math.log(0.5))
    assert kl_term(target, online, 2.0) == pytest.approx(expected, rel=1e-5)


def test_the_kl_term_is_a_mean_over_states():
    target, online = rows([math.log(3), 0.0], [0.0, 0.0]), rows([0.0, 0.0], [0.0, 0.0])
    assert kl_term(target, online, 1.0) == pytest.approx(kl_term(target[:1], online[:1], 1.0) / 2)


def test_the_target_is_chosen_by_one_network_and_valued_by_the_other():
    online, target = rows([1.0, 5.0, 9.0]), rows([10.0, 20.0, 30.0])
    every, not_last = np.ones((1, 3), bool), np.array([[True, True, False]])
    one = np.ones(1, np.float32)
    assert double_q_target(2 * one, one, online, target, 0.5, every)[0] == 17.0
    assert double_q_target(2 * one, one, online, target, 0.5, not_last)[0] == 12.0
    assert double_q_target(2 * one, 0 * one, online, target, 0.5, every)[0] == 2.0
    assert double_q_target(2 * one, one, target, target, 0.5, every)[0] == 17.0
    assert double_q_target(2 * one, one, -online, target, 0.5, every)[0] == 7.0


def test_huber_is_a_parabola_inside_its_bound_and_a_line_outside():
    values, zero = rows([0.5, 0.0], [3.0, 0.0]), np.zeros(2, np.int64)
    for bound, high, steep in ((1.0, 2.5, 1.0), (2.0, 4.0, 2.0), (10.0, 4.5, 3.0)):
        huber, kl, slope = loss_and_slope(values, zero, rows(0.0, 0.0), values, 0.0, 1.0, bound)
        assert huber == pytest.approx((0.125 + high) / 2)
        assert kl == 0.0
        np.testing.assert_allclose(slope, [[0.25, 0.0], [steep / 2, 0.0]], atol=1e-7)


def test_a_rare_heavy_loss_is_learnt_at_its_mean_and_not_at_what_is_usual():
    """One value for one state: nine rewards of 1 and one of -9 have the mean 0."""
    wanted, lagging = rows(*([1.0] * 9), -9.0), np.zeros((10, 1), np.float32)
    settled = {}
    for bound in (1.0, 10.0):
        value = 0.5
        for _ in range(500):
            values = np.full((10, 1), value, np.float32)
            *_, slope = loss_and_slope(
                values, np.zeros(10, np.int64), wanted, lagging, 0.0, 1.0, bound
            )
            value -= 0.1 * float(slope.sum())
        settled[bound] = value
    assert settled[10.0] == pytest.approx(0.0, abs=0.01)
    assert settled[1.0] > 0.8


@pytest.mark.parametrize("tau", [1.0, 2.5])
def test_the_slope_agrees_with_finite_differences(tau):
    rng = np.random.default_rng(0)
    values, lagging = rng.normal(size=(2, 5, 4))
    action, wanted = np.array([0, 1, 2, 3, 0]), rng.normal(size=5)

    def loss(v):
        error = v[np.arange(5), action] - wanted
        huber = np.where(abs(error) < 1, error**2 / 2, abs(error) - 0.5).mean()
        p, q = softmax(lagging / tau), softmax(v / tau)
        return huber + 0.3 * tau**2 * (p * np.log(p / q)).sum(axis=1).mean()

    as_floats = [x.astype(np.float32) for x in (values, wanted, lagging)]
    *parts, slope = loss_and_slope(as_floats[0], action, as_floats[1], as_floats[2], 0.3, tau)
    assert sum(parts) == pytest.approx(loss(values), rel=1e-4)
    for at in np.ndindex(values.shape):
        step = np.zeros_like(values)
        step[at] = 1e-6
        assert slope[at] == pytest.approx((loss(values + step) - loss(values - step)) / 2e-6,
                                          abs=1e-4)  # fmt: skip


def test_equal_seeds_give_equal_runs_byte_for_byte_and_others_do_not():
    one, two, other = trainer(), trainer(), trainer(seed=1)
    for each in (one, two, other):
        each.run()
    assert one.online.flat.tobytes() == two.online.flat.tobytes()
    assert one.curves == two.curves
    assert one.online.flat.tobytes() != other.online.flat.tobytes()


def test_a_run_that_was_cut_goes_on_as_if_it_had_not_been(tmp_path):
    whole = trainer()
    whole.run()
    cut = trainer()
    cut.run(until=150)
    assert 0 < cut.optimiser.steps < whole.optimiser.steps
    save_run(cut, tmp_path / "state")
    again = trainer()
    resume_run(again, tmp_path / "state")
    again.run()
    assert again.online.flat.tobytes() == whole.online.flat.tobytes()
    assert again.target.flat.tobytes() == whole.target.flat.tobytes()
    assert again.curves == whole.curves
    assert again.episodes == whole.episodes


def test_a_state_can_be_replaced_and_leaves_no_half_of_itself(tmp_path):
    one = trainer()
    save_run(one, tmp_path / "state")
    one.run(until=100)
    save_run(one, tmp_path / "state")
    assert [p.name for p in tmp_path.iterdir()] == ["state"]
    assert [p.name for p in (tmp_path / "state").iterdir()] == ["now"]
    again = trainer()
    resume_run(again, tmp_path / "state")
    assert again.episodes == one.episodes


@pytest.mark.parametrize(
    ("learning", "seed"),
    [(SMALL, 1), (replace(SMALL, gamma=0.5), 0), (replace(SMALL, rate=1.0), 0)],
)
def test_the_state_of_another_run_is_refused(tmp_path, learning, seed):
    save_run(trainer(), tmp_path / "state")
    with pytest.raises(ConfigError, match="other settings, another seed or other texts"):
        resume_run(trainer(learning, seed), tmp_path / "state")


def test_a_damaged_state_is_refused(tmp_path):
    save_run(trainer(), tmp_path / "state")
    weights = tmp_path / "state" / "now" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ArtifactError, match="damaged"):
        resume_run(trainer(), tmp_path / "state")


def test_a_folder_without_a_state_is_refused(tmp_path):
    (tmp_path / "state").mkdir()
    with pytest.raises(ArtifactError, match="holds no state"):
        resume_run(trainer(), tmp_path / "state")


class _Killed(BaseException):
    """Nothing in the code can catch it."""


def killed_at(step, monkeypatch, save):
    """Whether `save` was killed before its change of files number `step`."""
    left = [step]

    def before(change):
        def changed(*given, **named):
            left[0] -= 1
            if left[0] < 0:
                raise _Killed
            return change(*given, **named)

        return changed

    with monkeypatch.context() as patch:
        for name in ("rename", "mkdir", "write_bytes", "write_text"):
            patch.setattr(Path, name, before(getattr(Path, name)))
        patch.setattr(shutil, "rmtree", before(shutil.rmtree))
        try:
            save()
        except _Killed:
            return True
    return False


def test_a_run_that_is_killed_while_it_saves_can_be_resumed_at_every_step(tmp_path, monkeypatch):
    one = trainer()
    one.run(until=60)
    first = one.episodes
    later = trainer()
    later.run(until=120)
    seen = []
    for step in range(20):
        folder = tmp_path / str(step)
        save_run(one, folder)
        cut = killed_at(step, monkeypatch, lambda to=folder: save_run(later, to))
        again = trainer()
        resume_run(again, folder)
        seen.append(again.episodes)
        # the next saving is cut at its first steps as well, over what the first left
        killed_at(2, monkeypatch, lambda to=folder: save_run(later, to))
        resume_run(trainer(), folder)
        save_run(later, folder)
        assert [p.name for p in folder.iterdir()] == ["now"]
        if not cut:
            break
    assert len(seen) > 6
    assert set(seen) == {first, later.episodes}
    assert seen == sorted(seen)


def test_a_damaged_state_gives_way_to_a_whole_one_beside_it(tmp_path):
    one = trainer()
    one.run(until=60)
    save_run(one, tmp_path / "state")
    shutil.copytree(tmp_path / "state" / "now", tmp_path / "state" / "old")
    (tmp_path / "state" / "now" / "config.json").unlink()
    again = trainer()
    resume_run(again, tmp_path / "state")
    assert again.episodes == one.episodes


def test_a_run_goes_on_only_with_the_improvement_that_it_had(tmp_path):
    class Judge:
        def score(self, heard, reply):
            return {"adequacy": 1.0}

    save_run(trainer(), tmp_path / "state")
    judged = Judged(Judge(), ScriptedResponder(), "adequacy", 4.0)
    with pytest.raises(ConfigError, match="other settings"):
        resume_run(trainer(improvement=judged), tmp_path / "state")
    save_run(trainer(improvement=judged), tmp_path / "judged")
    resume_run(trainer(improvement=replace(judged, judge=Judge())), tmp_path / "judged")
    for other in (replace(judged, scale="warmth"), replace(judged, highest=5.0)):
        with pytest.raises(ConfigError, match="other settings"):
            resume_run(trainer(improvement=other), tmp_path / "judged")


def test_epsilon_falls_linearly_over_environment_steps():
    one = trainer(replace(SMALL, epsilon=(0.9, 0.1), epsilon_steps=400))
    seen = []
    for rounds in (0, 25, 50, 100):
        one.rounds = rounds
        seen.append(one.epsilon())
    assert seen == pytest.approx([0.9, 0.5, 0.1, 0.1])


def test_the_learning_rate_falls_to_nothing_when_it_is_told_to():
    one = trainer(replace(SMALL, anneal=True, rate=1e-2))
    seen = []
    for episodes in (0, 200, 400, 500):
        one.episodes = episodes
        seen.append(one.rate())
    assert seen == pytest.approx([1e-2, 5e-3, 0.0, 0.0])
    still = trainer(replace(SMALL, rate=1e-2))
    still.episodes = 399
    assert still.rate() == 1e-2


def test_nothing_is_learnt_before_the_warm_up():
    one = trainer(replace(SMALL, warm_up=10_000))
    before = one.online.flat.copy()
    one.run(until=100)
    assert np.array_equal(one.online.flat, before)
    assert one.curves[-1]["loss"] is None


def test_the_target_is_copied_every_so_many_rounds():
    one = trainer(replace(SMALL, target_every=7, episodes=10_000, warm_up=8))
    for _ in range(30):
        one.advance()
        assert np.array_equal(one.online.flat, one.target.flat) == (one.rounds % 7 == 0)


def test_progress_and_curves_tell_rising_episodes_and_whole_rows():
    told = []
    one = trainer()
    one.run(lambda done, total, row: told.append((done, total, row)))
    assert [row for *_, row in told] == one.curves
    assert [done for done, *_ in told] == sorted(done for done, *_ in told)
    assert {total for _, total, _ in told} == {400}
    names = {"episodes", "steps", "updates", "epsilon", "reward", "return", "loss", "kl"}
    assert all(set(row) == names for row in one.curves)
    assert one.curves[-1]["loss"] > 0


def test_a_reward_that_is_no_number_stops_the_run():
    broken = replace(tiny.world().dynamics, gain_resolved=math.nan)
    with pytest.raises(DataError, match="not a number"):
        trainer(dynamics=broken).run()


def test_values_that_explode_stop_the_run():
    one = trainer()
    one.online.flat[:] = np.nan
    with pytest.raises(DataError, match="loss is not a number"):
        one.run()


def _first_gradients(**changes):
    one = trainer(replace(SMALL, warm_up=16, **changes))
    one.run(until=150)
    return one.online.flat.tobytes()


@pytest.mark.parametrize(
    "change",
    [
        {"kl": False}, {"double": False}, {"mask": False}, {"dropout": 0.0}, {"stratified": False},
        {"bandit": True}, {"safety_reward": False}, {"match_reward": False},
        {"improvement_reward": False}, {"gamma": 0.0}, {"reward": "reference-config"},
        {"anneal": True}, {"huber": 0.5}, {"penalty": 9.0},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_every_switch_changes_what_is_learnt(change):
    assert _first_gradients(**change) != _first_gradients()


def test_the_ablations_of_the_reward_silence_their_own_part():
    for name, place in (("improvement", 0), ("match", 1), ("safety", 2)):
        table = world_of(tiny.world(), replace(SMALL, **{f"{name}_reward": False})).reward
        assert [w == 0 for w in table.weights] == [k == place for k in range(3)]


def test_the_penalty_is_what_is_taken_off_at_high_risk_and_by_default_the_tables():
    assert world_of(tiny.world(), replace(SMALL, penalty=9.0)).reward.high_and_other == -9.0
    for name, table in PRESETS.items():
        same = world_of(tiny.world(), replace(SMALL, reward=name)).reward
        assert same == table


def test_acting_and_bootstrapping_obey_the_gate_and_exploring_does_not():
    one = trainer(replace(SMALL, epsilon=(0.0, 0.0)))
    one.online.layers[-1][1][CRISIS] = 1e6
    high = one.world.pool.heard.risk == 3
    for _ in range(30):
        one.advance()
    columns = one.replay.columns
    n = len(one.replay)
    assert ((columns["action"][:n] == CRISIS) == high[columns["row"][:n]]).all()
    free = trainer(replace(SMALL, epsilon=(1.0, 1.0)))
    for _ in range(30):
        free.advance()
    actions = free.replay.columns["action"][: len(free.replay)]
    assert np.bincount(actions, minlength=10).min() > 0


@pytest.mark.parametrize(
    "change",
    [{"episodes": 0}, {"batch": 0}, {"gamma": 1.0}, {"dropout": 1.0}, {"tau": 0.0}, {"rate": 0.0},
     {"reward": "x"}, {"clip": 0.0}, {"huber": 0.0}, {"environments": 0}, {"gamma": -0.1}],
    ids=str,
)  # fmt: skip
def test_settings_out_of_range_are_refused(change):
    with pytest.raises(ConfigError):
        Learning(**change)


def test_the_defaults_are_the_papers_table_6():
    d = Learning()
    assert (d.episodes, d.environments, d.gamma, d.capacity, d.batch) == (
        100_000, 32, 0.8, 100_000, 32,
    )  # fmt: skip
    assert (d.hidden, d.dropout, d.rate, d.beta, d.tau) == ((256, 128), 0.1, 1e-4, 0.1, 1.0)
    assert (d.target_every, d.epsilon, d.epsilon_steps) == (10, (0.9, 0.1), 50_000)


def test_every_setting_says_what_it_is():
    source = inspect.getsource(Learning)
    for item in fields(Learning):
        line = next(i for i, x in enumerate(source.splitlines()) if x.strip().startswith(item.name))
        assert source.splitlines()[line + 1].strip().startswith('"""')


def turns(numbers):
    n = len(numbers)
    places = Places(np.array(numbers), np.full((n, len(SESSION_FEATURES)), numbers[0], np.float32))
    return Transitions(places, np.array(numbers), rows(*numbers), places, np.ones(n, np.float32))


def test_the_oldest_turns_make_room():
    replay = Replay(4)
    replay.add(turns([1, 2, 3]))
    assert len(replay) == 3
    replay.add(turns([4, 5, 6]))
    assert len(replay) == 4
    assert sorted(replay.columns["row"]) == [3, 4, 5, 6]
    drawn = replay.sample(200, np.random.default_rng(0))
    assert set(drawn.action.tolist()) == {3, 4, 5, 6}
    assert np.array_equal(drawn.action, drawn.before.row)
    assert np.array_equal(drawn.reward, drawn.action.astype(np.float32))
    with pytest.raises(ConfigError):
        Replay(0)


def test_a_cut_conversation_is_bootstrapped_and_an_ended_one_is_not():
    calm = replace(tiny.world().dynamics, leave=0.0, leave_distrust=0.0, leave_stuck=0.0,
                   missed_leave=0.0, resolved_belief=-1.0)  # fmt: skip
    cut = trainer(replace(SMALL, max_turns=2, epsilon=(0.0, 0.0)), dynamics=calm)
    ended = trainer(replace(SMALL, bandit=True))
    for each in (cut, ended):
        for _ in range(6):
            each.advance()
    n = len(cut.replay)
    calm_row = cut.world.pool.heard.risk[cut.replay.columns["row"][:n]] < 3
    assert (cut.replay.columns["goes_on"][:n][calm_row] == 1).all()
    assert not ended.replay.columns["goes_on"][: len(ended.replay)].any()


def test_a_small_run_learns_to_choose_gold_and_to_call_a_crisis():
    learning = replace(SMALL, episodes=6000, environments=32, bandit=True, updates=8, rate=2e-3,
                       hidden=(32,), improvement_reward=False, dropout=0.0,
                       epsilon=(1.0, 1.0), capacity=8000)  # fmt: skip
    one = trainer(learning)
    network = one.run()
    pool = one.world.pool
    first = np.repeat(encode_sessions([START]), len(pool), axis=0)
    best = network.values(np.hstack([pool.words, first])).argmax(axis=1)
    high = pool.truth.risk == Risk.HIGH.rank
    assert (best[high] == CRISIS).all()
    assert (best[~high] != CRISIS).all()
    gold, _ = grade_of(pool.truth.labels, best)
    severe = (pool.truth.intensity == Intensity.SEVERE.rank) & ~high
    assert gold[severe].mean() > 0.9
