"""What every pipeline has in common: one item, its questions, one value, one provenance.

A failed call makes a failed item, with its reason and with what the calls before it cost; it never
makes a value.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from untwist.errors import DataError, ModelError
from untwist.generate.asking import Asking, Question, Sampling
from untwist.generate.journal import Item
from untwist.generate.provenance import provenance
from untwist.generate.work import STOPS, Rejected, Result
from untwist.llm.prompts.base import Prompt
from untwist.schema import Json, Labels, Utterance
from untwist.taxonomy import Lang, Risk


@dataclass(frozen=True)
class Pipeline(ABC):
    """The work on one item; fits `runner.Work`.

    Attributes:
        sampling: how models are sampled.
    """

    sampling: Sampling = field(default_factory=Sampling, kw_only=True)

    @property
    @abstractmethod
    def name(self) -> str:
        """name@version; the version rises when the same input would make something else."""

    @abstractmethod
    async def make(self, value: Mapping[str, Any], asking: Asking) -> Json:
        """What is made of one item, as JSON values.

        Raises:
            ModelError: a model did not answer; the item fails for its reason.
            DataError: the item cannot be worked on.
        """

    @abstractmethod
    def questions(self, value: Mapping[str, Any]) -> list[Question[Any]]:
        """What will be asked about an item, as far as that is known before any answer.

        For the estimate of a run: a question stands once for each time it is asked.
        """

    async def __call__(self, item: Item) -> Result:
        """The item's result.

        Raises:
            Rejected: it failed; the reason is that of the model's error.
            ModelError: the run has to stop.
            DataError: the item cannot be worked on.
        """
        asking = Asking(self.sampling)
        try:
            value = await self.make(item.value, asking)
        except ModelError as error:
            if error.reason in STOPS:
                raise
            reason = error.reason or "model"
            told = provenance(self.name, asking.calls, reason)
            raise Rejected(str(error), reason=reason, provenance=told) from error
        return Result(value, provenance(self.name, asking.calls))


def question(prompt: Prompt[Any], *messages: Mapping[str, str]) -> Question[Any]:
    """A prompt with its messages as something that can be asked."""
    return Question(prompt.id, messages, prompt.schema, prompt.parse)


def said(utterance: Utterance) -> Json:
    """A message as an item holds it."""
    return {"role": utterance.role, "content": utterance.text, "lang": utterance.lang}


def heard(value: Mapping[str, Any]) -> Utterance:
    """The message that `said` wrote.

    Raises:
        DataError: it is no message.
    """
    try:
        return Utterance(value["content"], value.get("lang"), None, value["role"])
    except (KeyError, TypeError) as error:
        raise DataError("not a message: leave the items as they were made") from error


def lang_of(utterance: Utterance, fallback: Lang = "en") -> Lang:
    """The language to ask in."""
    return utterance.lang or fallback


def risk_floor(labels: Labels | None) -> Risk:
    """What a person said of the risk: nothing that is made afterwards may say less."""
    return labels.risk or Risk.NONE if labels else Risk.NONE
