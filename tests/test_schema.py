"""The values: frozen, checked at the door, and the same after a trip through JSON."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from untwist.errors import DataError
from untwist.schema import Assessment, Choice, Dialogue, Finding, Reply, Turn, Utterance, Verdict
from untwist.taxonomy import CANONICAL, Acuity, Intensity, Risk, Strategy

_WORDS = st.text(alphabet="abc 我很累", min_size=1, max_size=20).filter(str.strip)
_FINDINGS = st.builds(
    Finding,
    st.sampled_from(CANONICAL),
    st.floats(0, 1).map(lambda x: round(x, 4)),
    st.none() | st.integers(0, 5),
    st.none() | st.integers(5, 9),
)
_ASSESSMENTS = st.builds(
    Assessment,
    st.builds(Utterance, _WORDS),
    st.lists(_FINDINGS, max_size=3).map(tuple),
    st.none() | st.sampled_from(Intensity),
    st.sampled_from(Risk),
    st.lists(st.sampled_from(Acuity), max_size=2).map(tuple),
    st.just(("en-plan-01",)),
    st.just("d@1"),
)
_TURNS = st.builds(
    Turn,
    _ASSESSMENTS,
    st.builds(
        Choice,
        st.sampled_from(Strategy),
        st.none() | st.sampled_from(CANONICAL),
        st.sampled_from(["gold", "silver", "validation", "safety"]),
        st.just("p@1"),
    ),
    st.builds(
        Reply,
        _WORDS,
        st.sampled_from(["en", "zh"]),
        st.sampled_from(Strategy),
        st.just(("validation",)),
        st.just("r@1"),
    ),
    st.builds(Verdict, st.booleans(), st.just(("R10",))),
    st.booleans(),
    st.just({"detector": "d@1"}),
)


@given(_TURNS)
def test_a_turn_is_the_same_after_json(turn):
    assert Turn.from_dict(json.loads(json.dumps(turn.to_dict()))) == turn


@pytest.mark.parametrize("broken", [{}, {"assessment": None}, {"assessment": {"risk": "huge"}}])
def test_a_record_that_is_no_turn_is_refused(broken):
    with pytest.raises(DataError, match="not a turn record"):
        Turn.from_dict(broken)


def test_values_cannot_be_changed():
    utterance = Utterance("hello")
    with pytest.raises(dataclasses.FrozenInstanceError):
        utterance.text = "other"


def test_the_language_is_told_when_it_is_not_given():
    assert Utterance("好累").lang == "zh"
    assert Utterance("好累", "en").lang == "en"
    assert Utterance("42").lang is None


@pytest.mark.parametrize(
    "arguments", [{"text": ""}, {"text": "a", "lang": "fr"}, {"text": "a", "role": "doctor"}]
)
def test_an_utterance_that_cannot_be_read_is_refused(arguments):
    with pytest.raises(DataError):
        Utterance(**arguments)


def test_a_dialogue_needs_one_label_entry_per_utterance():
    with pytest.raises(DataError, match="1 utterances but 0 labels"):
        Dialogue("d1", "toy", (Utterance("hi"),), (), "g")
