"""Train a policy among simulated people, compare it with the matrix, ask it why."""

import sys

import numpy as np

from untwist.data import Reading, Refusals, load_source
from untwist.embed import StaticEncoder
from untwist.policy import LearnedPolicy, MatrixPolicy, StateEncoder, explanation_of
from untwist.policy.env import VectorCounseling, World
from untwist.policy.learning import Learning
from untwist.policy.pool import Pool
from untwist.policy.train import Trainer
from untwist.recipes.policy_rows import policy_rows
from untwist.safety import allowed
from untwist.schema import Session
from untwist.taxonomy import Strategy


def mean_reward(world: World, choose, turns: int) -> float:  # noqa: ANN001
    """Mean reward a turn of many simulated people."""
    env, total = VectorCounseling(world, 200, seed=1), 0.0
    for _ in range(turns):
        total += float(env.turn(choose(env))[0].mean())
    return total / turns


def main(quick: bool = False) -> None:
    """Train; `quick` does so for a moment only."""
    loaded = [load_source(name, Reading(), Refusals()) for name in ("open", "open-dialogues")]
    rows = policy_rows(loaded, ["train"])
    state = StateEncoder(StaticEncoder(256 if quick else 1024))
    pool = Pool.of(rows.gold(), [row.labels for row in rows.rows], state)
    world = World(pool)
    learning = Learning(episodes=300 if quick else 20_000, rate=1e-3, anneal=True, clip=10.0)
    network = Trainer(world, learning, seed=1).run()
    policy = LearnedPolicy("example@1", network, state)

    def by_values(env: VectorCounseling) -> np.ndarray:
        values = network.values(env.places().states(pool))
        return np.where(env.mask(), values, -np.inf).argmax(axis=1)

    order, matrix = list(Strategy), MatrixPolicy()

    def by_matrix(env: VectorCounseling) -> np.ndarray:
        heard = [pool.assessments[at] for at in env.row]
        return np.array([order.index(matrix.choose(a, allowed(a.risk)).strategy) for a in heard])

    turns = 3 if quick else 20
    for name, choose in (("learned", by_values), ("matrix", by_matrix)):
        print(f"{name}: {mean_reward(world, choose, turns):.2f} a turn")
    heard = next(a for a in pool.assessments if a.findings and len(allowed(a.risk)) > 1)
    before = Session(1, (Strategy.REALITY_TESTING,), 0.0)
    print("\n".join(explanation_of(policy, heard, allowed(heard.risk), before).lines))


if __name__ == "__main__":
    main("--quick" in sys.argv)
