"""What is asked of a language model and what it answers: values, and the model's own socket.

    Request -> Model.complete -> Answer, or a ModelError with its reason; a failure is never text

Leaves out: tools, images, several choices in one answer.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from untwist.errors import ConfigError, ModelError
from untwist.llm.background import in_background

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One question to a model; equal when their canonical JSON is equal.

    Attributes:
        messages: of roles and contents, the oldest first; at least one.
        schema: JSON schema that the answer must keep; None asks for free text.
        max_tokens: of the answer at most; None leaves it to the server.
        temperature: of sampling; None leaves it to the server.
        seed: of sampling; the server may ignore it.
        stop: texts that end the answer.
        extra: more fields of the request's body, such as chat_template_kwargs.
        prompt: which prompt asks, as name@version; part of the cache's key, never sent.
        keep_cut: whether free text that ended at its maximum is an answer; else it is the error
            "cut". Never sent.
        canonical: the request as canonical JSON, made here.

    Raises:
        ConfigError: there is no message, or a value is not JSON.
    """

    messages: tuple[Mapping[str, Any], ...]
    schema: Mapping[str, Any] | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    prompt: str = ""
    keep_cut: bool = False
    canonical: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.messages:
            raise ConfigError("a request has no message: give at least one")
        values = {
            "messages": list(self.messages),
            "schema": self.schema,
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "seed": self.seed,
            "stop": list(self.stop),
            "extra": dict(self.extra),
            "prompt": self.prompt,
            **({"keep_cut": True} if self.keep_cut else {}),
        }
        canonical = canonical_json(values)
        # what the caller changes afterwards must not change what is asked
        own = json.loads(canonical)
        object.__setattr__(self, "messages", tuple(own["messages"]))
        object.__setattr__(self, "schema", own["schema"])
        object.__setattr__(self, "stop", tuple(own["stop"]))
        object.__setattr__(self, "extra", own["extra"])
        object.__setattr__(self, "canonical", canonical)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Request) and self.canonical == other.canonical

    def __hash__(self) -> int:
        return hash(self.canonical)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, as the server counted them.

    Attributes:
        prompt: of the question.
        completion: of the answer.
    """

    prompt: int
    completion: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered; its text is never empty.

    Attributes:
        text: of the answer; with a schema, JSON that keeps it.
        model: which model, as the server calls it.
        finish: why it ended: "stop", "length", or the server's own word.
        usage: its tokens; None when the server did not say.
        seconds: from the request to the last byte, retries included.
        cost: in the unit of the prices; None without prices or without usage.
        cached: True when no call was made.
        key: under which a cache holds it; "" without a cache.
    """

    text: str
    model: str
    finish: str = "stop"
    usage: Usage | None = None
    seconds: float = 0.0
    cost: float | None = None
    cached: bool = False
    key: str = ""


class Model(ABC):
    """A language model; fits the socket `ports.ChatModel` too."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Which model, which version."""

    @property
    def identity(self) -> str:
        """Tells it from every other model whose answers may differ; holds no secret.

        Names repeat: two servers may call different models the same. By default the name.
        """
        return self.name

    @abstractmethod
    async def acomplete(self, request: Request) -> Answer:
        """The answer.

        Raises:
            ModelError: no answer came that can be used; its reason says why.
        """

    def complete(self, request: Request) -> Answer:
        """The answer, waited for; see `acomplete`. Connections are kept for the next call."""
        return in_background(self.acomplete(request))

    def chat(self, messages: Sequence[Mapping[str, Any]], **options: Any) -> str:  # noqa: ANN401
        """The answer's text; options are those of `Request`, and every other goes to its extra.

        Raises:
            ModelError: no answer came.
        """
        return self.complete(request_of(messages, **options)).text

    async def aclose(self) -> None:
        """Let go of whatever is held open; the model can be used again afterwards."""
        return


def request_of(messages: Sequence[Mapping[str, Any]], **options: Any) -> Request:  # noqa: ANN401
    """A request from loose options; one that `Request` has no field for becomes extra."""
    known = ("schema", "max_tokens", "temperature", "seed", "prompt", "keep_cut")
    given = {name: options.pop(name) for name in known if name in options}
    stop = options.pop("stop", None) or ()
    extra = {**options.pop("extra", {}), **options}
    given["stop"] = (stop,) if isinstance(stop, str) else tuple(stop)
    return Request(tuple(messages), extra=extra, **given)


def must_be_whole(finish: str, request: Request) -> None:
    """Free text that ended at its maximum is half an answer; JSON is judged by its schema.

    Args:
        finish: why the answer ended.
        request: that it answers.

    Raises:
        ModelError: it was cut, and the request does not keep that.
    """
    if finish == "length" and request.schema is None and not request.keep_cut:
        raise ModelError("the answer was cut at its maximum: raise max_tokens", reason="cut")


def canonical_json(value: Any) -> str:  # noqa: ANN401
    """One text for equal values: sorted keys, no blanks, no NaN.

    Raises:
        ConfigError: something in it is not JSON.
    """
    try:
        return json.dumps(
            value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
        )
    except (TypeError, ValueError) as error:
        raise ConfigError(f"a request holds what is not JSON ({type(error).__name__})") from error


def key_of(model: str, request: Request) -> str:
    """The content address of an answer: sha256 of the model's identity and the whole request."""
    whole = canonical_json({"model": model}) + "\n" + request.canonical
    # a lone surrogate is no UTF-8, and still has to have an address
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def from_cache(answer: Answer, key: str) -> Answer:
    """The same answer, marked as one that cost nothing now."""
    return replace(answer, cached=True, key=key)


def waited(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, wherever this is called from, a running loop included."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
