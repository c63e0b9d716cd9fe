"""Whether an endpoint can do what the pipelines ask of it, one short question at a time.

Leaves out: how good the answers are.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from untwist.errors import ModelError
from untwist.llm.calls import Answer, Model, Request
from untwist.llm.http import HttpModel
from untwist.llm.structured import response_format

State = Literal["ok", "note", "fail"]

_SCHEMA = {
    "type": "object",
    "required": ["word", "number"],
    "properties": {"word": {"type": "string"}, "number": {"type": "integer"}},
    "additionalProperties": False,
}
_PLAIN = Request(
    ({"role": "user", "content": "Say hello in one short sentence. 用一句话问好。"},),
    max_tokens=400,
    temperature=0.0,
)
_JSON = Request(
    ({"role": "user", "content": 'Give the word "tree" and the number 7 as a JSON object.'},),
    schema=_SCHEMA,
    max_tokens=400,
    temperature=0.0,
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried.

    Attributes:
        name: of it.
        state: "ok", "note" (works without it) or "fail".
        message: what was found, or what to do; no text of the model.
    """

    name: str
    state: State
    message: str


async def probe(model: Model) -> AsyncIterator[Check]:
    """Tries a model; the first failure that leaves nothing to try is the last check."""
    if isinstance(model, HttpModel):
        yield await _tried("models", lambda: _listed(model), "note")
    first = await _tried("answer", lambda: _answered(model))
    yield first
    if first.state == "fail":
        return
    if isinstance(model, HttpModel):
        yield await _tried("schema by field", lambda: _by_field(model), "note")
        yield await _tried("streaming", lambda: _streamed(model), "note")
    yield await _tried("schema", lambda: _structured(model))


async def _tried(name: str, attempt: Callable[[], Awaitable[str]], worst: State = "fail") -> Check:
    try:
        return Check(name, "ok", await attempt())
    except ModelError as error:
        return Check(name, worst, f"{error} [{error.reason or 'model'}]")


async def _listed(model: HttpModel) -> str:
    names = await model.models()
    if model.name not in names:
        raise ModelError(f"{model.name} is not among the {len(names)} that the server lists")
    return f"{model.name} is among {len(names)}"


async def _answered(model: Model) -> str:
    answer = await model.acomplete(_PLAIN)
    return f"{answer.seconds:.2f} s, {_counted(answer)}"


async def _by_field(model: HttpModel) -> str:
    extra = {"response_format": response_format(_SCHEMA)}
    asked = Request(_JSON.messages, max_tokens=400, temperature=0.0, extra=extra)
    answer = await model.acomplete(asked)
    try:
        json.loads(answer.text)
    except ValueError as error:
        raise ModelError(
            "response_format changes nothing here: schemas are asked for in words", reason="parse"
        ) from error
    return "response_format gives JSON"


async def _streamed(model: HttpModel) -> str:
    pieces = 0
    async for _ in model.astream(_PLAIN):
        pieces += 1
    return f"{pieces} pieces"


async def _structured(model: Model) -> str:
    answer = await model.acomplete(_JSON)
    return f"JSON that keeps its schema, {answer.seconds:.2f} s"


def _counted(answer: Answer) -> str:
    if answer.usage is None:
        return "tokens are not counted: budgets of tokens go by guesses"
    return f"{answer.usage.prompt} + {answer.usage.completion} tokens counted"
