"""Where an item comes from: every call that was made for it, and what became of it.

    {"pipeline", "status", "model", "prompt", "seed", "cache_key", "seconds", "prompt_tokens",
     "completion_tokens", "cost", "asked", "cached", "calls": [...]}

Seed and key are those of the last answer that was read, sums go over all calls. An item of several
models or prompts names each once, joined by "+".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from untwist.errors import DataError, ModelError
from untwist.llm import Answer, Model, Request, key_of
from untwist.schema import Json

KEY = "provenance"
"""The key of a row that carries it."""
DONE = "done"


@dataclass(frozen=True, slots=True)
class Call:
    """One question that was put to a model.

    Attributes:
        model: which, as the server calls it.
        prompt: name@version.
        seed: of sampling; None leaves chance to the server.
        cache_key: content address of the request.
        status: "done", or the reason why there is no answer that can be used.
        seconds: retries included; 0 when the answer came from the cache or none came.
        tokens: of question and answer; None when the server did not say.
        cost: None without prices.
        cached: True when no call was made.
    """

    model: str
    prompt: str
    seed: int | None
    cache_key: str
    status: str = DONE
    seconds: float = 0.0
    tokens: tuple[int, int] | None = None
    cost: float | None = None
    cached: bool = False

    def to_dict(self) -> Json:
        """As JSON values."""
        return {
            "model": self.model,
            "prompt": self.prompt,
            "seed": self.seed,
            "cache_key": self.cache_key,
            "status": self.status,
            "seconds": round(self.seconds, 4),
            "tokens": list(self.tokens) if self.tokens else None,
            "cost": self.cost,
            "cached": self.cached,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Call:
        """From JSON values.

        Raises:
            DataError: it is no call.
        """
        try:
            tokens = data["tokens"]
            return cls(
                data["model"],
                data["prompt"],
                data["seed"],
                data["cache_key"],
                data["status"],
                data["seconds"],
                (tokens[0], tokens[1]) if tokens else None,
                data["cost"],
                data["cached"],
            )
        except (KeyError, TypeError, IndexError) as error:
            raise DataError("not a call: leave the journal as it was written") from error


def answered(answer: Answer, model: Model, request: Request) -> Call:
    """The call that led to an answer."""
    usage = answer.usage
    return Call(
        model=answer.model,
        prompt=request.prompt,
        seed=request.seed,
        cache_key=answer.key or key_of(model.identity, request),
        seconds=answer.seconds,
        tokens=(usage.prompt, usage.completion) if usage else None,
        cost=answer.cost,
        cached=answer.cached,
    )


def unanswered(error: ModelError, model: Model, request: Request) -> Call:
    """The call that led to no answer."""
    key = key_of(model.identity, request)
    return Call(model.name, request.prompt, request.seed, key, error.reason or "client")


def provenance(pipeline: str, calls: Sequence[Call], status: str = DONE) -> Json:
    """What a row of generated data says of its origin.

    Args:
        pipeline: name@version.
        calls: in order; may be empty when nothing had to be asked.
        status: "done", or why the item failed.
    """
    read = [call for call in calls if call.status == DONE]
    last = read[-1] if read else None
    return {
        "pipeline": pipeline,
        "status": status,
        "model": _joined(call.model for call in read),
        "prompt": _joined(call.prompt for call in read),
        "seed": last.seed if last else None,
        "cache_key": last.cache_key if last else None,
        **sums(calls),
        "calls": [call.to_dict() for call in calls],
    }


def sums(calls: Iterable[Call]) -> Json:
    """Seconds, tokens and cost of several calls, and how many were made and how many were cached.

    Tokens and cost are None where no call says. A cached answer took no time and cost nothing.
    """
    calls = tuple(calls)
    made = [call for call in calls if not call.cached]
    tokens = [call.tokens for call in made if call.tokens]
    costs = [call.cost for call in made if call.cost is not None]
    return {
        "seconds": round(sum(call.seconds for call in made), 4),
        "prompt_tokens": sum(asked for asked, _ in tokens) if tokens else None,
        "completion_tokens": sum(said for _, said in tokens) if tokens else None,
        "cost": sum(costs) if costs else None,
        "asked": len(made),
        "cached": len(calls) - len(made),
    }


def _joined(names: Iterable[str]) -> str | None:
    return "+".join(dict.fromkeys(names)) or None
