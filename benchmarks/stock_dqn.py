"""A stock DQN of an existing library (stable-baselines3) in the same environment, for comparison.

    python -m venv local/stock-env && local/stock-env/bin/pip install torch stable-baselines3 .
    local/stock-env/bin/python benchmarks/stock_dqn.py --like local/seed-42 --out local/stock

Leaves a run folder: for each seed a policy folder that plays like any other, so that the very same
people and messages judge both:

    untwist evaluate policy local/seed-42/policy local/stock/seed-42 --out local/compared

"matched" takes over everything of our own learner that stable-baselines3 has a word for (network,
discount, rate, batch, replay, exploration, 32 conversations at once, gradient steps). "library"
leaves every setting as it ships, but for a replay of 100,000 turns: its million of turns wants
8 GB. Neither has a KL term, Double DQN, dropout, nor the safety gate while it learns; the gate is
put before both when they are played.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import stable_baselines3
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

from untwist.data import Reading, Refusals
from untwist.embed import StaticEncoder
from untwist.policy import LearnedPolicy, StateEncoder
from untwist.policy.env import VectorCounseling, World
from untwist.policy.learning import Learning
from untwist.policy.network import Network
from untwist.policy.pool import Pool
from untwist.policy.reward import ACTIONS
from untwist.policy.train import world_of
from untwist.recipes.config import read_config
from untwist.recipes.policy_rows import policy_rows
from untwist.recipes.rows import load_each
from untwist.recipes.train_policy import TrainPolicy

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
CORPORA = ("open", "open-dialogues")
REPLAY = 100_000


class Conversations(VecEnv):
    """`VectorCounseling` as stable-baselines3 wants its environments."""

    def __init__(self, world: World, n: int, seed: int) -> None:
        """Args: world: what they are made of. n: how many side by side. seed: of the people."""
        self.inner = VectorCounseling(world, n, seed)
        space = gymnasium.spaces.Box(-np.inf, np.inf, (self.inner.size,), np.float32)
        super().__init__(n, space, gymnasium.spaces.Discrete(len(ACTIONS)))
        self._seed = seed

    def reset(self) -> Any:  # noqa: ANN401
        """New people everywhere."""
        return self.inner.reset(self._seed)[0]

    def step_async(self, actions: np.ndarray) -> None:
        """Remember what to do."""
        self._actions = actions

    def step_wait(self) -> Any:  # noqa: ANN401
        """One turn everywhere; the state before an end goes into its info."""
        rewards, terminated, truncated, info = self.inner.turn(np.asarray(self._actions))
        pool = self.inner.world.pool
        ended = terminated | truncated
        final = info["final"].states(pool)
        told = [
            {"terminal_observation": final[at], "TimeLimit.truncated": bool(truncated[at])}
            if ended[at]
            else {}
            for at in range(self.num_envs)
        ]
        return self.inner.places().states(pool), rewards, ended, told

    def close(self) -> None:
        """Nothing is open."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:  # noqa: ANN401
        """The same for every conversation."""
        return [getattr(self.inner, attr_name, None)] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:  # noqa: ANN401
        """Nothing in it may be set."""
        raise AttributeError(attr_name)

    def env_method(self, method_name: str, *args: object, **more: object) -> list[Any]:
        """Nothing in it may be called."""
        raise AttributeError(method_name)

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:  # noqa: ANN401
        """By nothing."""
        return [False] * self.num_envs


class Bar(BaseCallback):
    """Progress on stderr."""

    def __init__(self, name: str, steps: int) -> None:
        """Args: name: of the run. steps: how many it will take."""
        super().__init__()
        self.name, self.steps = name, steps

    def _on_step(self) -> bool:
        if sys.stderr.isatty() and self.n_calls % 500 == 0:
            print(f"\r{self.name}: {self.num_timesteps:,}/{self.steps:,}", end="", file=sys.stderr)
        return True


@dataclass(frozen=True)
class Trained:
    """One run."""

    seed: int
    steps: int
    updates: int
    wall_s: float
    steps_per_s: float
    folder: str


def falling(rate: float, left: float) -> float:
    """A learning rate that falls linearly to 0."""
    return rate * left


def matched(learning: Learning, steps: int) -> dict[str, Any]:
    """Our settings in the library's words."""
    first, last = learning.epsilon
    return {
        "learning_rate": partial(falling, learning.rate) if learning.anneal else learning.rate,
        "buffer_size": learning.capacity,
        "learning_starts": learning.warm_up,
        "batch_size": learning.batch,
        "gamma": learning.gamma,
        "train_freq": 1,
        "gradient_steps": learning.updates,
        "target_update_interval": learning.target_every * learning.environments,
        "exploration_fraction": min(1.0, learning.epsilon_steps / steps),
        "exploration_initial_eps": first,
        "exploration_final_eps": last,
        "max_grad_norm": learning.clip,
        "policy_kwargs": {"net_arch": list(learning.hidden)},
    }


def training_pool() -> tuple[Pool, StateEncoder]:
    """What people say: the train part, as in our own training."""
    rows = policy_rows(load_each(CORPORA, Reading(), Refusals()), ["train"])
    encoder = StateEncoder(StaticEncoder())
    return Pool.of(rows.gold(), [row.labels for row in rows.rows], encoder), encoder


