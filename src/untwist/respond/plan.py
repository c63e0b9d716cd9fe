"""What is said next: one pure decision over how far the conversation has come.

The way leads through the frame and the protocol of the strategy; a step that was asked is not asked
again, and one whose answer is known is left out, so that there is no loop. Whatever the person does
instead of answering has a branch, and every branch ends: in the next step, another way, or a stop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from untwist.respond.protocol import FRAME, Protocol, Protocols, ProtocolStep
from untwist.respond.ratings import WHOLE
from untwist.respond.replay import CHOICES, EARLY, OCCASION, open_step
from untwist.respond.state import Kind, Progress
from untwist.schema import Assessment, Choice
from untwist.taxonomy import Distortion, Intensity, Strategy, row

LISTEN = Strategy.EMPATHIC_VALIDATION
BEFORE: tuple[str, ...] = ("thought", "belief", "emotion", "name")
AFTER: tuple[str, ...] = ("balanced", "belief_after", "emotion_after", "small_step", "close")
"""The frame's steps around the work with a strategy; "settle" comes first of all."""
_RATED_AGAIN = {"belief_after": "belief_before", "emotion_after": "emotions"}
_SOFTENING = frozenset(
    {
        "evidence_against",
        "exceptions",
        "best",
        "likely",
        "other_sides",
        "friend_view",
        "without_feeling",
    }
)
"""Fields whose answers hold no harsh thought as a rule: one that stands there is another one."""
_CLEAR = 0.85
"""Score from which on another distortion in an answer is taken for another thought."""
_LONG = 14
"""After so many replies about one thought, what is optional in the work is left out."""
_RESISTED = 6
"""After so many turns aside the person is asked whether to stop, and not pressed on."""
_RESISTING = frozenset(
    {
        "unknown",
        "unknown_again",
        "doubts",
        "doubts_again",
        "refuses",
        "refuses_again",
        "another_way",
    }
)
_FEW_STEPS = 2
"""Steps of a protocol that are asked before the policy may change it."""
_REFUSALS = 2
"""After so many the program stops asking; after more it offers to end."""
_MOST_ASKED = 2
_MOST_SHARES_ASKED = 3
_TRIES = 4
"""After so many messages in a row without an answer the person is asked whether to stop."""


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
        if self.state.intensity is None or set(self.state.asked) <= EARLY:
            return heard or self.state.intensity
        return self.state.intensity

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
        if early or self.state.target is None:
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


def plan(case: Case) -> Move:
    """What is said next."""
    state = case.state
    if state.step is None or (state.closed and _brings_a_thought(case)):
        return _begin(case)
    if state.closed:
        leaving = state.heard in ("thanks", "stop", "disagrees")
        return _farewell(case) if leaving else _aside(case, "after_close")
    if case.branch == "stop" or (_at_close(case) and case.branch is None):
        return _ending(case)
    return _BY_KIND.get(state.heard or "answer", _answer)(case)


def _brings_a_thought(case: Case) -> bool:
    return case.choice.target is not None and case.state.heard in ("answer", "new_thought", "worse")


def _at_close(case: Case) -> bool:
    step = case.state.step
    return step is not None and (step.protocol, step.name) == (FRAME, "close")


def _begin(case: Case) -> Move:
    """Settle: the person is heard first."""
    target, fresh = case.choice.target, replace(case, state=Progress())
    settle = case.protocols.frame.step("settle")
    strategy = LISTEN if target is None else fresh.strategy
    return Move(strategy, target, step=settle, validates=True)


def _move(case: Case, protocol: str, step: ProtocolStep | None) -> Move:
    target = case.target
    known = case.protocols.named(protocol)
    strategy = (known.strategy if known else None) or case.strategy
    fresh = target is not None and target is not case.state.target
    return Move(strategy, target, protocol, step, validates=fresh)


def _aside(case: Case, branch: str, *, gentle: bool = False) -> Move:
    """A whole reply that leaves the step open."""
    step = case.state.step
    protocol = step.protocol if step else FRAME
    return Move(case.strategy, case.state.target, protocol, case.open, branch, gentle=gentle)


def _at_step(case: Case, branch: str) -> Move:
    """The open step again, in the wording for whoever does not know or doubts."""
    step = case.state.step
    return replace(_move(case, step.protocol if step else FRAME, case.open), branch=branch)


def _way(case: Case) -> Iterator[tuple[str, ProtocolStep]]:
    """All steps in their order, those that are not due included."""
    work = case.work()
    around = {step.id: step for step in case.protocols.frame.steps}
    before, after = BEFORE, AFTER
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


