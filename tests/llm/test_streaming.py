"""Pieces of an answer for whoever waits in no event loop."""

import time

import pytest

from tests.fakes import FakeChat
from tests.servers.misbehaving import SLOW, TEXT, Misbehaving
from untwist.errors import ModelError
from untwist.llm import HttpModel, Limits, ScriptedModel, pieces, request_of

ASKED = request_of([{"role": "user", "content": "hi"}])


def model(url):
    return HttpModel("served", url, limits=Limits(retries=0), timeout=5)


@pytest.mark.loopback
def test_a_stream_comes_piece_by_piece():
    with Misbehaving("stream") as server:
        assert list(pieces(model(server.url), ASKED, 5)) == ["A plain ", "answer."]


def test_a_model_that_cannot_stream_answers_in_one_piece():
    assert list(pieces(ScriptedModel([TEXT]), ASKED, 5)) == [TEXT]
    assert list(pieces(FakeChat([TEXT]), ASKED, 5)) == [TEXT]


@pytest.mark.parametrize("kind", [ScriptedModel, FakeChat])
def test_an_error_reaches_whoever_waits(kind):
    for error in (ModelError("no", reason="budget"), ZeroDivisionError()):
        with pytest.raises(type(error)):
            list(pieces(kind([error]), ASKED, 5))


@pytest.mark.loopback
def test_what_came_before_a_failure_is_given_and_then_the_failure():
    with Misbehaving("cut_stream") as server:
        made = pieces(model(server.url), ASKED, 5)
        assert next(made) == "A plain "
        with pytest.raises(ModelError):
            next(made)


@pytest.mark.loopback
@pytest.mark.parametrize("kind", ["silent", *SLOW])
def test_the_deadline_holds_for_the_whole_answer(kind):
    started = time.monotonic()
    with Misbehaving(kind) as server, pytest.raises(ModelError) as late:
        list(pieces(model(server.url), ASKED, 0.1))
    assert late.value.reason == "timeout"
    assert time.monotonic() - started < 2


@pytest.mark.loopback
def test_whoever_stops_listening_ends_the_call():
    with Misbehaving("endless_stream") as server:
        asked = model(server.url)
        made = pieces(asked, ASKED, 5)
        next(made)
        made.close()
        deadline = time.monotonic() + 2
        while asked._running and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not asked._running
