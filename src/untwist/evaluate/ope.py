"""Off-policy estimates: what a policy would earn, judged from dialogues that another one led.

    logged dialogues + propensities + the new policy's probabilities (+ a model of its values)
        -> weighted importance sampling, doubly robust, with bootstrap intervals over dialogues

Sources: Precup, Sutton and Singh (2000) for weighted importance sampling, whole and per decision;
Jiang and Li (2016) for the doubly robust estimate; Thomas and Brunskill (2016) for its weighted
form. Every estimate is only as good as the propensities: what the logging policy never did cannot
be judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from untwist.errors import DataError
from untwist.evaluate.cells import Bools, Floats
from untwist.evaluate.resample import RESAMPLES, Interval, group_weights, percentiles
from untwist.taxonomy import Strategy

ESTIMATORS = {
    "logged": "what the logging policy earned",
    "wis": "weighted importance sampling",
    "pdwis": "the same, per decision",
    "dm": "model of the values alone",
    "dr": "doubly robust",
    "wdr": "weighted doubly robust",
}
"""The estimators, each as it is called in tables."""

_ACTIONS = len(Strategy)


@dataclass(frozen=True, slots=True, eq=False)
class Logged:
    """Logged turns as arrays, the turns of one dialogue together and in order.

    Attributes:
        dialogues: (n,), the name of each turn's dialogue.
        actions: (n,), ids 0 to 9.
        propensities: (n,), with which probability the logging policy did it; above 0, at most 1.
        rewards: (n,).

    Raises:
        DataError: the lengths differ, there is no turn, a number is out of range, or a dialogue is
            in two pieces.
    """

    dialogues: tuple[str, ...]
    actions: NDArray[np.int64]
    propensities: Floats
    rewards: Floats

    def __post_init__(self) -> None:
        n = len(self.dialogues)
        if not n or {self.actions.shape, self.propensities.shape, self.rewards.shape} != {(n,)}:
            raise DataError(
                "give at least one logged turn, each with action, propensity and reward"
            )
        if not np.isin(self.actions, range(_ACTIONS)).all():
            raise DataError(f"a logged action is none: give 0 to {_ACTIONS - 1}")
        if not ((self.propensities > 0) & (self.propensities <= 1)).all():
            raise DataError(
                "a propensity is not above 0 and at most 1: log with which probability the action "
                "was chosen; it cannot be made up afterwards"
            )
        if not np.isfinite(self.rewards).all():
            raise DataError("a logged reward is NaN or infinite: leave the dialogue out")
        if self.starts.size != len(set(self.dialogues)):
            raise DataError("a dialogue is in two pieces: keep the turns of one together")

    @property
    def starts(self) -> NDArray[np.intp]:
        """The place of each dialogue's first turn."""
        names = np.asarray(self.dialogues)
        return np.flatnonzero(np.append(True, names[1:] != names[:-1]))

    def padded(self, values: ArrayLike) -> tuple[Floats, Bools]:
        """Values (n,) as (dialogues, turns), 0 after the end; and where there is a turn."""
        sizes = np.diff(np.append(self.starts, len(self.dialogues)))
        alive = np.arange(sizes.max()) < sizes[:, None]
        table = np.zeros(alive.shape)
        table[alive] = np.asarray(values, float)
        return table, alive


@dataclass(frozen=True, slots=True)
class OffPolicy:
    """Off-policy estimates of one policy's value per dialogue.

    Attributes:
        dialogues: how many were logged.
        turns: how many turns they have.
        gamma: weight of a turn's reward against that of the turn before.
        values: by name of `ESTIMATORS`; None where no logged dialogue has any weight, or no model
            of the values is at hand.
        intervals: 95 %, over dialogues, by the same names.
        effective: effective number of dialogues, (sum of weights)² / sum of squared weights.
        matched: dialogues that keep any weight.
    """

    dialogues: int
    turns: int
    gamma: float
    values: Mapping[str, float | None]
    intervals: Mapping[str, Interval | None]
    effective: float
    matched: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "dialogues": self.dialogues,
            "turns": self.turns,
            "gamma": self.gamma,
            "values": dict(self.values),
            "intervals": {k: v.to_dict() if v else None for k, v in self.intervals.items()},
            "effective": self.effective,
            "matched": self.matched,
        }


