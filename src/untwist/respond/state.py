"""How far a conversation has come: the value that replies and worksheets are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from untwist.schema import Step
from untwist.taxonomy import Distortion, Intensity, Strategy

Kind = Literal[
    "answer",
    "agrees",
    "disagrees",
    "another",
    "goes_on",
    "newer",
    "older",
    "doubts",
    "unknown",
    "refuses",
    "new_thought",
    "worse",
    "thanks",
    "stop",
    "question_to_program",
]
"""What a message is: an answer, one of the cues of `branches.json`, or a choice between ways."""


@dataclass(frozen=True, slots=True)
class Share:
    """One slice of a responsibility pie.

    Attributes:
        factor: in the person's words.
        percent: 0 to 100.
    """

    factor: str
    percent: float


@dataclass(frozen=True, slots=True)
class Progress:
    """What was asked and answered so far; read from what was said, kept nowhere.

    Attributes:
        step: where the last reply left the conversation; None before the first.
        protocol: the strategy's protocol that was last worked with; None before any, and never
            the frame.
        strategy: which it carries out; None before any.
        target: the distortion that is worked on; None while the person is listened to.
        thought: the thought that is kept in view, when it can be quoted.
        intensity: how strongly it is held, by the latest message of which that was judged.
        answers: by worksheet field, the person's words as they wrote them, in order; a field that
            was skipped is not there. Numbers are in the attributes below.
        ratings: by worksheet field, the number from 0 to 100 that was read in the answer.
        shares: the slices of the responsibility pie.
        asked: the steps that were asked, in order, each as (protocol, step).
        branches: what replies did instead of asking, in order.
        quoted: whether the last reply quoted anything.
        heard: what the last message was (see `Kind`); None before any reply.
        agreed: whether the name of the pattern fits; None when it was not asked or not answered.
        doubted: how many messages in a row doubted, up to the last one.
        unknown: how many in a row did not know, or were a bare yes or no to an open question.
        refused: how many refused, in the work on this thought.
        tried: the protocols that were worked with, in order.
        stopped: the person asked to stop, or agreed to.
        closed: the conversation was brought to its end.
    """

    step: Step | None = None
    protocol: str | None = None
    strategy: Strategy | None = None
    target: Distortion | None = None
    thought: str | None = None
    intensity: Intensity | None = None
    answers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ratings: Mapping[str, int] = field(default_factory=dict)
    shares: tuple[Share, ...] = ()
    asked: tuple[tuple[str, str], ...] = ()
    branches: tuple[str, ...] = ()
    quoted: bool = False
    heard: Kind | None = None
    agreed: bool | None = None
    doubted: int = 0
    unknown: int = 0
    refused: int = 0
    tried: tuple[str, ...] = ()
    stopped: bool = False
    closed: bool = False

    @property
    def belief_before(self) -> int | None:
        """How far the thought was believed at first, 0 to 100; None when it was not rated."""
        return self.ratings.get("belief_before")

    @property
    def belief_after(self) -> int | None:
        """How far it is believed at the end, 0 to 100; None when it was not rated."""
        return self.ratings.get("belief_after")

    @property
    def emotion_before(self) -> int | None:
        """How strong the feeling was at first, 0 to 100; None when it was not rated."""
        return self.ratings.get("emotions")

    @property
    def emotion_after(self) -> int | None:
        """How strong it is at the end, 0 to 100; None when it was not rated."""
        return self.ratings.get("emotion_after")

    def answer(self, name: str) -> str | None:
        """The person's words for a worksheet field, all of them; None when there are none."""
        return "\n".join(self.answers[name]) if self.answers.get(name) else None
