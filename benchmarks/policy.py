"""Speed of simulated people and of learning, beside PyTorch with the same mathematics.

    python benchmarks/policy.py --out results/benchmark-policy

Claims: turns per second of the environment alone, how they grow with the number of seekers, and the
paper's whole run (100,000 episodes of one turn, 32 environments, batch 32, 1024-256-128-10, four
gradient steps a turn of all environments), as numpy does it here and as PyTorch does it. Both live
in the same environment and learn from the same replay. One thread everywhere, seconds of processor
time (on an idle machine the same as on the clock), medians with their spread. Without PyTorch its
part is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from untwist.data import Reading, Refusals
from untwist.embed import StaticEncoder
from untwist.policy.env import VectorCounseling, World
from untwist.policy.learning import Learning
from untwist.policy.pool import Pool
from untwist.policy.reward import ACTIONS
from untwist.policy.state import StateEncoder
from untwist.policy.train import Trainer
from untwist.recipes.policy_rows import policy_rows
from untwist.recipes.rows import load_each

SEEKERS = (256, 1024, 4096, 16_384, 65_536)
REFERENCE = {"episodes_per_s": 935, "gradient_steps_per_s": 117}
"""The paper's released loop with a language model that answers at once, on such a machine."""


def spread(values: list[float]) -> dict[str, float]:
    """Median, smallest and largest."""
    found = (statistics.median(values), min(values), max(values))
    return {name: round(v, 1) for name, v in zip(("median", "min", "max"), found, strict=True)}


def train_pool() -> Pool:
    """The train part of the open corpus and its dialogues."""
    loaded = load_each(("open", "open-dialogues"), Reading(), Refusals())
    rows = policy_rows(loaded, ["train"])
    return Pool.of(rows.gold(), [row.labels for row in rows.rows], StateEncoder(StaticEncoder()))


