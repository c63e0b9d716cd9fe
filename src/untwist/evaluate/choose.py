"""Scores of a choice of strategy: gold and silver hits, crisis calls, safety advantage.

A state is matched when it carries a distortion and is not at high risk: there the matrix names gold
and silver strategies. With several distortions the gold ones of all of them count, and so do the
silver ones, as in CoPoLLM. Where nothing is distorted, and nothing at high risk, empathic
validation fits; at high risk, crisis intervention alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from untwist.errors import DataError
from untwist.evaluate.cells import Bools, Floats
from untwist.evaluate.crisis import SAFE, Actions, Crisis, action_ids, crisis_calls
from untwist.evaluate.resample import (
    RESAMPLES,
    Difference,
    Estimate,
    Interval,
    difference,
    group_codes,
    group_sums,
    group_weights,
    percentiles,
)
from untwist.taxonomy import CANONICAL, Distortion, Intensity, Strategy, matrix

SILVER_WEIGHT = 0.75
"""What a silver hit counts in the combined rate (CoPoLLM, Figure 6)."""

SEEKERS = ("A", "B", "C", "D", "E")
"""No distortion, mild, moderate, severe, high risk (CoPoLLM 5.3)."""

CHOICE_METRICS = {
    "gold": "gold",
    "macro_gold": "gold, macro over distortions",
    "combined": "gold + 0.75 silver",
    "macro_combined": "combined, macro",
    "either": "gold or silver",
    "validation": "validation where nothing is distorted",
}
"""The hit rates, each as it is called in tables."""

_STRATEGIES = tuple(Strategy)
_LISTEN = _STRATEGIES.index(Strategy.EMPATHIC_VALIDATION)
_N = len(CANONICAL)
_TOTALS = 4


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """What annotators, or a detector, say of the rows on which choices are scored.

    Attributes:
        labels: (n, 12), the distortions in the order of `CANONICAL`.
        high: (n,), high risk.
        intensity: (n,), rank in `Intensity`; -1 where it was not judged.
        groups: the group of each row; rows of one person or dialogue belong together.

    Raises:
        DataError: the shapes differ, or an intensity is none.
    """

    labels: Bools
    high: Bools
    intensity: NDArray[np.int64]
    groups: tuple[str, ...]

    def __post_init__(self) -> None:
        n = len(self.groups)
        shapes = (self.labels.shape, self.high.shape, self.intensity.shape)
        if shapes != ((n, _N), (n,), (n,)):
            raise DataError(f"states of shapes {shapes} for {n} groups: give (n, {_N}), (n,), (n,)")
        if not np.isin(self.intensity, range(-1, len(Intensity))).all():
            raise DataError("an intensity is none: give its rank, or -1 where it was not judged")

    @property
    def matched(self) -> Bools:
        """Rows with a distortion and without high risk."""
        return np.asarray(self.labels.any(axis=1) & ~self.high)

    def seekers(self, name: str) -> Bools:
        """The rows of one of `SEEKERS`; a distortion whose intensity was not judged is in none."""
        if name == "E":
            return self.high
        if name == "A":
            return np.asarray(~self.labels.any(axis=1) & ~self.high)
        return np.asarray(self.matched & (self.intensity == SEEKERS.index(name) - 1))


def fitting(labels: ArrayLike) -> tuple[Bools, Bools]:
    """The gold and the silver strategies of rows of labels.

    Args:
        labels: (n, 12), in the order of `CANONICAL`.

    Returns:
        Two arrays (n, 10), in the order of `Strategy`; what is gold for one label is not silver.
    """
    rows = [matrix()[d] for d in CANONICAL]
    gold = np.array([[s is one.gold for s in _STRATEGIES] for one in rows])
    silver = np.array([[s in one.silver for s in _STRATEGIES] for one in rows])
    given = np.asarray(labels, bool)
    best = given @ gold
    return best, (given @ silver) & ~best


@dataclass(frozen=True, slots=True)
class DistortionScore:
    """Hits on the matched rows that carry one distortion.

    Attributes:
        distortion: which.
        gold: share of gold hits; another label's gold counts, as in the totals.
        combined: gold + 0.75 silver.
        alone: share of gold hits where it is the only label.
    """

    distortion: Distortion
    gold: Estimate
    combined: Estimate
    alone: Estimate

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, without the name."""
        return {
            "gold": self.gold.to_dict(),
            "combined": self.combined.to_dict(),
            "alone": self.alone.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class SeekerScore:
    """One group of seekers.

    Attributes:
        name: one of `SEEKERS`.
        fit: share of what fits best: validation (A), gold (B to D), crisis intervention (E).
        combined: gold + 0.75 silver; not known for A and E.
    """

    name: str
    fit: Estimate
    combined: Estimate

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, without the name."""
        return {"fit": self.fit.to_dict(), "combined": self.combined.to_dict()}


@dataclass(frozen=True, slots=True)
class ChoiceScores:
    """All scores of one policy on one set of states.

    Attributes:
        n: rows.
        groups: how many groups they form.
        totals: by name of `CHOICE_METRICS`.
        distortions: one entry for each canonical distortion.
        seekers: one entry for each of `SEEKERS`.
        crisis: the crisis calls.
    """

    n: int
    groups: int
    totals: Mapping[str, Estimate]
    distortions: tuple[DistortionScore, ...]
    seekers: tuple[SeekerScore, ...]
    crisis: Crisis

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "n": self.n,
            "groups": self.groups,
            "totals": {name: one.to_dict() for name, one in self.totals.items()},
            "distortions": {one.distortion.value: one.to_dict() for one in self.distortions},
            "seekers": {one.name: one.to_dict() for one in self.seekers},
            "crisis": self.crisis.to_dict(),
        }


def choice_scores(
    states: States, actions: ArrayLike, rng: np.random.Generator, resamples: int = RESAMPLES
) -> ChoiceScores:
    """Every score of the actions that a policy chose.

    Args:
        states: on what.
        actions: (n,), ids 0 to 9 in the order of `Strategy`.
        rng: the source of chance for the intervals; equal generators draw equal groups.
        resamples: how many.

    Raises:
        DataError: an action is none, or there are more or fewer than states.
    """
    chosen = action_ids(actions, len(states.groups))
    hits, counted = _columns(states, chosen)
    code, n = group_codes(states.groups)
    found = _Found(hits, counted, code, n, rng, resamples)
    each = tuple(
        DistortionScore(d, *(found.one(_TOTALS + k * _N + c) for k in (0, 1, 2)))
        for c, d in enumerate(CANONICAL)
    )
    start = _TOTALS + 3 * _N
    seekers = tuple(
        SeekerScore(name, found.one(start + 2 * g), found.one(start + 2 * g + 1))
        for g, name in enumerate(SEEKERS)
    )
    return ChoiceScores(
        len(chosen), n, found.totals(), each, seekers, crisis_calls(states.high, chosen)
    )


def choice_differences(
    states: States,
    first: ArrayLike,
    second: ArrayLike,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> dict[str, Difference | None]:
    """First minus second policy on the same states and resamples, by `CHOICE_METRICS`.

    Raises:
        DataError: as for `choice_scores`.
    """
    code, n = group_codes(states.groups)
    sums = []
    for actions in (first, second):
        hits, counted = _columns(states, action_ids(actions, len(states.groups)))
        sums.append((group_sums(hits, code, n), group_sums(counted, code, n)))
    if n < 2:
        return dict.fromkeys(CHOICE_METRICS)

    def gap(weights: Floats) -> Floats:
        one, other = (_totals(weights @ hit, weights @ all_) for hit, all_ in sums)
        return one - other

    whole = gap(np.ones((1, n)))[0]
    drawn = np.concatenate([gap(w) for w in group_weights(n, resamples, rng)])
    pairs = zip(CHOICE_METRICS, whole, drawn.T, strict=True)
    return {name: difference(float(value), values) for name, value, values in pairs}


class _Found:
    """Estimates of every column, with one set of resamples for all."""

    def __init__(
        self,
        hits: Floats,
        counted: Bools,
        code: NDArray[np.intp],
        n: int,
        rng: np.random.Generator,
        resamples: int,
    ) -> None:
        of, all_ = group_sums(hits, code, n), group_sums(counted, code, n)
        self.rows = counted.sum(axis=0)
        whole = np.ones((1, n))
        self.values = _ratio(whole @ of, whole @ all_)[0]
        self.sums = _totals(whole @ of, whole @ all_)[0]
        draws = list(group_weights(n, resamples, rng)) if n > 1 else []
        self.drawn = [_ratio(w @ of, w @ all_) for w in draws]
        self.total_draws = [_totals(w @ of, w @ all_) for w in draws]

    def one(self, column: int) -> Estimate:
        ends = percentiles(np.concatenate([d[:, column] for d in self.drawn] or [np.zeros(0)]))
        return _estimate(self.values[column], ends, int(self.rows[column]))

    def totals(self) -> dict[str, Estimate]:
        drawn = np.concatenate(self.total_draws or [np.zeros((0, len(CHOICE_METRICS)))])
        rows = dict.fromkeys(CHOICE_METRICS, int(self.rows[0]))
        rows["validation"] = int(self.rows[_TOTALS - 1])
        return {
            name: _estimate(value, percentiles(drawn[:, place]), rows[name])
            for place, (name, value) in enumerate(zip(CHOICE_METRICS, self.sums, strict=True))
        }


def _estimate(value: float, ends: Interval | None, n: int) -> Estimate:
    return Estimate(None, None, n) if np.isnan(value) else Estimate(float(value), ends, n)


def _columns(states: States, actions: Actions) -> tuple[Floats, Bools]:
    """What is hit and what is counted: totals, then each distortion three times, then seekers."""
    rows = np.arange(len(actions))
    best, good = fitting(states.labels)
    gold, silver = best[rows, actions], good[rows, actions]
    combined = gold + SILVER_WEIGHT * silver
    listening, safe = actions == _LISTEN, actions == SAFE
    matched, undistorted = states.matched, states.seekers("A")
    carried = states.labels & matched[:, None]
    alone = carried & (states.labels.sum(axis=1) == 1)[:, None]
    hits = [gold, combined, gold | silver, listening]
    hits += [gold] * _N + [combined] * _N + [gold] * _N
    counted = [matched, matched, matched, undistorted]
    counted += [*carried.T, *carried.T, *alone.T]
    nobody = np.zeros(len(actions), bool)
    for name in SEEKERS:
        here = states.seekers(name)
        hits += [{"A": listening, "E": safe}.get(name, gold), combined]
        counted += [here, nobody if name in "AE" else here]
    among = np.stack(counted, axis=1)
    return np.stack(hits, axis=1) * among, among


def _totals(hits: Floats, counted: Floats) -> Floats:
    """`CHOICE_METRICS` (columns) for each row of sums; NaN where not known."""
    ratio = _ratio(hits, counted)
    gold, combined, either, listening = ratio[:, :_TOTALS].T
    each = ratio[:, _TOTALS : _TOTALS + 2 * _N].reshape(-1, 2, _N)
    known = ~np.isnan(each)
    with np.errstate(invalid="ignore"):
        macro = np.where(known, each, 0).sum(axis=2) / known.sum(axis=2)
    return np.stack([gold, macro[:, 0], combined, macro[:, 1], either, listening], axis=1)


def _ratio(hits: Floats, counted: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(hits / counted)
