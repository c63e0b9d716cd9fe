"""What a prompt renders it reads back, in every language and taxonomy."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.llm.prompts.values import PROMPTS, SETS, VALUES
from untwist.errors import ParseError
from untwist.llm.prompts import Detect, Seeker, labels_of
from untwist.llm.structured import faults
from untwist.taxonomy import LANGS

JSON = [prompt for prompt in PROMPTS if prompt.schema is not None]
quick = settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow], deadline=None)


def ids(prompt):
    return f"{prompt.id} {getattr(prompt, 'taxonomy', '')}".strip()


@pytest.mark.parametrize("prompt", PROMPTS, ids=ids)
@quick
@given(st.data())
def test_what_is_rendered_is_read_back(prompt, data):
    value = data.draw(VALUES[type(prompt)](prompt))
    assert prompt.parse(prompt.render(value)) == value


@pytest.mark.parametrize("prompt", JSON[:26], ids=ids)
@quick
@given(st.data())
def test_what_is_rendered_keeps_the_schema_that_is_sent(prompt, data):
    value = data.draw(VALUES[type(prompt)](prompt))
    assert list(faults(json.loads(prompt.render(value)), prompt.schema)) == []


@pytest.mark.parametrize(
    "around",
    [
        "```json\n{}\n```",
        "Here it is:\n{}\nI hope it helps.",
        "<think>maybe [1]</think>{}",
        " {}\n",
    ],
    ids=["fence", "prose", "thoughts", "blanks"],
)
@pytest.mark.parametrize("prompt", JSON[:18:2], ids=ids)
def test_what_stands_around_an_answer_does_not_change_it(prompt, around):
    value = _some(prompt)
    assert prompt.parse(around.replace("{}", prompt.render(value))) == value


def _some(prompt):
    """One value without anything odd in its texts."""
    return prompt.parse(json.dumps(_filled(prompt.schema), ensure_ascii=False))


def _filled(schema):
    """The smallest object that keeps a schema, one item in each list."""
    kind = schema["type"]
    if kind == "object":
        return {name: _filled(one) for name, one in schema["properties"].items()}
    if kind == "array":
        return [_filled(schema["items"])]
    if "enum" in schema:
        return schema["enum"][0]
    return True if kind == "boolean" else "some words"


@pytest.mark.parametrize("prompt", JSON, ids=ids)
def test_a_field_that_is_missing_or_of_another_kind_is_an_error_and_never_a_default(prompt):
    whole = _filled(prompt.schema)
    assert prompt.parse(json.dumps(whole)) is not None
    for name in whole:
        without = {key: one for key, one in whole.items() if key != name}
        for broken in (without, {**whole, name: 7.5}, {**whole, name: ""}):
            with pytest.raises(ParseError) as error:
                prompt.parse(json.dumps(broken))
            assert error.value.raw == json.dumps(broken)
            assert "some words" not in str(error.value)


@pytest.mark.parametrize("prompt", JSON[:24], ids=ids)
def test_schemas_are_closed_and_require_every_field(prompt):
    def walk(schema):
        if schema["type"] == "object":
            assert schema["additionalProperties"] is False
            assert schema["required"] == list(schema["properties"])
            for one in schema["properties"].values():
                walk(one)
        if schema["type"] == "array":
            walk(schema["items"])

    walk(prompt.schema)


@pytest.mark.parametrize("lang", LANGS)
def test_a_person_who_leaves_says_nothing_more(lang):
    seeker = Seeker(lang)
    assert seeker.parse("Well then. [LEAVES]").text is None
    assert seeker.parse("<think>leave?</think> Fine. ").text == "Fine."
    with pytest.raises(ParseError):
        seeker.parse("  ")


@pytest.mark.parametrize("taxonomy", SETS)
def test_every_example_is_read_back_and_quotes_its_text(taxonomy):
    shown = set()
    for lang in LANGS:
        prompt = Detect(lang, taxonomy, shots=99)
        for text, heard in prompt.examples():
            assert prompt.parse(prompt.render(heard)) == heard
            assert all(one.quote in text for one in heard.findings)
            shown |= {one.label for one in heard.findings}
    assert shown <= set(labels_of(taxonomy))
    assert len(shown) > 2
