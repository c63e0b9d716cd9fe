"""What a run needs to go on where it stopped, as safetensors and JSON; no pickle.

Heavy: importing this module needs PyTorch. Leaves out: models sharded by FSDP or DeepSpeed, whose
libraries write folders of their own.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np

from untwist.errors import ArtifactError, MissingExtra

try:
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file, save_file
except ImportError as error:
    raise MissingExtra("tuning a language model", "finetune") from error


def save_state(path: Path, tree: Any) -> None:  # noqa: ANN401
    """Write nested dicts, lists and tuples of tensors, arrays and plain values.

    Args:
        path: without suffix; a .safetensors and a .json are made.
        tree: what to write; its dicts may have any plain keys.
    """
    tensors: dict[str, Any] = {}
    shape = _taken_apart(tree, tensors)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path.with_suffix(".safetensors"))
    path.with_suffix(".json").write_text(json.dumps(shape) + "\n", encoding="utf-8")


def load_state(path: Path) -> Any:  # noqa: ANN401
    """Read what `save_state` wrote, its tensors on the CPU.

    Raises:
        ArtifactError: it is missing or damaged.
    """
    try:
        tensors = load_file(path.with_suffix(".safetensors"))
        shape = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        return _put_together(shape, tensors)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ArtifactError(
            f"{path}.json and .safetensors cannot be read ({type(error).__name__}): "
            "go on from an earlier checkpoint"
        ) from error


def chance() -> dict[str, Any]:
    """The states of all generators of random numbers of this process."""
    states = {
        "python": random.getstate(),
        "numpy": np.random.get_state(),  # noqa: NPY002
        "cpu": torch.random.get_rng_state(),
    }
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.random.get_rng_state_all()
    return states


def set_chance(states: dict[str, Any]) -> None:
    """Put all generators back into the states of `chance`."""
    random.setstate(states["python"])
    np.random.set_state(states["numpy"])  # noqa: NPY002
    torch.random.set_rng_state(states["cpu"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.random.set_rng_state_all(states["cuda"])


def _taken_apart(tree: Any, tensors: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401
    """The tree as JSON, each node under a letter for its kind; tensors by number."""
    if torch.is_tensor(tree) or isinstance(tree, np.ndarray):
        name = f"{len(tensors)}"
        is_array = isinstance(tree, np.ndarray)
        # no tensor of torch is unsigned and 32 bits wide everywhere
        tensor = torch.from_numpy(tree.astype(np.int64)) if is_array else tree
        tensors[name] = tensor.detach().cpu().clone().contiguous()
        return {"array": [name, str(tree.dtype)]} if is_array else {"tensor": name}
    if isinstance(tree, dict):
        return {"dict": [[key, _taken_apart(value, tensors)] for key, value in tree.items()]}
    if isinstance(tree, list | tuple):
        kind = "list" if isinstance(tree, list) else "tuple"
        return {kind: [_taken_apart(value, tensors) for value in tree]}
    return {"value": tree}


def _put_together(node: dict[str, Any], tensors: dict[str, Any]) -> Any:  # noqa: ANN401
    ((kind, held),) = node.items()
    if kind == "tensor":
        return tensors[held]
    if kind == "array":
        return tensors[held[0]].numpy().astype(held[1])
    if kind == "dict":
        return {key: _put_together(value, tensors) for key, value in held}
    if kind in ("list", "tuple"):
        values = [_put_together(value, tensors) for value in held]
        return values if kind == "list" else tuple(values)
    return held
