"""A model that says what it was told to say: for tests, demonstrations and dry runs, offline."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

from untwist.errors import ModelError
from untwist.llm.calls import Answer, Model, Request, canonical_json, must_be_whole


class ScriptedModel(Model):
    """Answers in order, raises what is an error, and keeps what it was asked.

    Args:
        answers: texts, answers, or errors to raise; or one function from a request to any of
            them, which never runs out.
        name: what the model is called.

    Attributes:
        requests: what was asked so far, in order.
    """

    def __init__(
        self,
        answers: Sequence[str | Answer | Exception] | Callable[[Request], str | Answer | Exception],
        name: str = "scripted@1",
    ) -> None:
        self._name = name
        self._said = answers if callable(answers) else _in_turn(answers, name)
        self._identity = name if callable(answers) else f"{name} says {_digest(answers)}"
        self.requests: list[Request] = []

    @property
    def name(self) -> str:
        """What it is called."""
        return self._name

    @property
    def identity(self) -> str:
        """The name and the digest of all its answers; of a function the name alone."""
        return self._identity

    async def acomplete(self, request: Request) -> Answer:
        """The next answer.

        Raises:
            ModelError: there is none left, or the next one is an error or was cut.
        """
        self.requests.append(request)
        said = self._said(request)
        if isinstance(said, Exception):
            raise said
        if isinstance(said, Answer):
            must_be_whole(said.finish, request)
            return said
        if not said.strip():
            raise ModelError(f"{self._name} said nothing", reason="empty")
        return Answer(said, self._name)


def _digest(answers: Sequence[str | Answer | Exception]) -> str:
    told = [one if isinstance(one, str) else [repr(one), _reason(one)] for one in answers]
    return hashlib.sha256(canonical_json(told).encode("utf-8", "surrogatepass")).hexdigest()


def _reason(said: Answer | Exception) -> str | None:
    return said.reason if isinstance(said, ModelError) else None


def _in_turn(
    answers: Iterable[str | Answer | Exception], name: str
) -> Callable[[Request], str | Answer | Exception]:
    left = iter(answers)

    def following(_: Request) -> str | Answer | Exception:
        nothing = ModelError(f"{name} has no answer left: give it more", reason="empty")
        return next(left, nothing)

    return following
