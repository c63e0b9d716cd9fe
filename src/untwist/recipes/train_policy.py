"""Recipe: a learned policy from labelled messages, by practice with simulated people.

    train part of corpora -> what people say -> conversations and lessons -> weights -> a run folder

Test parts never get here. Equal files, configuration and seed give equal weights, byte for byte on
one machine. A run that was cut leaves its state and goes on from there.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from untwist.data import Loaded, Reading, Refusals
from untwist.embed import StaticEncoder
from untwist.errors import ConfigError
from untwist.evaluate import Picture, curve_plot
from untwist.policy import LearnedPolicy
from untwist.policy.checkpoint import resume_run, save_run
from untwist.policy.env import World
from untwist.policy.learning import Learning
from untwist.policy.network import Network
from untwist.policy.pool import Pool
from untwist.policy.state import SESSION_FEATURES, StateEncoder
from untwist.policy.train import Trainer
from untwist.ports import Detector
from untwist.recipes.policy_rows import policy_rows
from untwist.recipes.publish import Chapter, Drawing, publish
from untwist.recipes.rows import Progress, load_each, quiet
from untwist.recipes.runfolder import CONFIG, RunFolder, open_run, to_toml
from untwist.schema import Json

ARTEFACT, STATE = "policy", "state"
LABELS = ("gold", "predicted")


@dataclass(frozen=True, slots=True)
class TrainPolicy:
    """What to train on, and how."""

    out: str
    """The run folder; it must be new or empty, or hold a run of the same settings that was cut."""
    name: str
    """Name and version of the policy, for example "policy-v1"."""
    corpora: tuple[str, ...] = ("open", "open-dialogues")
    """Corpora by name, or files of your own; every distortion must occur in both languages."""
    parts: tuple[str, ...] = ("train",)
    """Parts of the grouped split that people's words come from; the test part cannot be named."""
    reading: Reading = field(default_factory=Reading)
    """How they are read."""
    labels: str = "gold"
    """What the policy hears: "gold", or "predicted" by a detector; rewards are always by gold."""
    encoder_size: int = 1024
    """Length of a state without its session."""
    seed: int = 42
    """Of the people, the replay, the first weights and the dropout."""
    save_every: int = 10_000
    """Conversations between two saved states."""
    half: bool = False
    """Store the weights as float16."""
    learning: Learning = field(default_factory=Learning)
    """Hyper-parameters and ablations."""
    command: str = "untwist train policy CONFIG.toml"
    """What starts this run; stands in the card."""

    def __post_init__(self) -> None:
        if "test" in self.parts:
            raise ConfigError("the test part is for scores: leave it out of parts")
        if self.labels not in LABELS:
            raise ConfigError(f'labels is "{self.labels}": give one of {", ".join(LABELS)}')
        if self.save_every < 1:
            raise ConfigError(f"save_every is {self.save_every}: give at least 1")


def with_changes(
    config: TrainPolicy, *, quick: bool, out: str | None, seed: int | None = None
) -> TrainPolicy:
    """The same run elsewhere or by another seed, or too small to be of use but fast."""
    learning = config.learning
    if quick:
        learning = replace(
            learning, episodes=600, hidden=(32,), capacity=4_000, warm_up=200, log_every=5
        )
    seed = config.seed if seed is None else seed
    return replace(config, learning=learning, out=out or config.out, seed=seed)


def run(
    config: TrainPolicy, detector: Detector | None = None, progress: Progress = quiet
) -> tuple[Path, Json]:
    """Train, and write the run folder.

    Args:
        config: what to train on.
        detector: whose labels are heard when `labels` is "predicted".
        progress: told the stage and how much of it is done.

    Returns:
        The folder (config.toml, manifest.json, metrics.json, report, curves and policy/) and the
        metrics.

    Raises:
        ConfigError: the run folder holds something else, or predicted labels want a detector.
        DataError: a corpus cannot be read, a distortion has no message, the encoder fails, or a
            reward or loss is not a number.
    """
    if config.labels == "predicted" and detector is None:
        raise ConfigError('labels is "predicted": give a detector')
    refusals = Refusals()
    loaded = load_each(config.corpora, config.reading, refusals, progress)
    encoder = StateEncoder(StaticEncoder(config.encoder_size))
    heard_by = detector if config.labels == "predicted" else None
    pool = _pool(config, loaded, encoder, heard_by, progress)
    trainer = Trainer(World(pool), config.learning, config.seed)
    folder = _open(config, loaded, trainer)
    _learn(config, trainer, folder, progress)
    metrics = _metrics(config, trainer, pool)
    policy = LearnedPolicy(
        config.name, _stored(trainer.online, config.half), encoder, _about(config, metrics)
    )
    policy.save(
        folder.path / ARTEFACT, _card(config, metrics), np.float16 if config.half else np.float32
    )
    folder.write_metrics(metrics)
    _publish(config, folder, trainer)
    shutil.rmtree(folder.path / STATE, ignore_errors=True)
    return folder.path, metrics


