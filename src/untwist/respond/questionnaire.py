"""PHQ-9 and GAD-7: their questions, their sums, and what an answer to the ninth question opens.

Both were made by R. L. Spitzer, J. B. W. Williams, K. Kroenke and colleagues; no permission is
required to reproduce, translate, display or distribute them. A sum is no diagnosis. A question that
was left out is unknown, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from untwist.errors import DataError
from untwist.respond.book import scripts_of
from untwist.respond.guard import ReplyGuard
from untwist.respond.instrument import MOST, RULES, Band, Instrument, instrument_of
from untwist.respond.page import Node, Texts, page
from untwist.respond.scripted import ScriptedResponder
from untwist.schema import Assessment, Choice, Turn, Utterance
from untwist.taxonomy import Acuity, Lang, Risk, Strategy
from untwist.text import Locale, normalize


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """The words of an instrument in one locale.

    Attributes:
        instrument: which.
        locale: the language, and for Chinese the characters.
        title: its name.
        intro: what all questions begin with.
        items: the questions.
        choices: the four answers, for 0 to 3.
        difficulty: the question after the others; it is not scored.
        difficulty_choices: its four answers.
        bands: what the bands are called, by name.
        safety: what an answer above 0 to the guarded question says, in the person's place; None
            where no question is guarded.
        source: who made it, and that it may be shown.
    """

    instrument: Instrument
    locale: Locale
    title: str
    intro: str
    items: Texts
    choices: Texts
    difficulty: str
    difficulty_choices: Texts
    bands: Mapping[str, str]
    safety: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Score:
    """The answers to an instrument, and what follows from them.

    Attributes:
        instrument: which.
        answers: 0 to 3 by question, in order; None where it was left out.
        difficulty: 0 to 3, not scored; None when it was not asked or left out.

    Raises:
        DataError: there are too few or too many answers, or one is not 0, 1, 2, 3 or None.
    """

    instrument: Instrument
    answers: tuple[int | None, ...]
    difficulty: int | None = None

    def __post_init__(self) -> None:
        expected = RULES[self.instrument].items
        if len(self.answers) != expected:
            raise DataError(
                f"{self.instrument.value} has {expected} questions, not {len(self.answers)}: give"
                " an answer for each, null for one that was left out"
            )
        for place, answer in enumerate((*self.answers, self.difficulty), 1):
            if answer is None or (type(answer) is int and 0 <= answer <= MOST):
                continue
            where = f"question {place}" if place <= expected else "difficulty"
            raise DataError(
                f"{self.instrument.value}, {where}: {answer!r} is none of 0, 1, 2, 3; give null for"
                " what was left out"
            )

    @property
    def missing(self) -> tuple[int, ...]:
        """The questions that were left out, counted from 1."""
        return tuple(place for place, answer in enumerate(self.answers, 1) if answer is None)

    @property
    def total(self) -> int | None:
        """The sum; None when a question was left out."""
        return None if self.missing else self._known

    @property
    def span(self) -> tuple[int, int]:
        """The lowest and the highest sum that the answers leave possible."""
        return self._known, self._known + MOST * len(self.missing)

    @property
    def estimate(self) -> int | None:
        """The sum with the mean of the others in the place of a missing answer.

        Only for the PHQ-9 with one or two left out (NHS Data Dictionary); halves are rounded up.
        None when nothing is missing, or too much.
        """
        left_out = len(self.missing)
        if not 0 < left_out <= RULES[self.instrument].replaced:
            return None
        given = len(self.answers) - left_out
        return (2 * self._known * len(self.answers) + given) // (2 * given)

    @property
    def bands(self) -> tuple[Band, ...]:
        """The bands in which the sum can lie: one when it is known, or certain all the same."""
        low, high = self.span
        every = RULES[self.instrument].bands
        return tuple(band for band in every if band.low <= high and low <= band.high)

    @property
    def opens_safety(self) -> bool:
        """Whether the question about death and self-harm has an answer above 0."""
        place = RULES[self.instrument].guarded
        return place is not None and bool(self.answers[place])

    @property
    def leaves_safety_open(self) -> bool:
        """Whether the question about death and self-harm was left out, so that nothing is known."""
        place = RULES[self.instrument].guarded
        return place is not None and self.answers[place] is None

    @property
    def _known(self) -> int:
        return sum(answer for answer in self.answers if answer is not None)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; what follows from the answers is written beside them."""
        return {
            "questionnaire": self.instrument.value,
            "answers": list(self.answers),
            "difficulty": self.difficulty,
            "missing": list(self.missing),
            "total": self.total,
            "span": list(self.span),
            "estimate": self.estimate,
            "bands": [band.name for band in self.bands],
            "opens_safety": self.opens_safety,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Score:
        """From JSON values; only "questionnaire", "answers" and "difficulty" are read.

        Raises:
            DataError: the record is no score.
        """
        answers = data.get("answers")
        if not isinstance(answers, Sequence) or isinstance(answers, str):
            raise DataError('"answers" must be a list with a number or null for each question')
        return cls(instrument_of(data.get("questionnaire")), tuple(answers), data.get("difficulty"))


def choice_of(answer: str, choices: Sequence[str]) -> int | None:
    """The number of an answer, given as a figure or in the words of a choice; else None."""
    said = normalize(answer).text.strip(" .。")
    for number, choice in enumerate(choices):
        if said in (str(number), normalize(choice).text):
            return number
    return None


@cache
def open_questionnaire(instrument: Instrument, locale: Locale) -> Questionnaire:
    """The words of an instrument, checked. Their wording is fixed; no other folder is read.

    Raises:
        ArtifactError: the file is absent or is not JSON.
        DataError: the file lacks a text.
    """
    root = page(scripts_of(None) / locale / "questionnaires" / f"{instrument.value}.json")
    rules = RULES[instrument]
    guarded = rules.guarded is not None
    return Questionnaire(
        instrument=instrument,
        locale=locale,
        title=root.at("title").text(set()),
        intro=root.at("intro").text(set()),
        items=_exactly(root.at("items"), rules.items),
        choices=_exactly(root.at("choices"), MOST + 1),
        difficulty=root.at("difficulty").text(set()),
        difficulty_choices=_exactly(root.at("difficulty_choices"), MOST + 1),
        bands={b.name: root.at("bands").at(b.name).text(set()) for b in rules.bands},
        safety=root.at("safety").text(set()) if guarded else None,
        source=root.at("source").text(set()),
    )


def _exactly(node: Node, count: int) -> Texts:
    found = node.texts(set())
    if len(found) != count:
        raise DataError(f"{node.where}: needs {count} texts, has {len(found)}")
    return found


def safety_turn(score: Score, locale: Locale, region: str | None = None) -> Turn | None:
    """The crisis reply to an answer above 0 to the guarded question; None when it was 0 or missing.

    The same fixed text as in a conversation: one direct question, the contacts of the region, a
    person nearby. A conversation can go on from the turn, and the danger stays remembered in it.

    Args:
        score: the answers.
        locale: language of the reply, and for Chinese its characters.
        region: where the person is, as an ISO 3166 code; None shows a chooser.

    Raises:
        ConfigError: the region is unknown.
    """
    said = open_questionnaire(score.instrument, locale).safety
    if not score.opens_safety or said is None:
        return None
    lang: Lang = "en" if locale == "en" else "zh"
    name = score.instrument.value
    assessment = Assessment(
        utterance=Utterance(said, lang),
        findings=(),
        intensity=None,
        risk=Risk.HIGH,
        acuity=(Acuity.PASSIVE,),
        reasons=(f"{name}-guarded",),
        detector=name,
    )
    choice = Choice(Strategy.CRISIS_INTERVENTION, None, "safety", name)
    responder = ScriptedResponder(region=region, locale=locale)
    reply = responder.reply(choice, assessment, ())
    verdict = ReplyGuard().check(reply, assessment)
    return Turn(assessment, choice, reply, verdict, versions={"responder": responder.name})
