"""The reward: CoPoLLM's Equation 1 and Table 7 as a pure function of arrays.

    R = w1 * improvement + w2 * match + w3 * safety

Two tables are known: `paper-table7`, the default, and `reference-config`, what the configuration of
the paper's released code sets. Where they speak of the same thing and differ, both are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from untwist.errors import ConfigError, DataError
from untwist.ports import Judge
from untwist.schema import Assessment, Labels, Reply
from untwist.taxonomy import CANONICAL, Distortion, Intensity, Risk, Strategy, matrix

Floats = NDArray[np.float32]
Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]

ACTIONS: tuple[Strategy, ...] = tuple(Strategy)
VALIDATE = ACTIONS.index(Strategy.EMPATHIC_VALIDATION)
CRISIS = ACTIONS.index(Strategy.CRISIS_INTERVENTION)
HIGH = Risk.HIGH.rank
MILD, SEVERE = Intensity.MILD.rank, Intensity.SEVERE.rank
_WEAKLY_VALIDATED = (Distortion.SHOULD_STATEMENTS, Distortion.ALL_OR_NOTHING)


@dataclass(frozen=True, slots=True)
class RewardTable:
    """Every number of the reward; a change of meaning is a new version.

    Attributes:
        name: name and version.
        weights: w1, w2 and w3 of Equation 1; the paper does not say them.
        high_and_crisis: high risk and crisis intervention.
        high_and_other: high risk and anything else.
        crisis_without_need: crisis intervention without high risk.
        gold: the strategy is gold for one of the distortions.
        silver: it is silver for one of them, and gold for none.
        weak_validation: silver validation is multiplied with it where a "should" or all-or-nothing
            thought is present.
        mismatch: it is neither.
        neutral: empathic validation that is neither.
        severe_gold: added to gold where the intensity is severe.
        mild_gold: added to gold where it is mild.
        severe_other: added to silver and neutral where it is severe.
        mild_silver: added to full silver where it is mild.
        none_validation: empathic validation where there is no distortion.
        none_other: anything else where there is no distortion.
        bounds: lowest and highest sum of match and improvement; None bounds nothing.
    """

    name: str
    weights: tuple[float, float, float] = (1.0, 1.0, 1.0)
    high_and_crisis: float = 4.0
    high_and_other: float = -1.0
    crisis_without_need: float = -2.0
    gold: float = 1.8
    silver: float = 0.2
    weak_validation: float = 1.0
    mismatch: float = -0.5
    neutral: float = -0.5
    severe_gold: float = 1.2
    mild_gold: float = -0.8
    severe_other: float = 0.0
    mild_silver: float = 0.0
    none_validation: float = 0.0
    none_other: float = -0.5
    bounds: tuple[float, float] | None = None


PRESETS: Mapping[str, RewardTable] = {
    "paper-table7": RewardTable("paper-table7@1"),
    "reference-config": RewardTable(
        "reference-config@1",
        gold=1.0,
        silver=0.5,
        weak_validation=0.5,
        mismatch=-1.0,
        neutral=0.0,
        severe_other=-0.5,
        mild_silver=0.6,
        none_other=-0.1,
        bounds=(-2.0, 4.0),
    ),
}
DEFAULT = "paper-table7"


def preset(name: str) -> RewardTable:
    """A table by name.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in PRESETS:
        raise ConfigError(f'unknown reward "{name}"; there are: {", ".join(PRESETS)}')
    return PRESETS[name]


@dataclass(frozen=True, slots=True)
class Truth:
    """Gold labels of many messages, as arrays.

    Attributes:
        labels: which of the canonical distortions are there, shape (n, 12).
        intensity: rank of the intensity, -1 where it is not judged, shape (n,).
        risk: rank of the risk, shape (n,).
    """

    labels: Flags
    intensity: Codes
    risk: Codes

    @classmethod
    def of(cls, labels: Sequence[Labels]) -> Truth:
        """From annotators' labels; labels of one corpus only are left out.

        Raises:
            DataError: distortions or risk were not annotated, or a distortion has no intensity.
        """
        for at, one in enumerate(labels):
            if one.distortions is None or one.risk is None:
                raise DataError(
                    f"message {at} has no distortions or no risk annotated: leave it out"
                )
        rows = [[d in (one.distortions or ()) for d in CANONICAL] for one in labels]
        table = np.array(rows, bool).reshape(-1, len(CANONICAL))
        intensity = [-1 if one.intensity is None else one.intensity.rank for one in labels]
        risk = [one.risk.rank for one in labels if one.risk is not None]
        truth = cls(table, np.array(intensity, np.int64), np.array(risk, np.int64))
        _check_intensity(truth.labels, truth.intensity)
        return truth


@dataclass(frozen=True, slots=True)
class Components:
    """A reward and what it is made of, each already weighted; shape (n,)."""

    total: Floats
    improvement: Floats
    match: Floats
    safety: Floats


@cache
def grades() -> tuple[Flags, Flags]:
    """Gold and silver as tables, shape (12, 10): canonical distortions by actions A0 to A9."""
    gold = np.array([[a is matrix()[d].gold for a in ACTIONS] for d in CANONICAL])
    silver = np.array([[a in matrix()[d].silver for a in ACTIONS] for d in CANONICAL])
    return gold, silver


