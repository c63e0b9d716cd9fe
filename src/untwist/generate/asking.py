"""Putting questions to models for one item, and keeping a record of every call.

An answer that cannot be read is asked for again with another seed, a few times, and then the item
fails: nothing is made of a failure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from untwist.errors import ConfigError, ModelError, ParseError
from untwist.generate.provenance import Call, answered, unanswered
from untwist.llm import Answer, Model, Request

T = TypeVar("T")
ANOTHER = 1_000_003
"""What is added to a seed when an answer cannot be read; far from the seeds of other samples."""


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """What is asked, and how the answer is read.

    Attributes:
        prompt: name@version.
        messages: of roles and contents.
        schema: JSON schema of the answer; None for free text.
        parse: makes a value of the answer's text, or raises ParseError.
    """

    prompt: str
    messages: tuple[Mapping[str, Any], ...]
    schema: Mapping[str, Any] | None
    parse: Callable[[str], T]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How models are sampled.

    Attributes:
        temperature: 0 for the likeliest answer; None leaves it to the server.
        max_tokens: of one answer.
        seed: of the first sample; others count on from it.
        attempts: how often an answer that cannot be read is asked for, at least once.

    Raises:
        ConfigError: a value is out of its range.
    """

    temperature: float | None = 0.0
    max_tokens: int | None = 1024
    seed: int = 42
    attempts: int = 2

    def __post_init__(self) -> None:
        if self.temperature is not None and not 0 <= self.temperature <= 2:
            raise ConfigError(f"temperature is {self.temperature}: it lies between 0 and 2")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ConfigError(f"max_tokens is {self.max_tokens}: give at least 1")
        if self.attempts < 1:
            raise ConfigError(f"attempts is {self.attempts}: give at least 1")
        if self.seed < 0:
            raise ConfigError(f"seed is {self.seed}: it counts from 0")


class Titled(Model):
    """A model that is told apart by the section that describes it; it is asked as ever.

    Args:
        model: whom to ask.
        title: the name of the section.
    """

    def __init__(self, model: Model, title: str) -> None:
        self.model, self.title = model, title

    @property
    def name(self) -> str:
        """Of the model, by which answers are kept."""
        return self.model.name

    async def acomplete(self, request: Request) -> Answer:
        """The model's answer.

        Raises:
            ModelError: no answer came.
        """
        return await self.model.acomplete(request)

    async def aclose(self) -> None:
        """Let go of whatever the model holds open."""
        await self.model.aclose()


@dataclass(frozen=True, slots=True)
class Voter:
    """One model with one seed.

    Attributes:
        model: whom to ask.
        seed: of sampling.
    """

    model: Model
    seed: int

    @property
    def name(self) -> str:
        """Section, model and seed, as votes name their voter."""
        model = self.model
        name = f"{model.title} ({model.name})" if isinstance(model, Titled) else model.name
        return f"{name}#{self.seed}"


def voters(models: tuple[Model, ...], samples: int, seed: int) -> tuple[Voter, ...]:
    """Every model so many times, each time with a seed of its own.

    Raises:
        ConfigError: there is no model, or no sample, or two voters would be one.
    """
    if not models or samples < 1:
        raise ConfigError("give at least one model and one sample")
    all_different(tuple(model.name for model in models))
    return tuple(Voter(model, seed + n) for model in models for n in range(samples))


def all_different(names: Sequence[str]) -> None:
    """Sees to it that no voter is counted twice: one model with one seed gives one answer.

    Args:
        names: of the models, as their servers call them.

    Raises:
        ConfigError: two are equal; the message says what to change.
    """
    for name, n in Counter(names).items():
        if n > 1:
            raise ConfigError(
                f'{n} voters are the same model "{name}" with the same seeds, and one answer would '
                "count more than once: name it once, also where several sections give it as their "
                "model; for more votes of one model give more samples and a temperature"
            )


def in_turn(models: tuple[Model, ...], seed: int) -> tuple[Voter, ...]:
    """Every model once, for work that each item gives to one of them; equal ones share it.

    Raises:
        ConfigError: there is no model.
    """
    if not models:
        raise ConfigError("give at least one model")
    return tuple(Voter(model, seed) for model in models)


@dataclass(slots=True)
class Asking:
    """The questions of one item.

    Attributes:
        sampling: how models are sampled.
        calls: every call so far, those without an answer too.
    """

    sampling: Sampling
    calls: list[Call] = field(default_factory=list)

    async def ask(self, voter: Voter, question: Question[T]) -> T:
        """What the answer says.

        Raises:
            ModelError: no answer came, or none that can be read; its reason says why.
        """
        for attempt in range(self.sampling.attempts):
            try:
                return await self._once(voter, question, attempt)
            except ParseError:
                if attempt + 1 == self.sampling.attempts:
                    raise
        raise ConfigError("attempts is below 1")

    async def _once(self, voter: Voter, question: Question[T], attempt: int) -> T:
        request = Request(
            question.messages,
            schema=question.schema,
            max_tokens=self.sampling.max_tokens,
            temperature=self.sampling.temperature,
            seed=voter.seed + attempt * ANOTHER,
            prompt=question.prompt,
        )
        try:
            answer = await voter.model.acomplete(request)
        except ModelError as error:
            self.calls.append(unanswered(error, voter.model, request))
            raise
        call = answered(answer, voter.model, request)
        try:
            value = question.parse(answer.text)
        except ParseError as error:
            self.calls.append(replace(call, status=error.reason or "parse"))
            raise
        self.calls.append(call)
        return value
