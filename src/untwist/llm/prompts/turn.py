"""One turn of a conversation in a model's own words: the step is chosen, the words are not.

Leaves out: crisis replies. They are fixed texts; no model writes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from untwist.errors import DataError, ParseError, SafetyError
from untwist.llm.prompts.answers import Fields, refuses
from untwist.llm.prompts.base import Messages, Prompt, fenced, message, words_of
from untwist.llm.prompts.base import spoken as lines_of
from untwist.llm.prompts.reply import Draft
from untwist.llm.structured import spoken
from untwist.schema import Assessment, Json, Utterance
from untwist.taxonomy import Distortion, Risk, Strategy

LONGEST = 1_500
"""Most characters that are shown of one message; of a longer one the beginning and the end."""
_CUT = " … "


@dataclass(frozen=True, slots=True)
class TurnAsked:
    """What one turn has to do.

    Attributes:
        plain: the same turn in prepared words.
        strategy: which is carried out.
        target: the distortion that is worked on; None while the person is listened to.
        noted: what was worked out so far, in the person's words, oldest first.
    """

    plain: str
    strategy: Strategy
    target: Distortion | None = None
    noted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NextTurn(Prompt[Draft]):
    """The question for the next turn; its answer is free text, so that it can be streamed."""

    @property
    def name(self) -> str:
        """The name of its words."""
        return "turn"

    @property
    def schema(self) -> None:
        """Free text."""
        return

    def messages(
        self, asked: TurnAsked, assessment: Assessment, history: Sequence[Utterance] = ()
    ) -> Messages:
        """The question. Nothing that the person wrote stands in the instructions.

        Args:
            asked: what the turn has to do.
            assessment: of the message that is answered.
            history: what was said before it, by both, as much of it as may be shown.

        Raises:
            SafetyError: the strategy is crisis intervention, or the risk is high.
        """
        if asked.strategy is Strategy.CRISIS_INTERVENTION or assessment.risk is Risk.HIGH:
            raise SafetyError("a reply in a crisis is a fixed text: no model writes it")
        reply = words_of("reply", self.lang)
        strategy = reply["strategy"].format(
            name=asked.strategy.name_in(self.lang), does=asked.strategy.speaker_in(self.lang)
        )
        system = self._system(strategy=strategy)
        return system, message("user", "\n".join(self._rows(asked, assessment, history)))

    def _rows(
        self, asked: TurnAsked, assessment: Assessment, history: Sequence[Utterance]
    ) -> list[str]:
        told, rows = words_of("reply", self.lang)["state"], []
        if asked.target is not None:
            target = asked.target
            definition = target.definition_in(self.lang)
            rows.append(
                told["target"].format(name=target.name_in(self.lang), definition=definition)
            )
        if assessment.intensity is not None:
            rows.append(told[assessment.intensity.value])
        if asked.noted:
            rows.append(fenced("noted", "\n".join(map(shortened, asked.noted))))
        if history:
            short = [Utterance(shortened(u.text), u.lang, u.id, u.role) for u in history]
            rows.append(fenced("earlier", lines_of(short, self.lang)))
        rows.append(fenced("message", shortened(assessment.utterance.text)))
        rows.append(fenced("plain", asked.plain))
        return rows

    def parse(self, answer: str) -> Draft:
        """What an answer says; see `Prompt.parse`."""
        text = spoken(answer)
        if refuses(text):
            raise ParseError("the model declines", raw=answer, reason="refused")
        try:
            return Draft(text)
        except DataError as error:
            raise ParseError(f"turn: {error}", raw=answer, reason="empty") from error

    def render(self, value: Draft) -> str:
        """The answer that says a value."""
        return value.reply

    def read(self, fields: Fields) -> Draft:
        """See `Prompt.read`; for a log that keeps what was said as an object."""
        return Draft(fields.prose("reply"))

    def write(self, value: Draft) -> Json:
        """See `Prompt.write`."""
        return {"reply": value.reply}


def shortened(text: str, longest: int = LONGEST) -> str:
    """A text of at most so many characters: its beginning and its end."""
    if len(text) <= longest:
        return text
    tail = (longest - len(_CUT)) // 3
    return text[: longest - len(_CUT) - tail] + _CUT + text[-tail:]
