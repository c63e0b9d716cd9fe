"""The way of a conversation: what is known at a turn, and which step is due next.

A step that was asked is not asked again, and one whose answer is known is left out, so that there
is no loop; at the end of the way stands a farewell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from untwist.respond.replay import EARLY, open_step
from untwist.respond.state import Progress
from untwist.respond.steps import FRAME, Protocol, Protocols, ProtocolStep
from untwist.schema import Assessment, Choice
from untwist.taxonomy import Distortion, Intensity, Strategy, row

LISTEN = Strategy.EMPATHIC_VALIDATION
BEFORE: tuple[str, ...] = ("thought", "belief", "emotion", "name")
AFTER: tuple[str, ...] = ("balanced", "belief_after", "emotion_after", "small_step", "close")
"""The frame's steps around the work with a strategy; "settle" comes first of all."""
_ENDING = {(FRAME, name) for name in AFTER}
_RATED_AGAIN = {"belief_after": "belief_before", "emotion_after": "emotions"}
_LONG = 14
"""After so many replies about one thought, what is optional in the work is left out."""


@dataclass(frozen=True, slots=True)
class Move:
    """One turn of the program, not yet in words.

    Attributes:
        strategy: which it carries out.
        target: the distortion that is worked on.
        protocol: whose step it asks, or leaves open.
        step: the step; None at an end.
        branch: what it does instead of asking the step, as in `schema.Step`.
        leads: branches whose texts come first.
        reflects: the step whose answer is taken up first.
        validates: whether the words that were written for the target come first.
        sums_up: whether the summary is told.
        gentle: whether help is offered softly with it.
    """

    strategy: Strategy
    target: Distortion | None
    protocol: str = FRAME
    step: ProtocolStep | None = None
    branch: str | None = None
    leads: tuple[str, ...] = ()
    reflects: ProtocolStep | None = None
    validates: bool = False
    sums_up: bool = False
    gentle: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """What a decision is made from.

    Attributes:
        state: how far it has come, the present message included.
        choice: the policy's, of a message that is more than a word or two; else to listen.
        assessment: of the present message.
        protocols: what can be asked.
    """

    state: Progress
    choice: Choice
    assessment: Assessment
    protocols: Protocols

    @property
    def intensity(self) -> Intensity | None:
        """How strongly the thought is held, by this message or the last one that told."""
        heard = self.assessment.intensity if self.choice.target else None
        early = set(self.state.asked) <= EARLY
        return heard or self.state.intensity if early else self.state.intensity

    @property
    def open(self) -> ProtocolStep | None:
        """The step that the last reply asked or left open."""
        return open_step(self.state, self.protocols)

    @property
    def branch(self) -> str | None:
        """What the last reply did instead of asking."""
        return self.state.step.branch if self.state.step else None

    @property
    def target(self) -> Distortion | None:
        """The distortion that is worked on; before the thought is in words, the latest one."""
        early = set(self.state.asked) <= EARLY and self.assessment.intensity is not Intensity.MILD
        calm = early and self.branch != "worse"
        if calm or self.state.target is None:
            return self.choice.target or self.state.target
        return self.state.target

    @property
    def strategy(self) -> Strategy:
        """Of the work that is under way or would come next."""
        return self.work().strategy or LISTEN

    def work(self) -> Protocol:
        """The protocol that is worked with: the one begun, else the policy's, else the gold one."""
        target, state = self.target, self.state
        if target is None:
            return self.protocols.of(LISTEN, None)
        begun = self.protocols.named(state.protocol) if state.protocol else None
        if begun and (begun.strategy is not LISTEN or len(state.tried) > 1):
            return begun
        if self.choice.target is target and self.choice.strategy is not LISTEN:
            return self.protocols.of(self.choice.strategy, target)
        known = state.strategy if state.strategy is not LISTEN else None
        mild = self.intensity is Intensity.MILD
        return self.protocols.of(known or (LISTEN if mild else row(target).gold), target)


def move_to(case: Case, protocol: str, step: ProtocolStep | None) -> Move:
    """A step of a protocol, asked; words for a distortion that is new come first."""
    target = case.target
    known = case.protocols.named(protocol)
    strategy = (known.strategy if known else None) or case.strategy
    fresh = target is not None and target is not case.state.target
    return Move(strategy, target, protocol, step, validates=fresh)


def aside(case: Case, branch: str, *, gentle: bool = False) -> Move:
    """A whole reply that leaves the step open."""
    step = case.state.step
    protocol = step.protocol if step else FRAME
    return Move(case.strategy, case.state.target, protocol, case.open, branch, gentle=gentle)


def at_step(case: Case, branch: str) -> Move:
    """The open step again, in the wording for whoever does not know or doubts."""
    step = case.state.step
    return replace(move_to(case, step.protocol if step else FRAME, case.open), branch=branch)


def _way(case: Case) -> Iterator[tuple[str, ProtocolStep]]:
    """All steps in their order, those that are not due included.

    Once a thought has been worded anew there is no way back, however strongly it is held by then.
    """
    work = case.work()
    around = {step.id: step for step in case.protocols.frame.steps}
    before, after = BEFORE, AFTER
    asked = case.state.asked
    if (FRAME, "balanced") in asked and asked[-1] in _ENDING:
        left = AFTER[AFTER.index(asked[-1][1]) + 1 :]
        yield from ((FRAME, around[name]) for name in left)
        return
    yield FRAME, around["settle"]
    if case.target is None:
        before, after = (), AFTER[-2:]
    elif case.intensity is Intensity.MILD:
        listening = case.protocols.of(LISTEN, case.target)
        heard_first = listening.steps if work.strategy is LISTEN else listening.steps[:1]
        yield from ((listening.name, step) for step in heard_first)
        before, after = ("thought",), ("balanced", *AFTER[-2:])
    yield from ((FRAME, around[name]) for name in before)
    yield from ((work.name, step) for step in work.steps)
    yield from ((FRAME, around[name]) for name in after)


def due(case: Case, protocol: str, step: ProtocolStep) -> bool:
    """Whether a step is still to be asked: not yet asked, not known, meant for the intensity."""
    state = case.state
    times = state.asked.count((protocol, step.id))
    if protocol == FRAME and step.id == "settle":
        slowly = case.intensity is Intensity.SEVERE and set(state.asked) <= {(FRAME, "settle")}
        return times < (2 if slowly else 1)
    known = step.field is not None and (step.field in state.answers or step.field in state.ratings)
    if times or known or not step.fits(case.intensity):
        return False
    if protocol != FRAME:
        long = len(state.asked) + len(state.branches) >= _LONG and step.optional
        return not long and not (step.takes == "shares" and state.shares)
    if step.id == "thought":
        return state.thought is None
    again = _RATED_AGAIN.get(step.id)
    return again is None or again in state.ratings


def advance(case: Case, *leads: str, reflects: ProtocolStep | None = None) -> Move:
    """The next step that is due; when there is none, the end."""
    for protocol, step in _way(case):
        if due(case, protocol, step):
            return replace(move_to(case, protocol, step), leads=leads, reflects=reflects)
    return farewell(case)


def farewell(case: Case, *, sums_up: bool = False) -> Move:
    """The end, with the summary where it is wanted."""
    leads = ("summary",) if sums_up else ()
    return replace(aside(case, "farewell"), leads=leads, sums_up=sums_up)


def stop(case: Case) -> Move:
    """The offer to stop here, with a summary."""
    return aside(case, "stop")
