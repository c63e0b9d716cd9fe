"""Worksheets: what a person worked out, as a value that can be filled, edited and kept.

Six kinds. Every field may be None, which means "left out" and is never asked for. Editing gives a
new value. The words are the person's own, as they wrote them; nothing here judges or rates them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from untwist.respond.columns import HIGHEST, Note, checked_column, plain_column
from untwist.respond.state import Share
from untwist.schema import Json
from untwist.taxonomy import Distortion
from untwist.text import require_text

KIND = "worksheet"
"""The key of a record that names its kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worksheet:
    """What all worksheets share.

    Attributes:
        notes: what was said beside the columns, in order.

    Raises:
        DataError: a rating is not a whole number from 0 to 100, or a text cannot be read.
    """

    kind: ClassVar[str] = ""
    columns: ClassVar[tuple[str, ...]] = ()

    notes: tuple[Note, ...] = ()

    def __post_init__(self) -> None:
        for name in self.columns:
            object.__setattr__(self, name, checked_column(name, getattr(self, name)))
        for note in self.notes:
            require_text(note.text)

    @property
    def empty(self) -> bool:
        """Whether nothing has been filled in yet."""
        return not self.notes and all(getattr(self, name) in (None, ()) for name in self.columns)

    def to_dict(self) -> Json:
        """As JSON values, with the kind; fields that were left out are null."""
        filled = {name: plain_column(getattr(self, name)) for name in self.columns}
        return {KIND: self.kind, **filled, "notes": [note.to_dict() for note in self.notes]}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Thought(Worksheet):
    """The columns of every worksheet about a thought.

    Attributes:
        situation: what happened.
        emotions: the feelings, in the person's words.
        emotion_before: how strong they were at first, 0 to 100.
        automatic_thought: the thought.
        belief_before: how far it was believed at first, 0 to 100.
        distortion: the pattern whose name the person agreed to.
        balanced_thought: how the person words it now.
        belief_after: how far the first thought is believed now, 0 to 100.
        emotion_after: how strong the feelings are now, 0 to 100.
        small_step: what the person means to try.
    """

    situation: str | None = None
    emotions: str | None = None
    emotion_before: int | None = None
    automatic_thought: str | None = None
    belief_before: int | None = None
    distortion: Distortion | None = None
    balanced_thought: str | None = None
    belief_after: int | None = None
    emotion_after: int | None = None
    small_step: str | None = None


_BEFORE = (
    "situation",
    "emotions",
    "emotion_before",
    "automatic_thought",
    "belief_before",
    "distortion",
)
_AFTER = ("balanced_thought", "belief_after", "emotion_after", "small_step")


@dataclass(frozen=True, slots=True, kw_only=True)
class ThoughtRecord(_Thought):
    """The thought record: seven columns, with ratings in those of feeling and thought.

    Attributes:
        evidence_for: what speaks for the thought.
        evidence_against: what speaks against it.
    """

    kind: ClassVar[str] = "thought_record"
    columns: ClassVar[tuple[str, ...]] = (*_BEFORE, "evidence_for", "evidence_against", *_AFTER)

    evidence_for: str | None = None
    evidence_against: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment(_Thought):
    """The behavioural experiment: a prediction that is put to the test.

    Attributes:
        facts: what is known.
        assumptions: what was filled in.
        prediction: what the thought says will happen.
        plan: how it could be found out.
        outcome: what happened, then or when something like it came up before.
        learning: what the person takes from it.
    """

    kind: ClassVar[str] = "experiment"
    columns: ClassVar[tuple[str, ...]] = (
        *_BEFORE,
        "facts",
        "assumptions",
        "prediction",
        "plan",
        "outcome",
        "learning",
        *_AFTER,
    )

    facts: str | None = None
    assumptions: str | None = None
    prediction: str | None = None
    plan: str | None = None
    outcome: str | None = None
    learning: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponsibilityPie(_Thought):
    """The responsibility pie: everything that had a part in it, each with its slice.

    Attributes:
        causes: who and what had a part, before any share is given.
        factors: the slices; they need not add up to a hundred.
        learning: what the person sees in the whole pie.
    """

    kind: ClassVar[str] = "responsibility_pie"
    columns: ClassVar[tuple[str, ...]] = (*_BEFORE, "causes", "factors", "learning", *_AFTER)

    causes: str | None = None
    factors: tuple[Share, ...] = ()
    learning: str | None = None

    @property
    def rest(self) -> float | None:
        """What is left of a hundred; below 0 when too much was given; None without slices."""
        return HIGHEST - sum(f.percent for f in self.factors) if self.factors else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CostBenefit(_Thought):
    """The cost-benefit table of a rule that someone lives by.

    Attributes:
        rule: in strict words.
        benefits: what it gives.
        costs: what it takes.
        flexible_rule: a wording that bends.
    """

    kind: ClassVar[str] = "costs_and_benefits"
    columns: ClassVar[tuple[str, ...]] = (
        *_BEFORE,
        "rule",
        "benefits",
        "costs",
        "flexible_rule",
        *_AFTER,
    )

    rule: str | None = None
    benefits: str | None = None
    costs: str | None = None
    flexible_rule: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuum(_Thought):
    """The continuum: a line from 0 to 100 with the thought's subject somewhere on it.

    Attributes:
        low_end: what would be at 0.
        high_end: what would be at 100.
        rating: where this one is, 0 to 100.
        exceptions: what keeps it off the bottom.
        between: what else lies on the line.
    """

    kind: ClassVar[str] = "continuum"
    columns: ClassVar[tuple[str, ...]] = (
        *_BEFORE,
        "low_end",
        "high_end",
        "rating",
        "exceptions",
        "between",
        *_AFTER,
    )

    low_end: str | None = None
    high_end: str | None = None
    rating: int | None = None
    exceptions: str | None = None
    between: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetySteps(Worksheet):
    """A plan for hard hours, in steps: one's own means first, then people, then professionals.

    The order of such steps is general knowledge; the wording is ours and follows no published form.

    Attributes:
        warning_signs: by what the person notices that it is getting hard.
        coping: what they can do on their own.
        company: people and places that take the mind off it.
        people_to_ask: whom they can ask for help.
        professionals: whom they can turn to by profession; the lines of help come with the export.
        surroundings: what makes the place around them safer, in their own words.
        reasons: what they want to hold on to.
    """

    kind: ClassVar[str] = "safety_steps"
    columns: ClassVar[tuple[str, ...]] = (
        "warning_signs",
        "coping",
        "company",
        "people_to_ask",
        "professionals",
        "surroundings",
        "reasons",
    )

    warning_signs: str | None = None
    coping: str | None = None
    company: str | None = None
    people_to_ask: str | None = None
    professionals: str | None = None
    surroundings: str | None = None
    reasons: str | None = None


WORKSHEETS: Mapping[str, type[Worksheet]] = {
    sheet.kind: sheet
    for sheet in (
        ThoughtRecord,
        Experiment,
        ResponsibilityPie,
        CostBenefit,
        Continuum,
        SafetySteps,
    )
}
"""The worksheets, by the name that stands in a record."""
