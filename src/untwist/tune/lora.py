"""The model that is tuned: loaded, quantised where it should be, and given an adapter.

Heavy: importing this module needs PyTorch, transformers and peft. Nothing is downloaded unless
told.
"""

from __future__ import annotations

import os
from typing import Any

from untwist.errors import ConfigError, MissingExtra, ModelError
from untwist.tune.config import LoadConfig, LoraConfig
from untwist.tune.plan import dtype_of, lora_arguments, quantization_arguments

try:
    import peft
    import torch
    import transformers
    from safetensors import SafetensorError
except ImportError as error:
    raise MissingExtra("tuning a language model", "finetune") from error

_SHARDING = ("ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED")
"""How `accelerate launch` says that a model is shared out."""


def load_tokenizer(name: str, *, revision: str | None = None, download: bool = False) -> Any:  # noqa: ANN401
    """The tokenizer of a model, with a token that fills up.

    Args:
        name: folder, or a name of the hub.
        revision: of the hub.
        download: whether what is not here may be fetched.

    Raises:
        ModelError: it cannot be loaded, or there is none and so transformers makes one that knows
            its special tokens alone.
    """
    options = {"revision": revision, "local_files_only": not download}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(name, **options)
    except (OSError, ValueError) as error:
        raise _not_loaded(name, error, download) from error
    if len(tokenizer) <= len(set(tokenizer.all_special_ids)):
        raise ModelError(f"{name} has no tokenizer: put its tokenizer.json into the folder")
    if tokenizer.pad_token_id is None:
        # its attention mask keeps a pad from being read, whatever token it is
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(
    name: str,
    load: LoadConfig,
    *,
    revision: str | None = None,
    download: bool = False,
) -> Any:  # noqa: ANN401
    """A causal language model in the precision that was asked for.

    With 4 bits it is put on this process' own GPU, for a quantised model cannot be moved.

    Args:
        name: folder, or a name of the hub.
        load: bits and precision.
        revision: of the hub.
        download: whether what is not here may be fetched.

    Raises:
        ConfigError: 4 bits are asked for, and that the model be shared out over processes.
        MissingExtra: 4 bits are asked for and bitsandbytes is not installed.
        ModelError: it cannot be loaded.
    """
    options: dict[str, Any] = {
        "revision": revision,
        "local_files_only": not download,
        "dtype": getattr(torch, dtype_of(load)),
    }
    quantised = quantization_arguments(load)
    if quantised is not None:
        if not transformers.utils.is_bitsandbytes_available():
            raise MissingExtra("loading a model in 4 bits", "qlora")
        options["quantization_config"] = transformers.BitsAndBytesConfig(**quantised)
        if any(os.environ.get(name, "").lower() == "true" for name in _SHARDING):
            raise ConfigError("4 bits go with DDP; FSDP and ZeRO-3 need --set load.bits=16")
        if torch.cuda.is_available():
            options["device_map"] = {"": int(os.environ.get("LOCAL_RANK", "0"))}
    try:
        return transformers.AutoModelForCausalLM.from_pretrained(name, **options)
    except (OSError, ValueError, SafetensorError) as error:
        raise _not_loaded(name, error, download) from error


def adapt(
    model: Any,  # noqa: ANN401
    lora: LoraConfig,
    seed: int,
    *,
    revision: str | None = None,
) -> Any:  # noqa: ANN401
    """The model with an adapter; only that learns.

    Args:
        model: as `load_model` gives it.
        lora: the adapter's shape, and the projections that get one.
        seed: of its first weights; the caller's generators are left as they were.
        revision: of the model on the hub, for whoever loads the adapter later.

    Raises:
        ConfigError: the model lacks one of the projections.
    """
    names = {name.rsplit(".", 1)[-1] for name, _ in model.named_modules()}
    missing = [target for target in lora.targets if target not in names]
    if missing:
        near = sorted(n for n in names if n.endswith(("proj", "query_key_value", "dense")))
        raise ConfigError(
            f"the model has no {', '.join(missing)}; it has {', '.join(near) or 'no projections'}"
        )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        settings = peft.LoraConfig(**lora_arguments(lora), revision=revision)
        return peft.get_peft_model(model, settings)


def _not_loaded(name: str, error: Exception, download: bool) -> ModelError:
    reason = " ".join(str(error).split())[:200]
    hint = "" if download else "; a model that is not here is fetched only with --download"
    return ModelError(f"{name} cannot be loaded ({type(error).__name__}): {reason}{hint}")
