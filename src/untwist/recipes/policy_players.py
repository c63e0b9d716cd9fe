"""Who chooses: policies as players of many conversations at once, and what they leave behind.

A player is asked for the actions of rows, or of one turn of an environment, and keeps to what is
left open; without a shield everything is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from untwist.artifacts import WEIGHTS, shipped
from untwist.data import LoggedTurn
from untwist.engine import LEARNED_POLICY
from untwist.errors import ConfigError, DataError
from untwist.evaluate import Episodes
from untwist.policy.env import VectorCounseling, World
from untwist.policy.learned import LearnedPolicy
from untwist.ports import Policy
from untwist.schema import START, Assessment, Choice, Json, Session
from untwist.taxonomy import Risk, Strategy

ACTIONS = tuple(Strategy)
SHIPPED = "learned"
"""The name of the policy that ships, as in `untwist.engine.load_policy`."""
_ENDS = {"resolved": "resolved", "left": "left", "handed": "handed to a human"}
Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]


class Player(Protocol):
    """Chooses for many at once."""

    @property
    def name(self) -> str:
        """The policy's; runs of one set-up share it."""

    @property
    def learnt(self) -> bool:
        """Whether it has action values, and reads the session."""

    def rows(
        self, assessments: Sequence[Assessment], sessions: Sequence[Session], open_: Flags
    ) -> Codes:
        """An action for each row, out of those open to it, (n, 10)."""

    def turn(self, env: VectorCounseling, open_: Flags) -> Codes:
        """An action for each conversation."""


@dataclass(frozen=True, slots=True)
class LearnedPlayer:
    """The best open action by the network's values; the lower number of equals."""

    policy: LearnedPolicy
    learnt: bool = True

    @property
    def name(self) -> str:
        """The policy's."""
        return self.policy.name

    def rows(
        self, assessments: Sequence[Assessment], sessions: Sequence[Session], open_: Flags
    ) -> Codes:
        """An action for each row."""
        return best(self.policy.q(assessments, sessions), open_)

    def turn(self, env: VectorCounseling, open_: Flags) -> Codes:
        """An action for each conversation."""
        return best(self.policy.network.values(env.places().states(env.world.pool)), open_)


def best(values: Floats, open_: Flags) -> Codes:
    """The open action with the highest value.

    Raises:
        DataError: a value is NaN or infinite.
    """
    if not np.isfinite(values).all():
        raise DataError("an action value is NaN or infinite: the policy is damaged, train it again")
    return np.asarray(np.where(open_, values, -np.inf).argmax(axis=1), np.int64)


@dataclass(frozen=True, slots=True)
class PlainPlayer:
    """A policy that does not read the session; what it says of a message is asked once."""

    policy: Policy
    learnt: bool = False
    _known: dict[tuple[int, int, bytes], int] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The policy's."""
        return self.policy.name

    def rows(
        self, assessments: Sequence[Assessment], sessions: Sequence[Session], open_: Flags
    ) -> Codes:
        """An action for each row."""
        asked = zip(assessments, sessions, open_, strict=True)
        return np.array([self._ask(a, s, may) for a, s, may in asked], np.int64)

    def turn(self, env: VectorCounseling, open_: Flags) -> Codes:
        """An action for each conversation."""
        heard = env.world.pool.assessments
        found = []
        for row, may in zip(env.row.tolist(), open_, strict=True):
            key = (id(heard), row, may.tobytes())
            if key not in self._known:
                self._known[key] = self._ask(heard[row], START, may)
            found.append(self._known[key])
        return np.array(found, np.int64)

    def _ask(self, assessment: Assessment, session: Session, may: Flags) -> int:
        allowed = frozenset(a for a, is_open in zip(ACTIONS, may, strict=True) if is_open)
        return ACTIONS.index(self.policy.choose(assessment, allowed, session).strategy)


@dataclass(frozen=True, slots=True)
class RandomPlayer:
    """Any open action, all alike."""

    rng: np.random.Generator
    name: str = "random"
    learnt: bool = False

    def rows(
        self, assessments: Sequence[Assessment], sessions: Sequence[Session], open_: Flags
    ) -> Codes:
        """An action for each row."""
        return best(self.rng.random(open_.shape, np.float32), open_)

    def turn(self, env: VectorCounseling, open_: Flags) -> Codes:
        """An action for each conversation."""
        return best(self.rng.random(open_.shape, np.float32), open_)


@dataclass(frozen=True, slots=True)
class OneStrategy:
    """Always the same strategy, or what the gate leaves."""

    strategy: Strategy
    name: str = "most-frequent-gold"

    def choose(
        self, assessment: Assessment, allowed: frozenset[Strategy], session: Session = START
    ) -> Choice:
        """The strategy if it is allowed; else the first that is."""
        found = (
            self.strategy if self.strategy in allowed else next(a for a in ACTIONS if a in allowed)
        )
        return Choice(found, None, "validation", self.name)


@dataclass(frozen=True, slots=True, eq=False)
class Entrant:
    """A player and the number of its run, from 1; runs of one system share its name."""

    player: Player
    run: int

    def minus(self, other: Entrant) -> Json:
        """What a difference is of."""
        return {
            "first": self.player.name,
            "run": self.run,
            "second": other.player.name,
            "second_run": other.run,
        }


