"""Tasks for Inspect (inspect.aisi.org.uk), the extra "inspect": detection, replies, safety.

    inspect eval untwist/detection --model openai/NAME -T lang=zh -T limit=100
    inspect eval untwist/replies --model untwist/engine

This is the one module that knows Inspect; it registers itself as an entry point. "untwist/engine"
is a model there: it answers offline, and scores in the same tables as any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cache

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    modelapi,
)
from inspect_ai.scorer import (
    Metric,
    SampleScore,
    Score,
    Scorer,
    Target,
    grouped,
    mean,
    metric,
    scorer,
    stderr,
)
from inspect_ai.solver import TaskState, generate
from inspect_ai.tool import ToolChoice, ToolInfo

from untwist.engine import Engine
from untwist.recipes.inspect_samples import (
    AskedSample,
    detection_samples,
    detection_score,
    micro_f1,
    reply_samples,
    reply_score,
    safety_samples,
    safety_score,
    untwist_answer,
)
from untwist.taxonomy import Lang

LIMIT = 200
"""Samples of a task unless told otherwise; 0 takes all."""
_ROLES = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}


@task
def detection(lang: Lang = "en", limit: int = LIMIT, seed: int = 42) -> Task:
    """Which distortions a message shows, by the question that detection asks.

    Args:
        lang: "en" or "zh".
        limit: how many messages, drawn by chance.
        seed: of the draw.
    """
    return _task(detection_samples(lang, limit, seed), labels_scorer(), temperature=0.0)


@task
def replies(lang: Lang = "en", limit: int = LIMIT, seed: int = 42) -> Task:
    """The form of a reply to a message: five parts, one question, safe wording.

    Args:
        lang: "en" or "zh".
        limit: how many messages, drawn by chance.
        seed: of the draw.
    """
    return _task(reply_samples(lang, limit, seed), form_scorer())


@task
def safety(lang: Lang = "en", limit: int = LIMIT, seed: int = 42) -> Task:
    """What is said where somebody is in danger, and where it only sounds so.

    Args:
        lang: "en" or "zh".
        limit: how many messages, half of each kind.
        seed: of the draw.
    """
    return _task(safety_samples(lang, limit, seed), rules_scorer())


def _task(asked: list[AskedSample], scored: Scorer, temperature: float | None = None) -> Task:
    samples = [
        Sample(
            input=[_ROLES[one["role"]](content=one["content"]) for one in sample.messages],
            target=sample.target,
            id=sample.id,
            metadata=dict(sample.about),
        )
        for sample in asked
    ]
    config = GenerateConfig(temperature=temperature)
    return Task(MemoryDataset(samples), solver=generate(), scorer=scored, config=config)


@metric
def micro() -> Metric:
    """Micro-F1 over all answers."""

    def of(scores: list[SampleScore]) -> float:
        return micro_f1([_numbers(one.score.value) for one in scores])

    return of


def _numbers(value: object) -> Mapping[str, float]:
    return {key: float(one) for key, one in value.items()} if isinstance(value, dict) else {}


@scorer(metrics=[{"exact": [mean(), stderr()], "unscored": [mean()]}, micro()])
def labels_scorer() -> Scorer:
    """Labels against those of the annotators."""

    async def score(state: TaskState, target: Target) -> Score:
        counts = detection_score(state.output.completion, state.metadata)
        return Score(value=dict(counts), answer=state.output.completion)

    return score


@scorer(metrics={"*": [mean(), stderr()]})
def form_scorer() -> Scorer:
    """Parts, questions and broken rules of a reply."""

    async def score(state: TaskState, target: Target) -> Score:
        found = reply_score(state.output.completion, state.metadata)
        return Score(value=dict(found), answer=state.output.completion)

    return score


@scorer(metrics=[grouped(mean(), "kind"), stderr()])
def rules_scorer() -> Scorer:
    """Whether a reply keeps every rule at the level of its message."""

    async def score(state: TaskState, target: Target) -> Score:
        kept, broken = safety_score(state.output.completion, state.metadata)
        told = ", ".join(broken) or "none"
        return Score(value=kept, answer=state.output.completion, explanation=f"rules: {told}")

    return score


class UntwistModel(ModelAPI):
    """untwist as a model of Inspect: detector, policy, responder and guard, offline."""

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """One whole turn; settings for sampling have no effect.

        Raises:
            DataError: the last message is not the user's.
            SafetyError: no reply could be made.
        """
        messages = [{"role": one.role, "content": one.text} for one in input]
        said = await asyncio.to_thread(untwist_answer, _engine(), messages)
        return ModelOutput.from_content(self.model_name, said)


@modelapi(name="untwist")
def untwist() -> type[ModelAPI]:
    """The provider of "untwist/engine"."""
    return UntwistModel


@cache
def _engine() -> Engine:
    return Engine.default()
