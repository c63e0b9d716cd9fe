"""What is said next: one pure decision over how far the conversation has come.

Whatever the person does instead of answering has a branch, and every branch ends: in the next step,
another way, or a stop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from untwist import safety
from untwist.respond.case import (
    LISTEN,
    Case,
    Move,
    advance,
    aside,
    at_step,
    due,
    farewell,
    move_to,
    stop,
)
from untwist.respond.ratings import WHOLE
from untwist.respond.replay import CHOICES, OCCASION
from untwist.respond.state import Kind, Progress
from untwist.respond.steps import FRAME, ProtocolStep
from untwist.taxonomy import Intensity, Risk, Strategy, row

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


def plan(case: Case) -> Move:
    """What is said next."""
    state = case.state
    if state.step is None or (state.closed and _brings_a_thought(case)):
        return _begin(case)
    if state.closed:
        return _after_close(case)
    if case.branch == "stop" or (_at_close(case) and case.branch is None):
        return _ending(case)
    return _BY_KIND.get(state.heard or "answer", _answer)(case)


def _after_close(case: Case) -> Move:
    """Whoever is still there is asked what is on their mind, and a nod is answered by none."""
    if _suffers(case):
        return aside(case, "worse", gentle=True)
    heard = case.state.heard
    nods = heard == "agrees" and case.branch == "farewell"
    leaving = nods or heard in ("thanks", "stop", "disagrees")
    return farewell(case) if leaving else aside(case, "after_close")


def _suffers(case: Case) -> bool:
    """Whether it got worse: nobody is taken leave of then."""
    said = case.assessment.utterance.text
    alone = case.state.heard == "answer" and safety.screen(said).level >= Risk.MEDIUM
    return alone or case.state.heard == "worse"


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


def _ending(case: Case) -> Move:
    """The summary was offered: after the answer it is the end, unless the person goes on."""
    heard = case.state.heard
    if heard in ("worse", "question_to_program", "new_thought"):
        return _BY_KIND[heard](case)
    if _suffers(case):
        return _worse(case)
    if heard in ("agrees", "older") or (heard == "answer" and case.branch is None):
        return farewell(case, sums_up=True)
    more = _speaks(case) and case.branch == "stop"
    if heard in ("goes_on", "another", "newer") or more:
        return advance(case)
    return farewell(case)


def _speaks(case: Case) -> bool:
    """Whether the message has something to go on from."""
    return case.state.heard == "answer" and bool(case.assessment.findings)


def _question(case: Case) -> Move:
    return aside(case, "question_to_program")


def _thanks(case: Case) -> Move:
    near_the_end = {name for protocol, name in case.state.asked if protocol == FRAME} & {
        "small_step"
    }
    return stop(case) if case.branch == "thanks" or near_the_end else aside(case, "thanks")


def _worse(case: Case) -> Move:
    """Gentler, with help offered; said again, the person is asked whether to stop."""
    branch = "stop" if case.branch == "worse" else "worse"
    return aside(case, branch, gentle=True)


def _resisted(case: Case) -> bool:
    """Whether it has been enough: more questions would be pressing."""
    return sum(branch in _RESISTING for branch in case.state.branches) >= _RESISTED


def _refuses(case: Case) -> Move:
    state = case.state
    if case.branch == "refuses_again":
        return farewell(case)
    if state.refused > _REFUSALS or _resisted(case):
        return stop(case)
    if state.refused == _REFUSALS:
        return aside(case, "refuses_again")
    rates = case.open is not None and case.open.takes in ("percent", "yes_no")
    return advance(case, "skip") if rates else aside(case, "refuses")


def _doubts(case: Case) -> Move:
    times, asked = case.state.doubted, case.open is not None and case.branch not in CHOICES
    if _resisted(case):
        return stop(case)
    if times == 1 and asked and case.branch != "doubts":
        return at_step(case, "doubts")
    if times <= 2:
        return aside(case, "doubts_again")
    return aside(case, "another_way") if times == _TRIES - 1 else stop(case)


def _unknown(case: Case) -> Move:
    """Smaller, in other words, a choice, another way, and then a stop: never the same again."""
    times, asked = case.state.unknown, case.open
    if times > _TRIES + 1 or _resisted(case):
        return stop(case)
    if case.branch in CHOICES:
        return _another(case) if times > 1 else advance(case)
    if asked is None:
        return advance(case)
    in_frame = case.state.step is not None and case.state.step.protocol == FRAME
    if asked.takes in ("percent", "yes_no") or (in_frame and times == 2):
        return advance(case, "skip")
    if times in (1, _TRIES + 1):
        return at_step(case, "unknown")
    if times == 2:
        return aside(case, "unknown_again")
    return aside(case, "another_way") if times == _TRIES - 1 else _another(case)


def _another(case: Case) -> Move:
    """The next strategy that was not tried; when all were, a stop."""
    for strategy in _other_ways(case):
        protocol = case.protocols.of(strategy, case.target)
        for step in protocol.steps:
            if protocol.name not in case.state.tried and due(case, protocol.name, step):
                return replace(move_to(case, protocol.name, step), leads=("switch",))
    return stop(case)


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
    return aside(case, "new_thought")


def _newer(case: Case) -> Move:
    """The work on another thought begins with its words."""
    fresh = replace(case, state=Progress(intensity=case.state.intensity))
    thought = case.protocols.frame.step("thought")
    return replace(move_to(fresh, FRAME, thought), leads=("agrees",), validates=False)


def _again(case: Case) -> Move:
    """The open step once more, in other words; a rating is never asked twice."""
    asked, step = case.open, case.state.step
    if asked is None or step is None or asked.takes in ("percent", "yes_no"):
        return advance(case)
    answered = asked.field is not None and asked.field in case.state.answers
    often = case.state.asked.count((step.protocol, asked.id)) >= _MOST_ASKED
    return advance(case) if answered or often else move_to(case, step.protocol, asked)


def _chosen(case: Case) -> Move:
    """After a choice that was left to the person."""
    heard, branch = case.state.heard, case.branch
    if heard in ("newer", "another", "agrees", "answer") and branch == "new_thought":
        # they brought it up: only whoever says so stays with the first one
        return _newer(case)
    if branch == "worse":
        return _gentler(case)
    leaving = branch in ("another_way", "refuses_again")
    if heard == "another" or (leaving and heard in ("agrees", "answer")):
        return _another(case)
    if heard == "disagrees" and (leaving or branch in ("thanks", "question_to_program")):
        return stop(case)
    if heard == "agrees" and branch == "thanks":
        return stop(case)
    return advance(case) if branch == "refuses" else _again(case)


def _gentler(case: Case) -> Move:
    """What is listened with, as far as it was not asked; else a stop."""
    protocol = case.protocols.of(LISTEN, case.target)
    for step in protocol.steps:
        if due(case, protocol.name, step):
            return move_to(case, protocol.name, step)
    return stop(case)


def _answer(case: Case) -> Move:
    state, asked = case.state, case.open
    if case.branch in CHOICES:
        return _chosen(case)
    if state.unknown:
        return _unknown(case)
    if case.branch == "aside":
        return _again(case)
    if asked is None or (state.step is not None and state.step.protocol == OCCASION):
        return advance(case)
    if _brings_another(case, asked):
        return _new_thought(case)
    if asked.takes == "shares":
        return _shares(case, asked)
    if asked.takes == "percent" and asked.field not in state.ratings:
        return _unclear(case, asked)
    if asked.id == "name" and state.agreed is False:
        return advance(case, "name_off")
    if (switched := _switched(case)) is not None:
        return switched
    return advance(case, reflects=asked)


def _unclear(case: Case, asked: ProtocolStep) -> Move:
    """A number that could not be read is asked for once more; without one it goes on."""
    step = case.state.step
    protocol = step.protocol if step else FRAME
    if case.state.asked.count((protocol, asked.id)) > 1:
        return advance(case)
    return replace(move_to(case, protocol, asked), leads=("number_unclear",))


def _shares(case: Case, asked: ProtocolStep) -> Move:
    """Asked until they make a hundred, or the person has named them a few times."""
    total = sum(share.percent for share in case.state.shares)
    rounds = sum(branch.startswith("shares") for branch in case.state.branches)
    if not case.state.shares:
        return _unclear(case, asked)
    if round(total) == WHOLE or rounds >= _MOST_SHARES_ASKED - 1:
        return advance(case, "shares_done")
    return aside(case, "shares_under" if total < WHOLE else "shares_over")


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
        if due(case, other.name, step):
            return replace(move_to(case, other.name, step), leads=("switch",))
    return None


_BY_KIND: Mapping[Kind, Callable[[Case], Move]] = {
    "stop": stop,
    "question_to_program": _question,
    "thanks": _thanks,
    "worse": _worse,
    "refuses": _refuses,
    "doubts": _doubts,
    "unknown": _unknown,
    "new_thought": _new_thought,
}