def _due(case: Case, protocol: str, step: ProtocolStep) -> bool:
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


def _advance(case: Case, *leads: str, reflects: ProtocolStep | None = None) -> Move:
    """The next step that is due; when there is none, the end."""
    for protocol, step in _way(case):
        if _due(case, protocol, step):
            return replace(_move(case, protocol, step), leads=leads, reflects=reflects)
    return _farewell(case)


def _farewell(case: Case, *, sums_up: bool = False) -> Move:
    leads = ("summary",) if sums_up else ()
    return replace(_aside(case, "farewell"), leads=leads, sums_up=sums_up)


def _ending(case: Case) -> Move:
    """The summary was offered: after the answer it is the end, unless the person goes on."""
    heard = case.state.heard
    if heard in ("worse", "question_to_program", "new_thought"):
        return _BY_KIND[heard](case)
    if heard == "agrees":
        return _farewell(case, sums_up=True)
    more = _speaks(case) and case.branch == "stop"
    if heard in ("goes_on", "another", "newer") or more:
        return _advance(case)
    return _farewell(case)


def _speaks(case: Case) -> bool:
    """Whether the message has something to go on from."""
    return case.state.heard == "answer" and bool(case.assessment.findings)


def _stop(case: Case) -> Move:
    return _aside(case, "stop")


def _question(case: Case) -> Move:
    return _aside(case, "question_to_program")


def _thanks(case: Case) -> Move:
    near_the_end = {name for protocol, name in case.state.asked if protocol == FRAME} & {
        "small_step"
    }
    return _stop(case) if case.branch == "thanks" or near_the_end else _aside(case, "thanks")


def _worse(case: Case) -> Move:
    """Gentler, with help offered; said again, the person is asked whether to stop."""
    branch = "stop" if case.branch == "worse" else "worse"
    return _aside(case, branch, gentle=True)


def _resisted(case: Case) -> bool:
    """Whether it has been enough: more questions would be pressing."""
    return sum(branch in _RESISTING for branch in case.state.branches) >= _RESISTED


def _refuses(case: Case) -> Move:
    state = case.state
    if case.branch == "refuses_again":
        return _farewell(case)
    if state.refused > _REFUSALS or _resisted(case):
        return _stop(case)
    if state.refused == _REFUSALS:
        return _aside(case, "refuses_again")
    rates = case.open is not None and case.open.takes in ("percent", "yes_no")
    return _advance(case, "skip") if rates else _aside(case, "refuses")


def _doubts(case: Case) -> Move:
    times, at_step = case.state.doubted, case.open is not None and case.branch not in CHOICES
    if _resisted(case):
        return _stop(case)
    if times == 1 and at_step and case.branch != "doubts":
        return _at_step(case, "doubts")
    if times <= 2:
        return _aside(case, "doubts_again")
    return _aside(case, "another_way") if times == _TRIES - 1 else _stop(case)


def _unknown(case: Case) -> Move:
    """Smaller, in other words, a choice, another way, and then a stop: never the same again."""
    times, asked = case.state.unknown, case.open
    if times > _TRIES + 1 or _resisted(case):
        return _stop(case)
    if case.branch in CHOICES:
        return _another(case) if times > 1 else _advance(case)
    if asked is None:
        return _advance(case)
    in_frame = case.state.step is not None and case.state.step.protocol == FRAME
    if asked.takes in ("percent", "yes_no") or (in_frame and times == 2):
        return _advance(case, "skip")
    if times in (1, _TRIES + 1):
        return _at_step(case, "unknown")
    if times == 2:
        return _aside(case, "unknown_again")
    return _aside(case, "another_way") if times == _TRIES - 1 else _another(case)


def _another(case: Case) -> Move:
    """The next strategy that was not tried; when all were, a stop."""
    for strategy in _other_ways(case):
        protocol = case.protocols.of(strategy, case.target)
        for step in protocol.steps:
            if protocol.name not in case.state.tried and _due(case, protocol.name, step):
                return replace(_move(case, protocol.name, step), leads=("switch",))
    return _stop(case)


def _other_ways(case: Case) -> Iterator[Strategy]:
    target = case.target
    if target is not None:
        if case.choice.target is target:
            yield case.choice.strategy
        yield row(target).gold
        yield from row(target).silver
    yield LISTEN


def _new_thought(case: Case) -> Move:
    """The person is asked which to stay with; once in a while only."""
    if case.branch == "new_thought":
        return _newer(case)
    return _aside(case, "new_thought")


def _newer(case: Case) -> Move:
    """The work on another thought begins with its words."""
    fresh = replace(case, state=Progress(intensity=case.state.intensity))
    thought = case.protocols.frame.step("thought")
    return replace(_move(fresh, FRAME, thought), leads=("agrees",), validates=False)


