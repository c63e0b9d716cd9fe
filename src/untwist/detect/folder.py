"""What an encoder's folder says of itself: untwist.json beside the files of other libraries.

`config.json` there belongs to transformers. The sha256 of every file that counts stands in
untwist.json, so that a damaged or half-copied folder is refused before it is used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from untwist.artifacts import CARD, LAYOUT
from untwist.detect.decisions import Decisions
from untwist.detect.outputs import Outputs
from untwist.errors import ArtifactError, ConfigError

Kind = Literal["detector-encoder", "detector-onnx"]

ABOUT = "untwist.json"
ENCODER: Kind = "detector-encoder"
ONNX: Kind = "detector-onnx"


def kind_of(folder: Path) -> Kind | None:
    """Which class can load an encoder's folder; None where it is no such folder.

    Raises:
        ArtifactError: untwist.json is there and does not say.
    """
    if not (folder / ABOUT).is_file():
        return None
    about = _about(folder)
    kind = about.get("kind") if isinstance(about, dict) else None
    for known in (ENCODER, ONNX):
        if known == kind:
            return known
    raise ArtifactError(f'{folder / ABOUT} names a model of kind "{kind}": update untwist')


def _about(folder: Path) -> object:
    """The JSON value of untwist.json."""
    try:
        return json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtifactError(f"cannot read {folder / ABOUT}: {error.strerror}") from error
    except ValueError as error:
        raise ArtifactError(f"{folder / ABOUT} is not JSON: copy the folder again") from error


def write_about(
    folder: Path, kind: Kind, values: Mapping[str, Any], files: Sequence[str], card: str
) -> None:
    """Write untwist.json and the card, last of all files.

    Args:
        folder: with the files in it.
        kind: which class can load it.
        values: JSON values.
        files: names of the files whose sums are kept.
        card: the text of README.md.
    """
    sums = {name: _sum(folder / name) for name in files}
    about = {**values, "kind": kind, "layout": LAYOUT, "sha256": sums}
    text = json.dumps(about, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    (folder / CARD).write_text(card, encoding="utf-8")
    (folder / ABOUT).write_text(text, encoding="utf-8")


def read_about(folder: Path, kind: Kind) -> dict[str, Any]:
    """What untwist.json says, once every file was seen to be whole.

    Raises:
        ArtifactError: the folder is missing, incomplete, damaged, of another kind or newer.
    """
    if not folder.is_dir():
        raise ArtifactError(f"no model folder at {folder}: give a folder with {ABOUT} in it")
    about = _about(folder)
    if not isinstance(about, dict) or about.get("kind") != kind:
        found = about.get("kind") if isinstance(about, dict) else None
        raise ArtifactError(f'{folder} holds a model of kind "{found}", not "{kind}"')
    if about.get("layout") != LAYOUT or not isinstance(about.get("sha256"), dict):
        raise ArtifactError(
            f"{folder} has layout {about.get('layout')}, this version reads {LAYOUT}: "
            "update untwist"
        )
    for name, expected in about["sha256"].items():
        if _sum(folder / name) != expected:
            raise ArtifactError(f"{folder / name} is damaged (sha256 differs): copy it again")
    return about


def _sum(file: Path) -> str:
    digest = hashlib.sha256()
    try:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise ArtifactError(f"cannot read {file}: {error.strerror}") from error
    return digest.hexdigest()


def decisions_to_json(decisions: Decisions) -> dict[str, Any]:
    """What a model's scores mean, as JSON values."""
    return {
        "labels": list(decisions.outputs.labels),
        "intensity": decisions.outputs.intensity,
        "heads": list(decisions.heads),
        "carried": decisions.carried.astype(int).tolist(),
        "thresholds": [[round(float(t), 6) for t in row] for row in decisions.thresholds],
        "single": decisions.single,
        "windows": decisions.windows,
    }


def decisions_from_json(about: Mapping[str, Any], folder: Path) -> Decisions:
    """The reverse.

    Raises:
        ArtifactError: something is missing, or the sizes do not fit.
    """
    try:
        outputs = Outputs(tuple(about["labels"]), bool(about["intensity"]))
        carried = np.array(about["carried"], bool)
        thresholds = np.array(about["thresholds"], np.float32)
        heads = tuple(about["heads"])
        found = Decisions(
            outputs, heads, carried, thresholds, bool(about["single"]), bool(about["windows"])
        )
    except KeyError as error:
        raise ArtifactError(f"{folder} lacks {error}: copy the folder again") from error
    except (ConfigError, TypeError, ValueError) as error:
        raise ArtifactError(f"{folder} does not fit together: {error}") from error
    if carried.shape != (len(heads), outputs.count) or thresholds.shape != carried.shape:
        raise ArtifactError(f"{folder} does not fit together: {carried.shape} for {len(heads)}")
    return found
