"""The OpenAI SDK as the way to a server: for what the own wire leaves out, such as proxies.

A named door: it is opened by importing this module, and needs the extra "llm". The SDK only carries
the bytes: retries, limits and the judging of answers stay `llm.http`'s, so both ways give the same
answers and the same reasons.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any
from weakref import WeakKeyDictionary

from untwist.errors import MissingExtra
from untwist.llm.address import address_of
from untwist.llm.wire import Response, cut, unreachable

_OWN = frozenset(
    ("model", "messages", "max_tokens", "temperature", "seed", "stop", "response_format")
)
_NO_KEY = "none"


class SdkTransport:
    """The SDK's client, one per event loop; fits `llm.wire.Transport`.

    Args:
        url: base URL.
        key: of the account; None sends a word that local servers ignore.

    Raises:
        ConfigError: the URL is none.
        MissingExtra: the extra "llm" is not installed.
    """

    def __init__(self, url: str, key: str | None) -> None:
        self._sdk = _load()
        self._address = address_of(url)
        self._url, self._key = url, key or _NO_KEY
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = WeakKeyDictionary()
        # httpx or httpx2: the library whose client the SDK's own one is made from
        base = self._sdk.DefaultAsyncHttpxClient.__mro__[1]
        self._http = import_module(base.__module__.partition(".")[0])

    def __repr__(self) -> str:
        return f"SdkTransport({self._address.shown})"

    @asynccontextmanager
    async def open(
        self, method: str, path: str, payload: Mapping[str, Any] | None, encoded: bytes
    ) -> AsyncIterator[Response]:
        """See `Transport.open`."""
        client = self._client()
        raw = client.models.with_streaming_response.list()
        if method == "POST":
            raw = _chat(client, payload or {})
        try:
            async with raw as got:
                yield Response(got.status_code, _lower(got.headers), self._pieces(got.iter_bytes()))
        except self._sdk.APIStatusError as error:
            answer = error.response
            yield Response(answer.status_code, _lower(answer.headers), _one(answer.content))
        except self._sdk.APIConnectionError as error:
            raise unreachable(self._address) from error

    async def aclose(self) -> None:
        """Close the client of the running loop."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.close()

    def _client(self) -> Any:  # noqa: ANN401
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self._clients[loop] = self._sdk.AsyncOpenAI(
                base_url=self._url, api_key=self._key, max_retries=0, timeout=None
            )
        return self._clients[loop]

    async def _pieces(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            async for piece in body:
                yield piece
        except self._http.HTTPError as error:
            raise cut(error) from error


def _chat(client: Any, payload: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """The request; what the SDK has no argument for goes along unchanged."""
    own = {name: value for name, value in payload.items() if name in _OWN}
    more = {name: value for name, value in payload.items() if name not in _OWN}
    return client.chat.completions.with_streaming_response.create(**own, extra_body=more or None)


async def _one(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _lower(headers: Mapping[str, str]) -> Mapping[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _load() -> Any:  # noqa: ANN401
    try:
        return import_module("openai")
    except ImportError as error:
        raise MissingExtra("the SDK's way to a model", "llm") from error
