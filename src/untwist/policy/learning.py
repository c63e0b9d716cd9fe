"""How a policy learns: every number, and a switch for every ablation of the paper."""

from __future__ import annotations

from dataclasses import dataclass, replace

from untwist.errors import ConfigError
from untwist.policy.env import MAX_TURNS, World
from untwist.policy.reward import RewardTable, preset


@dataclass(frozen=True, slots=True)
class Learning:
    """Hyper-parameters; the defaults are the paper's Table 6, and what it leaves out is said."""

    episodes: int = 100_000
    """Conversations until the end."""
    environments: int = 32
    """Conversations side by side."""
    gamma: float = 0.8
    """Discount; 0 is the one-step learner."""
    capacity: int = 100_000
    """Turns in the replay."""
    batch: int = 32
    """Turns a gradient step learns from."""
    updates: int = 4
    """Gradient steps for a turn of all environments (not in the paper; its released code)."""
    hidden: tuple[int, ...] = (256, 128)
    """Sizes of the hidden layers."""
    dropout: float = 0.1
    """While learning only."""
    rate: float = 1e-4
    """Learning rate of AdamW."""
    anneal: bool = False
    """The learning rate falls linearly to 0 by the last conversation (not in the paper)."""
    decay: float = 1e-5
    """Weight decay (not in the paper; its released code)."""
    clip: float = 1.0
    """No part of a gradient is larger (not in the paper; its released code)."""
    huber: float = 10.0
    """Errors beyond it count linearly. The paper squares all, its released code bounds at 1: then
    rare heavy losses, such as someone's leaving, count too little and values come out too high."""
    beta: float = 0.1
    """Weight of the KL term."""
    tau: float = 1.0
    """Temperature of the KL term."""
    target_every: int = 10
    """Turns of all environments between two copies of the target."""
    epsilon: tuple[float, float] = (0.9, 0.1)
    """Share of random strategies at first and in the end."""
    epsilon_steps: int = 50_000
    """Environment steps over which it falls, linearly."""
    warm_up: int = 1_000
    """Turns that are lived through before learning begins (not in the paper)."""
    reward: str = "paper-table7"
    """Which reward table."""
    penalty: float = 1.0
    """Taken off at high risk for all but crisis intervention; 1 is Table 7's, see Property 4.2."""
    kl: bool = True
    """Ablation: without the KL term."""
    double: bool = True
    """Ablation: without Double DQN, the target's own maximum is taken."""
    safety_reward: bool = True
    """Ablation: without the safety layer of the reward."""
    match_reward: bool = True
    """Ablation: without the match with the matrix."""
    improvement_reward: bool = True
    """Ablation: without the improvement."""
    mask: bool = True
    """Ablation: acting and bootstrapping without the safety gate."""
    bandit: bool = False
    """Every conversation ends after one turn, as in the paper's released code."""
    stratified: bool = True
    """Every distortion equally often, so that rare ones are learnt too."""
    max_turns: int = MAX_TURNS
    """Turns after which a conversation is cut off."""
    log_every: int = 100
    """Turns of all environments between two rows of the curves."""

    def __post_init__(self) -> None:
        for name in ("episodes", "environments", "capacity", "batch", "updates", "target_every"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}: give at least 1")
        for name in ("gamma", "dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}: give 0 up to, not with, 1")
        if min(self.tau, self.rate, self.clip, self.huber) <= 0:
            raise ConfigError("tau, rate, clip and huber must be above 0")
        preset(self.reward)


def world_of(world: World, learning: Learning) -> World:
    """The world that a run lives in: its reward with the ablations, its form, its sampling."""
    w1, w2, w3 = preset(learning.reward).weights
    weights = (
        w1 * learning.improvement_reward, w2 * learning.match_reward, w3 * learning.safety_reward,
    )  # fmt: skip
    table: RewardTable = replace(
        preset(learning.reward), weights=weights, high_and_other=-learning.penalty
    )
    dynamics = replace(world.dynamics, stratified=learning.stratified)
    return replace(
        world,
        dynamics=dynamics,
        reward=table,
        max_turns=learning.max_turns,
        bandit=learning.bandit,
    )
