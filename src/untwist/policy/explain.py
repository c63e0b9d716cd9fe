"""Why this strategy, and why now, in plain words; and what else was allowed.

Nothing is guessed about the inside of a network. What is said is its ranking, and how the choice
would change if one thing were different: another conversation before the message, or a milder or
stronger thought. Each such sentence was tried out on the policy before it is said.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from untwist.policy.ranking import Ranked, Ranker
from untwist.schema import START, Assessment, Session
from untwist.taxonomy import Intensity, Lang, Risk, Strategy
from untwist.text import Locale

SHOWN = 3
"""Other allowed strategies that are named."""
_CHALLENGES = frozenset(Strategy) - {Strategy.EMPATHIC_VALIDATION, Strategy.CRISIS_INTERVENTION}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a strategy was chosen.

    Attributes:
        ranked: every strategy, the best first.
        lines: the same and what it hangs on, in plain words.
    """

    ranked: tuple[Ranked, ...]
    lines: tuple[str, ...]


def explanation_of(
    policy: Ranker,
    assessment: Assessment,
    allowed: frozenset[Strategy],
    session: Session = START,
    locale: Locale = "en",
) -> Explanation:
    """The ranking of every strategy, and why the first allowed one leads it.

    Args:
        policy: who chose.
        assessment: what was heard.
        allowed: what the safety gate left open; at least one.
        session: what was there before.
        locale: of the words.
    """
    ranked = policy.rank(assessment, allowed, session)
    chosen = next(one for one in ranked if one.allowed)
    said = _Words(locale)
    lines = [_what_for(said, chosen, assessment)]
    if assessment.risk is not Risk.HIGH:
        lines += _why_now(said, policy, assessment, allowed, session, chosen)
        lines += _instead(said, ranked, chosen)
        if chosen.value is not None:
            lines.append(said("values"))
    return Explanation(ranked, tuple(lines))


def _what_for(said: _Words, chosen: Ranked, assessment: Assessment) -> str:
    if chosen.target is not None:
        kind = "gold" if chosen.grade == "gold" else "silver"
        return said(
            kind, strategy=said.name(chosen.strategy), distortion=chosen.target.name_in(said.lang)
        )
    if chosen.grade == "safety":
        return said("safety")
    if not assessment.findings:
        return said("nothing_heard")
    challenge = _is_challenge(chosen)
    return (
        said("unmatched", strategy=said.name(chosen.strategy)) if challenge else said("untargeted")
    )


def _why_now(
    said: _Words,
    policy: Ranker,
    assessment: Assessment,
    allowed: frozenset[Strategy],
    session: Session,
    chosen: Ranked,
) -> list[str]:
    """What the choice hangs on: each change was tried out."""
    lines = []
    other = _first(policy, assessment, allowed, START)
    if session != START and other is not chosen.strategy:
        lines.append(said("because_before", other=said.name(other)))
        if session.used and session.used[-1] in _CHALLENGES and not _is_challenge(chosen):
            lines.append(said("rest"))
    elif session != START:
        lines.append(said("whatever_before"))
    for intensity in Intensity:
        if assessment.intensity in (None, intensity):
            continue
        changed = replace(assessment, intensity=intensity)
        other = _first(policy, changed, allowed, session)
        if other is not chosen.strategy:
            lines.append(
                said(
                    "because_intensity", level=intensity.name_in(said.lang), other=said.name(other)
                )
            )
    return lines


def _is_challenge(one: Ranked) -> bool:
    return one.strategy in _CHALLENGES


def _first(
    policy: Ranker, assessment: Assessment, allowed: frozenset[Strategy], session: Session
) -> Strategy:
    return next(r.strategy for r in policy.rank(assessment, allowed, session) if r.allowed)


def _instead(said: _Words, ranked: Sequence[Ranked], chosen: Ranked) -> list[str]:
    others = [one for one in ranked if one.allowed and one is not chosen][:SHOWN]
    lines = [said("others", names=said.comma.join(map(said.valued, others)))] if others else []
    if chosen.value is not None:
        lines.insert(0, said("own_value", strategy=said.valued(chosen)))
    if not any(one.allowed and one.grade == "safety" for one in ranked):
        lines.append(said("closed", strategy=said.name(Strategy.CRISIS_INTERVENTION)))
    return lines


@cache
def _texts() -> dict[str, Any]:
    text = files("untwist.policy").joinpath("explain.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@dataclass(frozen=True, slots=True)
class _Words:
    """The sentences of one language."""

    locale: Locale

    @property
    def lang(self) -> Lang:
        return "en" if self.locale == "en" else "zh"

    @property
    def comma(self) -> str:
        return str(_texts()[self.locale]["comma"])

    def __call__(self, key: str, **values: str) -> str:
        return str(_texts()[self.locale][key]).format(**values)

    def name(self, strategy: Strategy) -> str:
        return strategy.name_in(self.lang)

    def valued(self, one: Ranked) -> str:
        name = self.name(one.strategy)
        return name if one.value is None else self("valued", name=name, value=f"{one.value:.2f}")
