"""Simulated conversations as arrays: returns, and what a policy does at which turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untwist.errors import DataError
from untwist.evaluate.cells import Bools, Floats
from untwist.evaluate.choose import SEEKERS, fitting
from untwist.evaluate.proportions import Share
from untwist.evaluate.resample import RESAMPLES, Difference, Estimate, grouped_mean, paired_means
from untwist.taxonomy import Intensity, Strategy

_STRATEGIES = tuple(Strategy)
_LISTEN = _STRATEGIES.index(Strategy.EMPATHIC_VALIDATION)
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Episodes:
    """Whole conversations of one policy, one a row, their turns in the columns.

    Attributes:
        actions: (n, turns), ids 0 to 9; -1 after the end.
        rewards: (n, turns), 0 after the end.
        labels: (n, turns, 12), the gold distortions of the message answered.
        intensity: (n, turns), rank in `Intensity`; -1 where there is none.
        high: (n, turns), gold high risk.
        ends: (n,), how each ended, as the environment calls it.

    Raises:
        DataError: the shapes differ, a reward is not finite, an action is none, or a conversation
            goes on after its end.
    """

    actions: Codes
    rewards: Floats
    labels: Bools
    intensity: Codes
    high: Bools
    ends: tuple[str, ...]

    def __post_init__(self) -> None:
        flat = (self.rewards.shape, self.intensity.shape, self.high.shape, self.labels.shape[:2])
        if set(flat) != {self.actions.shape} or len(self.ends) != len(self.actions):
            raise DataError("episodes need arrays of one shape (n, turns), and n ends")
        if not np.isin(self.actions, range(-1, len(_STRATEGIES))).all():
            raise DataError("an action is none: give 0 to 9, or -1 after the end")
        if not np.isfinite(self.rewards).all():
            raise DataError("a reward is NaN or infinite: nothing can be averaged")
        alive = self.alive
        if (alive[:, 1:] & ~alive[:, :-1]).any() or self.rewards[~alive].any():
            raise DataError("a conversation goes on after its end")

    @property
    def alive(self) -> Bools:
        """(n, turns), where there was a turn."""
        return np.asarray(self.actions >= 0)

    def returns(self, gamma: float = 1.0) -> Floats:
        """(n,), rewards added up, each turn's weighted with gamma to the power of its number."""
        return np.asarray(self.rewards @ gamma ** np.arange(self.rewards.shape[1]))

    def first_seekers(self) -> list[str]:
        """The group of each person by the first message; empty where there is none to tell."""
        names = []
        for labels, rank, high in zip(
            self.labels[:, 0], self.intensity[:, 0], self.high[:, 0], strict=True
        ):
            distorted = SEEKERS[rank + 1] if rank >= 0 else ""
            names.append("E" if high else distorted if labels.any() else "A")
        return names


def mean_return(
    episodes: Episodes, rng: np.random.Generator, gamma: float = 1.0, resamples: int = RESAMPLES
) -> Estimate:
    """Mean return with its interval over persons."""
    names = [str(n) for n in range(len(episodes.ends))]
    return grouped_mean(episodes.returns(gamma), names, rng, resamples)


def return_difference(
    first: Episodes,
    second: Episodes,
    rng: np.random.Generator,
    gamma: float = 1.0,
    resamples: int = RESAMPLES,
) -> Difference | None:
    """First minus second on the same persons; None of fewer than two.

    Raises:
        DataError: there are more persons on one side.
    """
    if len(first.ends) != len(second.ends):
        raise DataError(f"{len(first.ends)} persons against {len(second.ends)}: give the same")
    names = [str(n) for n in range(len(first.ends))]
    return paired_means(first.returns(gamma), second.returns(gamma), names, rng, resamples)


@dataclass(frozen=True, slots=True)
class Habits:
    """What a policy does when.

    Attributes:
        by_turn: for each turn, the share of each strategy, in the order of `Strategy`; of the
            conversations that reached it.
        reached: how many conversations reached each turn.
        listened_first: conversations below high risk whose first strategy was validation.
        repeated: turns, the first ones and those at high risk left out, whose strategy was that of
            the turn before.
        gold: by intensity, the matched turns answered with a gold strategy.
        gold_early: the same over the first two turns alone.
        ends: how many conversations ended how.
    """

    by_turn: tuple[tuple[float, ...], ...]
    reached: tuple[int, ...]
    listened_first: Share
    repeated: Share
    gold: Mapping[str, Share]
    gold_early: Mapping[str, Share]
    ends: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "by_turn": [list(row) for row in self.by_turn],
            "reached": list(self.reached),
            "listened_first": self.listened_first.to_dict(),
            "repeated": self.repeated.to_dict(),
            "gold": {name: one.to_dict() for name, one in self.gold.items()},
            "gold_early": {name: one.to_dict() for name, one in self.gold_early.items()},
            "ends": dict(self.ends),
        }


def habits(episodes: Episodes) -> Habits:
    """Timing, repetition and intensity: where a policy that plans differs from one that does not.

    Raises:
        DataError: there is no conversation.
    """
    actions, alive = episodes.actions, episodes.alive
    if not alive.any():
        raise DataError("there is no conversation to look at")
    reached = alive.sum(axis=0)
    shares = [
        tuple(float((actions[:, t] == a).sum() / reached[t]) for a in range(len(_STRATEGIES)))
        for t in range(int((reached > 0).sum()))
    ]
    calm = alive & ~episodes.high
    later = calm[:, 1:]
    again = later & (actions[:, 1:] == actions[:, :-1])
    first = calm[:, 0]
    names = sorted(set(episodes.ends))
    early = np.arange(actions.shape[1]) < 2
    return Habits(
        tuple(shares),
        tuple(int(n) for n in reached[: len(shares)]),
        Share(int((first & (actions[:, 0] == _LISTEN)).sum()), int(first.sum())),
        Share(int(again.sum()), int(later.sum())),
        _gold_by_intensity(episodes, calm),
        _gold_by_intensity(episodes, calm & early),
        {name: episodes.ends.count(name) for name in names},
    )


def _gold_by_intensity(episodes: Episodes, among: Bools) -> dict[str, Share]:
    matched = among & episodes.labels.any(axis=2)
    best, _ = fitting(episodes.labels[matched])
    hit = best[np.arange(len(best)), episodes.actions[matched]]
    rank = episodes.intensity[matched]
    return {
        one.value: Share(int(hit[rank == one.rank].sum()), int((rank == one.rank).sum()))
        for one in Intensity
    }
