"""Half a free text is the error "cut"; an error's code tells neither the key nor a text."""

import asyncio
from dataclasses import replace

import pytest

from tests.servers.misbehaving import BEHAVIOURS, Misbehaving, completion, error, sent, stream
from untwist.errors import ModelError
from untwist.llm import Answer, Cache, CachedModel, HttpModel, Limits, Request, ScriptedModel

ASK = Request(({"role": "user", "content": "q"},), max_tokens=5)
SCHEMA = {"type": "object", "required": ["n"]}


def ask(monkeypatch, response, request=ASK, key=None, **options):
    monkeypatch.setitem(BEHAVIOURS, "given", [response])
    with Misbehaving("given") as server:
        model = HttpModel("m", server.url, key, limits=Limits(), **options)
        return asyncio.run(model.acomplete(request)), len(server.bodies)


def fault(monkeypatch, response, **options):
    with pytest.raises(ModelError) as caught:
        ask(monkeypatch, response, **options)
    return caught.value


@pytest.mark.loopback
@pytest.mark.parametrize(
    "response", [sent(completion("This is a half", "length")), stream("This is", end="length")]
)
def test_a_text_that_ends_at_its_maximum_is_cut_unless_it_is_kept(monkeypatch, response):
    found = fault(monkeypatch, response)
    assert (found.reason, found.retryable) == ("cut", False)
    answer, _ = ask(monkeypatch, response, replace(ASK, keep_cut=True))
    assert answer.text.startswith("This is")
    assert answer.finish == "length"


@pytest.mark.loopback
def test_json_that_keeps_its_schema_is_whole_wherever_it_ends(monkeypatch):
    response = sent(completion('{"n": 1}', "length"))
    answer, _ = ask(monkeypatch, response, replace(ASK, schema=SCHEMA))
    assert answer.text == '{"n": 1}'


@pytest.mark.loopback
def test_a_stream_of_pieces_that_ends_at_its_maximum_ends_in_the_error(monkeypatch):
    monkeypatch.setitem(BEHAVIOURS, "given", [stream("This is", end="length")])
    pieces = []

    async def listen(url):
        async for piece in HttpModel("m", url).astream(ASK):
            pieces.append(piece)

    with Misbehaving("given") as server, pytest.raises(ModelError) as caught:
        asyncio.run(listen(server.url))
    assert caught.value.reason == "cut"
    assert pieces == ["This is"]


def test_a_script_cuts_as_a_server_does_and_a_cut_is_kept_only_for_who_asks(tmp_path):
    half = Answer("This is a half", "m", "length")
    with Cache(tmp_path / "c") as cache:
        model = CachedModel(ScriptedModel([half] * 2), cache)
        assert model.complete(replace(ASK, keep_cut=True)).text == half.text
        with pytest.raises(ModelError) as caught:
            model.complete(ASK)
        assert len(cache) == 1
    assert caught.value.reason == "cut"
    assert ScriptedModel([half]).chat(ASK.messages, keep_cut=True) == half.text


@pytest.mark.loopback
@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("invalid_api_key", True),
        ("sk-proj-secret12345", False),
        ("secret_key", False),
        ("my_secret_key_is_wrong", False),
        ("secret", False),
        ("model.not.found", False),
        ("code1", False),
    ],
)
def test_a_code_is_told_only_where_it_cannot_be_the_key(monkeypatch, code, shown):
    found = fault(monkeypatch, error(401, code), key="secret_key")
    assert (f"({code})" in str(found)) == shown
    assert shown or code not in str(found)
