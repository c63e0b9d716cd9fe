"""JSON in answers: found, repaired, checked, and never made up."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from untwist.errors import ModelError, ParseError
from untwist.llm import faults, parsed
from untwist.llm.structured import in_words, spoken

SCHEMA = {
    "type": "object",
    "required": ["labels"],
    "additionalProperties": False,
    "properties": {
        "labels": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2},
        "score": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
        "why": {"type": "string", "minLength": 1},
        "sure": {"const": True},
        "kind": {"anyOf": [{"type": "integer"}, {"const": "other"}]},
    },
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, 2]}',
        ' \n{"a": [1, 2]}\n',
        '```json\n{"a": [1, 2]}\n```',
        'Here it is:\n```\n{"a": [1, 2]}\n```\nI hope that helps.',
        '{"a": [1, 2,],}',
        '答案是 {"a": [1, 2]}。',
        'I weighed {both} sides [at length]: {"a": [1, 2]}',
        'First {"a": [1, 2]}, and again {"a": [1, 2]}',
        'It is {"a": [1, 2]}, thus:\n```json\n{"a": [1, 2]}\n```',
        'By the sources [1] and [2]:\n```json\n{"a": [1, 2]}\n```',
    ],
)
def test_the_value_is_found_in_whatever_stands_around_it(text):
    assert parsed(text) == {"a": [1, 2]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I cannot say.",
        '{"a": [1, 2',
        '{"a": {"b": 1}',
        '[{"a": 1}, {"b"',
        '{"a": 1} or {"a": 2}',
        '{"a": NaN}',
        "{'a': 1}",
        '```json\n{"a": 1}\n```\n```json\n{"a": 2}\n```',
        "[" * 100_000,
        '{"a": 1, "a": 2}',
        '{"a": 1, "a": 1}',
        '[{"b": {"a": 1, "a": 2}}]',
        'So: {"a": 1, "a": 2}',
        '```json\n{"a": 1, "a": 2}\n```',
        'My answer: {"a": 1}\nThe form is:\n```json\n{"a": 2}\n```',
        '```json\n{"a": 1}\n```\nNo, it is {"a": 2}.',
        "```json\n[1]\n```\nNo, it is [2].",
        '{"a": 1} or {"a": true}',
    ],
)
def test_what_is_broken_or_said_twice_is_no_answer(text):
    with pytest.raises(ParseError) as caught:
        parsed(text)
    assert caught.value.reason == "not_json"
    assert caught.value.raw == text


def test_commas_within_texts_stay():
    assert parsed('{"a": "one, ]two,}", "b": "\\",]",}') == {"a": "one, ]two,}", "b": '",]'}


@settings(max_examples=40)
@given(VALUES)
def test_every_json_value_is_read_back_bare_and_fenced(value):
    text = json.dumps(value, ensure_ascii=False)
    assert parsed(text) == value
    assert parsed(f"```json\n{text}\n```") == value or "```" in text


@settings(max_examples=40)
@given(st.dictionaries(st.text(max_size=5), VALUES, min_size=1, max_size=3))
def test_every_object_is_found_in_prose(value):
    text = json.dumps(value, ensure_ascii=True)
    assert parsed(f"Well. {text} That is all.") == value


def test_a_value_that_keeps_the_schema_has_no_fault():
    good = {"labels": ["a"], "score": None, "why": "因为", "sure": True, "kind": "other"}
    assert list(faults(good, SCHEMA)) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"labels": None}, "$.labels is not of type array"),
        ({"labels": ["secret"]}, "$.labels[0] is none of the values"),
        ({"labels": ["a", "b", "a"]}, "$.labels has more than 2"),
        ({"score": 1.5}, "$.score is above 1"),
        ({"score": -1}, "$.score is below 0"),
        ({"score": True}, "$.score is not of type"),
        ({"why": ""}, "$.why is shorter than 1"),
        ({"sure": 1}, "$.sure is not the value"),
        ({"kind": "secret"}, "$.kind fits none"),
        ({"secret": 1}, "$ has a field that the schema does not know"),
    ],
)
def test_every_fault_names_its_place_and_quotes_nothing(change, fault):
    (found,) = faults({"labels": []} | change, SCHEMA)
    assert found.startswith(fault)
    assert "secret" not in found


def test_a_missing_field_is_a_fault_and_the_answer_is_kept_aside():
    with pytest.raises(ParseError, match=r"\$\.labels is missing") as caught:
        parsed('{"why": "x"}', SCHEMA)
    assert caught.value.reason == "parse"
    assert caught.value.raw == '{"why": "x"}'


def test_the_schema_in_words_is_added_to_the_last_message_only():
    asked = ({"role": "system", "content": "s"}, {"role": "user", "content": "u"})
    before, last = in_words(asked, SCHEMA)
    assert before == asked[0]
    assert last["content"].startswith("u\n\n")
    assert last["content"].endswith(json.dumps(SCHEMA, ensure_ascii=False))
    assert asked[1]["content"] == "u"


def test_thinking_is_left_out_and_thinking_without_end_is_no_answer():
    assert spoken("<think>a\nb</think>\n\n yes ") == "yes"
    assert spoken("I <think> so") == "I <think> so"
    with pytest.raises(ModelError) as caught:
        spoken("<think>and then")
    assert caught.value.reason == "cut"