def as_policy(model: Any, name: str, encoder: StateEncoder) -> LearnedPolicy:  # noqa: ANN401
    """The library's network as one of ours; both are linear layers with ReLU between.

    Raises:
        TypeError: it is made of anything else.
    """
    layers = list(model.q_net.q_net)
    linear = layers[::2]
    if not all(isinstance(one, torch.nn.Linear) for one in linear) or not all(
        isinstance(one, torch.nn.ReLU) for one in layers[1::2]
    ):
        raise TypeError(f"linear layers with ReLU between were expected, not {layers}")
    tensors = {}
    for at, one in enumerate(linear):
        tensors[f"weights_{at}"] = one.weight.detach().numpy().T.copy()
        tensors[f"bias_{at}"] = one.bias.detach().numpy().copy()
    return LearnedPolicy(name, Network.from_tensors(tensors), encoder)


@dataclass(frozen=True)
class Task:
    """What is learnt, how long, and by which settings."""

    settings: str
    steps: int
    learning: Learning
    pool: Pool
    encoder: StateEncoder


def train(task: Task, seed: int, out: Path) -> Trained:
    """One run, and its policy folder."""
    pool, encoder, steps = task.pool, task.encoder, task.steps
    world = world_of(World(pool), task.learning)
    if task.settings == "matched":
        env: Any = Conversations(world, task.learning.environments, seed)
        given = matched(task.learning, steps)
    else:
        env = gymnasium.make(
            "untwist/Counseling-v1", pool=pool, dynamics=world.dynamics, reward=world.reward
        )
        given = {"buffer_size": REPLAY}
    name = f"stock-dqn-{task.settings}@1"
    model = stable_baselines3.DQN("MlpPolicy", env, seed=seed, device="cpu", **given)
    start = time.perf_counter()
    model.learn(steps, callback=Bar(f"{name}, seed {seed}", steps))
    wall = time.perf_counter() - start
    policy = as_policy(model, name, encoder)
    seen = pool.words[:64]
    states = np.hstack([seen, np.zeros((len(seen), encoder.size - seen.shape[1]), np.float32)])
    with torch.no_grad():
        theirs = model.q_net(torch.from_numpy(states)).numpy()
    np.testing.assert_allclose(policy.network.values(states), theirs, rtol=1e-3, atol=1e-3)
    folder = out / f"seed-{seed}"
    policy.save(folder, card(name, seed, steps), np.float16)
    return Trained(
        seed, model.num_timesteps, model._n_updates, round(wall, 1),
        round(model.num_timesteps / wall), folder.name,
    )  # fmt: skip


def card(name: str, seed: int, steps: int) -> str:
    """What the policy is."""
    return (
        f"# {name}\n\nA DQN of stable-baselines3, {steps:,} turns, seed {seed}, trained by "
        "`benchmarks/stock_dqn.py` to be compared with. Not for use.\n"
    )


def like(folder: Path) -> tuple[int, Learning]:
    """Environment steps and settings of one of our own runs."""
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return int(metrics["steps"]), read_config(TrainPolicy, folder / "config.toml").learning


def report(found: dict[str, Any]) -> str:
    """The figures as a page."""
    rows = [
        "| {seed} | {steps:,} | {updates:,} | {wall_s} | {steps_per_s:,} |".format(**one)
        for one in found["runs"]
    ]
    return "\n".join(
        [
            "# A stock DQN in Counseling-v1",
            "",
            f"Command: `{found['command']}`. {found['machine']}. Settings: {found['settings']}.",
            "",
            "| seed | turns | gradient steps | wall s | turns/s |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "Its returns stand beside ours in the report of `untwist evaluate policy`.",
            "",
        ]
    )


def read_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """From the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--settings", choices=["matched", "library"], default="matched")
    parser.add_argument("--seeds", default="42,43,44", help="one run each")
    parser.add_argument("--like", type=Path, metavar="DIR", help="a run of ours: its settings")
    parser.add_argument("--steps", type=int, help="turns of training; else those of that run")
    parser.add_argument("--out", type=Path, required=True, help="new folder")
    found = parser.parse_args(given)
    if found.like is None and found.steps is None:
        parser.error("give --like, --steps or both")
    return found


def main() -> None:
    """Train every seed and write metrics.json and report.md."""
    if os.environ.get("OMP_NUM_THREADS") != "1":  # read when numpy and torch are first imported
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    torch.set_num_threads(1)
    arguments = read_arguments()
    steps, learning = like(arguments.like) if arguments.like else (0, Learning())
    steps = arguments.steps or steps
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    arguments.out.mkdir(parents=True)
    pool, encoder = training_pool()
    task = Task(arguments.settings, steps, learning, pool, encoder)
    runs = [train(task, seed, arguments.out) for seed in seeds]
    found = {
        "command": f"python benchmarks/stock_dqn.py --settings {arguments.settings} "
        f"--seeds {arguments.seeds} --steps {steps}"
        + (f" --like {arguments.like}" if arguments.like else ""),
        "settings": arguments.settings,
        "dynamics": World(pool).dynamics.name,
        "learning": asdict(learning) if arguments.settings == "matched" else None,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, one thread, "
        f"Python {platform.python_version()}, numpy {np.__version__}, torch {torch.__version__}, "
        f"stable-baselines3 {metadata.version('stable-baselines3')}",
        "runs": [asdict(one) for one in runs],
    }
    (arguments.out / "metrics.json").write_text(
        json.dumps(found, indent=1) + "\n", encoding="utf-8"
    )
    (arguments.out / "report.md").write_text(report(found), encoding="utf-8")
    print(report(found))


if __name__ == "__main__":
    main()
