"""Requests are values; a scripted model says what it is told; names find their models."""

import asyncio
import json

import pytest

from untwist.errors import ConfigError, DataError, ModelError
from untwist.llm import (
    Answer,
    CachedModel,
    HttpModel,
    Model,
    Request,
    ScriptedModel,
    key_of,
    open_model,
    request_of,
)

ASK = {"role": "user", "content": "问"}


def test_equal_requests_are_equal_whatever_order_their_fields_had():
    one = Request(({"role": "user", "content": "x"},), extra={"a": 1, "b": 2})
    two = Request(({"content": "x", "role": "user"},), extra={"b": 2, "a": 1})
    assert one == two
    assert len({one, two}) == 1
    assert key_of("m", one) == key_of("m", two)


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"temperature": 0.1}, {"prompt": "x@2"}, {"schema": {}}, {"stop": ("a",)}],
)
def test_whatever_differs_has_another_key(change):
    assert key_of("m", Request((ASK,))) != key_of("m", Request((ASK,), **change))
    assert key_of("m", Request((ASK,))) != key_of("n", Request((ASK,)))


def test_a_request_does_not_change_with_what_it_was_made_of():
    message = {"role": "user", "content": "x"}
    asked = Request((message,))
    message["content"] = "y"
    assert asked.messages[0]["content"] == "x"


@pytest.mark.parametrize("extra", [{"a": float("nan")}, {"a": object()}])
def test_what_is_no_json_is_no_request(extra):
    with pytest.raises(ConfigError):
        Request((ASK,), extra=extra)
    with pytest.raises(ConfigError, match="no message"):
        Request(())


def test_loose_options_become_fields_and_the_rest_goes_along():
    asked = request_of([ASK], seed=3, stop="END", top_k=5, extra={"x": 1})
    assert (asked.seed, asked.stop, asked.extra) == (3, ("END",), {"x": 1, "top_k": 5})


def test_a_scripted_model_answers_in_order_keeps_what_it_was_asked_and_runs_out():
    model = ScriptedModel(["one", Answer("two", "m"), ModelError("late", reason="timeout"), " "])
    assert isinstance(model, Model)
    assert model.chat([ASK]) == "one"
    assert model.complete(Request((ASK,))).model == "m"
    for reason in ("timeout", "empty", "empty"):
        with pytest.raises(ModelError) as caught:
            model.chat([ASK])
        assert caught.value.reason == reason
    assert len(model.requests) == 5
    assert model.requests[0].messages == (ASK,)


def test_a_scripted_model_may_be_a_function():
    model = ScriptedModel(lambda request: request.messages[0]["content"] + "！")
    assert [model.chat([ASK]) for _ in range(2)] == ["问！", "问！"]


def test_a_model_can_be_waited_for_inside_a_running_loop():
    async def inside():
        return ScriptedModel(["one"]).chat([ASK])

    assert asyncio.run(inside()) == "one"


def test_the_environment_says_where_a_model_is():
    known = {"UNTWIST_LLM_URL": "http://127.0.0.1:9/v1", "UNTWIST_LLM_MODEL": "tiny"}
    for name in (None, "tiny"):
        model = open_model(name, known)
        assert isinstance(model, HttpModel)
        assert model.name == "tiny"
    assert open_model("other", known).name == "other"
    with pytest.raises(ConfigError, match="UNTWIST_LLM_URL"):
        open_model("tiny", {})
    with pytest.raises(ConfigError, match="UNTWIST_LLM_MODEL"):
        open_model(None, {"UNTWIST_LLM_URL": "http://127.0.0.1:9/v1"})


CONFIG = """
[models.big]
url = "http://127.0.0.1:9/v1"
model = "org/big"
key_env = "BIG_KEY"
timeout = 5
prices = { prompt = 1.0, completion = 2.0 }
limits = { concurrency = 3, cost = 0.5 }
"""


def test_a_config_file_holds_several_models_and_no_key(tmp_path):
    file = tmp_path / "models.toml"
    file.write_text(CONFIG, encoding="utf-8")
    assert open_model("big", {"BIG_KEY": "k"}, file).name == "org/big"
    for name, known, words in (
        ("big", {}, "BIG_KEY, which is not set"),
        ("bigg", {"BIG_KEY": "k"}, 'did you mean "big"'),
    ):
        with pytest.raises(ConfigError, match=words):
            open_model(name, {"UNTWIST_LLM_CONFIG": str(file), **known})


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("timeout", "timeot", 'did you mean "timeout"'),
        ("concurrency", "concurency", 'did you mean "concurrency"'),
        ("cost = 0.5", "cost = 0", "cost is 0"),
        ("completion = 2.0", "completion = -2.0", "below 0"),
        (", completion = 2.0", "", "lacks"),
        ("timeout = 5", 'transport = "own "', "own or sdk"),
        ('url = "http', 'url = "ftp', "URL"),
        ("[models.big]", "[model.big]", "models.NAME"),
        ("[models.big]", "[models.big", "TOML"),
    ],
)
def test_a_fault_in_the_config_file_is_one_clear_error(tmp_path, old, new, words):
    file = tmp_path / "models.toml"
    file.write_text(CONFIG.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        open_model("big", {"BIG_KEY": "k"}, file)


def test_models_on_other_machines_can_be_refused():
    known = {"UNTWIST_LLM_URL": "https://models.example/v1", "UNTWIST_LLM_LOOPBACK_ONLY": "1"}
    with pytest.raises(ConfigError, match="another machine"):
        open_model("m", known)
    assert open_model("m", known | {"UNTWIST_LLM_LOOPBACK_ONLY": "0"}).name == "m"
    near = {"UNTWIST_LLM_URL": "http://127.0.0.1:1/v1", "UNTWIST_LLM_LOOPBACK_ONLY": "1"}
    assert open_model("m", near).name == "m"


def test_a_file_of_answers_is_a_model(tmp_path):
    file = tmp_path / "said.jsonl"
    lines = ["one", {"error": "timeout"}]
    file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    model = open_model(f"scripted:{file}")
    assert model.chat([ASK]) == "one"
    with pytest.raises(ModelError) as caught:
        model.chat([ASK])
    assert caught.value.reason == "timeout"
    for wrong in ("{", "3", '{"error": "odd"}'):
        file.write_text(wrong, encoding="utf-8")
        with pytest.raises(DataError, match=":1"):
            open_model(f"scripted:{file}")


def test_a_wrapped_model_keeps_its_name(tmp_path):
    assert CachedModel(ScriptedModel([], "s@1"), None).name == "s@1"
