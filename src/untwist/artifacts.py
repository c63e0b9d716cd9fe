"""A model is a folder: config.json, model.safetensors, README.md (its card). No pickle, ever.

`config.json` says what kind of model it is, which layout the folder has, and the sha256 of the
weights, so that a damaged or half-copied folder is refused before it is used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untwist.errors import ArtifactError

LAYOUT = 1
CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a model folder holds.

    Attributes:
        kind: which class can load it, for example "detector-fast".
        config: its settings, as JSON values.
        tensors: its arrays by name.
    """

    kind: str
    config: Mapping[str, Any]
    tensors: Mapping[str, NDArray[Any]]


def shipped(name: str) -> Path:
    """The folder of a model that ships with the package.

    Raises:
        ArtifactError: there is none of that name.
    """
    folder = Path(str(files("untwist").joinpath("weights", name)))
    if not folder.is_dir():
        raise ArtifactError(f'the package ships no model "{name}": reinstall untwist')
    return folder


def save(folder: Path, artifact: Artifact, card: str) -> None:
    """Write a model folder; equal content gives equal bytes.

    Args:
        folder: made when missing; an older model in it is replaced.
        artifact: what to write; its config must be JSON values.
        card: the text of README.md: what it is, how it was made, what it cannot do.
    """
    from safetensors.numpy import save as to_bytes

    folder.mkdir(parents=True, exist_ok=True)
    weights = to_bytes({k: np.ascontiguousarray(v) for k, v in sorted(artifact.tensors.items())})
    own = {
        "kind": artifact.kind,
        "layout": LAYOUT,
        "sha256": hashlib.sha256(weights).hexdigest(),
    }
    # a model that was loaded brings the sums of the folder that it came from
    config = {**own, **artifact.config, **own}
    (folder / WEIGHTS).write_bytes(weights)
    text = json.dumps(config, ensure_ascii=False, indent=2) + "\n"
    (folder / CONFIG).write_text(text, encoding="utf-8")
    (folder / CARD).write_text(card, encoding="utf-8")


def load(folder: Path, kind: str) -> Artifact:
    """Read a model folder.

    Raises:
        ArtifactError: it is missing, incomplete, damaged, of another kind or of a newer layout.
    """
    config = _read_config(folder, kind)
    weights = _read_bytes(folder / WEIGHTS)
    found = hashlib.sha256(weights).hexdigest()
    if found != config.get("sha256"):
        raise ArtifactError(f"{folder / WEIGHTS} is damaged (sha256 differs): copy it again")
    return Artifact(kind, config, _tensors(weights, folder))


def _read_config(folder: Path, kind: str) -> Mapping[str, Any]:
    if not folder.is_dir():
        raise ArtifactError(f"no model folder at {folder}: give a folder with {CONFIG} in it")
    raw = _read_bytes(folder / CONFIG)
    try:
        config = json.loads(raw)
    except ValueError as error:
        raise ArtifactError(f"{folder / CONFIG} is not JSON: copy the folder again") from error
    if not isinstance(config, dict) or config.get("kind") != kind:
        found = config.get("kind") if isinstance(config, dict) else None
        raise ArtifactError(f'{folder} holds a model of kind "{found}", not "{kind}"')
    if config.get("layout") != LAYOUT:
        raise ArtifactError(
            f"{folder} has layout {config.get('layout')}, this version reads {LAYOUT}: "
            "update untwist"
        )
    return config


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"cannot read {path}: {error.strerror}") from error


def _tensors(weights: bytes, folder: Path) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load as from_bytes

    try:
        return from_bytes(weights)
    except SafetensorError as error:
        raise ArtifactError(f"{folder / WEIGHTS} is not a safetensors file: {error}") from error
