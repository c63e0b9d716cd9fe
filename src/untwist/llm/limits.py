"""How fast and how much may be asked: rates, budgets, and when to ask again.

Leaves out: the calls themselves. Time is an argument, so that no test waits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, fields, replace
from threading import Lock
from typing import TypeGuard

import numpy as np

from untwist.errors import ConfigError, ModelError
from untwist.llm.calls import Request, Usage

GUESS = 512
"""Tokens that an answer is taken to have while it is on its way and sets no maximum."""
CAP = 2048
"""Tokens of an answer at most, where a budget of tokens or money is kept and no maximum is set."""
_LIMITING = ("max_tokens", "max_completion_tokens")
_LONG = bytes(range(48, 58))


@dataclass(frozen=True, slots=True)
class Limits:
    """What one model may be asked; None is no limit.

    Attributes:
        concurrency: calls at once.
        requests_per_minute: evenly spaced, retries included.
        tokens_per_minute: of questions and answers.
        requests: of all calls together, retries included.
        tokens: of all calls together.
        cost: of all calls together, in the unit of the prices.
        retries: of one call that failed for a reason that may pass.
        first_wait: seconds before the first retry at most; doubles with each.
        longest_wait: seconds before any retry at most; a server that asks for more is not waited
            for.

    Raises:
        ConfigError: a limit is below what makes sense.
    """

    concurrency: int = 64
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    requests: int | None = None
    tokens: int | None = None
    cost: float | None = None
    retries: int = 4
    first_wait: float = 0.5
    longest_wait: float = 30.0

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            least = 0 if item.name in {"retries", "first_wait", "longest_wait"} else None
            if value is not None and (value < 0 or (value == 0 and least is None)):
                raise ConfigError(f"the limit {item.name} is {value}: give more than 0, or none")


@dataclass(frozen=True, slots=True)
class Prices:
    """What a model costs, per million tokens, in any one currency.

    Attributes:
        prompt: of tokens asked.
        completion: of tokens answered.
    """

    prompt: float
    completion: float

    def __post_init__(self) -> None:
        if not (self.prompt >= 0 and self.completion >= 0):
            raise ConfigError("a price is below 0: give what a million tokens cost")

    def of(self, usage: Usage) -> float:
        """What a call cost."""
        return (self.prompt * usage.prompt + self.completion * usage.completion) / 1e6


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and waiting.

    Attributes:
        now: seconds, which never go back.
        sleep: waits so many seconds.
    """

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(frozen=True, slots=True)
class Spent:
    """What was asked so far.

    Attributes:
        requests: sent, retries included.
        tokens: counted by the server, or guessed where it does not count.
        cost: of those tokens; 0 without prices.
    """

    requests: int = 0
    tokens: int = 0
    cost: float = 0.0


@dataclass(slots=True)
class Bill:
    """What one request is taken to have cost, however it ended.

    Attributes:
        guess: of its tokens, made before it was sent.
        sent: whether it may have reached the server.
        counted: by the server; None while it has not said.
        free: whether it ended in a way that no server counts.
    """

    guess: Usage
    sent: bool = False
    counted: Usage | None = None
    free: bool = False

    @property
    def due(self) -> Usage | None:
        """What the server counted, else the guess; None where nothing is to be paid."""
        if self.counted is not None or not self.sent or self.free:
            return self.counted
        return self.guess