def read_policies(names: Sequence[str]) -> tuple[list[LearnedPolicy], list[Path]]:
    """Learned policies by folder, or "learned" for the one that ships.

    Returns:
        The policies, and their weights as files of the user's; what ships is not among those.

    Raises:
        ArtifactError: a folder holds no usable policy.
    """
    own = [name for name in names if name != SHIPPED]
    folders = [shipped(LEARNED_POLICY) if name == SHIPPED else Path(name) for name in names]
    policies = [LearnedPolicy.load(folder) for folder in folders]
    return policies, [Path(name) / WEIGHTS for name in own]


def enter(learned: Sequence[LearnedPolicy], others: Sequence[Player]) -> list[Entrant]:
    """Learned policies first, those of one name as runs of one system, then the others.

    Raises:
        ConfigError: a learned policy has the name of another player.
    """
    counts: Counter[str] = Counter()
    found: list[Entrant] = []
    for policy in learned:
        counts[policy.name] += 1
        found.append(Entrant(LearnedPlayer(policy), counts[policy.name]))
    taken = {one.name for one in others} & set(counts)
    if taken:
        raise ConfigError(f"a learned policy is called {min(taken)}: that is a baseline's name")
    return [*found, *(Entrant(one, 1) for one in others)]


def systems_of(entrants: Sequence[Entrant]) -> list[Json]:
    """Name, number of runs, and whether it was learnt."""
    runs = Counter(one.player.name for one in entrants)
    learnt = {one.player.name: one.player.learnt for one in entrants}
    return [{"name": name, "runs": n, "learnt": learnt[name]} for name, n in runs.items()]


def pairs(entrants: Sequence[Entrant]) -> list[tuple[Entrant, Entrant]]:
    """Each run of the first system with each run of every other."""
    name = entrants[0].player.name
    own = [one for one in entrants if one.player.name == name]
    return [(one, other) for one in own for other in entrants if other.player.name != name]


def play(world: World, player: Player, seekers: int, seed: int, shield: bool = True) -> Episodes:
    """One conversation with each of so many people.

    Args:
        world: what it is made of.
        player: who answers.
        seekers: how many people; the first messages of equal seeds are the same.
        seed: of the world.
        shield: whether the safety gate closes actions, by the risk that is heard.
    """
    env = VectorCounseling(world, seekers, seed)
    truth = world.pool.truth
    shape = (seekers, world.max_turns)
    actions, rewards = np.full(shape, -1, np.int64), np.zeros(shape)
    labels = np.zeros((*shape, truth.labels.shape[1]), bool)
    intensity, high = np.full(shape, -1, np.int64), np.zeros(shape, bool)
    ends = np.full(seekers, "turn limit", object)
    live = np.ones(seekers, bool)
    for turn in range(world.max_turns):
        said = env.row.copy()
        open_ = env.mask() if shield else np.ones((seekers, len(ACTIONS)), bool)
        chosen = player.turn(env, open_)
        gained, terminated, truncated, info = env.turn(chosen)
        actions[live, turn], rewards[live, turn] = chosen[live], gained[live]
        labels[live, turn] = truth.labels[said[live]]
        intensity[live, turn] = truth.intensity[said[live]]
        high[live, turn] = truth.risk[said[live]] == Risk.HIGH.rank
        for name in ("resolved", "left", "handed"):
            ends[live & getattr(info["outcome"], name)] = _ENDS[name]
        live &= ~(terminated | truncated)
        if not live.any():
            break
    return Episodes(actions, rewards, labels, intensity, high, tuple(ends.tolist()))


def log_dialogues(
    world: World, policy: Policy, seekers: int, seed: int, soft: float
) -> list[LoggedTurn]:
    """Conversations led by a softened policy, with propensities.

    Args:
        world: what they are made of.
        policy: does not read the session.
        seekers: how many conversations.
        seed: of the world and of the softening.
        soft: share of turns whose strategy is drawn from all that the gate leaves, above 0.

    Returns:
        Turns of one dialogue together and in order.
    """
    env, player = VectorCounseling(world, seekers, seed), PlainPlayer(policy)
    rng = np.random.default_rng([seed, 1])
    logged: list[list[LoggedTurn]] = [[] for _ in range(seekers)]
    live = np.ones(seekers, bool)
    rows = np.arange(seekers)
    for turn in range(world.max_turns):
        said, open_ = env.row.copy(), env.mask()
        first = player.turn(env, open_)
        drawn = best(rng.random(open_.shape, np.float32), open_)
        chosen = np.where(rng.random(seekers) < soft, drawn, first)
        chance = soft * open_[rows, chosen] / open_.sum(axis=1) + (1 - soft) * (chosen == first)
        gained, terminated, truncated, _ = env.turn(chosen)
        done = terminated | truncated
        for at in np.flatnonzero(live).tolist():
            heard = world.pool.assessments[said[at]]
            logged[at].append(
                LoggedTurn(
                    f"{seed}-{at}", turn, heard, ACTIONS[chosen[at]], float(chance[at]),
                    float(gained[at]), bool(done[at]),
                )
            )  # fmt: skip
        live &= ~done
        if not live.any():
            break
    return [turn for dialogue in logged for turn in dialogue]
