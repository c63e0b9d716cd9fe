"""The network: an encoder of transformers, pooled over real tokens, and one linear head or several.

Heavy: importing this module needs PyTorch and the extra "finetune". Leaves out: losses, training.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from untwist.detect.encoder_config import EncoderConfig, Pooling
from untwist.detect.tokens import Tokens
from untwist.errors import ConfigError, MissingExtra, ModelError

try:
    import torch
    import transformers
    from safetensors import SafetensorError
except ImportError as error:
    raise MissingExtra("a fine-tuned encoder", "finetune") from error

Floats = NDArray[np.float32]


class Network(torch.nn.Module):
    """Token ids to logits.

    Attributes:
        body: the encoder, without a pooling layer of its own.
        heads: one linear layer each.
    """

    def __init__(
        self,
        body: torch.nn.Module,
        heads: int,
        outputs: int,
        pooling: Pooling,
        dropout: float,
    ) -> None:
        super().__init__()
        self.body = body
        self.pooling = pooling
        self.dropout = torch.nn.Dropout(dropout)
        width = body.config.hidden_size
        self.heads = torch.nn.ModuleList(torch.nn.Linear(width, outputs) for _ in range(heads))

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, head: int | None = None
    ) -> torch.Tensor:
        """Logits (texts, heads, outputs); of one head where it is named: (texts, outputs)."""
        states = self.body(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        pooled = self.dropout(pool(states, attention_mask, self.pooling))
        if head is not None:
            return self.heads[head](pooled)
        return torch.stack([one(pooled) for one in self.heads], dim=1)


def pool(states: torch.Tensor, mask: torch.Tensor, pooling: Pooling) -> torch.Tensor:
    """One vector a text: the mean over real tokens, or the first token's.

    Args:
        states: (texts, tokens, width).
        mask: (texts, tokens), 1 where a token is real; padding has no part in the mean.
        pooling: which.
    """
    if pooling == "first":
        return states[:, 0]
    weight = mask.unsqueeze(-1).to(states.dtype)
    return (states * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)


def place_of(device: str) -> torch.device:
    """A device by name; "auto" is this process' own GPU, else the CPU.

    Raises:
        ConfigError: this machine has no such device.
    """
    if device == "auto":
        own = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        device = own if torch.cuda.is_available() else "cpu"
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f'no device "{device}" here: try "auto" or "cpu"') from error
    return found


@dataclass(frozen=True, slots=True)
class Base:
    """What a training starts from.

    Attributes:
        body: the encoder.
        tokenizer: of transformers, as it is saved with the model.
    """

    body: torch.nn.Module
    tokenizer: transformers.PreTrainedTokenizerBase

    def tokens(self, longest: int) -> Tokens:
        """How its texts are read, cut at `longest` tokens.

        Raises:
            ConfigError: the encoder has no fast tokenizer, or reads fewer tokens.
        """
        backend = getattr(self.tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise ConfigError("the encoder has no fast tokenizer (tokenizer.json): take another")
        most = min(self.tokenizer.model_max_length, _positions(self.body.config))
        if longest > most:
            raise ConfigError(f"max_length is {longest}, the encoder reads {int(most)} tokens")
        return Tokens.of(backend.to_str(), longest, self.tokenizer.pad_token_id or 0)


def _positions(config: transformers.PretrainedConfig) -> float:
    """How many tokens have a place; RoBERTa's kin count theirs from behind the padding token."""
    most = getattr(config, "max_position_embeddings", None)
    if most is None or most < 1:
        return float("inf")
    kin = "roberta" in config.model_type or config.model_type in {"camembert", "xmod"}
    return float(most - config.pad_token_id - 1 if kin else most)


def load_base(config: EncoderConfig) -> Base:
    """An encoder and its tokenizer by name or folder.

    Raises:
        ModelError: it is not here, is damaged or is no encoder, or its tokenizer is missing or
            another's.
    """
    options: dict[str, str | bool] = {
        "revision": config.revision,
        "local_files_only": not config.download,
    }
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(config.encoder, **options)
        body = load_body(config.encoder, **options)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ModelError(
            f"{config.encoder} cannot be loaded ({type(error).__name__}): is it on this machine, "
            "and whole? Set download to true to fetch it"
        ) from error
    _require_tokens(config.encoder, tokenizer, body)
    return Base(body, tokenizer)


def _require_tokens(
    name: str, tokenizer: transformers.PreTrainedTokenizerBase, body: torch.nn.Module
) -> None:
    """Check that the tokenizer is one, and the encoder's own.

    Where its files are missing, transformers makes one that knows its special tokens alone.
    """
    known = tokenizer.get_vocab()
    if len(known) <= len(set(tokenizer.all_special_ids)):
        raise ModelError(f"{name} has no tokenizer: put its tokenizer.json into the folder")
    if max(known.values()) >= body.config.vocab_size:
        raise ModelError(
            f"the tokenizer of {name} has {len(known):,} tokens, the encoder "
            f"{body.config.vocab_size:,}: take the files of one model"
        )


def load_body(path: str | Path, **options: str | bool) -> torch.nn.Module:
    """An encoder without the pooling layer that some have; in 32 bits.

    Raises:
        OSError: there is none there.
        ValueError: it is no encoder that transformers knows, or some of its weights are not there.
        KeyError: it is none either.
        SafetensorError: its weights are damaged.
    """
    settings = transformers.AutoConfig.from_pretrained(path, **options)
    kind = transformers.MODEL_MAPPING[type(settings)]
    if "add_pooling_layer" in inspect.signature(kind.__init__).parameters:
        options["add_pooling_layer"] = False
    with without_bars():
        body, found = kind.from_pretrained(
            path, dtype=torch.float32, output_loading_info=True, **options
        )
    if found["missing_keys"]:
        # transformers would draw them at random
        raise ValueError(f"{len(found['missing_keys'])} weights are missing")
    return body


@contextmanager
def without_bars() -> Iterator[None]:
    """Without the progress bars of transformers, which stand in the way of a program's own."""
    logging = transformers.utils.logging
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


@dataclass(frozen=True, slots=True)
class TorchScore:
    """A network in use, as `untwist.detect.scored.Score` asks."""

    network: Network

    def __call__(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> Floats:
        """Logits, shape (texts, heads, outputs)."""
        device = next(self.network.parameters()).device
        with evaluating(self.network), torch.inference_mode():
            given = (torch.from_numpy(one).to(device) for one in (ids, mask))
            found: Floats = self.network(*given).float().cpu().numpy()
        return found


@contextmanager
def evaluating(network: torch.nn.Module) -> Iterator[None]:
    """Without dropout; the network is left as it was found."""
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)