@dataclass(slots=True)
class Meter:
    """What is spent and reserved, and when the next request may go; safe between threads.

    Attributes:
        limits: that it keeps.
        prices: of tokens; None keeps no budget of money.
        clock: tells the time.
    """

    limits: Limits
    prices: Prices | None = None
    clock: Clock = field(default_factory=Clock)
    _requests: int = field(default=0, init=False)
    _spent: Usage = field(default=Usage(0, 0), init=False)
    _reserved: Usage = field(default=Usage(0, 0), init=False)
    _next_request: float = field(default=float("-inf"), init=False)
    _next_token: float = field(default=float("-inf"), init=False)
    _held: float = field(default=float("-inf"), init=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.limits.cost is not None and self.prices is None:
            raise ConfigError("a budget of money needs prices: give them, or a budget of tokens")

    @property
    def spent(self) -> Spent:
        """So far."""
        cost = self.prices.of(self._spent) if self.prices else 0.0
        return Spent(self._requests, self._spent.prompt + self._spent.completion, cost)

    def begin(self, guess: Usage) -> float:
        """Reserve one request; says how many seconds to wait before it is sent.

        Args:
            guess: of its tokens, counted until `end` says better.

        Raises:
            ModelError: a budget is spent; nothing was reserved.
        """
        with self._lock:
            self._afford(guess)
            now = self.clock.now()
            start = max(now, self._next_request, self._next_token, self._held)
            self._requests += 1
            self._reserved = _plus(self._reserved, guess)
            if self.limits.requests_per_minute:
                self._next_request = start + 60 / self.limits.requests_per_minute
            if self.limits.tokens_per_minute:
                size = guess.prompt + guess.completion
                self._next_token = start + 60 * size / self.limits.tokens_per_minute
            return start - now

    def end(self, guess: Usage, usage: Usage | None) -> None:
        """A request is over.

        Args:
            guess: what `begin` was given.
            usage: what it took; None when the server counts nothing for it.
        """
        with self._lock:
            self._reserved = _plus(self._reserved, guess, -1)
            if usage is None:
                return
            self._spent = _plus(self._spent, usage)
            if self.limits.tokens_per_minute:
                more = _plus(usage, guess, -1)
                late = 60 * (more.prompt + more.completion) / self.limits.tokens_per_minute
                self._next_token += late

    def hold(self, seconds: float) -> None:
        """No request goes out for so long: the server asked for it."""
        with self._lock:
            self._held = max(self._held, self.clock.now() + seconds)

    def _afford(self, guess: Usage) -> None:
        limits = self.limits
        due = _plus(_plus(self._spent, self._reserved), guess)
        if limits.requests is not None and self._requests >= limits.requests:
            raise _broke("requests", limits.requests)
        if limits.tokens is not None and due.prompt + due.completion > limits.tokens:
            raise _broke("tokens", limits.tokens)
        if limits.cost is not None and self.prices and self.prices.of(due) > limits.cost:
            raise _broke("cost", limits.cost)


def guess_of(request: Request) -> Usage:
    """An upper guess of a call's tokens: what is asked, and the maximum for every answer.

    Of what is asked: one for two characters of ASCII, one for each digit and for every other
    character, three for those beyond the basic plane.
    """
    text = request.canonical
    plain = text.encode("ascii", "ignore")
    other = len(text) - len(plain)
    digits = len(plain) - len(plain.translate(None, _LONG))
    beyond = len(text.encode("utf-16-le", "surrogatepass")) // 2 - len(text) if other else 0
    asked = (len(plain) - digits) // 2 + digits + other + 2 * beyond + 1
    answers = request.extra.get("n")
    times = answers if _is_count(answers) else 1
    return Usage(asked, (_most(request) or GUESS) * times)


def capped(request: Request, limits: Limits) -> Request:
    """The same request; with CAP where a budget could not be kept without a maximum.

    A server that knows no max_tokens is given its own max_completion_tokens in extra.
    """
    budget = limits.tokens is not None or limits.cost is not None
    if not budget or _most(request):
        return request
    # a field that sets nothing would stand in the place of the cap
    extra = {name: value for name, value in request.extra.items() if name not in _LIMITING}
    return replace(request, max_tokens=CAP, extra=extra)


def _most(request: Request) -> int | None:
    """The maximum of an answer; of several the largest, since servers differ in which they take."""
    said = [request.max_tokens, *(request.extra.get(name) for name in _LIMITING)]
    return max((n for n in said if _is_count(n)), default=None)


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def wait_of(error: ModelError, attempt: int, limits: Limits, rng: np.random.Generator) -> float:
    """Seconds before the next attempt: full jitter, or what the server asked for and a little.

    Args:
        error: of the attempt that failed.
        attempt: its number, from 0.
        limits: whose waits.
        rng: where chance comes from.
    """
    most = min(limits.longest_wait, limits.first_wait * 2.0**attempt)
    chance = float(rng.random()) * most
    return chance if error.retry_after is None else error.retry_after + chance


def may_retry(error: ModelError, attempt: int, limits: Limits) -> bool:
    """Whether a failed attempt is worth another."""
    long = error.retry_after is not None and error.retry_after > limits.longest_wait
    return error.retryable and attempt < limits.retries and not long


def _plus(a: Usage, b: Usage, sign: int = 1) -> Usage:
    return Usage(a.prompt + sign * b.prompt, a.completion + sign * b.completion)


def _broke(what: str, limit: float) -> ModelError:
    return ModelError(
        f"the budget of {limit:g} {what} is spent: raise it, and the run goes on", reason="budget"
    )
