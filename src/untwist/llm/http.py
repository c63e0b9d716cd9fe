"""Any server that speaks OpenAI's chat interface: vLLM, Ollama, llama.cpp, or a hosted one.

    Request -> wait for the meter -> POST /chat/completions -> read, judge -> Answer
                    ^ a failure that may pass, with full jitter or when the server says so

Every way in which an answer can be unusable has its reason in a ModelError. Neither texts nor keys
stand in any message, and nothing is logged. Leaves out: tools, images, and what is not chat.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from untwist.errors import ConfigError, ModelError, ParseError
from untwist.llm.address import address_of
from untwist.llm.calls import Answer, Model, Request, Usage, must_be_whole
from untwist.llm.limits import (
    Bill,
    Clock,
    Limits,
    Meter,
    Prices,
    Spent,
    capped,
    guess_of,
    may_retry,
    wait_of,
)
from untwist.llm.reading import Said, delta_of, events, message_of, whole
from untwist.llm.statuses import Refused, code_of, refusal
from untwist.llm.structured import in_words, parsed, response_format, spoken
from untwist.llm.wire import Response, Transport, Wire

LARGEST = 8 * 1024 * 1024
"""Bytes of an answer at most, unless told otherwise; one that goes on is "endless"."""

_CODE = re.compile(r"[a-z_]+")
_CHAT, _MODELS = "/chat/completions", "/models"
_NO_SCHEMA = (400, 415, 422, 501)


class HttpModel(Model):
    """A model behind a server.

    Args:
        name: as the server calls it.
        base_url: of the server, with its /v1.
        key: of the account; None sends none.
        limits: of calls, tokens and money; with a budget of tokens or money an answer has at most
            `llm.limits.CAP` tokens where the request sets no maximum.
        prices: per million tokens; None knows no cost.
        timeout: seconds for one attempt, from sending to the last byte.
        largest: bytes of an answer at most.
        stream: ask for the answer piece by piece, which ends an endless one earlier.
        transport: in place of the own one, for example `llm.sdk.SdkTransport`.
        rng: where the jitter comes from; None is a new one.
        clock: tells the time and waits.

    Raises:
        ConfigError: an argument is out of range, or the URL is none.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        key: str | None = None,
        *,
        limits: Limits | None = None,
        prices: Prices | None = None,
        timeout: float = 120.0,
        largest: int = LARGEST,
        stream: bool = False,
        transport: Transport | None = None,
        rng: np.random.Generator | None = None,
        clock: Clock | None = None,
    ) -> None:
        if not name.strip():
            raise ConfigError("the model has no name: give the one that the server uses")
        if not timeout > 0 or largest < 1:
            raise ConfigError("timeout and largest answer have to be more than 0")
        self._name, self._echoes = name, _echoes_of(key)
        self._limits, self._prices = limits or Limits(), prices
        self._timeout, self._largest, self._stream = timeout, largest, stream
        self._transport = transport or Wire(base_url, key)
        self._identity = _identity(name, base_url, self._transport)
        self._rng = rng or np.random.default_rng()
        self._clock = clock or Clock()
        self._meter = Meter(self._limits, prices, self._clock)
        self._lanes: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]
        self._lanes = WeakKeyDictionary()
        self._running: dict[asyncio.Task[Any], asyncio.AbstractEventLoop] = {}
        self._cancelled = False
        self._knows_schemas = True

    def __repr__(self) -> str:
        return f"HttpModel({self._name!r})"

    @property
    def name(self) -> str:
        """As the server calls it."""
        return self._name

    @property
    def identity(self) -> str:
        """The name, the base URL, which holds no key, and the way to it."""
        return self._identity

    @property
    def spent(self) -> Spent:
        """What was asked so far, by this object."""
        return self._meter.spent

    async def acomplete(self, request: Request) -> Answer:
        """The answer; with a schema its text is JSON that keeps it.

        Raises:
            ModelError: no answer came that can be used; its reason says why.
        """
        started = time.monotonic()
        request = capped(request, self._limits)
        if request.schema is None:
            said = await self._asked(request, _body_of(self._name, request))
            text, usage = said.text, said.usage
        else:
            said, text, usage = await self._by_schema(request, request.schema)
        cost = self._prices.of(usage) if self._prices and usage else None
        seconds = time.monotonic() - started
        return Answer(text, said.model or self._name, said.finish, usage, seconds, cost)

    async def astream(self, request: Request) -> AsyncGenerator[str, None]:
        """The answer piece by piece, as the server sends it; no retry once a piece has come.

        Raises:
            ModelError: see `acomplete`; what was yielded before it is no whole answer.
        """
        request = capped(request, self._limits)
        body = {**_body_of(self._name, request), **_STREAM}
        guess, encoded = guess_of(request), _encoded(body)
        async with (
            self._turn(guess) as bill,
            self._exchange("POST", _CHAT, body, encoded, bill) as response,
        ):
            said, parts = Said(), []
            async with aclosing(events(self._limited(response), said)) as stream:
                async for event in stream:
                    parts.append(delta_of(event, said))
                    bill.counted = said.usage
                    if parts[-1]:
                        yield parts[-1]
            said.text = "".join(parts)
            _judge(said)
            must_be_whole(said.finish, request)

    async def models(self) -> tuple[str, ...]:
        """The names that the server offers.

        Raises:
            ModelError: the server does not say.
        """
        async with self._exchange("GET", _MODELS) as response:
            found = whole(await self._all(response), response)
        rows = found.get("data") if isinstance(found, dict) else None
        if not isinstance(rows, list):
            raise ModelError("the server does not list its models", reason="not_json")
        return tuple(str(row["id"]) for row in rows if isinstance(row, dict) and "id" in row)

    def cancel(self) -> None:
        """End every call under way and refuse new ones, with the reason "cancelled".

        May be called from any thread.
        """
        self._cancelled = True
        for task, loop in list(self._running.items()):
            loop.call_soon_threadsafe(task.cancel)

    async def aclose(self) -> None:
        """Close the idle connections of the running loop."""
        await self._transport.aclose()

    async def _by_schema(
        self, request: Request, schema: Mapping[str, Any]
    ) -> tuple[Said, str, Usage | None]:
        """Asked by the standard field first; in words when the server or the model fails at it."""
        used: list[Usage | None] = []
        plain = not self._knows_schemas
        if not plain:
            body = _body_of(self._name, request)
            asked = {**body, "response_format": response_format(schema)}
            try:
                said = await self._asked(request, asked)
                used.append(said.usage)
                return said, _canonical(said.text, schema), said.usage
            except ParseError:
                plain = False
            except Refused as error:
                if error.status not in _NO_SCHEMA:
                    raise
                plain = True
        words = replace(request, messages=in_words(request.messages, schema))
        said = await self._asked(words, _body_of(self._name, words))
        # a server that takes the same question without the field does not know the field
        self._knows_schemas = not plain
        used.append(said.usage)
        return said, _canonical(said.text, schema), _sum(used)

    async def _asked(self, request: Request, body: Mapping[str, Any]) -> Said:
        """One answer, after as many attempts as the limits allow."""
        if self._stream:
            body = {**body, **_STREAM}
        # whatever can be done before the turn is: in its turn a call only waits
        guess, encoded = guess_of(request), _encoded(body)
        attempt = 0
        while True:
            try:
                async with (
                    self._turn(guess) as bill,
                    self._exchange("POST", _CHAT, body, encoded, bill) as response,
                ):
                    said = await self._read(response, bill)
                if self._lane().locked():
                    # what waits for a turn is sent before anything is made of what has come
                    await asyncio.sleep(0)
                _judge(said)
                must_be_whole(said.finish, request)
                return said
            except ModelError as error:
                if not may_retry(error, attempt, self._limits):
                    raise
                wait = wait_of(error, attempt, self._limits, self._rng)
                if error.retry_after is not None:
                    self._meter.hold(error.retry_after)
            await self._clock.sleep(wait)
            attempt += 1

    async def _read(self, response: Response, bill: Bill) -> Said:
        if "event-stream" not in response.headers.get("content-type", ""):
            one = message_of(whole(await self._all(response), response))
            bill.counted = one.usage
            return one
        said, parts = Said(), []
        async with aclosing(events(self._limited(response), said)) as stream:
            async for event in stream:
                parts.append(delta_of(event, said))
                bill.counted = said.usage
        said.text = "".join(parts)
        return said

    def _lane(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        if loop not in self._lanes:
            self._lanes[loop] = asyncio.Semaphore(self._limits.concurrency)
        return self._lanes[loop]

    @asynccontextmanager
    async def _turn(self, guess: Usage) -> AsyncIterator[Bill]:
        """A place among the calls at once, and a request that is paid for; yields the bill.

        A server counts what it answered though nobody could read it, and what nobody waited for;
        only what it never got, or refused unread, is free.
        """
        async with self._lane():
            wait = self._meter.begin(guess)
            bill = Bill(guess)
            try:
                if wait > 0:
                    await self._clock.sleep(wait)
                yield bill
            except ModelError as error:
                bill.free = _is_free(error)
                raise
            finally:
                self._meter.end(guess, bill.due)

    @asynccontextmanager
    async def _exchange(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        encoded: bytes = b"",
        bill: Bill | None = None,
    ) -> AsyncIterator[Response]:
        """A response whose status is good, within the time; every fault has its reason."""
        task = asyncio.current_task()
        if self._cancelled:
            raise _cancelled()
        if task:
            self._running[task] = asyncio.get_running_loop()
        if bill:
            bill.sent = True
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._transport.open(method, path, body, encoded) as response,
            ):
                if response.status != 200:
                    raise refusal(self._name, response, await self._code(response))
                yield response
        except TimeoutError as error:
            raise ModelError(
                f"{self._name} had not answered after {self._timeout:g} seconds",
                reason="timeout",
                retryable=True,
            ) from error
        except asyncio.CancelledError:
            if self._cancelled:
                raise _cancelled() from None
            raise
        finally:
            if task:
                self._running.pop(task, None)

    async def _all(self, response: Response) -> bytes:
        parts = [piece async for piece in self._limited(response)]
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _code(self, response: Response) -> str:
        """Of a response that says no, the short code in its body."""
        try:
            code = code_of(await self._all(response))
        except ModelError:
            # the status says enough
            return ""
        # a server may echo the key, or a part of it, as its code
        return code if _CODE.fullmatch(code) and not self._echoes(code) else ""

    async def _limited(self, response: Response) -> AsyncGenerator[bytes, None]:
        size = 0
        async for piece in response.body:
            size += len(piece)
            if size > self._largest:
                raise ModelError(
                    f"{self._name} went on after {self._largest:,} bytes: lower max_tokens",
                    reason="endless",
                    retryable=True,
                )
            yield piece


