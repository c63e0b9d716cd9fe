"""Conversations with simulated people as an environment, one at a time or thousands at once.

`VectorCounseling` is plain numpy; `untwist.policy.gym` has one person with Gymnasium's interface.

Nobody in it is real, and nothing that is learnt in it was shown to help a person.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untwist.errors import ConfigError, DataError
from untwist.policy.dynamics import Dynamics, Seekers, advance, arrive, express
from untwist.policy.improve import Improvement, simulated
from untwist.policy.pool import Pool
from untwist.policy.reward import (
    ACTIONS,
    CRISIS,
    PRESETS,
    Codes,
    Flags,
    Floats,
    RewardTable,
    reward,
)
from untwist.policy.reward import DEFAULT as DEFAULT_REWARD
from untwist.policy.state import SESSION_FEATURES, burden, session_features
from untwist.safety import allowed
from untwist.schema import Json, Session
from untwist.taxonomy import Risk

MAX_TURNS = 12
"""Turns after which a conversation is cut off."""


@dataclass(frozen=True, slots=True)
class World:
    """What an environment is made of.

    Attributes:
        pool: what people say.
        dynamics: how they change.
        reward: what is rewarded.
        max_turns: turns after which a conversation is cut off.
        bandit: every conversation ends after one turn, as in the paper's released code.
        improvement: how much better a turn made people, the first part of the reward.
    """

    pool: Pool
    dynamics: Dynamics = field(default_factory=Dynamics)
    reward: RewardTable = PRESETS[DEFAULT_REWARD]
    max_turns: int = MAX_TURNS
    bandit: bool = False
    improvement: Improvement = simulated


@dataclass(frozen=True, slots=True)
class Places:
    """States by reference: the message and the session's features.

    Attributes:
        row: number of the message in the pool, shape (n,).
        session: features of the session, shape (n, 25).
    """

    row: Codes
    session: Floats

    def states(self, pool: Pool) -> Floats:
        """The states themselves, shape (n, size)."""
        return np.hstack([pool.words[self.row], self.session])


def gate_table() -> Flags:
    """The safety gate as a table, shape (4, 10): risk by action."""
    return np.array([[a in allowed(risk) for a in ACTIONS] for risk in Risk])


class VectorCounseling:
    """Many conversations side by side; whoever ends is followed by a new person at once.

    Attributes:
        world: what it is made of.
        n: how many conversations.
        seekers: the people, as they are now.
        row: number of the message that each has just written.
        response: how each answered the last strategy, NaN when not known.
    """

    def __init__(self, world: World, n: int, seed: int) -> None:
        """Args: world: what it is made of. n: how many. seed: equal seeds, equal conversations.

        Raises:
            ConfigError: there would be nobody, or no turn.
        """
        if n < 1 or world.max_turns < 1:
            raise ConfigError(f"{n} seekers, {world.max_turns} turns: give at least 1 of each")
        self.world, self.n = world, n
        self._shares = world.pool.shares()
        self._gate = gate_table()
        self.reset(seed)

    @property
    def size(self) -> int:
        """Length of a state."""
        return int(self.world.pool.words.shape[1]) + len(SESSION_FEATURES)

    def reset(self, seed: int) -> tuple[Floats, Json]:
        """New people everywhere: the states and the information about them."""
        self.rng = np.random.default_rng(seed)
        self.seekers = arrive(self.world.dynamics, self.n, self.rng, self._shares)
        self.row = self._say(self.seekers)
        self.response = np.full(self.n, np.nan, np.float32)
        return self.places().states(self.world.pool), self._info()

    def places(self) -> Places:
        """The present states by reference."""
        s = self.seekers
        return Places(self.row, session_features(s.turn, s.counts, s.last, self.response))

    def mask(self) -> Flags:
        """Which strategies the safety gate leaves open, by the risk that is heard."""
        open_: Flags = self._gate[self.world.pool.heard.risk[self.row]]
        return open_

    def step(self, actions: Codes) -> tuple[Floats, Floats, Flags, Flags, Json]:
        """One turn everywhere.

        Args:
            actions: number of the strategy for each, shape (n,); any of the ten.

        Returns:
            states, rewards, terminated, truncated, info. The states are those of whoever speaks
            next, which after an end is a new person; `info["final"]` has those before.

        Raises:
            DataError: an action is out of range or their number is wrong.
        """
        rewards, terminated, truncated, info = self.turn(actions)
        return self.places().states(self.world.pool), rewards, terminated, truncated, info

    def turn(self, actions: Codes) -> tuple[Floats, Flags, Flags, Json]:
        """`step` without making the states; for training, which keeps them by reference."""
        actions = np.asarray(actions, np.int64)
        if actions.shape != (self.n,):
            raise DataError(f"{actions.shape} actions for {self.n} seekers: give one for each")
        if actions.min() < 0 or actions.max() > CRISIS:
            raise DataError(f"an action is out of range: give numbers from 0 to {CRISIS}")
        world, truth, said = self.world, self.world.pool.truth, self.row
        after, outcome = advance(
            world.dynamics, self.seekers, actions, truth.labels[said], self.rng
        )
        components = reward(
            world.reward,
            truth.labels[said],
            truth.intensity[said],
            truth.risk[said],
            actions,
            world.improvement(world.pool, said, actions, outcome),
        )
        terminated = outcome.resolved | outcome.left | outcome.handed | world.bandit
        truncated = ~terminated & (after.turn >= world.max_turns)
        self._listen(after, said)
        final = self.places()
        info = {"components": components, "outcome": outcome, "final": final, "said": said}
        self._replace(np.flatnonzero(terminated | truncated))
        return components.total, terminated, truncated, info | self._info()

    def _listen(self, after: Seekers, said: Codes) -> None:
        """What everybody says next, and how that compares with what they had said."""
        self.seekers, self.row = after, self._say(after)
        heard = self.world.pool.heard
        before = burden(heard.intensity[said], heard.risk[said])
        self.response = before - burden(heard.intensity[self.row], heard.risk[self.row])

    def _say(self, seekers: Seekers) -> Codes:
        luck = self.rng.random((2, len(seekers.turn)), dtype=np.float32)
        subject, intensity, risk = express(self.world.dynamics, seekers, luck[0])
        return self.world.pool.draw(subject, intensity, risk, seekers.lang, luck[1])

    def _replace(self, ended: Codes) -> None:
        """New people in the place of those whose conversation has ended."""
        if not len(ended):
            return
        new = arrive(self.world.dynamics, len(ended), self.rng, self._shares)
        self.seekers = Seekers(
            **{
                item.name: _put(getattr(self.seekers, item.name), ended, getattr(new, item.name))
                for item in fields(Seekers)
            }
        )
        self.row = _put(self.row, ended, self._say(new))
        self.response = _put(self.response, ended, np.full(len(ended), np.nan, np.float32))

    def _info(self) -> Json:
        return {"mask": self.mask(), "state": self.seekers, "row": self.row}

    def session(self, at: int) -> Session:
        """The session of one conversation; only its last strategy keeps its place in the order."""
        counts = self.seekers.counts[at].copy()
        used = []
        if self.seekers.last[at] >= 0:
            counts[self.seekers.last[at]] -= 1
            used = [ACTIONS[a] for a in range(len(ACTIONS)) for _ in range(counts[a])]
            used.append(ACTIONS[self.seekers.last[at]])
        response = float(self.response[at])
        known = None if np.isnan(response) else response
        return Session(int(self.seekers.turn[at]), tuple(used), known)


def _put(values: NDArray[Any], places: Codes, new: NDArray[Any]) -> NDArray[Any]:
    """A copy with other values in some places."""
    changed = values.copy()
    changed[places] = new
    return changed
