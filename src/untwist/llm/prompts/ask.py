"""Putting a prompt to a model: asked, read, and asked again where the answer cannot be read."""

from __future__ import annotations

from typing import TypeVar

from untwist.errors import ParseError
from untwist.llm.prompts.answers import refuses
from untwist.llm.prompts.base import Messages, Prompt
from untwist.ports import ChatModel

Value = TypeVar("Value")

MAX_TOKENS = 1024
"""Of one answer, unless told otherwise."""

WARM = 0.7
"""Temperature of another try: at 0 a model would repeat itself."""

_APART = 1_000_003


def ask(
    model: ChatModel,
    prompt: Prompt[Value],
    messages: Messages,
    *,
    seed: int = 42,
    temperature: float = 0.0,
    attempts: int = 2,
    max_tokens: int = MAX_TOKENS,
) -> Value:
    """The value of a model's answer.

    Args:
        model: whoever answers.
        prompt: reads the answer.
        messages: the prompt's question.
        seed: of the first attempt; others are far from it.
        temperature: of the first attempt.
        attempts: how often it is asked when the answer cannot be read; a refusal is taken at once.
        max_tokens: of the answer.

    Raises:
        ModelError: no answer came, or none that can be read; its message quotes nothing.
    """
    last = ParseError("never asked", raw="")
    for attempt in range(attempts):
        try:
            answer = model.chat(
                messages,
                schema=prompt.schema,
                temperature=max(temperature, WARM) if attempt else temperature,
                seed=seed + attempt * _APART,
                max_tokens=max_tokens,
                prompt=prompt.id,
            )
            return prompt.parse(answer)
        except ParseError as error:
            last = error
            if error.reason == "refused" or refuses(error.raw):
                break
    refused = last.reason == "refused" or refuses(last.raw)
    told = "declined" if refused else "gave no answer that can be read"
    reason = "refused" if refused else last.reason or "parse"
    raise ParseError(f"{model.name} {told}", raw=last.raw, reason=reason) from last
