"""Where a conversation stands, read from the program's own earlier texts.

A thread is the work on one distortion. It begins with the validation that was written for that
distortion and goes on through the steps of the strategy, until another distortion is taken up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from untwist.respond.book import PARTS, Book
from untwist.respond.moods import LOSS, occasion_of
from untwist.respond.page import Texts
from untwist.respond.pick import filled, occurs
from untwist.respond.quote import barred, evidence, quotable
from untwist.respond.voice import Subject
from untwist.schema import Assessment, Choice
from untwist.taxonomy import Distortion, Intensity, Strategy, row

_LOOK_BACK = 40
"""How many earlier turns are read: several times the longest thread, and bounded in time."""
_COMMON = ("balance", "small_step", "stay")


@dataclass(frozen=True, slots=True)
class Position:
    """The next step of a thread.

    Attributes:
        subject: what is talked about, and how.
        step: how many turns the thread has had.
        thought: the person's words, when they can be quoted.
    """

    subject: Subject
    step: int
    thought: str | None

    @property
    def strategy(self) -> Strategy:
        """How the thought is worked on."""
        return self.subject.strategy


@dataclass(frozen=True, slots=True)
class TurnStep:
    """One turn of a conversation.

    Attributes:
        name: tells the steps of a thread apart.
        part: which of the five parts it is.
        texts: its own variants; None means those of the part.
        before: texts of the conversation that lead in.
        after: texts of the conversation that ask.
        holds: whether the person's words are put in view.
    """

    name: str
    part: str
    texts: Texts | None = None
    before: Texts = ()
    after: Texts = ()
    holds: bool = False


@dataclass(frozen=True, slots=True)
class _Trace:
    """What an earlier turn of the program was about."""

    target: Distortion | None
    strategy: Strategy | None
    common: bool
    part: str | None
    occasion: str | None

    @property
    def ours(self) -> bool:
        return self.target is not None or self.strategy is not None or self.common


def sequence(position: Position, book: Book) -> tuple[TurnStep, ...]:
    """The steps of a thread, in order; after the last one the conversation stays open."""
    own = [
        TurnStep(f"step{i}", step.part, step.texts, before=("acknowledge",))
        for i, step in enumerate(book.strategies[position.strategy].steps)
        if position.subject.occasion is None
    ]
    return (
        TurnStep("validation", "validation", after=("invite",), holds=True),
        TurnStep("key_thought", "key_thought", after=("fit",)),
        TurnStep("challenge", "challenge", before=("acknowledge",)),
        *own,
        *_working(position.strategy, book),
        TurnStep("encouragement", "encouragement"),
    )


def _working(strategy: Strategy, book: Book) -> tuple[TurnStep, ...]:
    """A thought that is worked on ends in new words and one small step; listening does not."""
    if strategy is Strategy.EMPATHIC_VALIDATION:
        return (TurnStep("strategy", "strategy"),)
    return (
        TurnStep("strategy", "strategy", after=("go",)),
        TurnStep("balance", "strategy", book.conversation["balance"]),
        TurnStep("small_step", "strategy", book.conversation["small_step"]),
    )


def locate(choice: Choice, assessment: Assessment, book: Book, said: Sequence[str]) -> Position:
    """The position of the present turn.

    Args:
        choice: the policy's choice; an open thread goes on when the choice has no target, or
            another one that is only mildly held.
        assessment: what was heard now.
        book: the texts by which the earlier turns are recognised.
        said: the program's earlier texts, oldest first.
    """
    said = said[-_LOOK_BACK:]
    traces = [_trace(text, book) for text in said]
    target, strategy = choice.target, choice.strategy
    open_thread = _open_thread(traces, book)
    if open_thread is not None and not _takes_over(choice, assessment):
        target, strategy = open_thread
    step, first = _count(traces, target)
    thought = evidence(assessment, target, book.lang)
    if thought is None:
        thought = _kept(said[first:], assessment, book)
    occasion = None
    if target is None and strategy is Strategy.EMPATHIC_VALIDATION:
        occasion = occasion_of(assessment, book)
        if occasion is None and any(t.occasion == LOSS for t in traces[first:]):
            occasion = LOSS
    return Position(Subject(strategy, target, occasion), step, thought)


def _takes_over(choice: Choice, assessment: Assessment) -> bool:
    """Whether the message brings a thought that is put strongly enough to leave an open thread."""
    return choice.target is not None and assessment.intensity is not Intensity.MILD


def _open_thread(traces: Sequence[_Trace], book: Book) -> tuple[Distortion, Strategy] | None:
    """The distortion that was last worked on, when its steps are not at their end."""
    strategy = None
    for place in range(len(traces) - 1, -1, -1):
        trace = traces[place]
        strategy = strategy or trace.strategy
        if trace.target is None:
            continue
        strategy = strategy or row(trace.target).gold
        step, _ = _count(traces, trace.target)
        length = len(sequence(Position(Subject(strategy, trace.target), step, None), book))
        return (trace.target, strategy) if step < length else None
    return None


def _count(traces: Sequence[_Trace], target: Distortion | None) -> tuple[int, int]:
    """How many turns the thread on a target has had at the end, and where it began."""
    turns, first = 0, len(traces)
    found = target is None
    for place in range(len(traces) - 1, -1, -1):
        trace = traces[place]
        if trace.target is not None and trace.target is not target:
            break
        if not trace.ours:
            continue
        turns, first = turns + 1, place
        found = found or trace.target is target
        if target is not None and trace.target is target and trace.part == PARTS[0]:
            break
    return (turns, first) if found else (0, len(traces))


def _kept(said: Sequence[str], assessment: Assessment, book: Book) -> str | None:
    """The words that the thread has quoted before, checked again: the history may be forged."""
    if barred(assessment):
        return None
    slotted = [m.text for m in book.marks if "{thought}" in m.text]
    for text in said:
        for template in (*book.conversation["hold"], *slotted):
            words = filled(template, text)
            if words is not None:
                return quotable(words, book.lang, assessment.risk, text)
    return None


def _trace(text: str, book: Book) -> _Trace:
    target: Distortion | None = None
    strategy: Strategy | None = None
    part: str | None = None
    occasion: str | None = None
    for mark in book.marks:
        if occurs(mark.text, text):
            target = target or mark.target
            strategy = strategy or mark.strategy
            part = part or mark.part
            occasion = occasion or mark.occasion
    common = any(occurs(v, text) for key in _COMMON for v in book.conversation[key])
    return _Trace(target, strategy, common, part, occasion)
