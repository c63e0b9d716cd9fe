"""Recipe: what policies would have earned in dialogues that another one led.

    logged dialogues -> weights and a model of values -> off-policy estimates

`run` reads a log of the user's. `score_logged` is for a log that is made: a softened matrix policy
leads short simulated conversations, and what each policy would earn in them is known by playing it.
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
    RESAMPLES,
    Estimate,
    Logged,
    OffPolicy,
    fitted_values,
    mean_return,
    off_policy,
)
from untwist.policy import AlwaysValidate, MatrixPolicy
from untwist.policy.env import World, gate_table
from untwist.policy.state import encode_sessions, session_of
from untwist.recipes.policy_players import (
    ACTIONS,
    Entrant,
    PlainPlayer,
    Player,
    RandomPlayer,
    enter,
    log_dialogues,
    play,
    read_policies,
    systems_of,
)
from untwist.recipes.policy_report_returns import OFF_POLICY, off_policy_chapter
from untwist.recipes.publish import publish
from untwist.recipes.rows import Progress, quiet
from untwist.recipes.runfolder import open_run
from untwist.schema import Assessment, Json, Session
from untwist.taxonomy import CANONICAL, Intensity, Risk, Strategy

SCHEMA = "untwist/logged@1"
LOG = "logged.jsonl"
_LATER = 7_919
"""Added to the seed of the log, so that the people in it are not those of the returns."""


@dataclass(frozen=True, slots=True)
class LoggedConfig:
    """How dialogues are made whose outcome is known."""

    dialogues: int = 3_000
    """How many; 0 leaves off-policy evaluation out."""
    max_turns: int = 3
    """Turns of each: weights multiply over turns, so long ones keep few."""
    soft: float = 0.7
    """Share of their turns whose strategy is drawn from all that the gate leaves."""
    keep: bool = False
    """Write them into the run folder; the file holds messages of the corpora."""
    truth_seekers: int = 20_000
    """People with whom each policy is played to know what it earns."""


@dataclass(frozen=True, slots=True)
class EvaluateLogged:
    """Whose choices are judged on which log."""

    out: str
    """The run folder; it must be new or empty."""
    file: str
    """Logged dialogues, see `untwist.data.read_logged`."""
    policies: tuple[str, ...] = ()
    """Folders of learned policies, "learned" for the one that ships."""
    gamma: float = 0.8
    """Weight of a turn against the one before it; CoPoLLM Table 6."""
    seed: int = 42
    """Of folds and intervals."""
    resamples: int = RESAMPLES
    """Of the bootstrap."""
    command: str = "untwist.recipes.evaluate_logged.run(config)"
    """What starts this run; stands in the report."""


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


def run(config: EvaluateLogged, progress: Progress = quiet) -> tuple[Path, Json]:
    """Judge, and write the run folder.

    Returns:
        The folder (config.toml, manifest.json, metrics.json, report.md, report.html) and the
        metrics.

    Raises:
        ConfigError: a policy has the name of another, or the run folder is in use.
        ArtifactError: a policy cannot be used.
        DataError: the log cannot be read, or has too few dialogues.
    """
    learned, weights = read_policies(config.policies)
    entrants = enter(learned, [PlainPlayer(MatrixPolicy()), PlainPlayer(AlwaysValidate())])
    log = _Log.of(read_logged(config.file))
    inputs = [Path(config.file), *weights]
    folder = open_run(config.out, config, config.seed, inputs)
    how = Judging(config.gamma, config.seed, config.resamples)
    found = []
    for done, one in enumerate(entrants):
        progress("off-policy", done, len(entrants))
        found.append(LoggedResult(one.player.name, one.run, log.judge(one.player, how), None))
    progress("off-policy", len(entrants), len(entrants))
    metrics: Json = {
        "schema": SCHEMA,
        "command": config.command,
        "resamples": config.resamples,
        "systems": systems_of(entrants),
        "off_policy": [one.to_dict() for one in found],
    }
    folder.write_metrics(metrics)
    title = "Policies on logged dialogues"
    chapters = [off_policy_chapter(metrics)]
    publish(folder, title, chapters, protocol=OFF_POLICY, command=config.command)
    return folder.path, metrics


def score_logged(
    config: LoggedConfig,
    how: Judging,
    world_of: Callable[[Player, int | None], World],
    entrants: Sequence[Entrant],
    folder: Path,
    progress: Progress,
) -> list[LoggedResult]:
    """Estimates on dialogues that are made, for every player whose choices are certain.

    Args:
        config: which dialogues.
        how: gamma, seed, resamples.
        world_of: the world for a player, with so many turns.
        entrants: who is judged; chance is left out.
        folder: of the run.
        progress: told how far it is.

    Raises:
        ConfigError: a number is out of range.
    """
    if not 0 < config.soft <= 1 or config.dialogues < 0 or config.max_turns < 1:
        raise ConfigError("a log needs 0 < soft <= 1, dialogues and turns")
    if not config.dialogues:
        return []
    made = world_of(entrants[0].player, config.max_turns)
    seed = how.seed + _LATER
    turns = log_dialogues(made, MatrixPolicy(), config.dialogues, seed, config.soft)
    if config.keep:
        write_logged(folder / LOG, turns)
    log = _Log.of(turns)
    judged = [one for one in entrants if not isinstance(one.player, RandomPlayer)]
    found = []
    for done, one in enumerate(judged):
        progress("off-policy", done, len(judged))
        world = world_of(one.player, config.max_turns)
        played = play(world, one.player, config.truth_seekers, how.seed + 2 * _LATER)
        rng = np.random.default_rng(how.seed)
        truth = mean_return(played, rng, how.gamma, how.resamples)
        found.append(LoggedResult(one.player.name, one.run, log.judge(one.player, how), truth))
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
