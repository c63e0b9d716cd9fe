"""An adapter put into its model: one folder that any server loads, with no trace of the adapter.

Heavy: importing this module needs PyTorch, transformers and peft. The model is loaded in 16 or 32
bits, whatever it was trained in: rounding the sum to 4 bits would be another model.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from untwist.errors import ArtifactError, DataError, MissingExtra
from untwist.tune.config import LoadConfig
from untwist.tune.lora import load_model, load_tokenizer
from untwist.tune.quiet import without_old_names

try:
    import peft
    import torch
    from safetensors import SafetensorError
except ImportError as error:
    raise MissingExtra("merging an adapter", "finetune") from error

CARD = "README.md"
_CONFIG = "adapter_config.json"
_PROBE = "How are you today? 今天怎么样？"


@dataclass(frozen=True, slots=True)
class Merged:
    """What was merged.

    Attributes:
        folder: with the model, its tokenizer and its card.
        base: name or path of the model that the adapter was trained on.
        off: the largest difference between the logits of both on one text; what rounding does.
    """

    folder: Path
    base: str
    off: float


def base_of(adapter: Path | str) -> str:
    """The model that an adapter was trained on.

    Raises:
        ArtifactError: the folder holds no adapter.
    """
    return _base(Path(adapter))[0]


def _base(adapter: Path) -> tuple[str, str | None]:
    """The model and its revision, where the adapter names one."""
    try:
        told = json.loads((adapter / _CONFIG).read_text(encoding="utf-8"))
        return str(told["base_model_name_or_path"]), told.get("revision")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(
            f"{adapter} holds no adapter ({_CONFIG}): give the folder that training left"
        ) from error


def merge(
    adapter: Path | str,
    out: Path | str,
    *,
    base: str | None = None,
    precision: str = "bf16",
    download: bool = False,
) -> Merged:
    """Write an adapter and its model as one model.

    Args:
        adapter: the folder that training left.
        out: a folder that does not exist yet or is empty.
        base: the model, where it no longer is where the adapter says.
        precision: "bf16", "fp16" or "fp32"; of the weights that are written.
        download: whether a model that is not here may be fetched.

    Raises:
        ArtifactError: there is no adapter, or it does not fit the model.
        DataError: the folder is in use.
        ModelError: the model cannot be loaded.
    """
    source, folder = Path(adapter), Path(out)
    if folder.exists() and (folder.is_file() or any(folder.iterdir())):
        raise DataError(f"{folder} is not empty: name a new folder")
    name, revision = (base, None) if base else _base(source)
    load = LoadConfig(precision=precision)
    model = load_model(name, load, revision=revision, download=download)
    tokenizer = load_tokenizer(str(source), download=download)
    try:
        with without_old_names():
            adapted = peft.PeftModel.from_pretrained(model, str(source)).eval()
    except (RuntimeError, ValueError, OSError, SafetensorError) as error:
        raise ArtifactError(
            f"{source} does not fit {name} ({type(error).__name__}): give its own model"
        ) from error
    before = _logits(adapted, tokenizer)
    merged = adapted.merge_and_unload(safe_merge=True)
    off = float((_logits(merged, tokenizer) - before).abs().max())
    merged.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _copy_card(source, folder)
    return Merged(folder, name, off)


def _logits(model: Any, tokenizer: Any) -> Any:  # noqa: ANN401
    ids = tokenizer(_PROBE, return_tensors="pt")["input_ids"].to(model.device)
    with torch.inference_mode():
        return model(input_ids=ids).logits.float()


def _copy_card(source: Path, folder: Path) -> None:
    """The adapter's card, which says what was learned and how, without peft as its library."""
    card = source / CARD
    if card.is_file():
        text = card.read_text(encoding="utf-8")
        whole = text.replace("library_name: peft", "library_name: transformers", 1)
        (folder / CARD).write_text(whole, encoding="utf-8")
