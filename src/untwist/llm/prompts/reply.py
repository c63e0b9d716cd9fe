"""A chosen strategy in words (CoPoLLM, section 4.2).

Leaves out: crisis replies. They are fixed texts; no model writes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from untwist.errors import SafetyError
from untwist.llm.prompts.answers import Fields
from untwist.llm.prompts.base import (
    Messages,
    Prompt,
    fenced,
    message,
    object_of,
    spoken,
    string,
    tidied,
)
from untwist.schema import Assessment, Choice, Json, Utterance
from untwist.taxonomy import Risk, Strategy


@dataclass(frozen=True, slots=True)
class Draft:
    """A reply that nobody has checked yet.

    Attributes:
        reply: its words.
    """

    reply: str

    def __post_init__(self) -> None:
        tidied(self, "reply")


@dataclass(frozen=True, slots=True)
class StrategyReply(Prompt[Draft]):
    """The question for a reply that carries out a strategy."""

    @property
    def name(self) -> str:
        """The name of its words."""
        return "reply"

    @property
    def schema(self) -> Json:
        """Reply."""
        return object_of(reply=string(self.words["reply"]))

    def messages(
        self, choice: Choice, assessment: Assessment, history: Sequence[Utterance] = ()
    ) -> Messages:
        """The question.

        Args:
            choice: the strategy, and the distortion that it is for.
            assessment: of the message that is answered.
            history: what was said before it, by both.

        Raises:
            SafetyError: the strategy is crisis intervention, or the risk is high.
        """
        crisis = choice.strategy is Strategy.CRISIS_INTERVENTION
        if crisis or assessment.risk is Risk.HIGH:
            raise SafetyError("a reply in a crisis is a fixed text: no model writes it")
        system = self._system(
            strategy=self.words["strategy"].format(
                name=choice.strategy.name_in(self.lang), does=choice.strategy.speaker_in(self.lang)
            ),
            moves=self.words["moves"][choice.strategy.value],
        )
        rows = [self._state(choice, assessment)]
        if history:
            rows.append(fenced("earlier", spoken(history, self.lang)))
        rows.append(fenced("message", assessment.utterance.text))
        return system, message("user", "\n".join(rows))

    def _state(self, choice: Choice, assessment: Assessment) -> str:
        """What is known of the thought and of the person."""
        told, target = self.words["state"], choice.target
        rows = [told["nothing"]]
        if target is not None:
            name, definition = target.name_in(self.lang), target.definition_in(self.lang)
            rows = [told["target"].format(name=name, definition=definition)]
            rows += [told["quote"].format(quote=q) for q in _evidence(choice, assessment)[:1]]
            if assessment.intensity is not None:
                rows.append(told[assessment.intensity.value])
        if assessment.risk is Risk.MEDIUM:
            rows.append(told["medium"])
        return "\n".join(rows)

    def read(self, fields: Fields) -> Draft:
        """See `Prompt.read`."""
        return Draft(fields.prose("reply"))

    def write(self, value: Draft) -> Json:
        """See `Prompt.write`."""
        return {"reply": value.reply}


def _evidence(choice: Choice, assessment: Assessment) -> list[str]:
    """The words that carry the thought, between marks."""
    text = assessment.utterance.text
    return [
        fenced("quote", text[one.start : one.end])
        for one in assessment.findings
        if one.distortion is choice.target and one.start is not None
    ]