def off_policy(
    logged: Logged,
    target: ArrayLike,
    rng: np.random.Generator,
    *,
    gamma: float,
    values: ArrayLike | None = None,
    resamples: int = RESAMPLES,
) -> OffPolicy:
    """Every estimate of what the target policy would earn per dialogue.

    The model of the values is not fitted again within a resample.

    Args:
        logged: the turns.
        target: (n, 10), the target policy's probabilities; rows add up to 1.
        rng: the source of chance for the intervals; whole dialogues are drawn.
        gamma: 0 to 1.
        values: (n, 10), a model of the target policy's action values, not fitted on the same
            dialogues (`fitted_values` with folds); None leaves `dm`, `dr` and `wdr` out.
        resamples: how many.

    Raises:
        DataError: the shapes differ, a row of probabilities is none, or a value is not finite.
    """
    chances = _chances(target, len(logged.actions))
    if not 0 <= gamma <= 1:
        raise DataError(f"gamma is {gamma}: give 0 to 1")
    parts = _parts(logged, chances, gamma, values)
    n = len(parts.ratio)
    whole = _estimates(parts, np.ones((1, n)))
    drawn = [_estimates(parts, w) for w in group_weights(n, resamples, rng)] if n > 1 else []
    found = {k: (float(v[0]) if np.isfinite(v[0]) else None) for k, v in whole.items()}
    ends = {
        k: percentiles(np.concatenate([one[k] for one in drawn] or [np.zeros(0)])) for k in whole
    }
    final = parts.ratio[:, -1]
    squares = float((final**2).sum())
    missing = [name for name in ESTIMATORS if name not in whole]
    return OffPolicy(
        n,
        len(logged.actions),
        gamma,
        {**found, **dict.fromkeys(missing)},
        {**ends, **dict.fromkeys(missing)},
        float(final.sum()) ** 2 / squares if squares else 0.0,
        int((final > 0).sum()),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """(dialogues, turns); ratios stand still after the end, everything else is 0 there."""

    ratio: Floats
    gains: Floats
    model: tuple[Floats, Floats] | None


def _parts(logged: Logged, chances: Floats, gamma: float, values: ArrayLike | None) -> _Parts:
    n = len(logged.actions)
    taken = chances[np.arange(n), logged.actions] / logged.propensities
    steps, alive = logged.padded(taken)
    ratio: Floats = np.cumprod(np.where(alive, steps, 1.0), axis=1, dtype=np.float64)
    fade = gamma ** np.arange(alive.shape[1])
    gains = logged.padded(logged.rewards)[0] * fade
    if values is None:
        return _Parts(ratio, gains, None)
    q = np.asarray(values, float)
    if q.shape != (n, _ACTIONS) or not np.isfinite(q).all():
        raise DataError(f"modelled values of shape {q.shape}: give finite ones, ({n}, {_ACTIONS})")
    of_taken = logged.padded(q[np.arange(n), logged.actions])[0] * fade
    of_state = logged.padded((chances * q).sum(axis=1))[0] * fade
    return _Parts(ratio, gains, (of_taken, of_state))


def _estimates(parts: _Parts, weights: Floats) -> dict[str, Floats]:
    """Each estimate (resamples,) for weightings of dialogues (resamples, dialogues)."""
    count = weights.sum(axis=1)
    ratio, gains = parts.ratio, parts.gains
    returns = gains.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = _Share(weights, ratio)
        found = {
            "logged": weights @ returns / count,
            "wis": weights @ (ratio[:, -1] * returns) / (weights @ ratio[:, -1]),
            "pdwis": share.sum(gains),
        }
        if parts.model is not None:
            taken, state = parts.model
            before = np.hstack([np.ones((len(ratio), 1)), ratio[:, :-1]])
            plain = (ratio * (gains - taken) + before * state).sum(axis=1)
            found["dm"] = weights @ state[:, 0] / count
            found["dr"] = weights @ plain / count
            found["wdr"] = share.sum(gains - taken) + _Share(weights, before).sum(state)
    return found


class _Share:
    """Ratios as shares of all dialogues, turn by turn."""

    def __init__(self, weights: Floats, ratio: Floats) -> None:
        self.weights, self.ratio = weights, ratio
        self.total = weights @ ratio

    def sum(self, values: Floats) -> Floats:
        """The weighted means of each turn, added up; a turn without any weight adds nothing."""
        top = self.weights @ (self.ratio * values)
        lost = (self.total == 0) & (top == 0)
        means = np.where(lost, 0.0, top / np.where(self.total == 0, 1.0, self.total))
        gone = self.total[:, 0] == 0
        return np.where(gone, np.nan, means.sum(axis=1))


def _chances(target: ArrayLike, n: int) -> Floats:
    chances = np.asarray(target, float)
    if chances.shape != (n, _ACTIONS):
        raise DataError(f"probabilities of shape {chances.shape}: give ({n}, {_ACTIONS})")
    if not ((chances >= 0).all() and np.allclose(chances.sum(axis=1), 1)):
        raise DataError("a row of probabilities does not add up to 1")
    return chances


def fitted_values(
    logged: Logged,
    features: ArrayLike,
    target: ArrayLike,
    *,
    gamma: float,
    folds: int = 2,
    ridge: float = 1.0,
    rounds: int = 40,
) -> Floats:
    """A model of the target policy's action values, each dialogue's from the other folds.

    Fitted Q evaluation (Le, Voloshin and Yue 2019) with one ridge regression for each action: the
    value of a turn is its reward and, faded, that of the next turn under the target policy.

    Args:
        logged: the turns.
        features: (n, k), what the model sees of each turn; a column of ones is added.
        target: (n, 10), the target policy's probabilities.
        gamma: 0 to 1.
        folds: dialogues are dealt out to so many in turn.
        ridge: weight of the squares of the coefficients.
        rounds: of the iteration.

    Returns:
        (n, 10).

    Raises:
        DataError: the shapes differ, or there are fewer dialogues than folds.
    """
    chances = _chances(target, len(logged.actions))
    given = np.asarray(features, float)
    if given.ndim != 2 or len(given) != len(chances) or not np.isfinite(given).all():
        raise DataError(f"features of shape {given.shape}: give finite ones, ({len(chances)}, k)")
    if folds < 2 or logged.starts.size < folds:
        raise DataError(f"{logged.starts.size} dialogues for {folds} folds: give two or more each")
    x = np.hstack([given, np.ones((len(given), 1))])
    place = np.zeros(len(x), np.intp)
    place[logged.starts[1:]] = 1
    fold = np.cumsum(place) % folds
    values = np.zeros((len(x), _ACTIONS))
    for held in range(folds):
        inside = fold != held
        solve = _ridges(x, logged.actions, inside, ridge)
        values[~inside] = (x @ _iterate(solve, x, logged, chances, gamma, rounds))[~inside]
    return values


Solve = Callable[[Floats], Floats]


def _ridges(x: Floats, actions: NDArray[np.int64], inside: Bools, ridge: float) -> Solve:
    """For targets (n,): the coefficients (k, 10) fitted to the turns inside."""
    eye = ridge * np.eye(x.shape[1])
    rows: Sequence[NDArray[np.intp]] = [
        np.flatnonzero(inside & (actions == a)) for a in range(_ACTIONS)
    ]
    inverse = [np.linalg.solve(x[r].T @ x[r] + eye, x[r].T) for r in rows]

    def solve(goal: Floats) -> Floats:
        return np.stack([one @ goal[r] for one, r in zip(inverse, rows, strict=True)], axis=1)

    return solve


def _iterate(
    solve: Solve, x: Floats, logged: Logged, chances: Floats, gamma: float, rounds: int
) -> Floats:
    ends = np.append(logged.starts[1:], len(x)) - 1
    goal = logged.rewards
    for _ in range(rounds):
        state = (chances * (x @ solve(goal))).sum(axis=1)
        following = np.append(state[1:], 0.0)
        following[ends] = 0.0
        goal = logged.rewards + gamma * following
    return solve(goal)
