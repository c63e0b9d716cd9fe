"""Rates, budgets and waits, in a time that the test moves."""

from dataclasses import replace

import numpy as np
import pytest

from untwist.errors import ConfigError, ModelError
from untwist.llm import Clock, Limits, Prices, Request, Usage
from untwist.llm.limits import CAP, GUESS, Meter, capped, guess_of, may_retry, wait_of

GUESSED = Usage(100, 100)


class At:
    """A time that stands until it is moved."""

    now = 0.0

    def clock(self):
        return Clock(lambda: self.now)


def test_without_limits_nothing_waits():
    meter = Meter(Limits())
    assert [meter.begin(GUESSED) for _ in range(1000)] == [0.0] * 1000


def test_requests_are_spaced_evenly():
    at = At()
    meter = Meter(Limits(requests_per_minute=60), clock=at.clock())
    assert [meter.begin(GUESSED) for _ in range(3)] == [0.0, 1.0, 2.0]
    at.now = 10.0
    assert meter.begin(GUESSED) == 0.0


def test_tokens_are_spaced_by_what_was_used_in_the_end():
    at = At()
    meter = Meter(Limits(tokens_per_minute=600), clock=at.clock())
    assert meter.begin(GUESSED) == 0.0
    assert meter.begin(GUESSED) == 20.0
    meter.end(GUESSED, Usage(10, 10))
    assert meter.begin(GUESSED) == 22.0


def test_a_budget_of_tokens_counts_what_is_on_its_way():
    meter = Meter(Limits(tokens=500))
    meter.begin(GUESSED)
    meter.begin(GUESSED)
    with pytest.raises(ModelError) as caught:
        meter.begin(GUESSED)
    assert caught.value.reason == "budget"
    meter.end(GUESSED, Usage(10, 10))
    meter.begin(GUESSED)
    assert meter.spent.tokens == 20


def test_a_budget_of_money_needs_prices_and_is_kept():
    with pytest.raises(ConfigError, match="prices"):
        Meter(Limits(cost=1.0))
    meter = Meter(Limits(cost=1.0), Prices(0.0, 4000.0))
    meter.begin(GUESSED)
    meter.end(GUESSED, Usage(100, 200))
    assert meter.spent.cost == pytest.approx(0.8)
    with pytest.raises(ModelError, match="1 cost"):
        meter.begin(GUESSED)
    assert meter.spent.requests == 1


def test_a_failed_request_counts_as_a_request_and_gives_its_tokens_back():
    meter = Meter(Limits(requests=2, tokens=300))
    for _ in range(2):
        meter.begin(GUESSED)
        meter.end(GUESSED, None)
    assert (meter.spent.requests, meter.spent.tokens) == (2, 0)
    with pytest.raises(ModelError, match="2 requests"):
        meter.begin(GUESSED)


def test_what_a_server_asks_for_holds_every_request():
    at = At()
    meter = Meter(Limits(), clock=at.clock())
    meter.hold(5.0)
    meter.hold(2.0)
    assert meter.begin(GUESSED) == 5.0
    at.now = 5.0
    assert meter.begin(GUESSED) == 0.0


def test_the_guess_of_an_answer_is_its_maximum():
    asked = ({"role": "user", "content": "x" * 1000},)
    assert guess_of(Request(asked, max_tokens=7)).completion == 7
    assert guess_of(Request(asked)).completion == GUESS
    assert guess_of(Request(asked)).prompt >= 500


def test_a_character_that_is_no_ascii_and_a_digit_is_guessed_as_a_token_at_least():
    def size(text):
        return guess_of(Request(({"role": "user", "content": text},))).prompt

    nothing = size("")
    assert size("我" * 300) - nothing >= 300
    assert size("7" * 300) - nothing >= 300
    assert size("🌧" * 100) - nothing >= 300
    assert size("x" * 300) - nothing == 150


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_maximum_among_the_extra_fields_is_guessed_too(name):
    asked = ({"role": "user", "content": "x"},)
    assert guess_of(Request(asked, extra={name: 3000})).completion == 3000
    assert guess_of(Request(asked, max_tokens=9, extra={name: 3000})).completion == 3000
    assert guess_of(Request(asked, extra={name: 30, "n": 4})).completion == 120
    assert guess_of(Request(asked, extra={name: None, "n": "many"})).completion == GUESS


@pytest.mark.parametrize("budget", [Limits(tokens=9), Limits(cost=9.0)])
def test_an_answer_without_a_maximum_is_capped_where_a_budget_is_kept(budget):
    plain = Request(({"role": "user", "content": "x"},))
    assert capped(plain, budget).max_tokens == CAP
    assert capped(replace(plain, extra={"max_tokens": None}), budget).extra == {}
    assert capped(plain, Limits(tokens_per_minute=9.0)) == plain
    for own in (replace(plain, max_tokens=7), replace(plain, extra={"max_completion_tokens": 7})):
        assert capped(own, budget) == own


def test_waits_are_spread_over_all_that_is_allowed():
    error, limits = ModelError("late", retryable=True), Limits(first_wait=1.0, longest_wait=8.0)
    rng = np.random.default_rng(3)
    for attempt, most in ((0, 1.0), (1, 2.0), (3, 8.0), (60, 8.0)):
        waits = [wait_of(error, attempt, limits, rng) for _ in range(200)]
        assert 0 <= min(waits) < 0.1 * most
        assert 0.9 * most < max(waits) <= most


def test_only_what_may_pass_is_tried_again_and_only_so_often():
    limits = Limits(retries=2, longest_wait=10.0)
    passing = ModelError("late", retryable=True)
    assert [may_retry(passing, n, limits) for n in range(3)] == [True, True, False]
    assert not may_retry(ModelError("no"), 0, limits)
    assert may_retry(ModelError("late", retryable=True, retry_after=10.0), 0, limits)
    assert not may_retry(ModelError("late", retryable=True, retry_after=11.0), 0, limits)


@pytest.mark.parametrize("wrong", [{"concurrency": 0}, {"tokens": -1}, {"cost": 0}])
def test_a_limit_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Limits(**wrong)
    with pytest.raises(ConfigError, match="price"):
        Prices(-1, 0)
