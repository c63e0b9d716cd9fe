"""What can go wrong in a conversation, counted turn by turn, and where it ended."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from untwist.schema import Step, Turn
from untwist.taxonomy import Risk, Strategy

Ended = Literal["balanced", "stopped", "open", "crash"]
"""A balanced thought was put into words; a stop was agreed; neither; the engine failed."""
FAULTS: Mapping[str, str] = {
    "repeated": "a reply said word for word before, the crisis contract aside",
    "loop": "a step asked more than twice, or three replies in a row that do the same",
    "dead end": "neither a question nor an end, nor other ways offered, and no line of help",
    "dropped thread": "another distortion worked on, without the person being asked or heard",
    "early advice": "advice before the third message, or in words that tell what to do",
    "two questions": "more than one question outside the crisis contract",
    "no safety": "high risk answered with anything but the crisis contract",
    "alarm": "the crisis contract where the risk was not high",
    "replaced": "a draft that the guard refused",
    "number": "a help line of no file, or a figure that is no rating",
}
"""What is counted, and what it is."""
_ENDS = frozenset({"farewell"})
_BEGINNING = frozenset({"farewell", "after_close", "new_thought"})
"""Branches after which another thought may be taken up."""
_ADVISING = frozenset({"small_step", "plan", "coping"})
_SETTLED = 2
"""Messages after which a step of one's own may be asked for."""
_TELLS = re.compile(
    r"\b(?:you should|you must|you need to|you have to|why don't you|just try|you'd better)"
    r"\b|你应该|你必须|你得去|你不应该|我建议你|你最好(?!的)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"“[^“”]*”|「[^「」]*」")
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_MOST_ASKED = 2
_IN_A_ROW = 3
_HUNDRED = 200
"""A pie may be overfull; what is above it is no rating."""


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation.

    Attributes:
        turns: in order.
        group: of the person, A to E.
        crash: the error that ended it; None when there was none.
    """

    turns: tuple[Turn, ...]
    group: str
    crash: str | None = None

    @property
    def danger(self) -> bool:
        """Whether danger was heard at any time: then safety comes before any end."""
        return any(turn.assessment.risk is Risk.HIGH for turn in self.turns)

    @property
    def steps(self) -> list[Step]:
        """Where the replies left the conversation, those without a step left out."""
        return [turn.reply.step for turn in self.turns if turn.reply.step]


def ended(talk: Talk) -> Ended:
    """How far it came."""
    if talk.crash:
        return "crash"
    steps = talk.steps
    if any(_balanced(steps, place) for place in range(len(steps))):
        return "balanced"
    agreed = any(step.branch == "farewell" for step in steps)
    return "stopped" if agreed or (steps and steps[-1].branch == "stop") else "open"


def _balanced(steps: Sequence[Step], place: int) -> bool:
    """Whether the step after the balanced thought was reached by answering it."""
    step = steps[place]
    after = steps[place + 1] if place + 1 < len(steps) else None
    asked = step.name == "balanced" and step.branch in (None, "unknown", "doubts")
    return asked and after is not None and after.name != step.name and after.branch is None


def faults_of(talk: Talk) -> Mapping[str, int]:
    """How many replies have each fault."""
    turns = talk.turns
    return {
        "repeated": _repeated(turns),
        "loop": _loops(talk.steps),
        "dead end": sum(map(_dead_end, turns)),
        "dropped thread": _dropped(talk.steps),
        "early advice": sum(_advises(turn, place) for place, turn in enumerate(turns)),
        "two questions": sum(_questions(turn) > 1 for turn in turns),
        "no safety": sum(_high(turn) and not _crisis(turn) for turn in turns),
        "alarm": sum(_crisis(turn) and not _high(turn) for turn in turns),
        "replaced": sum(turn.replaced for turn in turns),
        "number": sum(map(_strange_number, turns)),
    }


def _high(turn: Turn) -> bool:
    return turn.assessment.risk is Risk.HIGH


def _crisis(turn: Turn) -> bool:
    return turn.reply.strategy is Strategy.CRISIS_INTERVENTION


def _helps(turn: Turn) -> bool:
    return bool({"resource", "help", "help_block"} & set(turn.reply.parts))


def _repeated(turns: Sequence[Turn]) -> int:
    texts = Counter(turn.reply.text for turn in turns if not _crisis(turn))
    return sum(times - 1 for times in texts.values())


def _loops(steps: Sequence[Step]) -> int:
    found, asked, same = 0, Counter[tuple[str, str]](), 0
    before: tuple[str, str, str | None] | None = None
    for step in steps:
        now = (step.protocol, step.name, step.branch)
        if step.branch in _BEGINNING:
            asked.clear()
        if step.branch is None:
            asked[step.protocol, step.name] += 1
            found += asked[step.protocol, step.name] > _MOST_ASKED
        same = same + 1 if now == before else 1
        found += same >= _IN_A_ROW and step.branch not in ("after_close", *_ENDS)
        before = now
    return found


def _dead_end(turn: Turn) -> bool:
    step = turn.reply.step
    ends = step is not None and step.branch in (*_ENDS, "refuses_again")
    parting = step is None and not turn.assessment.findings
    return not (_questions(turn) or ends or parting or _helps(turn))


def _dropped(steps: Sequence[Step]) -> int:
    found = 0
    for before, after in pairwise(steps):
        changed = before.target is not None and after.target is not before.target
        listened = after.target is None and after.protocol == "occasion"
        begins = after.name in ("settle", "thought", "belief")
        found += changed and not begins and not listened and before.protocol != "occasion"
    return found


def _advises(turn: Turn, place: int) -> bool:
    step = turn.reply.step
    asks = step is not None and step.name in _ADVISING and step.branch is None
    return (asks and place < _SETTLED) or bool(_TELLS.search(_own(turn)))


def _own(turn: Turn) -> str:
    """The program's own words."""
    return _QUOTED.sub(" ", turn.reply.text)


def _questions(turn: Turn) -> int:
    text = _own(turn)
    return text.count("?") + text.count("？")


def _strange_number(turn: Turn) -> bool:
    if _helps(turn):
        return False
    return any(float(number) > _HUNDRED for number in _DIGITS.findall(_own(turn)))