def _again(case: Case) -> Move:
    """The open step once more, in other words; a rating is never asked twice."""
    asked, step = case.open, case.state.step
    if asked is None or step is None or asked.takes in ("percent", "yes_no"):
        return _advance(case)
    answered = asked.field is not None and asked.field in case.state.answers
    often = case.state.asked.count((step.protocol, asked.id)) >= _MOST_ASKED
    return _advance(case) if answered or often else _move(case, step.protocol, asked)


def _chosen(case: Case) -> Move:
    """After a choice that was left to the person."""
    heard, branch = case.state.heard, case.branch
    if heard in ("newer", "another") and branch == "new_thought":
        return _newer(case)
    if branch == "worse":
        return _gentler(case)
    leaving = branch in ("another_way", "refuses_again")
    if heard == "another" or (leaving and heard in ("agrees", "answer")):
        return _another(case)
    if heard == "disagrees" and (leaving or branch in ("thanks", "question_to_program")):
        return _stop(case)
    if heard == "agrees" and branch == "thanks":
        return _stop(case)
    return _advance(case) if branch == "refuses" else _again(case)


def _gentler(case: Case) -> Move:
    """What is listened with, as far as it was not asked; else a stop."""
    protocol = case.protocols.of(LISTEN, case.target)
    for step in protocol.steps:
        if _due(case, protocol.name, step):
            return _move(case, protocol.name, step)
    return _stop(case)


def _answer(case: Case) -> Move:
    state, asked = case.state, case.open
    if case.branch in CHOICES:
        return _chosen(case)
    if state.unknown:
        return _unknown(case)
    if case.branch == "aside":
        return _again(case)
    if asked is None or (state.step is not None and state.step.protocol == OCCASION):
        return _advance(case)
    if _brings_another(case, asked):
        return _new_thought(case)
    if asked.takes == "shares":
        return _shares(case, asked)
    if asked.takes == "percent" and asked.field not in state.ratings:
        return _unclear(case, asked)
    if asked.id == "name" and state.agreed is False:
        return _advance(case, "name_off")
    if (switched := _switched(case)) is not None:
        return switched
    return _advance(case, reflects=asked)


def _unclear(case: Case, asked: ProtocolStep) -> Move:
    """A number that could not be read is asked for once more; without one it goes on."""
    step = case.state.step
    protocol = step.protocol if step else FRAME
    if case.state.asked.count((protocol, asked.id)) > 1:
        return _advance(case)
    return replace(_move(case, protocol, asked), leads=("number_unclear",))


def _shares(case: Case, asked: ProtocolStep) -> Move:
    """Asked until they make a hundred, or the person has named them a few times."""
    total = sum(share.percent for share in case.state.shares)
    rounds = sum(branch.startswith("shares") for branch in case.state.branches)
    if not case.state.shares:
        return _unclear(case, asked)
    if round(total) == WHOLE or rounds >= _MOST_SHARES_ASKED - 1:
        return _advance(case, "shares_done")
    return _aside(case, "shares_under" if total < WHOLE else "shares_over")


def _brings_another(case: Case, asked: ProtocolStep) -> bool:
    """Whether a harsh thought of another kind stands where none was asked for."""
    chosen, state = case.choice.target, case.state
    return (
        asked.field in _SOFTENING
        and chosen is not None
        and state.target is not None
        and chosen is not state.target
        and max((f.score for f in case.assessment.findings), default=0.0) >= _CLEAR
        and case.assessment.intensity is not Intensity.MILD
        and "new_thought" not in state.branches
    )


def _switched(case: Case) -> Move | None:
    """The protocol of another strategy, when the policy wants it for the same thought."""
    choice, state = case.choice, case.state
    work = case.work()
    if choice.strategy in (LISTEN, work.strategy) or choice.target is not state.target:
        return None
    asked = sum(protocol == work.name for protocol, _ in state.asked)
    other = case.protocols.of(choice.strategy, choice.target)
    if asked < _FEW_STEPS or other.name in state.tried or choice.target is None:
        return None
    for step in other.steps:
        if _due(case, other.name, step):
            return replace(_move(case, other.name, step), leads=("switch",))
    return None


_BY_KIND: Mapping[Kind, Callable[[Case], Move]] = {
    "stop": _stop,
    "question_to_program": _question,
    "thanks": _thanks,
    "worse": _worse,
    "refuses": _refuses,
    "doubts": _doubts,
    "unknown": _unknown,
    "new_thought": _new_thought,
}
