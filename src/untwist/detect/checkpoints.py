"""What a stopped training needs to go on exactly: safetensors and JSON, one folder an epoch.

    KEEP/epoch-0003/  network.safetensors  best.safetensors  optimizer.safetensors  state.json

state.json is written last, so a folder without it was cut short and is not used. Heavy: importing
this module needs PyTorch.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from untwist.detect.encoder_config import EncoderConfig
from untwist.detect.processes import World
from untwist.errors import ArtifactError, ConfigError, MissingExtra
from untwist.schema import Json

try:
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file, save_file
except ImportError as error:
    raise MissingExtra("training an encoder", "finetune") from error

STATE = "state.json"
_WEIGHTS, _BEST, _OPTIMIZER = "network.safetensors", "best.safetensors", "optimizer.safetensors"


class Resumable(Protocol):
    """What of a training under way is kept; `untwist.detect.encoder_run` has it."""

    config: EncoderConfig
    here: World
    network: torch.nn.Module
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    done: int
    best: int
    log: list[Json]
    best_state: dict[str, torch.Tensor] | None


def save(keep: Path, run: Resumable) -> None:
    """Write the state after an epoch, then remove those of earlier epochs.

    Args:
        keep: the folder above the epochs'.
        run: a training under way.
    """
    folder = keep / f"epoch-{run.done:04d}"
    folder.mkdir(parents=True, exist_ok=True)
    save_file(_whole(run.network.state_dict()), folder / _WEIGHTS)
    if run.best_state is not None:
        save_file(_whole(run.best_state), folder / _BEST)
    optimizer = run.optimizer.state_dict()
    moments = {f"{k}.{name}": v for k, own in optimizer["state"].items() for name, v in own.items()}
    save_file(_whole(moments), folder / _OPTIMIZER)
    state = {
        "config": asdict(run.config),
        "done": run.done,
        "best": run.best,
        "log": run.log,
        "scaler": run.scaler.state_dict(),
    }
    (folder / STATE).write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")
    for older in keep.glob("epoch-*"):
        if older != folder:
            shutil.rmtree(older)


def load(keep: Path, run: Resumable) -> None:
    """Set a training to where another was stopped.

    Raises:
        ArtifactError: there is no whole epoch there, or it is damaged.
        ConfigError: that training had other settings.
    """
    whole = sorted(file.parent for file in keep.glob(f"epoch-*/{STATE}"))
    if not whole:
        raise ArtifactError(f"no whole epoch in {keep}: start the training anew")
    folder = whole[-1]
    try:
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        _same(state["config"], run.config, keep)
        device = run.here.device
        run.network.load_state_dict(load_file(folder / _WEIGHTS, device=str(device)))
        run.best_state = load_file(folder / _BEST) if (folder / _BEST).is_file() else None
        run.optimizer.load_state_dict(_optimizer(folder, run.optimizer.state_dict()))
        run.scaler.load_state_dict(state["scaler"])
        run.done, run.best, run.log = state["done"], state["best"], state["log"]
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ArtifactError(f"{folder} cannot be resumed ({type(error).__name__})") from error


def _same(kept: dict[str, Any], config: EncoderConfig, keep: Path) -> None:
    own = json.loads(json.dumps(asdict(config)))
    changed = sorted(k for k in own.keys() | kept.keys() if own.get(k) != kept.get(k))
    if changed:
        raise ConfigError(f"{keep} was trained with another {', '.join(changed)}: start anew")


def _optimizer(folder: Path, fresh: dict[str, Any]) -> dict[str, Any]:
    moments: dict[int, dict[str, Any]] = {}
    for name, tensor in load_file(folder / _OPTIMIZER).items():
        place, kind = name.split(".", 1)
        moments.setdefault(int(place), {})[kind] = tensor
    return {"state": moments, "param_groups": fresh["param_groups"]}


def _whole(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Copies that share no memory, as safetensors asks."""
    return {k: torch.as_tensor(v).detach().cpu().clone().contiguous() for k, v in tensors.items()}