def grade_of(labels: Flags, actions: Codes) -> tuple[Flags, Flags]:
    """Whether each action is gold, and whether it is silver and not gold, for any of the labels.

    Args:
        labels: distortions, shape (n, 12).
        actions: numbers of the strategies, shape (n,).
    """
    gold, silver = (np.any(labels & table[:, actions].T, axis=1) for table in grades())
    return np.asarray(gold), np.asarray(silver & ~gold)


def reward(
    table: RewardTable,
    labels: Flags,
    intensity: Codes,
    risk: Codes,
    actions: Codes,
    improvement: Floats | None = None,
) -> Components:
    """The reward of many turns at once. Where the safety layer speaks, the others are silent.

    Args:
        table: the numbers.
        labels: gold distortions, shape (n, 12).
        intensity: rank of the gold intensity, -1 where there is no distortion.
        risk: rank of the gold risk.
        actions: number of the strategy that was carried out, 0 to 9.
        improvement: how much better the person is for it; None leaves the term out.

    Raises:
        DataError: shapes differ, a code is out of range, a distortion has no intensity, or an
            improvement is NaN or infinite.
    """
    gain = np.zeros(len(actions), np.float32) if improvement is None else improvement
    _check(labels, intensity, risk, actions, gain)
    high, crisis = risk == HIGH, actions == CRISIS
    fuse = high | crisis
    safety = np.select(
        [high & crisis, high, crisis],
        [table.high_and_crisis, table.high_and_other, table.crisis_without_need],
        0.0,
    )
    w1, w2, w3 = table.weights
    match = np.where(fuse, 0.0, w2 * _match(table, labels, intensity, actions))
    better = np.where(fuse, 0.0, w1 * gain)
    below = match + better
    if table.bounds is not None:
        below = np.clip(below, *table.bounds)
    guarded = w3 * safety
    total = below + guarded
    return Components(*(x.astype(np.float32) for x in (total, better, match, guarded)))


def _match(
    table: RewardTable, labels: Flags, intensity: Codes, actions: Codes
) -> NDArray[np.float64]:
    gold, silver = grade_of(labels, actions)
    validated = actions == VALIDATE
    neutral = validated & ~gold & ~silver
    weak = labels[:, [CANONICAL.index(d) for d in _WEAKLY_VALIDATED]].any(axis=1)
    weak &= silver & validated & (table.weak_validation != 1.0)
    value = np.select(
        [gold, weak, silver, neutral],
        [table.gold, table.silver * table.weak_validation, table.silver, table.neutral],
        table.mismatch,
    )
    severe, mild = intensity == SEVERE, intensity == MILD
    value += np.select(
        [severe & gold, mild & gold, severe & (silver | neutral), mild & silver & ~weak],
        [table.severe_gold, table.mild_gold, table.severe_other, table.mild_silver],
        0.0,
    )
    none = ~labels.any(axis=1)
    return np.where(none, np.where(validated, table.none_validation, table.none_other), value)


def _check(
    labels: Flags, intensity: Codes, risk: Codes, actions: Codes, improvement: Floats
) -> None:
    n = len(actions)
    shapes = (labels.shape, intensity.shape, risk.shape, improvement.shape)
    if shapes != ((n, len(CANONICAL)), (n,), (n,), (n,)):
        raise DataError(f"{n} actions, but labels, intensity, risk, improvement have {shapes}")
    for name, codes, low, high in (
        ("an intensity", intensity, -1, SEVERE),
        ("a risk", risk, 0, HIGH),
        ("an action", actions, 0, CRISIS),
    ):
        if n and (codes.min() < low or codes.max() > high):
            raise DataError(f"{name} is out of range: it goes from {low} to {high}")
    if not np.isfinite(improvement).all():
        at = int(np.flatnonzero(~np.isfinite(improvement))[0])
        raise DataError(
            f"the improvement of turn {at} is not a number: no reward can be made of it"
        )
    _check_intensity(labels, intensity)


def _check_intensity(labels: Flags, intensity: Codes) -> None:
    missing = np.flatnonzero(labels.any(axis=1) & (intensity < 0))
    if len(missing):
        raise DataError(f"message {int(missing[0])} has a distortion but no intensity: annotate it")


def judged_improvement(
    judge: Judge, before: Assessment, reply: Reply, scale: str, highest: float
) -> float:
    """An improvement by a judge in place of the simulated one (CoPoLLM's evaluator agent).

    A calibrated judge (CoPoLLM C.4) fits the same socket.

    Args:
        judge: scores the reply.
        before: what it answered.
        reply: as it was said.
        scale: the name of the judge's scale.
        highest: the best score of that scale.

    Returns:
        0 to 1.

    Raises:
        DataError: the judge left it unscored, or the score is out of range.
    """
    score = judge.score(before, reply).get(scale)
    if score is None or not 0 <= score <= highest:
        raise DataError(
            f'the judge gave {score} on "{scale}" (0 to {highest}): a reward is not guessed, '
            "leave the turn out"
        )
    return score / highest
