"""Scores for what a helper wrote, by one rubric; a scale may stay unscored, with a reason.

A judge's scores mean nothing before they are calibrated against people (CoPoLLM C.4; the recipe
`evaluate_judge`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from untwist.errors import DataError
from untwist.llm.prompts.answers import Fields
from untwist.llm.prompts.base import (
    Messages,
    Prompt,
    fenced,
    listed,
    message,
    object_of,
    one_of,
    spoken,
    string,
    tidied,
    words_of,
)
from untwist.schema import Json, Utterance
from untwist.taxonomy import Distortion, Intensity, Risk, Strategy

Rubric = Literal["cognitive", "session", "answer", "triple", "change"]
RUBRICS: tuple[Rubric, ...] = ("cognitive", "session", "answer", "triple", "change")
"""CoPoLLM's scales of cognitive work and of the whole (B.2), CBT-LLM's (A), the labels of the
calibration (C.4), and what the evaluator says of two messages (Eq. 1)."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is judged.

    Attributes:
        said: the conversation up to the message that is answered, which comes last.
        reply: what the helper wrote.
        after: what the person wrote then; None where that is not known.
        distortions: of the message; None where nobody labelled it.
        intensity: of the message; None where it was not judged.
        risk: of the message; None where it was not judged.
        strategy: what the reply was to carry out; None where that is not known.

    Raises:
        DataError: there is no message of the person to answer, or no reply.
    """

    said: tuple[Utterance, ...]
    reply: str
    after: str | None = None
    distortions: tuple[Distortion, ...] | None = None
    intensity: Intensity | None = None
    risk: Risk | None = None
    strategy: Strategy | None = None

    def __post_init__(self) -> None:
        tidied(self, "reply")
        if not self.said or self.said[-1].role != "user":
            raise DataError("what is judged ends with a message of the person and its reply")


@dataclass(frozen=True, slots=True)
class Score:
    """One scale of one judgement.

    Attributes:
        scale: its name in the rubric.
        why: the reason.
        value: the score; None means unscored.
    """

    scale: str
    why: str
    value: int | None

    def __post_init__(self) -> None:
        tidied(self, "why")


@dataclass(frozen=True, slots=True)
class Judgement:
    """One score for each scale of a rubric, in its order.

    Attributes:
        scores: never left out; unscored ones are None.
    """

    scores: tuple[Score, ...]

    @property
    def numbers(self) -> Mapping[str, float | None]:
        """Score by scale, as `ports.Judge` gives them."""
        return {one.scale: None if one.value is None else float(one.value) for one in self.scores}


@dataclass(frozen=True, slots=True)
class Judge(Prompt[Judgement]):
    """The question for a judgement.

    Attributes:
        rubric: one of `RUBRICS`.
        reverse: ask about the scales from the last to the first, to see whether their order
            matters; the answer's fields stand in the order of the question.

    Raises:
        DataError: there is no such rubric.
    """

    rubric: Rubric = "session"
    reverse: bool = False

    def __post_init__(self) -> None:
        if self.rubric not in RUBRICS:
            raise DataError(f'no rubric "{self.rubric}": there are {", ".join(RUBRICS)}')

    @property
    def name(self) -> str:
        """The name of the rubric's words; those that all rubrics share are "judge"."""
        return f"judge_{self.rubric}"

    @property
    def version(self) -> int:
        """Rises with the rubric and with what all rubrics share."""
        return int(self.words["version"]) + int(words_of("judge", self.lang)["version"]) - 1

    @property
    def scales(self) -> Mapping[str, tuple[int, ...]]:
        """The values of each scale, the lowest first, in the order in which they are asked."""
        return {name: tuple(one["values"]) for name, one in self._rows}

    @property
    def told(self) -> str:
        """The scales as a list for whoever judges."""
        return "\n".join(
            listed(name, one["name"], one["about"], self.lang) for name, one in self._rows
        )

    @property
    def _rows(self) -> list[tuple[str, Mapping[str, Any]]]:
        rows = list(self.words["scales"].items())
        return rows[::-1] if self.reverse else rows

    @property
    def schema(self) -> Json:
        """For each scale why and score."""
        shared = words_of("judge", self.lang)
        return object_of(
            **{
                name: object_of(why=string(shared["why"]), score=one_of(values, null=True))
                for name, values in self.scales.items()
            }
        )

    def messages(self, judged: Exchange) -> Messages:
        """The question about one reply; what is known of the person's state is told."""
        shared = words_of("judge", self.lang)["system"]
        system = self._filled(shared, task=self.words["task"], scales=self.told)
        return message("system", system), message("user", self._shown(judged))

    def heard(self, judged: Exchange) -> list[str]:
        """What the reply answers, as it is shown to whoever judges."""
        *before, last = judged.said
        rows = [fenced("earlier", spoken(before, self.lang))] if before else []
        return [*rows, *self._state(judged), fenced("message", last.text)]

    def _shown(self, judged: Exchange) -> str:
        rows = [*self.heard(judged), fenced("reply", judged.reply)]
        if judged.after is not None:
            rows.append(fenced("after", judged.after))
        return "\n".join(rows)

    def _state(self, judged: Exchange) -> list[str]:
        told, common = words_of("judge", self.lang)["state"], words_of("common", self.lang)
        values: dict[str, str] = {}
        if judged.distortions is not None:
            named = common["between"].join(d.name_in(self.lang) for d in judged.distortions)
            values["distortions"] = named or common["none"]
        for key in ("intensity", "risk", "strategy"):
            one: Intensity | Risk | Strategy | None = getattr(judged, key)
            if one is not None:
                values[key] = one.name_in(self.lang)
        return [told[key].format(value=value) for key, value in values.items()]

    def read(self, fields: Fields) -> Judgement:
        """See `Prompt.read`."""
        scores = []
        for name, values in self.scales.items():
            one = fields.object(name)
            scores.append(Score(name, one.text("why"), one.number("score", values)))
        return Judgement(tuple(scores))

    def write(self, value: Judgement) -> Json:
        """See `Prompt.write`."""
        return {one.scale: {"why": one.why, "score": one.value} for one in value.scores}
