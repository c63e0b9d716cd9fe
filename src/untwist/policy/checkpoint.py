"""A run of training as a folder, so that one that was cut goes on as if it had not been.

Everything that changes is in it: the people and what they last said, the replay, both networks, the
optimiser, and every source of chance. Leaves out: the pool and the settings, which must be the same
again and are compared.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untwist import artifacts
from untwist.errors import ArtifactError, ConfigError
from untwist.policy.dynamics import Seekers
from untwist.policy.improve import Improvement
from untwist.policy.train import Trainer
from untwist.schema import Json

KIND = "policy-run"
_CARD = "# A run of training that has not ended\n\nNo model. `untwist train policy` resumes it.\n"
_NEWEST_FIRST = ("new", "now", "old")
"""Folders within a run's: a state being written, the one that counts, the one it replaces."""


def save_run(trainer: Trainer, folder: Path) -> None:
    """Write a run; at every moment of it the folder holds a whole state, once it has held one.

    Args:
        trainer: what is written.
        folder: for states alone; made when missing.
    """
    config = {
        "run": fingerprint(trainer),
        "rounds": trainer.rounds,
        "episodes": trainer.episodes,
        "curves": trainer.curves,
        "sums": trainer.sums,
        "updates": trainer.optimiser.steps,
        "lived": trainer.replay.count,
        "chance": [_state(trainer.rng), _state(trainer.environment.rng)],
    }
    _settle(folder)
    new, now, old = (folder / name for name in _NEWEST_FIRST)
    artifacts.save(new, artifacts.Artifact(KIND, config, _tensors(trainer)), _CARD)
    if now.is_dir():
        now.rename(old)
    new.rename(now)
    shutil.rmtree(old, ignore_errors=True)


def resume_run(trainer: Trainer, folder: Path) -> None:
    """Put a saved run into a fresh trainer of the same settings, seed and pool.

    Where saving was cut, the newest whole state counts.

    Raises:
        ArtifactError: no state in the folder can be used.
        ConfigError: it is the state of another run.
    """
    _, saved = _newest(folder)
    if saved.config["run"] != json.loads(json.dumps(fingerprint(trainer))):
        raise ConfigError(
            f"{folder} is the state of a run with other settings, another seed or other texts: "
            "name a new run folder"
        )
    config, tensors = saved.config, saved.tensors
    trainer.rounds, trainer.episodes = config["rounds"], config["episodes"]
    trainer.curves, trainer.sums = list(config["curves"]), dict(config["sums"])
    trainer.optimiser.steps, trainer.replay.count = config["updates"], config["lived"]
    for rng, state in zip((trainer.rng, trainer.environment.rng), config["chance"], strict=True):
        rng.bit_generator.state = state
    for name, array in _learnt(trainer).items():
        array[:] = tensors[name]
    for name, column in trainer.replay.columns.items():
        column[: len(trainer.replay)] = tensors[f"replay.{name}"]
    environment = trainer.environment
    environment.seekers = Seekers(**{f.name: tensors[f"seekers.{f.name}"] for f in fields(Seekers)})
    environment.row, environment.response = tensors["row"], tensors["response"]


def fingerprint(trainer: Trainer) -> Json:
    """What must be the same for a run to go on.

    The improvement is known by its name where it has one, else by the name of its code.
    """
    pool = trainer.world.pool
    digest = hashlib.sha256()
    for part in (pool.words, pool.truth.labels, pool.truth.intensity, pool.truth.risk, pool.lang):
        digest.update(np.ascontiguousarray(part).tobytes())
    return {
        "seed": trainer.seed,
        "learning": asdict(trainer.learning),
        "dynamics": asdict(trainer.world.dynamics),
        "reward": asdict(trainer.world.reward),
        "improvement": _named(trainer.world.improvement),
        "pool_sha256": digest.hexdigest(),
    }


def _named(improvement: Improvement) -> str:
    code = improvement if hasattr(improvement, "__qualname__") else type(improvement)
    return str(getattr(improvement, "name", f"{code.__module__}.{code.__qualname__}"))


def _newest(folder: Path) -> tuple[Path, artifacts.Artifact]:
    """The newest state that is whole, and where it lies.

    Raises:
        ArtifactError: none is; what is wrong with the newest is said.
    """
    wrong: list[ArtifactError] = []
    for name in _NEWEST_FIRST:
        if (folder / name).is_dir():
            try:
                return folder / name, artifacts.load(folder / name, KIND)
            except ArtifactError as error:
                wrong.append(error)
    if wrong:
        raise wrong[0]
    raise ArtifactError(f"{folder} holds no state of a run: name a new run folder")


def _settle(folder: Path) -> None:
    """Undo a saving that was cut: the newest whole state is the one that stays."""
    new, now, old = (folder / name for name in _NEWEST_FIRST)
    if not new.is_dir() and not old.is_dir():
        return
    try:
        whole, _ = _newest(folder)
    except ArtifactError:
        whole = now
    if whole != now:
        shutil.rmtree(now, ignore_errors=True)
        whole.rename(now)
    for rest in (new, old):
        shutil.rmtree(rest, ignore_errors=True)


def _state(rng: np.random.Generator) -> Json:
    return dict(rng.bit_generator.state)


def _learnt(trainer: Trainer) -> dict[str, NDArray[Any]]:
    return {
        "online": trainer.online.flat,
        "target": trainer.target.flat,
        "first": trainer.optimiser.first,
        "second": trainer.optimiser.second,
    }


def _tensors(trainer: Trainer) -> dict[str, NDArray[Any]]:
    replay, environment = trainer.replay, trainer.environment
    return {
        **_learnt(trainer),
        **{f"replay.{name}": column[: len(replay)] for name, column in replay.columns.items()},
        **{f"seekers.{f.name}": getattr(environment.seekers, f.name) for f in fields(Seekers)},
        "row": environment.row,
        "response": environment.response,
    }
