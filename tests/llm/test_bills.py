"""A budget binds on what fails as on what succeeds: what was sent is paid for."""

import asyncio

import pytest

from tests.servers.misbehaving import BEHAVIOURS, CUT, Misbehaving, event, head
from untwist.errors import ModelError
from untwist.llm import HttpModel, Limits, Prices, Request
from untwist.llm.limits import guess_of

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