def environment(pool: Pool, seekers: int, repeats: int, states: bool) -> dict[str, float]:
    """Turns per second with random strategies."""
    env, rng = VectorCounseling(World(pool), seekers, 0), np.random.default_rng(0)
    turns = max(4, 200_000 // seekers)
    rates = []
    for _ in range(repeats):
        actions = rng.integers(0, len(ACTIONS), (turns, seekers))
        start = time.process_time()
        for action in actions:
            (env.step if states else env.turn)(action)
        rates.append(turns * seekers / (time.process_time() - start))
    return spread(rates)


def rates(learn: Callable[[], tuple[int, int]], repeats: int) -> dict[str, dict[str, float]]:
    """Episodes and gradient steps per second of whole runs."""
    episodes, steps = [], []
    for _ in range(repeats):
        start = time.process_time()
        lived, updates = learn()
        took = time.process_time() - start
        episodes.append(lived / took)
        steps.append(updates / took)
    return {"episodes_per_s": spread(episodes), "gradient_steps_per_s": spread(steps)}


def ours(pool: Pool, learning: Learning) -> tuple[int, int]:
    """A run in numpy."""
    trainer = Trainer(World(pool), learning, 0)
    trainer.run()
    return trainer.episodes, trainer.optimiser.steps


def theirs(pool: Pool, learning: Learning) -> tuple[int, int]:
    """The same run, written as one would write it in PyTorch."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    torch.set_num_threads(1)
    torch.manual_seed(0)
    # the people, the replay and the choice of turns are those of our own run
    life = Trainer(World(pool), learning, 0)
    sizes = life.online.sizes
    first, second = learning.hidden

    def network() -> nn.Sequential:
        return nn.Sequential(
            nn.Linear(sizes[0], first), nn.ReLU(), nn.Dropout(learning.dropout),
            nn.Linear(first, second), nn.ReLU(), nn.Dropout(learning.dropout),
            nn.Linear(second, sizes[-1]),
        )  # fmt: skip

    online, target = network(), network()
    target.load_state_dict(online.state_dict())
    target.eval()
    optimiser = torch.optim.AdamW(
        online.parameters(), lr=learning.rate, weight_decay=learning.decay
    )
    gate = torch.from_numpy(life.gate)
    heard = pool.heard.risk

    def act() -> np.ndarray:
        places = life.environment.places()
        online.eval()
        with torch.no_grad():
            values = online(torch.from_numpy(places.states(pool)))
        values = values.masked_fill(~gate[torch.from_numpy(heard[places.row])], -torch.inf)
        return values.argmax(dim=1).numpy()

    def learn() -> None:
        lived = life.replay.sample(learning.batch, life.rng)
        states = torch.from_numpy(lived.before.states(pool))
        following = torch.from_numpy(lived.after.states(pool))
        action = torch.from_numpy(lived.action).unsqueeze(1)
        mask = gate[torch.from_numpy(heard[lived.after.row])]
        with torch.no_grad():
            online.eval()
            best = online(following).masked_fill(~mask, -torch.inf).argmax(dim=1, keepdim=True)
            then = target(following).gather(1, best).squeeze(1)
            wanted = torch.from_numpy(lived.reward) + learning.gamma * then * torch.from_numpy(
                lived.goes_on
            )
            prior = F.softmax(target(states) / learning.tau, dim=1)
        online.train()
        values = online(states)
        error = F.huber_loss(values.gather(1, action).squeeze(1), wanted, delta=learning.huber)
        log_policy = F.log_softmax(values / learning.tau, dim=1)
        kl = learning.tau**2 * F.kl_div(log_policy, prior, reduction="batchmean")
        optimiser.zero_grad()
        (error + learning.beta * kl).backward()
        nn.utils.clip_grad_value_(online.parameters(), learning.clip)
        optimiser.step()

    updates = 0
    while life.episodes < learning.episodes:
        life.live(act())
        if life.replay.count >= learning.warm_up:
            for _ in range(learning.updates):
                learn()
                updates += 1
        if life.rounds % learning.target_every == 0:
            target.load_state_dict(online.state_dict())
    return life.episodes, updates


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--episodes", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    pool = train_pool()
    repeats = arguments.repeats
    learning = Learning(episodes=arguments.episodes, bandit=True)
    whole = Learning(episodes=arguments.episodes // 10)
    found: dict[str, Any] = {
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(),
                    "python": platform.python_version(), "numpy": np.__version__},
        "environment": {
            str(n): {"turns_per_s": environment(pool, n, repeats, False),
                     "with_states": environment(pool, n, repeats, True)}
            for n in SEEKERS
        },
        "paper_run": {"episodes": arguments.episodes, "reference": REFERENCE,
                      "numpy": rates(lambda: ours(pool, learning), repeats)},
        "conversations": {"numpy": rates(lambda: ours(pool, whole), repeats)},
    }  # fmt: skip
    if find_spec("torch"):
        found["paper_run"]["torch"] = rates(lambda: theirs(pool, learning), repeats)
        found["conversations"]["torch"] = rates(lambda: theirs(pool, whole), repeats)
    found["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    arguments.out.mkdir(parents=True, exist_ok=True)
    file = arguments.out / "metrics.json"
    file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (arguments.out / "report.md").write_text(report(found), encoding="utf-8")


def report(found: dict[str, Any]) -> str:
    """The same as Markdown."""
    lines = [
        "# Benchmark: the policy",
        "Command: `runs/benchmark_policy.sh`; one thread, seconds of processor time; medians, with "
        "smallest and largest.",
        "",
        "| seekers at once | turns/s | with their states |",
        "|---|---|---|",
    ]
    for n, row in found["environment"].items():
        lines.append(
            f"| {int(n):,} | {_shown(row['turns_per_s'])} | {_shown(row['with_states'])} |"
        )
    for key, title in (("paper_run", "One turn each, as in the paper"),
                       ("conversations", "Whole conversations")):  # fmt: skip
        lines += [
            "",
            f"## {title}",
            "",
            "| loop | episodes/s | gradient steps/s |",
            "|---|---|---|",
        ]
        lines += [
            f"| {name} | {_shown(found[key][name]['episodes_per_s'])} "
            f"| {_shown(found[key][name]['gradient_steps_per_s'])} |"
            for name in ("numpy", "torch") if name in found[key]
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _shown(one: dict[str, float]) -> str:
    return f"{one['median']:,.0f} ({one['min']:,.0f} to {one['max']:,.0f})"


if __name__ == "__main__":
    main()
