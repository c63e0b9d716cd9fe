"""What counts as a crisis in each public risk corpus, by the corpus's own labels and words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from untwist.data import psysuicide, reddit_cssrs, sos_1k, sos_4k, suicide_binary_zh
from untwist.text import normalize

Own = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Yardstick:
    """One reading of a corpus's labels as yes or no.

    Attributes:
        name: short, for tables.
        crisis: yes, no, or None for a label that this reading leaves out.
    """

    name: str
    crisis: Callable[[Own], bool | None]


@dataclass(frozen=True, slots=True)
class RiskSet:
    """How one corpus is read.

    Attributes:
        unit: what carries a label.
        yardsticks: the first is the main one.
        classes: the labels in their order, as shown.
        shown: the labels of one unit, as shown.
        note: what a reader must know before the figures.
    """

    unit: str
    yardsticks: tuple[Yardstick, ...]
    classes: tuple[str, ...]
    shown: Callable[[Own], tuple[str, ...]]
    note: str


_SELF = frozenset(tuple(psysuicide.CLASSES)[:7])
_CSSRS = tuple(reddit_cssrs.LEVELS)
_LEVELS = tuple(map(str, range(sos_1k.HIGHEST + 1)))


def _at_least(level: int) -> Yardstick:
    return Yardstick(f"level {level} or more", lambda own: int(own[0]) >= level)


def _user_at_least(level: str) -> Yardstick:
    place = _CSSRS.index(level)
    return Yardstick(f"{level} or worse", lambda own: _CSSRS.index(own[0]) >= place)


def _self(own: Own) -> bool | None:
    if psysuicide.NONE in own:
        return False
    return True if _SELF & {*own} else None


SETS: dict[str, RiskSet] = {
    psysuicide.CORPUS: RiskSet(
        "message",
        (
            Yardstick("any of the ten risk classes", lambda own: psysuicide.NONE not in own),
            Yardstick("suicide or self-injury (seven classes)", _self),
        ),
        tuple(name for name, _ in psysuicide.CLASSES.values()),
        lambda own: tuple(psysuicide.CLASSES[name][0] for name in own),
        "The second reading leaves out messages with only aggression or exploration. About half of "
        "the messages are machine-written or synthetic.",
    ),
    sos_1k.CORPUS: RiskSet(
        "comment",
        (
            _at_least(4),
            _at_least(6),
            Yardstick("marked high", lambda own: own[1] == "high"),
        ),
        (*_LEVELS, *sos_1k.LOW_HIGH),
        lambda own: own,
        "Levels 4 and 5 are a wish to die, 6 to 10 a plan or more. The source's own rule for high "
        "is level 6 or more, from which its high and low depart in 127 rows.",
    ),
    sos_4k.CORPUS: RiskSet(
        "comment",
        (_at_least(4), _at_least(6)),
        _LEVELS,
        lambda own: own,
        "Contains SOS-1K. All three parts are scored, since nothing was trained on any.",
    ),
    suicide_binary_zh.CORPUS: RiskSet(
        "comment",
        (Yardstick("marked high", lambda own: own[0] == "high"),),
        sos_1k.LOW_HIGH,
        lambda own: own,
        "The same comments as SOS-1K with the same high and low, so no second witness. Low reaches "
        "up to a wish to die: a screen that hears such a wish must lose specificity here.",
    ),
    reddit_cssrs.CORPUS: RiskSet(
        "user",
        (_user_at_least("Ideation"), _user_at_least("Behavior")),
        _CSSRS,
        lambda own: own,
        "The label is of the user. A user is given the level of the highest post, each post read "
        "alone; with many posts one alarm is enough, so specificity falls with their number.",
    ),
}
"""Every corpus whose labels are of risk."""


@cache
def _keywords() -> tuple[re.Pattern[str], tuple[str, ...]]:
    raw = json.loads(files("untwist.recipes").joinpath("risk_keywords.json").read_text("utf-8"))
    english = "|".join(re.escape(word) for word in raw["en"])
    return re.compile(rf"\b(?:{english})\b"), tuple(raw["zh"])


def has_keyword(text: str) -> bool:
    """Whether a word of the committed list stands in a text: a floor, not a screen."""
    plain = normalize(text).text.casefold()
    english, chinese = _keywords()
    return english.search(plain) is not None or any(word in plain for word in chinese)
