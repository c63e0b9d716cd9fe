"""How a simulated person changes: belief, distress, trust and danger under ten strategies.

Every effect is a named number with its source. No number was measured on people: where the source
says "assumption", it was set so that the direction agrees with what the source of its heading says,
and nothing else speaks for it. `docs/explain/policy.md` shows what follows from them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untwist.policy.reward import (
    ACTIONS,
    CRISIS,
    MILD,
    SEVERE,
    VALIDATE,
    Codes,
    Flags,
    Floats,
    grade_of,
    grades,
)
from untwist.taxonomy import CANONICAL, LANGS, Risk

GROUPS = "ABCDE"
"""CoPoLLM 5.3: A no distortion, B mild, C moderate, D severe, E high risk."""


@dataclass(frozen=True, slots=True)
class Dynamics:
    """Numbers of the simulation; beliefs, distress, trust and danger go from 0 to 1.

    Attributes:
        name: name and version; a change of meaning is a new version.
        mix: share of each seeker group (CoPoLLM 5.3 names them, not their shares: assumption).
        stratified: every distortion is held equally often; else as often as in the pool.
        trust_first: lowest and highest trust at the beginning (assumption).
        readiness_first: lowest and highest readiness to look at a thought (assumption).
        belief_first: lowest and highest belief at the beginning, by group (5.3 orders the groups;
            the borders are an assumption).
        second_belief: a further belief as a share of the first (assumption).
        distress_first: distress at the beginning without belief or danger (assumption).
        distress_belief: added for a whole belief (CoPoLLM 1: distress stems from distortions).
        distress_danger: added for group E (assumption).
        distress_spread: how far apart people are (assumption).
        danger_first: lowest and highest danger at the beginning, groups A to D (assumption).
        danger_high: the same for group E (assumption).
        more_beliefs: chance that a moderate or severe seeker holds one more (CoPoLLM Table 2 has
            1.8 labels a segment: assumption).
        hidden: share of group E whose danger is not in the first message (CoPoLLM 4: risk is a
            label of a turn, not of a person; the share is an assumption).
        moderate_from: a belief from here on is spoken of as moderate (CoPoLLM Table 11 orders the
            levels; the border is an assumption).
        severe_from: from here on as severe (the same).
        blur: how far the intensity that is heard may be off (assumption).
        low_from: distress from here on is heard as low risk (Table 10 orders the levels;
            assumption).
        medium_from: from here on as medium (the same).
        trust_floor: below this trust a challenge changes no belief (assumption).
        trust_full: above it a challenge has its whole effect (assumption).
        gold_step: what a gold strategy takes off a belief at full trust and readiness (Table 8
            ranks gold above silver; assumption).
        silver_step: what a silver strategy takes off (the same).
        distrusted: share of the effect that is left at the trust floor (assumption).
        insight_trust: trust won by a gold strategy at full trust (assumption).
        insight_relief: distress taken off by it (assumption).
        unvalidated_cost: trust lost by a challenge before any validation (CoPoLLM 1: empathy first;
            CBT-LLM Fig. 3 puts validation before the challenge; assumption).
        pressed_cost: trust lost by a challenge right after a challenge (assumption).
        mismatch_cost: trust lost by a strategy that suits nothing that was said (Table 7 takes
            0.5 off; assumption).
        mismatch_hurt: distress put on by it (assumption).
        repeat_fade: effect of a strategy right after itself, as a share; again and again it fades
            further (assumption).
        relapse_chance: chance that a mild belief grows when it is pressed or challenged without
            trust (CoPoLLM 1: "mild distortions call for active listening"; Table 7 takes 0.8 off).
        relapse_step: by how much (assumption).
        validate_trust: share of the missing trust that validation wins (assumption).
        validate_relief: distress that it takes off (assumption).
        validate_ready: readiness that it wins (assumption).
        mild_insight: what listening takes off a mild belief (Table 11: "easily identify and
            question the thought with minimal guidance"; assumption).
        alarm_cost: trust lost by crisis intervention without need (Table 7 takes 2 off).
        missed_cost: trust lost by anything else at disclosed danger (Table 7: -1).
        missed_leave: added chance of leaving then (assumption).
        pull: how fast distress follows the strongest belief (assumption).
        danger_from: distress above it makes danger grow (assumption).
        danger_step: by so much a turn (assumption).
        danger_ease: by so much it falls else (assumption).
        danger_speaks: danger from here on can be disclosed (assumption).
        disclose: chance a turn that it is disclosed without any trust (assumption).
        disclose_trusting: added chance at full trust (assumption).
        leave: chance a turn of leaving (assumption).
        leave_below: trust below it makes leaving likelier (assumption).
        leave_distrust: added chance without any trust (assumption).
        patience: turns in a row without progress that are borne (assumption; CoPoLLM 1:
            "superficial comfort or empathy rarely helps").
        leave_stuck: added chance for every such turn beyond (assumption).
        progress: belief and distress that must go for a turn to be progress (assumption).
        resolved_belief: all beliefs below it, and
        resolved_distress: distress below it: the person goes on well alone (assumption).
        gain_belief: improvement for a whole belief that goes (Eq. 1, R_imp: "reduction of
            cognitive distortions"; the scale is an assumption).
        gain_distress: improvement for distress that goes (the same).
        gain_resolved: improvement at a good end (the same).
        loss_left: improvement when the person leaves (the same).
        loss_danger: added to it when danger was never spoken of (the same).
    """

    name: str = "seekers@1"
    mix: tuple[float, float, float, float, float] = (0.1, 0.25, 0.3, 0.2, 0.15)
    stratified: bool = True
    trust_first: tuple[float, float] = (0.4, 0.8)
    readiness_first: tuple[float, float] = (0.5, 1.0)
    belief_first: tuple[tuple[float, float], ...] = (
        (0.0, 0.0),
        (0.28, 0.45),
        (0.45, 0.7),
        (0.7, 1.0),
        (0.6, 1.0),
    )
    second_belief: float = 0.8
    distress_first: float = 0.4
    distress_belief: float = 0.35
    distress_danger: float = 0.15
    distress_spread: float = 0.15
    danger_first: tuple[float, float] = (0.0, 0.2)
    danger_high: tuple[float, float] = (0.6, 1.0)
    more_beliefs: float = 0.4
    hidden: float = 0.5
    moderate_from: float = 0.45
    severe_from: float = 0.7
    blur: float = 0.04
    low_from: float = 0.3
    medium_from: float = 0.75
    trust_floor: float = 0.3
    trust_full: float = 0.7
    gold_step: float = 0.25
    silver_step: float = 0.1
    distrusted: float = 0.1
    insight_trust: float = 0.04
    insight_relief: float = 0.08
    unvalidated_cost: float = 0.12
    pressed_cost: float = 0.16
    mismatch_cost: float = 0.1
    mismatch_hurt: float = 0.05
    repeat_fade: float = 0.5
    relapse_chance: float = 0.7
    relapse_step: float = 0.2
    validate_trust: float = 0.4
    validate_relief: float = 0.1
    validate_ready: float = 0.05
    mild_insight: float = 0.08
    alarm_cost: float = 0.2
    missed_cost: float = 0.2
    missed_leave: float = 0.3
    pull: float = 0.15
    danger_from: float = 0.85
    danger_step: float = 0.15
    danger_ease: float = 0.03
    danger_speaks: float = 0.6
    disclose: float = 0.05
    disclose_trusting: float = 0.5
    leave: float = 0.01
    leave_below: float = 0.4
    leave_distrust: float = 0.6
    patience: int = 3
    leave_stuck: float = 0.08
    progress: float = 0.03
    resolved_belief: float = 0.25
    resolved_distress: float = 0.4
    gain_belief: float = 2.0
    gain_distress: float = 1.0
    gain_resolved: float = 4.0
    loss_left: float = -3.0
    loss_danger: float = -2.0


@dataclass(frozen=True, slots=True)
class Seekers:
    """Many simulated people, one entry each.

    Attributes:
        group: number of the seeker group, in the order of `GROUPS`.
        lang: number of the language.
        belief: strength of each distortion, shape (n, 12).
        distress: 0 to 1.
        trust: 0 to 1.
        readiness: to look at a thought, 0 to 1.
        danger: 0 to 1, spoken of or not.
        disclosed: whether it is spoken of.
        unmoved: turns in a row without progress.
        turn: messages answered so far.
        counts: how often each strategy was carried out, shape (n, 10).
        last: the last strategy, -1 before the first.
        streak: how often it was carried out without a break.
    """

    group: Codes
    lang: Codes
    belief: Floats
    distress: Floats
    trust: Floats
    readiness: Floats
    danger: Floats
    disclosed: Flags
    unmoved: Codes
    turn: Codes
    counts: Codes
    last: Codes
    streak: Codes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a turn did to many people.

    Attributes:
        improvement: simulated R_imp of Equation 1.
        resolved: the person goes on well alone.
        left: the person has left.
        handed: the person is with a human who helps.
    """

    improvement: Floats
    resolved: Flags
    left: Flags
    handed: Flags


def arrive(
    dynamics: Dynamics, n: int, rng: np.random.Generator, shares: NDArray[np.float64]
) -> Seekers:
    """New people.

    Args:
        dynamics: the numbers.
        n: how many.
        rng: where chance comes from.
        shares: how often each distortion occurs; only read when not stratified.
    """
    luck = rng.random((7, n), dtype=np.float32)
    group = np.searchsorted(np.cumsum(dynamics.mix)[:-1], luck[0], side="right")
    endangered = group == GROUPS.index("E")
    danger = np.where(
        endangered,
        _between(dynamics.danger_high, luck[1]),
        _between(dynamics.danger_first, luck[1]),
    )
    belief = _first_beliefs(dynamics, group, rng, shares)
    distress = dynamics.distress_first + dynamics.distress_belief * belief.max(axis=1)
    distress += dynamics.distress_spread * (luck[2] - 0.5) + dynamics.distress_danger * endangered
    return Seekers(
        group,
        (luck[3] * len(LANGS)).astype(np.int64),
        belief,
        _clipped(distress),
        _between(dynamics.trust_first, luck[4]),
        _between(dynamics.readiness_first, luck[5]),
        danger.astype(np.float32),
        endangered & (luck[6] >= dynamics.hidden),
        unmoved=np.zeros(n, np.int64),
        turn=np.zeros(n, np.int64),
        counts=np.zeros((n, len(ACTIONS)), np.int64),
        last=np.full(n, -1, np.int64),
        streak=np.zeros(n, np.int64),
    )


def _between(bounds: tuple[float, float], luck: Floats) -> Floats:
    return (bounds[0] + (bounds[1] - bounds[0]) * luck).astype(np.float32)


def _first_beliefs(
    dynamics: Dynamics, group: Codes, rng: np.random.Generator, shares: NDArray[np.float64]
) -> Floats:
    """One distortion for group B, one or two for C to E, none for A."""
    n, kinds = len(group), len(CANONICAL)
    chance = np.full(kinds, 1 / kinds) if dynamics.stratified else shares
    luck = rng.random((4, n), dtype=np.float32)
    border = np.cumsum(chance)[:-1]
    first, second = (np.searchsorted(border, luck[i], side="right") for i in (0, 1))
    low, high = np.array(dynamics.belief_first, np.float32)[group].T
    belief = np.zeros((n, kinds), np.float32)
    people = np.arange(n)
    strongest = low + (high - low) * luck[3]
    more = (luck[2] < dynamics.more_beliefs) & (group >= GROUPS.index("C"))
    belief[people, second] = np.where(more, dynamics.second_belief * strongest, 0)
    belief[people, first] = strongest
    return belief


def advance(
    dynamics: Dynamics, seekers: Seekers, actions: Codes, labels: Flags, rng: np.random.Generator
) -> tuple[Seekers, Outcome]:
    """One turn for everybody.

    Args:
        dynamics: the numbers.
        seekers: as they are.
        actions: the strategy carried out for each.
        labels: the distortions in what each had said, shape (n, 12).
        rng: where chance comes from.
    """
    luck = rng.random((3, len(actions)), dtype=np.float32)
    turn = _Turn.of(dynamics, seekers, actions, labels)
    belief = _beliefs(dynamics, seekers, turn, luck[0])
    distress = _distress(dynamics, seekers, turn, belief)
    trust = _trust(dynamics, seekers, turn)
    moved = _moved(dynamics, seekers, belief, distress)
    danger = seekers.danger + np.where(
        distress > dynamics.danger_from, dynamics.danger_step, -dynamics.danger_ease
    )
    danger = np.where(seekers.disclosed, seekers.danger, danger)
    speaks = dynamics.disclose + dynamics.disclose_trusting * np.maximum(2 * trust - 1, 0)
    counts = seekers.counts.copy()
    counts[np.arange(len(actions)), actions] += 1
    after = replace(
        seekers,
        belief=belief,
        distress=distress,
        trust=trust,
        readiness=_clipped(seekers.readiness + dynamics.validate_ready * turn.validates),
        danger=_clipped(danger),
        disclosed=seekers.disclosed | ((danger >= dynamics.danger_speaks) & (luck[1] < speaks)),
        unmoved=np.where(moved, 0, seekers.unmoved + 1),
        turn=seekers.turn + 1,
        counts=counts,
        last=actions.copy(),
        streak=np.where(turn.again, seekers.streak, 0) + 1,
    )
    return after, _outcome(dynamics, seekers, after, turn, luck[2])


@dataclass(frozen=True, slots=True)
class _Turn:
    """What kind of turn it is for each."""

    gold: Flags
    silver: Flags
    hit: Flags
    validates: Flags
    alarms: Flags
    challenges: Flags
    pressed: Flags
    again: Flags
    fade: Floats
    hold: Floats

    @classmethod
    def of(cls, d: Dynamics, s: Seekers, actions: Codes, labels: Flags) -> _Turn:
        gold, silver = grade_of(labels, actions)
        validates, alarms = actions == VALIDATE, actions == CRISIS
        challenges = ~validates & ~alarms
        again = actions == s.last
        fades = np.cumprod([1.0] + [d.repeat_fade] * 8).astype(np.float32)
        hold = (s.trust - d.trust_floor) / (d.trust_full - d.trust_floor)
        return cls(
            gold,
            silver,
            _hit(labels, actions, gold),
            validates,
            alarms,
            challenges,
            challenges & (s.last > VALIDATE) & (s.last < CRISIS),
            again,
            fades[np.where(again, np.minimum(s.streak, 8), 0)],
            _clipped(hold),
        )


def _hit(labels: Flags, actions: Codes, gold: Flags) -> Flags:
    """The distortions that an action works on: those it is gold for, else those of silver."""
    best, second = grades()
    found: Flags = labels & np.where(gold[:, None], best[:, actions].T, second[:, actions].T)
    return found


def _beliefs(d: Dynamics, s: Seekers, turn: _Turn, luck: Floats) -> Floats:
    step = np.select([turn.gold, turn.silver], [d.gold_step, d.silver_step], 0.0)
    reach = d.distrusted + (1 - d.distrusted) * turn.hold
    worked = np.where(turn.challenges, step * reach * s.readiness * turn.fade, 0.0)
    mild = (s.belief > 0) & (s.belief < d.moderate_from)
    listened = np.where(turn.validates, d.mild_insight * turn.fade, 0.0)
    unheld = turn.pressed | (turn.challenges & (turn.hold == 0))
    relapses = mild & (unheld & (luck < d.relapse_chance))[:, None]
    change = -worked[:, None] * turn.hit - listened[:, None] * mild + d.relapse_step * relapses
    return _clipped(np.where(s.belief > 0, s.belief + change, 0.0))


def _distress(d: Dynamics, s: Seekers, turn: _Turn, belief: Floats) -> Floats:
    relief = np.where(turn.validates, d.validate_relief * turn.fade, 0.0)
    relief += np.where(turn.challenges & turn.gold, d.insight_relief * turn.hold, 0.0)
    hurt = d.mismatch_hurt * (turn.challenges & ~turn.gold & ~turn.silver)
    hurt = hurt + 2 * d.mismatch_hurt * (turn.alarms ^ s.disclosed)
    return _clipped(s.distress - relief + hurt + d.pull * (belief.max(axis=1) - s.distress))


def _trust(d: Dynamics, s: Seekers, turn: _Turn) -> Floats:
    won = np.where(turn.validates, d.validate_trust * (1 - s.trust) * turn.fade, 0.0)
    won += np.where(turn.challenges & turn.gold, d.insight_trust * turn.hold, 0.0)
    lost = d.unvalidated_cost * (turn.challenges & (s.counts[:, VALIDATE] == 0))
    lost = lost + d.pressed_cost * turn.pressed
    lost += d.mismatch_cost * (turn.challenges & ~turn.gold & ~turn.silver)
    lost += d.alarm_cost * (turn.alarms & ~s.disclosed)
    lost += d.missed_cost * (~turn.alarms & s.disclosed)
    return _clipped(s.trust + won - lost)


def _moved(d: Dynamics, s: Seekers, belief: Floats, distress: Floats) -> Flags:
    less = (s.belief - belief).sum(axis=1)
    held = (s.belief >= d.resolved_belief).any(axis=1)
    moved: Flags = np.where(held, less, s.distress - distress) >= d.progress
    return moved


def _outcome(d: Dynamics, s: Seekers, after: Seekers, turn: _Turn, luck: Floats) -> Outcome:
    handed = s.disclosed & turn.alarms
    calm = (after.belief.max(axis=1) < d.resolved_belief) & (after.distress < d.resolved_distress)
    resolved = calm & ~handed & ~after.disclosed & (after.danger < d.danger_speaks)
    chance = d.leave + d.leave_distrust * np.maximum(1 - after.trust / d.leave_below, 0)
    chance = chance + d.leave_stuck * np.maximum(after.unmoved - d.patience, 0)
    chance += d.missed_leave * (s.disclosed & ~turn.alarms)
    left = ~resolved & ~handed & (luck < chance)
    gain = d.gain_belief * (s.belief - after.belief).sum(axis=1)
    gain = gain + d.gain_distress * (s.distress - after.distress) + d.gain_resolved * resolved
    gain += left * (d.loss_left + d.loss_danger * (after.danger >= d.danger_speaks))
    return Outcome(gain.astype(np.float32), resolved, left, handed)


def express(dynamics: Dynamics, seekers: Seekers, luck: Floats) -> tuple[Codes, Codes, Codes]:
    """What the next message is to express: subject, rank of intensity, rank of risk.

    The strongest belief speaks; where none is strong enough there is no distortion, and the subject
    is 12.

    Args:
        dynamics: the numbers.
        seekers: as they are now.
        luck: from 0 up to 1, how far the intensity is off.
    """
    people = np.arange(len(seekers.turn))
    subject = seekers.belief.argmax(axis=1)
    held = seekers.belief[people, subject]
    heard = held + dynamics.blur * (2 * luck - 1)
    intensity = (heard >= dynamics.moderate_from) * 1 + (heard >= dynamics.severe_from)
    risk = (seekers.distress >= dynamics.low_from) * 1 + (seekers.distress >= dynamics.medium_from)
    silent = held < dynamics.resolved_belief
    return (
        np.where(silent, len(CANONICAL), subject),
        np.clip(intensity, MILD, SEVERE),
        np.where(seekers.disclosed, Risk.HIGH.rank, risk),
    )


def _clipped(values: NDArray[Any]) -> Floats:
    bounded: Floats = np.clip(values, 0, 1).astype(np.float32)
    return bounded
