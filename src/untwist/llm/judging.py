"""A language model as a judge of replies, by one rubric.

What cannot be judged is unscored, with the model's reason; a model that gives no answer at all is a
ModelError. Scores mean nothing before they are calibrated on people's (`untwist evaluate judge`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from untwist.llm.prompts.ask import MAX_TOKENS, ask
from untwist.llm.prompts.base import Messages, Prompt
from untwist.llm.prompts.judge import Exchange, Judge, Judgement, Rubric
from untwist.llm.prompts.prefer import Prefer, Preference
from untwist.ports import ChatModel
from untwist.schema import Assessment, Reply
from untwist.taxonomy import Lang

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class PromptedJudge:
    """A model and the rubric that it judges by; fits `ports.Judge`.

    Attributes:
        model: whoever judges.
        rubric: one of `untwist.llm.prompts.RUBRICS`.
        seed: of the sampling.
        attempts: how often an answer that cannot be read is asked for.
        max_tokens: of one answer.
        temperature: of the first attempt; at 0 most models say the same however often they are
            asked, so repeats need more.
        reverse: ask about the scales from the last to the first.

    Raises:
        DataError: there is no such rubric.
    """

    model: ChatModel
    rubric: Rubric = "triple"
    seed: int = 42
    attempts: int = 2
    max_tokens: int = MAX_TOKENS
    temperature: float = 0.0
    reverse: bool = False

    def __post_init__(self) -> None:
        Judge("en", self.rubric)

    @property
    def name(self) -> str:
        """The model, the rubric and its version."""
        prompt = Judge("en", self.rubric)
        return f"llm:{self.model.name}/{prompt.name}@{prompt.version}"

    def judge(self, judged: Exchange, lang: Lang) -> Judgement:
        """Every scale with its reason.

        Raises:
            ModelError: no answer came, or none that can be read.
        """
        prompt = Judge(lang, self.rubric, self.reverse)
        return self._asked(prompt, prompt.messages(judged))

    def prefer(self, judged: Exchange, other: str, lang: Lang) -> Preference:
        """Which of two replies does better on every scale, the one in `judged` shown first.

        Raises:
            ModelError: no answer came, or none that can be read.
        """
        prompt = Prefer(lang, self.rubric)
        return self._asked(prompt, prompt.messages(judged, other))

    def _asked(self, prompt: Prompt[Value], messages: Messages) -> Value:
        return ask(
            self.model,
            prompt,
            messages,
            seed=self.seed,
            temperature=self.temperature,
            attempts=self.attempts,
            max_tokens=self.max_tokens,
        )

    def score(self, assessment: Assessment, reply: Reply) -> Mapping[str, float | None]:
        """A score per scale; None means unscored.

        Raises:
            ModelError: no answer came, or none that can be read.
        """
        judged = Exchange(
            (assessment.utterance,),
            reply.text,
            distortions=tuple(finding.distortion for finding in assessment.findings),
            intensity=assessment.intensity,
            risk=assessment.risk,
            strategy=reply.strategy,
        )
        return self.judge(judged, reply.lang).numbers
