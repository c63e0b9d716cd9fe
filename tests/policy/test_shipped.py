"""The shipped policy: small, described, and different from a table look-up where it should be."""

import numpy as np
import pytest

from tests.conformance.conftest import assessment
from untwist.artifacts import shipped
from untwist.engine import DEFAULT_POLICY, LEARNED_POLICY, Engine, load_policy
from untwist.policy import MatrixPolicy
from untwist.safety import allowed
from untwist.schema import START, Session
from untwist.taxonomy import CANONICAL, Intensity, Risk, Strategy, row

S = Strategy
_WORDS = {"en": "it has been like this again all week", "zh": "这一整个星期又是这样"}


@pytest.fixture(scope="module")
def policy():
    return load_policy("learned")


def heard(distortion, lang="en", intensity=Intensity.MODERATE, risk=Risk.LOW):
    return assessment(_WORDS[lang], risk, intensity, distortion)


def every(**how):
    return [heard(d, lang, **how) for d in CANONICAL for lang in _WORDS]


def chosen(policy, assessments, session=START):
    return [policy.choose(a, allowed(a.risk), session).strategy for a in assessments]


def test_it_is_small_and_its_card_says_what_it_is_not():
    folder = shipped(LEARNED_POLICY)
    assert sum(f.stat().st_size for f in folder.iterdir()) <= 2 * 1024 * 1024
    card = " ".join((folder / "README.md").read_text(encoding="utf-8").split())
    assert "runs/policy_v1.sh" in card
    assert "Nobody that it learnt with is real" in card


def test_the_default_engine_chooses_by_it():
    assert DEFAULT_POLICY == "learned"
    assert Engine.default().policy.name == LEARNED_POLICY


def test_a_first_thought_that_is_not_mild_is_answered_with_gold_in_nearly_every_case(policy):
    found = chosen(policy, every())
    gold = [row(d).gold for d in CANONICAL for _ in _WORDS]
    assert np.mean([a is b for a, b in zip(found, gold, strict=True)]) >= 0.9


def test_it_listens_after_a_challenge_and_challenges_after_it_has_listened(policy):
    pressed = Session(1, (S.REALITY_TESTING,), 0.0)
    rested = Session(2, (S.REALITY_TESTING, S.EMPATHIC_VALIDATION), 0.0)
    listens = [s is S.EMPATHIC_VALIDATION for s in chosen(policy, every(), pressed)]
    assert np.mean(listens) >= 0.8
    assert S.EMPATHIC_VALIDATION not in chosen(policy, every(), rested)
    # the matrix does not know what was done before
    assert chosen(MatrixPolicy(), every(), pressed) == chosen(MatrixPolicy(), every())


def test_without_a_gate_it_calls_a_crisis_at_high_risk_and_nowhere_else(policy):
    everything = frozenset(Strategy)
    high = every(risk=Risk.HIGH, intensity=Intensity.SEVERE)
    calls = [policy.choose(a, everything).strategy is S.CRISIS_INTERVENTION for a in high]
    assert np.mean(calls) >= 0.95
    for risk in (Risk.NONE, Risk.LOW, Risk.MEDIUM):
        for one in every(risk=risk):
            assert policy.choose(one, everything).strategy is not S.CRISIS_INTERVENTION


def test_where_nothing_is_distorted_it_listens(policy):
    calm = [assessment(words, distortion=None) for words in _WORDS.values()]
    assert set(chosen(policy, calm)) == {S.EMPATHIC_VALIDATION}


@pytest.mark.parametrize("text", ["\u0301", "😀", "42", "?", "。", "Привет", "<b>"])
def test_odd_messages_get_a_turn_as_well(text):
    assert Engine.default().turn(text).choice.policy == LEARNED_POLICY
