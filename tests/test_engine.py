"""The hall: order, gate, guard and what happens when a room fails."""

import pytest

from tests.fakes import FakeDetector, FakePolicy, FakeResponder
from untwist.engine import Engine, load_detector, load_policy, session_before
from untwist.errors import ArtifactError, ConfigError, DataError, SafetyError
from untwist.policy import MatrixPolicy
from untwist.safety import help_block
from untwist.schema import START, Session, Turn, Utterance
from untwist.taxonomy import Distortion, Risk, Strategy

_HEARS = FakeDetector({"loser": Distortion.LABELING})


def test_a_turn_keeps_everything_that_led_to_the_reply():
    turn = Engine(_HEARS).turn("I am a loser")
    assert turn.assessment.findings[0].distortion is Distortion.LABELING
    assert turn.choice.strategy is Strategy.BEHAVIOR_VS_IDENTITY
    assert turn.verdict.passed
    assert not turn.replaced
    assert turn.versions["detector"] == _HEARS.name
    assert Turn.from_dict(turn.to_dict()).reply == turn.reply


def test_a_policy_that_breaks_the_gate_is_overruled():
    engine = Engine(_HEARS, FakePolicy(Strategy.CRISIS_INTERVENTION))
    choice = engine.turn("I am a loser").choice
    assert choice.strategy is not Strategy.CRISIS_INTERVENTION
    assert choice.policy == "fake-policy 1+gate"


@pytest.mark.parametrize("text", ["I want to die", "我想自杀"])
def test_at_high_risk_any_policy_ends_in_crisis_intervention(text):
    for strategy in Strategy:
        engine = Engine(load_detector(), FakePolicy(strategy))
        turn = engine.turn(text)
        assert turn.assessment.risk is Risk.HIGH
        assert turn.choice.strategy is Strategy.CRISIS_INTERVENTION
        assert turn.reply.strategy is Strategy.CRISIS_INTERVENTION


def test_a_draft_that_breaks_a_rule_is_replaced_and_the_verdict_kept():
    engine = Engine(_HEARS, responder=FakeResponder("You clearly have depression."))
    turn = engine.turn("I am a loser")
    assert turn.replaced
    assert "R10" in turn.verdict.rules
    assert "depression" not in turn.reply.text
    assert turn.reply.responder != "fake-responder 1"


def test_at_high_risk_a_bad_draft_is_replaced_by_the_help_block():
    engine = Engine(load_detector(), responder=FakeResponder("Cheer up."), region="US")
    turn = engine.turn("I want to die")
    assert turn.replaced
    assert turn.reply.text == help_block("en", "US")


@pytest.mark.parametrize("error", [RuntimeError("boom"), KeyError("x"), DataError("bad")])
def test_any_failure_ends_in_the_help_block_and_never_in_no_risk(error):
    engine = Engine(_HEARS, responder=FakeResponder(error), region="US")
    with pytest.raises(SafetyError) as caught:
        engine.turn("I am a loser")
    assert help_block("en", "US") in str(caught.value)
    assert caught.value.__cause__ is error


def test_an_unreadable_message_is_the_callers_mistake():
    with pytest.raises(DataError):
        Engine(_HEARS).turn("")


def test_an_unknown_region_or_model_is_named():
    with pytest.raises(ConfigError):
        Engine.default(region="XX")
    with pytest.raises(ArtifactError, match="no model folder"):
        load_detector("/nowhere/at/all")


def test_the_same_message_gets_the_same_turn():
    engine = Engine.default(region="GB")
    message = Utterance("She hasn't called, she must be fed up with me.")
    assert engine.turn(message) == engine.turn(message)


def test_the_history_is_carried_into_the_screen():
    history = (
        Utterance("I want to die"),
        Utterance("Are you thinking about ending your life?", role="assistant"),
    )
    assert Engine.default().turn("yes", history).assessment.risk is Risk.HIGH


def test_the_policy_is_told_what_was_done_before_and_how_it_was_answered():
    policy = FakePolicy(Strategy.FINDING_THE_GRAY)
    engine, turns, history = Engine(_HEARS, policy), [], []
    for text in ("one thing", "another thing", "a third thing"):
        turn = engine.turn(text, history, turns)
        turns.append(turn)
        history += [Utterance(text), Utterance(turn.reply.text, turn.reply.lang, role="assistant")]
    once, twice = policy.seen[1:]
    assert policy.seen[0] == START
    assert once == Session(1, (turns[0].reply.strategy,), 0.0)
    assert twice == Session(2, tuple(t.reply.strategy for t in turns[:2]), 0.0)


def test_a_history_without_turns_counts_messages_and_invents_no_strategies():
    policy = FakePolicy(Strategy.FINDING_THE_GRAY)
    history = (Utterance("one"), Utterance("I hear you.", role="assistant"), Utterance("two"))
    Engine(_HEARS, policy).turn("three", history)
    assert policy.seen == [Session(2)]
    assert session_before(_HEARS.detect(Utterance("x"))) == START


def test_policies_are_found_by_name_and_by_folder():
    assert load_policy("matrix") == MatrixPolicy()
    assert Engine.default(policy="matrix").policy.name == "matrix@1"
    with pytest.raises(ArtifactError, match="no model folder"):
        load_policy("/nowhere/at/all")
