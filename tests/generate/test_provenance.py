"""Where an item comes from: every call is told, sums leave out what cost nothing."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.generate.scripts import told
from untwist.errors import ConfigError, DataError, ModelError, ParseError
from untwist.generate.asking import Asking, Question, Sampling, Titled, Voter, in_turn, voters
from untwist.generate.provenance import Call, provenance, sums
from untwist.llm import Answer, ScriptedModel, Usage, key_of

CALLS = st.builds(
    Call,
    model=st.sampled_from(["a@1", "b@1"]),
    prompt=st.sampled_from(["annotate.en@1", "annotate.zh@1"]),
    seed=st.none() | st.integers(0, 9),
    cache_key=st.text("abc", min_size=1, max_size=4),
    status=st.sampled_from(["done", "parse", "timeout"]),
    seconds=st.sampled_from([0.0, 0.5, 2.0]),
    tokens=st.none() | st.tuples(st.integers(0, 9), st.integers(0, 9)),
    cost=st.none() | st.sampled_from([0.0, 0.25]),
    cached=st.booleans(),
)


@given(CALLS)
def test_a_call_is_read_back_as_it_was_written(call):
    assert Call.from_dict(json.loads(json.dumps(call.to_dict()))) == call


def test_what_is_no_call_is_refused():
    with pytest.raises(DataError, match="not a call"):
        Call.from_dict({"model": "a"})


@given(st.lists(CALLS, max_size=6))
def test_every_call_is_either_made_or_cached_and_cached_ones_cost_nothing(calls):
    found = sums(calls)
    assert found["asked"] + found["cached"] == len(calls)
    made = [call for call in calls if not call.cached]
    assert found["seconds"] == sum(call.seconds for call in made)
    assert (found["cost"] is None) == all(call.cost is None for call in made)
    assert provenance("x@1", calls)["calls"] == [call.to_dict() for call in calls]


def test_seed_and_key_are_those_of_the_last_answer_that_was_read():
    calls = [
        Call("a", "p@1", 1, "k1"),
        Call("b", "q@1", 2, "k2"),
        Call("b", "q@1", 3, "k3", status="parse"),
    ]
    found = provenance("x@1", calls)
    assert (found["model"], found["prompt"]) == ("a+b", "p@1+q@1")
    assert (found["seed"], found["cache_key"]) == (2, "k2")


def test_an_item_that_asked_nothing_has_no_model():
    found = provenance("x@1", ())
    assert (found["model"], found["seed"], found["cost"], found["asked"]) == (None, None, None, 0)


def parse(text):
    if text != "good":
        raise ParseError("not good", raw=text)
    return text


QUESTION = Question("p.en@1", ({"role": "user", "content": "?"},), None, parse)


def asked(model, attempts=3, seed=5):
    asking = Asking(Sampling(attempts=attempts, seed=seed))
    return asking, asyncio.run(asking.ask(Voter(model, seed), QUESTION))


def test_an_answer_that_can_be_read_is_asked_for_once():
    model = ScriptedModel([Answer("good", "m", usage=Usage(3, 2), seconds=1.5, cost=0.1)])
    asking, value = asked(model)
    assert value == "good"
    (call,) = asking.calls
    assert (call.tokens, call.seconds, call.cost, call.seed) == ((3, 2), 1.5, 0.1, 5)


def test_every_attempt_has_a_seed_of_its_own_and_is_told():
    model = ScriptedModel(["bad", "bad", "good"])
    asking, _ = asked(model)
    assert [call.status for call in asking.calls] == ["parse", "parse", "done"]
    assert len({request.seed for request in model.requests}) == 3


def test_after_the_last_attempt_the_item_fails_for_that_reason():
    with pytest.raises(ParseError):
        asked(ScriptedModel(["bad", "bad", "bad"]))


def test_a_call_that_failed_is_not_asked_again_here():
    model = ScriptedModel([ModelError("late", reason="timeout"), "good"])
    with pytest.raises(ModelError, match="late"):
        asked(model)
    assert len(model.requests) == 1, "the model's own retries have been made already"


@pytest.mark.parametrize(
    "wrong", [{"temperature": 3.0}, {"max_tokens": 0}, {"attempts": 0}, {"seed": -1}]
)
def test_a_setting_out_of_range_is_told(wrong):
    with pytest.raises(ConfigError):
        Sampling(**wrong)


def test_voters_are_every_model_so_many_times_with_seeds_in_a_row():
    one, two = told({}, "a@1"), told({}, "b@1")
    assert [v.name for v in voters((one, two), 2, 7)] == ["a@1#7", "a@1#8", "b@1#7", "b@1#8"]
    with pytest.raises(ConfigError, match="at least one model"):
        voters((), 1, 7)


def test_one_model_with_one_seed_is_no_two_voters():
    twice = (told({}, "a@1"), told({}, "b@1"), told({}, "a@1"))
    with pytest.raises(ConfigError, match=r'2 voters are the same model "a@1".*name it once'):
        voters(twice, 1, 7)


def test_models_that_take_turns_may_be_equal():
    assert len(in_turn((told({}, "a@1"), told({}, "a@1")), 7)) == 2
    with pytest.raises(ConfigError, match="at least one model"):
        in_turn((), 7)


def test_a_voter_is_named_by_its_section_and_its_answers_by_its_model():
    model = Titled(told({"p": "good"}, "a@1"), "big")
    assert Voter(model, 7).name == "big (a@1)#7"
    asking, value = asked(model)
    assert (value, asking.calls[0].model) == ("good", "a@1")
    assert asking.calls[0].cache_key == key_of("a@1", model.model.requests[0])