def _identity(name: str, url: str, transport: Transport) -> str:
    at = address_of(url)
    scheme = "https" if at.tls else "http"
    return f"{name} at {scheme}://{at.shown}{at.path} by {type(transport).__qualname__}"


_STREAM = {"stream": True, "stream_options": {"include_usage": True}}


def _body_of(name: str, request: Request) -> Mapping[str, Any]:
    body: dict[str, Any] = {"model": name, "messages": list(request.messages)}
    for field_name in ("max_tokens", "temperature", "seed"):
        value = getattr(request, field_name)
        if value is not None:
            body[field_name] = value
    if request.stop:
        body["stop"] = list(request.stop)
    return {**body, **request.extra}


def _encoded(body: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ModelError(
            "the question holds half a character: clean the text", reason="bad_encoding"
        ) from error


def _echoes_of(key: str | None) -> Callable[[str], bool]:
    """Whether a text and the key hold one another; no object that can be shown has the key."""
    return lambda text: bool(key) and (str(key) in text or text in str(key))


def _is_free(error: ModelError) -> bool:
    refused = isinstance(error, Refused) and 400 <= error.status < 500
    return refused or error.reason == "unreachable"


def _judge(said: Said) -> None:
    """Raises what makes an answer unusable; afterwards its text is what is to be read."""
    if said.refused or said.finish == "content_filter":
        raise ModelError("the model refused to answer", reason="refused")
    if not said.finish:
        raise ModelError("the answer has no end", reason="cut", retryable=True)
    said.text = spoken(said.text)
    if not said.text:
        raise ModelError("the model said nothing", reason="empty", retryable=True)
    try:
        said.text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ModelError(
            "the answer holds half a character", reason="bad_encoding", retryable=True
        ) from error


def _canonical(text: str, schema: Mapping[str, Any]) -> str:
    return json.dumps(parsed(text, schema), ensure_ascii=False)


def _sum(used: list[Usage | None]) -> Usage | None:
    known = [u for u in used if u is not None]
    if len(known) < len(used):
        return None
    return Usage(sum(u.prompt for u in known), sum(u.completion for u in known))


def _cancelled() -> ModelError:
    return ModelError("the call was cancelled", reason="cancelled")
