"""Off-policy evaluation of policies on logged dialogues, beside what they earn when played.

The log is a file of the user's, or is made here: a softened matrix policy leads short simulated
conversations, and what each policy would earn in them is known by playing it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from untwist.data import LoggedTurn, read_logged, write_logged
from untwist.errors import ConfigError
from untwist.evaluate import (
    Estimate,
    Logged,
    OffPolicy,
    fitted_values,
    mean_return,
    off_policy,
)
from untwist.policy import MatrixPolicy
from untwist.policy.env import World, gate_table
from untwist.policy.state import encode_sessions, session_of
from untwist.recipes.policy_players import ACTIONS, Player, log_dialogues, play
from untwist.recipes.rows import Progress
from untwist.schema import Assessment, Json, Session
from untwist.taxonomy import CANONICAL, Intensity, Risk, Strategy

LOG = "logged.jsonl"
_LATER = 7_919
"""Added to the seed of the log, so that the people in it are not those of the returns."""


@dataclass(frozen=True, slots=True)
class LoggedConfig:
    """Which dialogues are judged."""

    file: str = ""
    """Your own log; none makes one by simulation."""
    dialogues: int = 3_000
    """How many are made; 0 leaves off-policy evaluation out."""
    max_turns: int = 3
    """Turns of those that are made: weights multiply over turns, so long ones keep few."""
    soft: float = 0.7
    """Share of their turns whose strategy is drawn from all that the gate leaves."""
    keep: bool = False
    """Write the log that was made into the run folder; it holds messages of the corpora."""
    truth_seekers: int = 20_000
    """People with whom each policy is played to know what it earns."""


@dataclass(frozen=True, slots=True)
class Judging:
    """How estimates are made.

    Attributes:
        gamma: weight of a turn's reward against that of the turn before.
        seed: of logs, folds and intervals.
        resamples: of the bootstrap.
    """

    gamma: float
    seed: int
    resamples: int


@dataclass(frozen=True, slots=True)
class LoggedResult:
    """Off-policy estimates of one player.

    Attributes:
        system: the policy's name.
        run: which of its runs.
        estimates: from the log.
        truth: what it earns when it is played in the same world; None with a log of the user's.
    """

    system: str
    run: int
    estimates: OffPolicy
    truth: Estimate | None

    def to_dict(self) -> Json:
        """As JSON values."""
        return {
            "system": self.system,
            "run": self.run,
            "estimates": self.estimates.to_dict(),
            "truth": self.truth.to_dict() if self.truth else None,
        }


def score_logged(
    config: LoggedConfig,
    how: Judging,
    world_of: Callable[[Player, int | None], World],
    players: Sequence[tuple[Player, int]],
    folder: Path,
    progress: Progress,
) -> list[LoggedResult]:
    """Estimates for every player whose choices are certain; chance has none.

    Args:
        config: which dialogues.
        how: gamma, seed, resamples.
        world_of: the world for a player, with so many turns.
        players: with the numbers of their runs.
        folder: of the run.
        progress: told how far it is.

    Raises:
        ConfigError: a number is out of range.
        DataError: the log cannot be read.
    """
    if not 0 < config.soft <= 1 or config.dialogues < 0 or config.max_turns < 1:
        raise ConfigError("a log needs 0 < soft <= 1, dialogues and turns")
    if not config.file and not config.dialogues:
        return []
    made = world_of(players[0][0], config.max_turns)
    if config.file:
        turns = read_logged(config.file)
    else:
        seed = how.seed + _LATER
        turns = log_dialogues(made, MatrixPolicy(), config.dialogues, seed, config.soft)
        if config.keep:
            write_logged(folder / LOG, turns)
    log = _Log.of(turns)
    judged = [(player, number) for player, number in players if player.name != "random"]
    found = []
    for done, (player, number) in enumerate(judged):
        progress("off-policy", done, len(judged))
        truth = None
        if not config.file:
            world = world_of(player, config.max_turns)
            played = play(world, player, config.truth_seekers, how.seed + 2 * _LATER)
            rng = np.random.default_rng(how.seed)
            truth = mean_return(played, rng, how.gamma, how.resamples)
        found.append(LoggedResult(player.name, number, log.judge(player, how), truth))
    progress("off-policy", len(judged), len(judged))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Log:
    turns: Logged
    assessments: tuple[Assessment, ...]
    sessions: tuple[Session, ...]
    features: NDArray[np.float64]

    @classmethod
    def of(cls, turns: Sequence[LoggedTurn]) -> _Log:
        """The log as arrays, each turn with the session before it."""
        sessions: list[Session] = []
        for _, group in groupby(turns, lambda turn: turn.dialogue):
            heard: list[Assessment] = []
            used: list[Strategy] = []
            for turn in group:
                heard.append(turn.assessment)
                sessions.append(session_of(heard, used))
                used.append(turn.action)
        assessments = tuple(turn.assessment for turn in turns)
        logged = Logged(
            tuple(turn.dialogue for turn in turns),
            np.array([ACTIONS.index(turn.action) for turn in turns], np.int64),
            np.array([turn.propensity for turn in turns], float),
            np.array([turn.reward for turn in turns], float),
        )
        features = np.hstack([_heard(assessments), encode_sessions(sessions)])
        return cls(logged, assessments, tuple(sessions), features.astype(float))

    def judge(self, player: Player, how: Judging) -> OffPolicy:
        """The estimates of what a player would earn, behind the shield."""
        open_ = gate_table()[[one.risk.rank for one in self.assessments]]
        chosen = player.rows(self.assessments, self.sessions, open_)
        target = np.eye(len(ACTIONS))[chosen]
        values = fitted_values(self.turns, self.features, target, gamma=how.gamma)
        rng = np.random.default_rng(how.seed)
        return off_policy(
            self.turns, target, rng, gamma=how.gamma, values=values, resamples=how.resamples
        )


def _heard(assessments: Sequence[Assessment]) -> NDArray[np.float64]:
    """What the model of the values sees of a message: labels, intensity and risk as 0 and 1."""
    rows = []
    for one in assessments:
        found = {finding.distortion for finding in one.findings}
        rows.append(
            [
                *(d in found for d in CANONICAL),
                *(one.intensity is level for level in Intensity),
                *(one.risk is level for level in Risk),
            ]
        )
    return np.array(rows, float)