def _pool(
    config: TrainPolicy,
    loaded: list[Loaded],
    encoder: StateEncoder,
    detector: Detector | None,
    progress: Progress,
) -> Pool:
    rows = policy_rows(loaded, config.parts)
    heard = rows.gold() if detector is None else rows.heard(detector, progress)
    return Pool.of(heard, [row.labels for row in rows.rows], encoder)


def _open(config: TrainPolicy, loaded: list[Loaded], trainer: Trainer) -> RunFolder:
    """A new run folder, or that of the same run, which then goes on."""
    path = Path(config.out)
    if (path / STATE).is_dir():
        if (path / CONFIG).read_text(encoding="utf-8") != to_toml(config):
            raise ConfigError(f"{path} holds a run of other settings: name a new folder")
        resume_run(trainer, path / STATE)
        return RunFolder(path)
    return open_run(path, config, config.seed, [file for one in loaded for file in one.files])


def _learn(config: TrainPolicy, trainer: Trainer, folder: RunFolder, progress: Progress) -> None:
    total = config.learning.episodes

    def tell(done: int, _: int, row: Json) -> None:
        loss = "-" if row["loss"] is None else f"{row['loss']:.3f}"
        stage = f"learning (reward {row['reward']:.2f}, loss {loss}, epsilon {row['epsilon']:.2f})"
        progress(stage, min(done, total), total)

    while trainer.episodes < total:
        trainer.run(tell, min(trainer.episodes + config.save_every, total))
        if trainer.episodes < total:
            save_run(trainer, folder.path / STATE)
    progress("learning", total, total)


def _stored(network: Network, half: bool) -> Network:
    """As it will be when it is read again."""
    if not half:
        return network
    return Network(network.sizes, network.flat.astype(np.float16).astype(np.float32))


def _metrics(config: TrainPolicy, trainer: Trainer, pool: Pool) -> Json:
    return {
        "messages": len(pool),
        "labels": config.labels,
        "episodes": trainer.episodes,
        "steps": trainer.rounds * config.learning.environments,
        "updates": trainer.optimiser.steps,
        "dynamics": trainer.world.dynamics.name,
        "reward": trainer.world.reward.name,
        "curves": trainer.curves,
    }


def _about(config: TrainPolicy, metrics: Json) -> Json:
    shown = {name: value for name, value in metrics.items() if name != "curves"}
    return {**shown, "gamma": config.learning.gamma, "seed": config.seed}


def _publish(config: TrainPolicy, folder: RunFolder, trainer: Trainer) -> None:
    rows = [row for row in trainer.curves if row["loss"] is not None and row["return"] is not None]

    def draw() -> Picture:
        panels = {"loss": "loss", "reward": "reward a turn", "return": "return", "epsilon": "ε"}
        curves = {said: [[row[key] for row in rows]] for key, said in panels.items()}
        return curve_plot([row["updates"] for row in rows], curves, f"{config.name}: training")

    last = rows[-1] if rows else None
    said = "Too short a run for curves."
    if last is not None:
        said = (
            f"{trainer.episodes:,} conversations, {trainer.optimiser.steps:,} gradient steps. At "
            f"the end: reward {last['reward']:.3f} a turn, loss {last['loss']:.3f}, while "
            f"{last['epsilon']:.0%} of the strategies were random."
        )
    drawings = (Drawing("curves", "Means between two points.", draw),) if rows else ()
    publish(
        folder,
        f"Training of {config.name}",
        [Chapter("Curves", (said,), drawings=drawings)],
        protocol="KL-regularised Double DQN among simulated people; nothing here is held out. "
        "Scores come from `untwist evaluate policy`.",
        command=config.command,
    )


def _card(config: TrainPolicy, metrics: Json) -> str:
    how = config.learning
    return f"""# {config.name}

A network that values the ten strategies for a message and the conversation before it.
{config.encoder_size + len(SESSION_FEATURES)} numbers in, {" and ".join(map(str, how.hidden))}
hidden units, 10 values out; numpy only.

- Learnt from: {metrics["episodes"]:,} conversations ({metrics["steps"]:,} turns) with simulated
  people ({metrics["dynamics"]}), who speak in {metrics["messages"]:,} labelled messages of
  {", ".join(config.corpora)} ({", ".join(config.parts)} part, {metrics["labels"]} labels). Reward:
  {metrics["reward"]}.
- Made by: `{config.command}`, seed {config.seed}, {metrics["updates"]:,} gradient steps of
  KL-regularised Double DQN (gamma {how.gamma}, KL weight {how.beta if how.kl else 0}, rate
  {how.rate}). Equal files, settings and seed give equal bytes on one machine.
- Obeys the safety gate: at detected high risk crisis intervention, below it never, whatever the
  weights say.
- Scores beside the matrix and other baselines: `untwist evaluate policy`.

## What it cannot do

Nobody that it learnt with is real. How simulated people answer is made of numbers that are mostly
assumptions (`docs/explain/policy.md`), and the messages were made up and labelled by language
models; no clinician has reviewed them. That it earns more reward among them says nothing about what
helps a person. It is no therapy and no measure of anyone's state.
"""
