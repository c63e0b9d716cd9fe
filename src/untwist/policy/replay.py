"""What was lived through, to be learnt from again: transitions by reference to the pool."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untwist.errors import ConfigError
from untwist.policy.env import Places
from untwist.policy.reward import Codes, Floats
from untwist.policy.state import SESSION_FEATURES


@dataclass(frozen=True, slots=True)
class Transitions:
    """Turns, one entry each.

    Attributes:
        before: the states.
        action: what was done.
        reward: what it brought.
        after: the states then.
        goes_on: 1 where the conversation went on or was cut off, 0 where it ended.
    """

    before: Places
    action: Codes
    reward: Floats
    after: Places
    goes_on: Floats


@dataclass(slots=True)
class Replay:
    """The last so many transitions; the oldest makes room.

    Attributes:
        capacity: how many are kept at most.
        count: how many were ever added.
    """

    capacity: int
    count: int = 0
    columns: dict[str, NDArray[Any]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.capacity < 1:
            raise ConfigError(f"a replay of {self.capacity}: give at least 1")
        n, width = self.capacity, len(SESSION_FEATURES)
        self.columns = {
            "row": np.zeros(n, np.int64),
            "session": np.zeros((n, width), np.float32),
            "action": np.zeros(n, np.int64),
            "reward": np.zeros(n, np.float32),
            "next_row": np.zeros(n, np.int64),
            "next_session": np.zeros((n, width), np.float32),
            "goes_on": np.zeros(n, np.float32),
        }

    def __len__(self) -> int:
        return min(self.count, self.capacity)

    def add(self, new: Transitions) -> None:
        """Keep these."""
        places = (self.count + np.arange(len(new.action))) % self.capacity
        values = (
            new.before.row,
            new.before.session,
            new.action,
            new.reward,
            new.after.row,
            new.after.session,
            new.goes_on,
        )
        for column, value in zip(self.columns.values(), values, strict=True):
            column[places] = value
        self.count += len(places)

    def sample(self, n: int, rng: np.random.Generator) -> Transitions:
        """So many at random, with replacement."""
        places = rng.integers(0, len(self), n)
        row, session, action, reward, next_row, next_session, goes_on = (
            column[places] for column in self.columns.values()
        )
        return Transitions(
            Places(row, session), action, reward, Places(next_row, next_session), goes_on
        )
