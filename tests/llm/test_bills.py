"""A budget binds on what fails as on what succeeds: what was sent is paid for."""

import asyncio

import pytest

from tests.servers.misbehaving import BEHAVIOURS, CUT, Misbehaving, completion, event, head, sent
from untwist.errors import ModelError
from untwist.llm import HttpModel, Limits, Prices, Request
from untwist.llm.limits import CAP, guess_of

pytestmark = pytest.mark.loopback
ASK = Request(({"role": "user", "content": "q"},), max_tokens=50)
GUESSED = guess_of(ASK).prompt + 50


def failed(behaviour, request=ASK, **options):
    """Tokens spent on one call that fails."""
    options.setdefault("limits", Limits(retries=0))
    with Misbehaving(behaviour) as server:
        model = HttpModel("m", server.url, **options)
        with pytest.raises(ModelError):
            asyncio.run(model.acomplete(request))
    return model.spent.tokens


@pytest.mark.parametrize(
    "behaviour",
    ["cut_at_once", "cut_body", "cut_stream", "server", "not_json", "bad_chunk", "endless", "html"],
)
def test_a_failure_after_sending_costs_what_was_guessed(behaviour):
    assert failed(behaviour, largest=10_000) == GUESSED


def test_a_call_that_times_out_costs_what_was_guessed():
    assert failed("silent", timeout=0.02) == GUESSED


@pytest.mark.parametrize("behaviour", ["empty", "refused", "still_thinking"])
def test_an_answer_that_is_of_no_use_costs_what_the_server_counted(behaviour):
    assert failed(behaviour) == 10


def test_a_stream_that_is_cut_costs_what_the_server_had_counted(monkeypatch):
    usage = {"prompt_tokens": 1000, "completion_tokens": 500}
    piece = {"choices": [{"delta": {"content": "hello"}}], "usage": usage}
    parts = [head(kind="text/event-stream") + event(piece), CUT]
    monkeypatch.setitem(BEHAVIOURS, "counted", parts)
    assert failed("counted", stream=True) == 1500


@pytest.mark.parametrize("behaviour", ["rate", "quota", "client", "key"])
def test_what_the_server_refuses_unread_is_free(behaviour):
    assert failed(behaviour) == 0


def test_what_reaches_no_server_is_free():
    with Misbehaving() as server:
        model = HttpModel("m", server.url, limits=Limits(retries=0))
    with pytest.raises(ModelError) as caught:
        asyncio.run(model.acomplete(ASK))
    assert caught.value.reason == "unreachable"
    assert model.spent.tokens == 0


def test_a_stream_that_is_left_early_is_paid_for():
    async def first(url):
        model = HttpModel("m", url)
        pieces = model.astream(ASK)
        await anext(pieces)
        await pieces.aclose()
        await model.aclose()
        return model.spent.tokens

    with Misbehaving("stream") as server:
        assert asyncio.run(first(server.url)) == GUESSED


def test_a_budget_ends_calls_that_only_fail():
    limits = Limits(cost=2.5 * GUESSED / 1e6, retries=0)
    with Misbehaving("server") as server:
        model = HttpModel("m", server.url, limits=limits, prices=Prices(1.0, 1.0))
        reasons = []
        for _ in range(4):
            with pytest.raises(ModelError) as caught:
                asyncio.run(model.acomplete(ASK))
            reasons.append(caught.value.reason)
        assert reasons == ["server", "server", "budget", "budget"]
        assert len(server.bodies) == 2


def test_many_at_once_keep_the_budget_and_what_is_sent_says_so(monkeypatch):
    answer = completion("yes")
    answer["usage"] = {"prompt_tokens": 300, "completion_tokens": CAP}
    monkeypatch.setitem(BEHAVIOURS, "long", [sent(answer)])
    asked = [Request(({"role": "user", "content": "我" * 300},), seed=n) for n in range(30)]

    async def all_of(url):
        model = HttpModel("m", url, limits=Limits(tokens=10_000, concurrency=30))
        calls = (model.acomplete(one) for one in asked)
        found = await asyncio.gather(*calls, return_exceptions=True)
        await model.aclose()
        return model.spent.tokens, {getattr(one, "reason", "answer") for one in found}

    with Misbehaving("long") as server:
        spent, found = asyncio.run(all_of(server.url))
        assert {body["max_tokens"] for body in server.bodies} == {CAP}
    assert 0 < spent <= 10_000
    assert found == {"answer", "budget"}


def test_without_a_budget_no_maximum_is_sent():
    with Misbehaving("ok") as server:
        asyncio.run(HttpModel("m", server.url).acomplete(Request(ASK.messages)))
        assert "max_tokens" not in server.bodies[0]
