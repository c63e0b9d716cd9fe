"""Recipe: CoPoLLM's Property 4.2 by experiment: what a growing penalty at high risk does.

    one short training for each penalty and seed -> action values of held-out messages -> how much
    of a Boltzmann policy lies on crisis intervention, at high risk and below it

The property is about a limit; this shows how fast a trained network goes there, and whether it pays
with false alarms. No gate is applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from untwist.data import Reading, Refusals
from untwist.embed import StaticEncoder
from untwist.errors import ConfigError
from untwist.evaluate import Advantage, Picture, Point, Table, advantage_of, point_plot
from untwist.policy import StateEncoder
from untwist.policy.env import World
from untwist.policy.learning import Learning
from untwist.policy.pool import Pool
from untwist.policy.train import Trainer
from untwist.recipes.policy_rows import policy_rows
from untwist.recipes.publish import Chapter, Drawing, publish
from untwist.recipes.rows import Progress, load_each, quiet
from untwist.recipes.runfolder import open_run
from untwist.schema import START, Json

_BELOW = "below high risk"
_SAID = (
    "Share of softmax(Q) on crisis intervention (temperature 1), and the safety advantage, its "
    "value minus the best other value; means over messages, then over seeds, with the lowest and "
    "highest seed."
)


@dataclass(frozen=True, slots=True)
class PolicyPenalty:
    """What to train and to measure."""

    out: str
    """The run folder; it must be new or empty."""
    penalties: tuple[float, ...] = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)
    """Taken off at high risk for all but crisis intervention; 1 is Table 7's."""
    seeds: tuple[int, ...] = (1, 2, 3)
    """One training for each, and for each penalty."""
    corpora: tuple[str, ...] = ("open", "open-dialogues")
    """Corpora by name, or files of your own."""
    learnt_parts: tuple[str, ...] = ("train",)
    """Parts of the grouped split that people's words come from."""
    part: str = "test"
    """The part whose messages are measured, each as the first of a conversation."""
    reading: Reading = field(default_factory=Reading)
    """How they are read."""
    encoder_size: int = 1024
    """Length of a state without its session."""
    learning: Learning = field(
        default_factory=lambda: Learning(episodes=10_000, rate=3e-4, anneal=True, clip=10.0)
    )
    """Hyper-parameters of each training."""
    command: str = "runs/policy_penalty.sh"
    """What starts this run; stands in the report."""

    def __post_init__(self) -> None:
        if not self.penalties or not self.seeds:
            raise ConfigError("give at least one penalty and one seed")
        if self.part in self.learnt_parts:
            raise ConfigError(f'the part "{self.part}" is measured: leave it out of learnt_parts')


@dataclass(frozen=True, slots=True)
class _Run:
    penalty: float
    seed: int
    high: Advantage
    below: Advantage

    def to_dict(self) -> Json:
        return {
            "penalty": self.penalty,
            "seed": self.seed,
            "high_risk": self.high.to_dict(),
            "below_high_risk": self.below.to_dict(),
        }


def run(config: PolicyPenalty, progress: Progress = quiet) -> tuple[Path, Json]:
    """Train, measure, and write the run folder.

    Returns:
        The folder (config.toml, manifest.json, metrics.json, report, pictures) and the metrics.

    Raises:
        ConfigError: the run folder is in use.
        DataError: a corpus cannot be read, or lacks a distortion.
    """
    loaded = load_each(config.corpora, config.reading, Refusals(), progress)
    encoder = StateEncoder(StaticEncoder(config.encoder_size))
    learnt = policy_rows(loaded, config.learnt_parts)
    pool = Pool.of(learnt.gold(), [row.labels for row in learnt.rows], encoder)
    held_out = policy_rows(loaded, [config.part])
    states = encoder.encode_many(held_out.gold(), [START] * len(held_out.rows))
    high = held_out.states().high
    folder = open_run(
        config.out, config, config.seeds[0], [file for one in loaded for file in one.files]
    )
    runs = _train(config, pool, states, high, progress)
    metrics: Json = {
        "command": config.command,
        "messages": {"high_risk": int(high.sum()), "below_high_risk": int((~high).sum())},
        "runs": [one.to_dict() for one in runs],
    }
    folder.write_metrics(metrics)
    drawing = Drawing(
        "concentration", "Mean over seeds, lowest to highest.", lambda: _picture(config, runs)
    )
    chapter = Chapter("Concentration", (_SAID,), (_table(config, runs),), (drawing,))
    publish(
        folder,
        "Property 4.2: safety concentration",
        [chapter],
        protocol="Held-out messages by gold labels, each as the first of a conversation; no gate. "
        f"{config.learning.episodes:,} conversations of training for each penalty and seed.",
        command=config.command,
    )
    return folder.path, metrics


def _train(
    config: PolicyPenalty,
    pool: Pool,
    states: NDArray[np.float32],
    high: NDArray[np.bool_],
    progress: Progress,
) -> list[_Run]:
    pairs = [(penalty, seed) for penalty in config.penalties for seed in config.seeds]
    runs = []
    for done, (penalty, seed) in enumerate(pairs):
        progress("training", done, len(pairs))
        how = replace(config.learning, penalty=penalty)
        values = Trainer(World(pool), how, seed).run().values(states)
        runs.append(_Run(penalty, seed, advantage_of(values, high), advantage_of(values, ~high)))
    progress("training", len(pairs), len(pairs))
    return runs


def _of(runs: Sequence[_Run], penalty: float, name: str) -> list[float]:
    """One number of each seed's run."""
    found = []
    for one in runs:
        side = one.below if name.endswith(_BELOW) else one.high
        value = {
            "concentration": side.concentration,
            "advantage": side.mean,
            "calls": side.positive.value,
        }[name.split(",", maxsplit=1)[0]]
        if one.penalty == penalty and value is not None:
            found.append(float(value))
    return found


def _shown(values: Sequence[float]) -> str:
    if not values:
        return "not known"
    return f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def _table(config: PolicyPenalty, runs: Sequence[_Run]) -> Table:
    columns = {
        "concentration": "concentration at high risk",
        "advantage": "safety advantage",
        "calls": "unshielded recall",
        f"calls, {_BELOW}": "unshielded false alarms",
        f"concentration, {_BELOW}": f"concentration {_BELOW}",
    }
    rows = tuple(
        (f"{penalty:g}", *(_shown(_of(runs, penalty, name)) for name in columns))
        for penalty in config.penalties
    )
    return Table("By penalty", ("penalty", *columns.values()), rows)


def _picture(config: PolicyPenalty, runs: Sequence[_Run]) -> Picture:
    points = []
    for penalty in config.penalties:
        values = _of(runs, penalty, "concentration")
        ends = (min(values), max(values)) if values else None
        mean = float(np.mean(values)) if values else None
        points.append(Point(f"penalty {penalty:g}", mean, ends, {}))
    return point_plot(
        points, "Probability of crisis intervention at high risk", "softmax(Q)", False
    )
