"""KL-regularised Double DQN on one page (CoPoLLM 4.1, Table 6), in numpy.

    y = R + gamma * Q-(s', argmax over allowed a' of Q(s', a'))         no Q- where it has ended
    L = Huber(Q(s, a) - y) + beta * tau^2 * mean KL(softmax(Q-(s) / tau) || softmax(Q(s) / tau))

Q- is a copy of Q that lags behind. Acting and bootstrapping obey the safety gate; exploring does
not, so that the values of forbidden strategies are learnt as well and can be reported. A run that
was cut goes on as if it had not been (`policy.checkpoint`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from untwist.errors import DataError
from untwist.policy.env import Places, VectorCounseling, World, gate_table
from untwist.policy.learning import Learning, world_of
from untwist.policy.network import AdamW, Network, backward, forward
from untwist.policy.replay import Replay, Transitions
from untwist.policy.reward import ACTIONS, Codes, Flags, Floats
from untwist.schema import Json

Progress = Callable[[int, int, Json], None]


def softmax(values: Floats) -> Floats:
    """Along the last axis."""
    risen = np.exp(values - values.max(axis=-1, keepdims=True))
    share: Floats = risen / risen.sum(axis=-1, keepdims=True)
    return share


def kl_term(target: Floats, online: Floats, tau: float) -> float:
    """tau^2 times the mean KL divergence of the online from the target's Boltzmann policy.

    Args:
        target: action values of the lagging network, shape (n, actions).
        online: action values of the network that learns.
        tau: temperature.
    """
    prior, policy = softmax(target / np.float32(tau)), softmax(online / np.float32(tau))
    # a share that is too small for its type counts as the smallest one there is
    least = np.finfo(np.float32).tiny
    ratio = np.log(np.maximum(prior, least)) - np.log(np.maximum(policy, least))
    return float(tau**2 * (prior * ratio).sum(axis=1).mean())


def double_q_target(
    reward: Floats, goes_on: Floats, online: Floats, target: Floats, gamma: float, mask: Flags
) -> Floats:
    """The value that Q(s, a) should have: chosen by the online network, valued by the lagging one.

    Args:
        reward: of the turn, shape (n,).
        goes_on: 0 where the conversation ended, shape (n,).
        online: values of the next states by the network that learns, shape (n, actions); give
            `target` here too for plain DQN.
        target: the same by the lagging network.
        gamma: discount.
        mask: which strategies are allowed in the next states, shape (n, actions).
    """
    best = np.where(mask, online, -np.inf).argmax(axis=1)
    following = target[np.arange(len(best)), best]
    wanted: Floats = (reward + np.float32(gamma) * goes_on * following).astype(np.float32)
    return wanted


def loss_and_slope(
    values: Floats,
    action: Codes,
    wanted: Floats,
    lagging: Floats,
    beta: float,
    tau: float,
    bound: float = 1.0,
) -> tuple[float, float, Floats]:
    """Huber loss, KL term, and the slope of both together by the action values.

    Args:
        values: Q(s), shape (n, actions).
        action: what was done, shape (n,).
        wanted: `double_q_target`.
        lagging: Q-(s).
        beta: weight of the KL term.
        tau: its temperature.
        bound: errors beyond it count linearly.
    """
    rows = np.arange(len(action))
    error = values[rows, action] - wanted
    bent = np.abs(error)
    line = np.float32(bound) * (bent - np.float32(bound / 2))
    huber = float(np.where(bent < bound, 0.5 * error * error, line).mean())
    warmth = np.float32(tau)
    slope = np.float32(beta * tau) * (softmax(values / warmth) - softmax(lagging / warmth))
    slope[rows, action] += np.clip(error, -bound, bound)
    return huber, beta * kl_term(lagging, values, tau), slope / np.float32(len(action))


@dataclass(slots=True)
class Trainer:
    """A run: everything that changes while it learns.

    Attributes:
        world: what it lives in.
        learning: how it learns.
        seed: equal seeds give equal runs, byte for byte on one machine.
        environment: the people.
        online: the network that learns.
        target: its lagging copy.
        optimiser: moves the one that learns.
        replay: what was lived through.
        rng: where chance comes from, apart from the people's.
        rounds: turns of all environments so far.
        episodes: conversations that have ended.
        curves: one row for every `log_every` rounds.
        sums: since the last row.
        gate: which strategies are open at each risk.
    """

    world: World
    learning: Learning
    seed: int
    environment: VectorCounseling = field(init=False)
    online: Network = field(init=False)
    target: Network = field(init=False)
    optimiser: AdamW = field(init=False)
    replay: Replay = field(init=False)
    rng: np.random.Generator = field(init=False)
    rounds: int = 0
    episodes: int = 0
    curves: list[Json] = field(default_factory=list)
    sums: dict[str, float] = field(default_factory=dict)
    gate: Flags = field(init=False)
    _gradient: Floats = field(init=False)

    def __post_init__(self) -> None:
        learning = self.learning
        self.world = world_of(self.world, learning)
        self.environment = VectorCounseling(self.world, learning.environments, self.seed)
        self.rng = np.random.default_rng([self.seed, 1])
        sizes = (self.environment.size, *learning.hidden, len(ACTIONS))
        self.online = Network.fresh(sizes, self.rng)
        self.target = Network(sizes, self.online.flat.copy())
        self.optimiser = AdamW(
            len(self.online.flat), learning.rate, learning.decay, clip=learning.clip
        )
        self.replay = Replay(learning.capacity)
        self.gate = gate_table() if learning.mask else np.ones_like(gate_table())
        self._gradient = np.zeros_like(self.online.flat)

    def epsilon(self) -> float:
        """Share of random strategies now."""
        first, last = self.learning.epsilon
        done = self.rounds * self.learning.environments / max(self.learning.epsilon_steps, 1)
        return first + (last - first) * min(done, 1.0)

    def rate(self) -> float:
        """Learning rate now."""
        left = 1 - self.episodes / self.learning.episodes if self.learning.anneal else 1.0
        return self.learning.rate * max(left, 0.0)

    def run(self, progress: Progress = lambda done, total, row: None, until: int = 0) -> Network:
        """Learn to the end, or until so many episodes.

        Returns:
            The network that learnt.

        Raises:
            DataError: a reward or a loss was not a number.
        """
        last = until or self.learning.episodes
        while self.episodes < last:
            self.advance()
            if self.rounds % self.learning.log_every == 0:
                self._log()
                progress(min(self.episodes, last), last, self.curves[-1])
        return self.online

    def advance(self) -> None:
        """One turn of every conversation, and what is learnt from it."""
        self._live()
        if self.replay.count >= self.learning.warm_up:
            self._learn()
        if self.rounds % self.learning.target_every == 0:
            self.target.flat[:] = self.online.flat

    def _live(self) -> None:
        """One turn of every conversation by the network that learns."""
        before = self.environment.places()
        values = self.online.values(before.states(self.world.pool))
        mask = self.gate[self.world.pool.heard.risk[before.row]]
        self.live(np.where(mask, values, -np.inf).argmax(axis=1))

    def live(self, greedy: Codes) -> None:
        """One turn of every conversation, kept for learning.

        Args:
            greedy: what the policy would do; some strategies are replaced by random ones.
        """
        before = self.environment.places()
        random = self.rng.random(len(greedy)) < self.epsilon()
        action = np.where(random, self.rng.integers(0, len(ACTIONS), len(greedy)), greedy)
        rewards, terminated, truncated, info = self.environment.turn(action)
        goes_on = (~terminated).astype(np.float32)
        self.replay.add(Transitions(before, action, rewards, info["final"], goes_on))
        ended = int((terminated | truncated).sum())
        self.rounds += 1
        self.episodes += ended
        self._count(reward=float(rewards.sum()), turns=len(action), ended=ended)

    def _learn(self) -> None:
        """The gradient steps of one round; the lagging network reads all their states at once."""
        how, pool = self.learning, self.world.pool
        self.optimiser.rate = self.rate()
        lived = self.replay.sample(how.batch * how.updates, self.rng)
        states = lived.before.states(pool)
        on = np.flatnonzero(lived.goes_on)
        after = Places(lived.after.row[on], lived.after.session[on]).states(pool)
        lagging = self.target.values(states)
        following = self.target.values(after)
        mask = self.gate[pool.heard.risk[lived.after.row]]
        for at in range(0, len(states), how.batch):
            part = slice(at, at + how.batch)
            inside = slice(*np.searchsorted(on, (at, at + how.batch)))
            done = forward(self.online, states[part], how.dropout, self.rng)
            chosen = self.online.values(after[inside]) if how.double else following[inside]
            wanted = lived.reward[part].copy()
            here = on[inside]
            wanted[here - at] = double_q_target(
                lived.reward[here], lived.goes_on[here], chosen, following[inside],
                how.gamma, mask[here],
            )  # fmt: skip
            huber, kl, slope = loss_and_slope(
                done.out, lived.action[part], wanted, lagging[part],
                how.beta * how.kl, how.tau, how.huber,
            )  # fmt: skip
            if not np.isfinite(huber + kl):
                raise DataError(f"the loss is not a number after {self.episodes} episodes")
            backward(self.online, done, slope, self._gradient)
            self.optimiser.step(self.online.flat, self._gradient)
            self._count(loss=huber, kl=kl, updates=1)

    def _count(self, **values: float) -> None:
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def _log(self) -> None:
        """One row of the curves: means since the row before."""
        sums = self.sums
        updates = sums.get("updates", 0.0)
        self.curves.append(
            {
                "episodes": self.episodes,
                "steps": self.rounds * self.learning.environments,
                "updates": self.optimiser.steps,
                "epsilon": round(self.epsilon(), 6),
                "reward": sums["reward"] / sums["turns"],
                "return": sums["reward"] / sums["ended"] if sums["ended"] else None,
                "loss": sums["loss"] / updates if updates else None,
                "kl": sums["kl"] / updates if updates else None,
            }
        )
        self.sums = {}
