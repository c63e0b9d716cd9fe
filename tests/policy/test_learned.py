"""A learned policy obeys its gate whatever its weights say, and refuses what is not its own."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conformance.conftest import assessment
from tests.policy import tiny
from untwist import artifacts
from untwist.embed import StaticEncoder
from untwist.errors import ArtifactError, DataError, SafetyError
from untwist.policy import LearnedPolicy
from untwist.policy.learned import KIND
from untwist.policy.network import Network
from untwist.policy.ranking import match
from untwist.policy.reward import ACTIONS
from untwist.policy.state import StateEncoder
from untwist.safety import allowed
from untwist.schema import START, Session
from untwist.taxonomy import CANONICAL, Distortion, Intensity, Risk, Strategy, row

D, S = Distortion, Strategy
_STATE = StateEncoder(StaticEncoder(8))


def policy(seed=0, scale=1.0):
    network = Network.fresh((_STATE.size, 6, len(ACTIONS)), np.random.default_rng(seed))
    network.flat[:] *= scale
    return LearnedPolicy("made-up@1", network, _STATE)


_HEARD = st.builds(
    assessment,
    st.sampled_from(["a thought", "一个念头", "I want to go home"]),
    st.sampled_from(Risk),
    st.sampled_from([None, *Intensity]),
    st.sampled_from([None, *CANONICAL]),
)
_USED = st.lists(st.sampled_from(Strategy), max_size=6)
_RESPONSE = st.one_of(st.none(), st.floats(-1, 1))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.0, 1.0, 1e3]), _HEARD, _USED, _RESPONSE)
def test_whatever_the_weights_high_risk_gets_crisis_intervention_and_nothing_else_does(
    seed, scale, heard, used, response
):
    session = Session(len(used), tuple(used), response)
    choice = policy(seed, scale).choose(heard, allowed(heard.risk), session)
    assert (choice.strategy is S.CRISIS_INTERVENTION) == (heard.risk is Risk.HIGH)
    assert (choice.grade == "safety") == (heard.risk is Risk.HIGH)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_the_shield_holds_for_whole_conversations_of_random_networks(seed):
    env = tiny.environment(128, seed % 1000)
    network = tiny.network(seed)
    for _ in range(4):
        values = network.values(env.places().states(tiny.pool()))
        action = np.where(env.mask(), values, -np.inf).argmax(axis=1)
        high = tiny.pool().heard.risk[env.row] == Risk.HIGH.rank
        assert np.array_equal(action == ACTIONS.index(S.CRISIS_INTERVENTION), high)
        env.turn(action)


def test_acting_is_a_pure_function_of_its_arguments():
    one, heard = policy(), assessment("a thought")
    session = Session(2, (S.FINDING_THE_GRAY,), 0.25)
    first = one.rank(heard, allowed(Risk.LOW), session)
    one.q([assessment("another", Risk.HIGH)], [START])
    assert one.rank(heard, allowed(Risk.LOW), session) == first


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_choose_nothing(broken):
    network = Network.fresh((_STATE.size, 6, len(ACTIONS)), np.random.default_rng(0))
    network.flat[-1] = broken
    with pytest.raises(DataError, match="NaN or infinite"):
        LearnedPolicy("made-up@1", network, _STATE)
    one, heard = policy(), assessment("a thought")
    one.network.flat[-1] = broken
    for ask in (one.choose, one.rank):
        with pytest.raises(DataError, match="NaN or infinite"):
            ask(heard, allowed(Risk.LOW))


def test_the_best_allowed_strategy_is_chosen_and_the_lower_number_of_equals():
    one, heard = policy(), assessment("a thought")
    values = one.q([heard], [START])[0]
    may = frozenset({S.FINDING_THE_GRAY, S.COST_BENEFIT, S.REATTRIBUTION})
    expected = max(may, key=lambda s: values[ACTIONS.index(s)])
    assert one.choose(heard, may).strategy is expected
    level = policy(scale=0.0)
    assert level.choose(heard, may).strategy is S.FINDING_THE_GRAY


def test_a_ranking_has_every_strategy_by_value_and_says_which_are_allowed():
    ranked = policy().rank(assessment("a thought"), allowed(Risk.LOW))
    values = [one.value for one in ranked]
    assert values == sorted(values, reverse=True)
    assert {one.strategy for one in ranked} == set(Strategy)
    assert {one.strategy for one in ranked if not one.allowed} == {S.CRISIS_INTERVENTION}


@pytest.mark.parametrize("distortion", CANONICAL)
def test_a_choice_says_what_it_is_for_by_the_matrix(distortion):
    heard = assessment("a thought", distortion=distortion)
    assert match(row(distortion).gold, heard) == (distortion, "gold")
    for strategy in row(distortion).silver:
        assert match(strategy, heard) == (distortion, "silver")
    others = set(Strategy) - {row(distortion).gold, *row(distortion).silver}
    grades = {s: match(s, heard)[1] for s in others}
    assert grades.pop(S.CRISIS_INTERVENTION) == "safety"
    assert set(grades.values()) == {"validation"}


def test_values_change_with_the_session():
    one, heard = policy(), assessment("a thought")
    later = Session(1, (S.EMPATHIC_VALIDATION,), 0.5)
    assert not np.array_equal(*one.q([heard, heard], [START, later]))


def test_nothing_allowed_is_an_error():
    with pytest.raises(SafetyError):
        policy().choose(assessment("a thought"), frozenset())


def test_a_folder_gives_the_same_policy_again(tmp_path):
    one = policy()
    one.save(tmp_path, "# made up\n")
    again = LearnedPolicy.load(tmp_path)
    heard = [assessment("a thought"), assessment("一个念头", Risk.HIGH)]
    assert np.array_equal(again.q(heard, [START] * 2), one.q(heard, [START] * 2))
    assert again.name == "made-up@1"


def test_half_precision_halves_the_file_and_hardly_moves_a_value(tmp_path):
    one = policy()
    one.save(tmp_path / "full", "x")
    one.save(tmp_path / "half", "x", np.float16)
    sizes = [(tmp_path / n / "model.safetensors").stat().st_size for n in ("full", "half")]
    assert sizes[1] < 0.75 * sizes[0]
    heard = [assessment("a thought")]
    half = LearnedPolicy.load(tmp_path / "half").q(heard, [START])
    assert half.dtype == np.float32
    np.testing.assert_allclose(half, one.q(heard, [START]), atol=2e-2)


def _change(folder, **values):
    file = folder / "config.json"
    config = json.loads(file.read_text(encoding="utf-8")) | values
    file.write_text(json.dumps({k: v for k, v in config.items() if v is not None}), "utf-8")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoder": "another@1"}, "was trained with the encoder"),
        ({"encoder_size": 16}, "was trained with the encoder"),
        ({"state_version": 9}, "state version 9"),
        ({"encoder_size": None}, "lacks 'encoder_size'"),
        ({"kind": "detector"}, 'not "policy-learned"'),
    ],
)
def test_a_folder_that_does_not_fit_is_refused(tmp_path, change, message):
    policy().save(tmp_path, "x")
    _change(tmp_path, **change)
    with pytest.raises(ArtifactError, match=message):
        LearnedPolicy.load(tmp_path)


def test_weights_that_are_no_numbers_or_of_another_size_are_refused(tmp_path):
    broken = policy()
    broken.network.flat[0] = np.nan
    broken.save(tmp_path / "nan", "x")
    with pytest.raises(ArtifactError, match="NaN"):
        LearnedPolicy.load(tmp_path / "nan")
    small = Network.fresh((5, 4, 10), np.random.default_rng(0))
    LearnedPolicy("x", small, _STATE).save(tmp_path / "small", "x")
    with pytest.raises(ArtifactError, match="train it again"):
        LearnedPolicy.load(tmp_path / "small")
    tensors = policy().network.tensors()
    del tensors["bias_1"]
    config = json.loads((tmp_path / "nan" / "config.json").read_text(encoding="utf-8"))
    artifacts.save(tmp_path / "gap", artifacts.Artifact(KIND, config, tensors), "x")
    with pytest.raises(ArtifactError):
        LearnedPolicy.load(tmp_path / "gap")


class _Nan:
    name, size = "static-8@1", 8

    def encode(self, texts):
        return np.full((len(texts), 8), np.nan, np.float32)


def test_an_encoder_that_gives_nan_stops_the_choice():
    broken = LearnedPolicy("x", policy().network, StateEncoder(_Nan()))
    with pytest.raises(DataError, match="NaN"):
        broken.choose(assessment("a thought"), allowed(Risk.LOW))
