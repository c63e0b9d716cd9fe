"""A simulated person who answers: to what is asked, or in one of the ways in which people do not.

Belief, distress, trust and danger are those of `ParametricPatient`, and so is every message of the
person's own accord. What is said to a question comes from `talk/*.json`, lists of our own that know
the steps of the protocols by their names; nothing in them is anyone's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np

from untwist.errors import DataError
from untwist.policy.dynamics import Dynamics, Seekers
from untwist.policy.patients import ParametricPatient
from untwist.policy.pool import Pool
from untwist.schema import Reply, Utterance
from untwist.taxonomy import Lang, Risk

Manner = Literal["plain", "unknown", "nod", "refuses", "doubts", "tells"]
"""How a person talks: as the numbers say, or nearly always in one way. "Tells" never answers."""
MANNERS: Mapping[Manner, float] = {
    "plain": 0.86,
    "unknown": 0.04,
    "nod": 0.04,
    "refuses": 0.02,
    "doubts": 0.02,
    "tells": 0.02,
}
"""Share of each manner (assumption: nobody has counted)."""
_RATED = frozenset({"belief", "belief_after", "emotion_after"})
_STUBBORN = 0.9
"""How often a person of a manner keeps to it."""
_CHOICES = frozenset(
    {"refuses", "refuses_again", "another_way", "new_thought", "doubts_again", "stop", "thanks"}
)
_CHOOSES = 0.7
"""How often a choice is answered with one of the ways that it names."""


@dataclass(frozen=True, slots=True)
class _Chances:
    """Chance of each kind of message that is no answer; trust and distress go from 0 to 1."""

    unknown: tuple[float, float] = (0.06, 0.1)
    doubts: tuple[float, float] = (0.03, 0.1)
    refuses: tuple[float, float] = (0.02, 0.08)
    worse: tuple[float, float] = (0.0, 0.04)
    nod: float = 0.05
    thanks: float = 0.02
    stop: float = 0.01
    question: float = 0.02
    own: float = 0.06

    def of(self, trust: float, distress: float) -> dict[str, float]:
        """By kind; the distrustful doubt and refuse, the distressed say that it gets worse."""
        away = 1 - trust
        return {
            "unknown": self.unknown[0] + self.unknown[1] * away,
            "doubts": self.doubts[0] + self.doubts[1] * away,
            "refuses": self.refuses[0] + self.refuses[1] * away,
            "worse": self.worse[0] + self.worse[1] * distress,
            "nod": self.nod,
            "thanks": self.thanks,
            "stop": self.stop,
            "question": self.question,
            "own": self.own,
        }


@dataclass(slots=True)
class TalkingPatient:
    """Fits `ports.Patient`: one person who talks with whoever asks, for so many messages.

    Attributes:
        pool: what is said of the person's own accord.
        lang: of all messages.
        dynamics: how the person changes.
        turns: messages in all; the person stays that long, also after an end.
        manner: how they talk; None draws it.
        group: the seeker group A to E; None before the beginning.
    """

    pool: Pool
    lang: Lang
    dynamics: Dynamics = field(default_factory=Dynamics)
    turns: int = 20
    manner: Manner | None = None
    group: str | None = field(default=None, init=False)
    _inner: ParametricPatient | None = field(default=None, init=False, repr=False)
    _said: int = field(default=0, init=False, repr=False)
    _talks: Manner = field(default="plain", init=False, repr=False)

    def begin(self, rng: np.random.Generator) -> Utterance:
        """The first message of a new person."""
        self._inner = ParametricPatient(self.pool, self.dynamics, self.lang)
        first = self._inner.begin(rng)
        names = list(MANNERS)
        drawn = names[int(rng.choice(len(names), p=list(MANNERS.values())))]
        self._talks = self.manner or drawn
        self._said = 1
        self.group = "ABCDE"[int(self._now().group[0])]
        return first

    def respond(self, reply: Reply, rng: np.random.Generator) -> Utterance | None:
        """The next message; None after the last.

        Raises:
            DataError: the conversation has not begun.
        """
        if self._inner is None:
            raise DataError("the conversation has not begun: call begin first")
        if self._said >= self.turns:
            return None
        self._said += 1
        own = self._inner.respond(reply, rng)
        return self._spoken(reply, own, rng)

    def _now(self) -> Seekers:
        now = self._inner._now if self._inner else None
        if now is None:
            raise DataError("the conversation has not begun: call begin first")
        return now

    def _spoken(self, reply: Reply, own: Utterance | None, rng: np.random.Generator) -> Utterance:
        """Danger is spoken of whatever was asked; all else answers, or does not."""
        if own is not None and (self._in_danger() or self._talks == "tells"):
            return own
        kind = self._kind(reply, rng)
        if kind == "own" and own is not None:
            return own
        words = _words(self.lang)
        if kind == "answer":
            return Utterance(self._answer(reply, rng), self.lang)
        listed = words["words"].get(kind) or words["other"]
        return Utterance(_one(listed, rng), self.lang)

    def _in_danger(self) -> bool:
        risk = self.pool.assessments[self._inner._row].risk if self._inner else Risk.NONE
        return risk is Risk.HIGH

    def _kind(self, reply: Reply, rng: np.random.Generator) -> str:
        if self._talks not in ("plain", "tells") and rng.random() < _STUBBORN:
            return self._talks
        step = reply.step
        if step is not None and step.branch in _CHOICES and rng.random() < _CHOOSES:
            return "choice"
        now = self._now()
        chances = _Chances().of(float(now.trust[0]), float(now.distress[0]))
        luck = float(rng.random())
        for kind, chance in chances.items():
            luck -= chance
            if luck < 0:
                return kind
        return "answer"

    def _answer(self, reply: Reply, rng: np.random.Generator) -> str:
        words, step = _words(self.lang), reply.step
        if step is None:
            return _one(words["other"], rng)
        if step.name in _RATED:
            held = float(self._now().belief[0].max())
            number = round(100 * (held if step.name != "emotion_after" else self._distress()))
            return _one(words["ratings"], rng).format(n=number)
        return _one(words["steps"].get(step.name) or words["other"], rng)

    def _distress(self) -> float:
        return float(self._now().distress[0])


def _one(texts: Sequence[str], rng: np.random.Generator) -> str:
    return texts[int(rng.integers(len(texts)))]


@cache
def _words(lang: Lang) -> Mapping[str, Any]:
    raw = files("untwist").joinpath("policy", "talk", f"{lang}.json").read_text(encoding="utf-8")
    found: Mapping[str, Any] = json.loads(raw)
    return found
