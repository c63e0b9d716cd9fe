"""One simulated person behind Gymnasium's interface (the extra "rl").

Importing this module registers both names:

    import gymnasium, untwist.policy.gym
    env = gymnasium.make("untwist/Counseling-v1", pool=pool)
"""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from untwist.policy.env import VectorCounseling, World, gate_table
from untwist.policy.pool import Pool
from untwist.policy.reward import ACTIONS


class CounselingEnv(gymnasium.Env[NDArray[np.float32], int]):
    """One conversation with one simulated person.

    ## Description
    A person writes, the program answers with one of ten CBT strategies, the person answers
    (CoPoLLM 4.1). How the person changes is `untwist.policy.dynamics.Dynamics`.

    ## Action Space
    `Discrete(10)`: A0 empathic validation to A9 crisis intervention. `info["mask"]` has 1 for what
    the safety gate leaves open; the environment takes any action, a policy must not.

    ## Observation Space
    `Box(-inf, inf, (size,), float32)`: the message with its labels as encoded by
    `StateEncoder`, then the features of the session.

    ## Rewards
    `untwist.policy.reward.reward`: improvement, match with the matrix, safety. The parts stand in
    `info["components"]`.

    ## Starting State
    Group A to E by the mix of the dynamics; a first message drawn from the pool.

    ## Episode End
    Terminated: resolved, left, or handed to a human (crisis intervention at disclosed danger).
    Truncated: after 12 turns. In `untwist/CounselingBandit-v1` every episode is one turn.

    ## Arguments
    `pool` (a `Pool`), `dynamics`, `reward`, `max_turns`, `bandit`, `improvement`.

    ## Version History
    * v1: first version.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}  # type: ignore[misc]

    def __init__(self, pool: Pool, bandit: bool = False, **settings: Any) -> None:  # noqa: ANN401
        """Args: pool: what people say. bandit: one turn. settings: of `World`."""
        self._vector = VectorCounseling(World(pool, bandit=bandit, **settings), 1, 0)
        space = gymnasium.spaces.Box(-np.inf, np.inf, (self._vector.size,), np.float32)
        self.observation_space = space
        self.action_space = gymnasium.spaces.Discrete(len(ACTIONS))  # type: ignore[assignment]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """A new person; without a seed the next one of the same stream."""
        super().reset(seed=seed)
        drawn = int(self.np_random.integers(2**63)) if seed is None else seed
        states, info = self._vector.reset(drawn)
        return states[0], {"mask": info["mask"][0].astype(np.int8)}

    def step(self, action: int) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """One turn.

        Raises:
            DataError: the action is out of range.
        """
        rewards, terminated, truncated, info = self._vector.turn(np.array([action]))
        final = info["final"]
        heard = self._vector.world.pool.heard.risk[final.row]
        parts = info["components"]
        told = {
            "mask": gate_table()[heard][0].astype(np.int8),
            "components": {
                name: float(getattr(parts, name)[0]) for name in ("improvement", "match", "safety")
            },
            "outcome": {
                name: bool(getattr(info["outcome"], name)[0])
                for name in ("resolved", "left", "handed")
            },
        }
        state = final.states(self._vector.world.pool)[0]
        return state, float(rewards[0]), bool(terminated[0]), bool(truncated[0]), told


for _name, _bandit in (("untwist/Counseling-v1", False), ("untwist/CounselingBandit-v1", True)):
    if _name not in gymnasium.registry:
        gymnasium.register(
            _name, entry_point="untwist.policy.gym:CounselingEnv", kwargs={"bandit": _bandit}
        )
