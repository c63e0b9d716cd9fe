"""How an encoder is trained to hear distortions, and the presets of CrossLinCD.

The string under a field is its help. Presets stand beside this module, one TOML file each; where
the paper is silent they follow its repository, and say so.
"""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, fields
from importlib.resources import files
from typing import Any, Literal, get_args, get_type_hints

from untwist.detect.outputs import NONE, Outputs, crosslincd_labels
from untwist.errors import ConfigError

Heads = Literal["shared", "per_corpus"]
Objective = Literal["each", "one"]
Pooling = Literal["mean", "first"]
Precision = Literal["fp32", "bf16", "fp16"]
Sampling = Literal["paper", "round_robin", "proportional", "temperature"]
Schedule = Literal["constant", "linear"]
SoftLoss = Literal["bernoulli", "one_sided"]
Select = Literal["micro_f1", "macro_f1"]
ThresholdFrom = Literal["fixed", "validation", "validation_each"]


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """Settings of one training; the defaults are CrossLinCD's where it names a value."""

    encoder: str = "FacebookAI/xlm-roberta-large"
    "Name or folder of any encoder of transformers that has a fast tokenizer."
    revision: str = "main"
    "Which revision of a named encoder."
    download: bool = False
    "Whether an encoder that is not on this machine may be fetched."
    device: str = "auto"
    """Where to train: "cpu", "cuda", "cuda:1" and so on; "auto" takes a GPU where there is one."""
    labels: tuple[str, ...] = crosslincd_labels()
    """Slugs of the labels, in the order of the outputs; "none" is learnt too where it is named."""
    intensity: bool = False
    "Learn intensity as well, from the texts whose intensity was judged."
    heads: Heads = "shared"
    """"shared": one masked head for all corpora; "per_corpus": a head for each."""
    objective: Objective = "each"
    """"each": a yes or no for every label; "one": exactly one label a text (a softmax)."""
    pooling: Pooling = "mean"
    """"mean" over the real tokens, padding left out; "first" takes the first token."""
    dropout: float = 0.2
    "Of the pooled vector, in training."
    max_length: int = 200
    "Tokens of a text that are read at once, special tokens included."
    windows: bool = True
    """Read a longer text window by window when detecting; false reads its first tokens alone. In
    training the first tokens are read, and the texts that were cut are counted."""
    batch: int = 16
    "Texts of one optimiser step, over all processes and micro-batches together."
    accumulation: int = 1
    "Into how many micro-batches a batch is cut; it changes memory, not the gradient."
    learning_rate: float = 1e-5
    "Highest rate of AdamW."
    schedule: Schedule = "constant"
    """"constant" after the warm-up, or "linear" down to zero over all epochs."""
    warmup: float = 0.0
    "Share of all steps over which the rate rises from zero."
    weight_decay: float = 0.01
    "Of matrices; biases and norms are left out."
    clip: float = 0.0
    "Largest norm of the gradient; 0 does not clip."
    epochs: int = 300
    "Most passes over the training texts."
    patience: int = 10
    "Epochs without a better validation score before training ends; 0 never ends it early."
    select: Select = "micro_f1"
    "The validation score, its mean over corpora, whose best epoch is kept."
    threshold: float = 0.25
    "A label is heard at this probability or more (inclusive)."
    threshold_from: ThresholdFrom = "fixed"
    """"fixed": `threshold`; "validation": the best for validation micro-F1 in each head;
    "validation_each": the best for each label of each head."""
    alpha: float = 0.8
    "Weight of the gold labels; a teacher's probabilities, where there are any, have the rest."
    soft_loss: SoftLoss = "bernoulli"
    """The teacher's loss: "bernoulli" is the KL divergence of two yes/no chances; "one_sided" is
    the reference's t (log t - log p), which only ever raises a chance."""
    sampling: Sampling = "proportional"
    """In which order the corpora's batches come: "paper" (corpus after corpus), "round_robin",
    "proportional" (all batches shuffled) or "temperature"."""
    temperature: float = 1.0
    "Corpora are drawn by (size) ** (1 / temperature), for that sampling alone."
    group_by_length: bool = True
    "Batches of texts of like length; less padding, the same texts in each epoch."
    precision: Precision = "fp32"
    """"bf16" and "fp16" compute in 16 bits and keep the weights in 32; "fp16" needs a GPU."""
    gradient_checkpointing: bool = False
    "Compute activations twice to save memory."
    seed: int = 42
    "Of heads, dropout and order."

    def __post_init__(self) -> None:
        _check_choices(self)
        _check_ranges(self)
        _check_contradictions(self)

    @property
    def outputs(self) -> Outputs:
        """What the outputs mean."""
        return Outputs(self.labels, self.intensity)


def _check_choices(config: EncoderConfig) -> None:
    for name, hint in get_type_hints(EncoderConfig).items():
        choices, value = get_args(hint), getattr(config, name)
        if isinstance(value, str) and choices and value not in choices:
            near = difflib.get_close_matches(value, choices, n=1, cutoff=0.0)[0]
            raise ConfigError(f'{name} is "{value}"; did you mean "{near}"? One of {choices}')


def _check_ranges(config: EncoderConfig) -> None:
    rules = {
        "dropout must lie in [0, 1)": 0 <= config.dropout < 1,
        "max_length must be at least 8": config.max_length >= 8,
        "batch and epochs must be at least 1": min(config.batch, config.epochs) >= 1,
        "accumulation must lie in [1, batch]": 1 <= config.accumulation <= config.batch,
        "learning_rate must be above 0": config.learning_rate > 0,
        "warmup must lie in [0, 1]": 0 <= config.warmup <= 1,
        "weight_decay, clip and patience must be 0 or more": min(
            config.weight_decay, config.clip, config.patience
        ) >= 0,
        "threshold must lie in (0, 1)": 0 < config.threshold < 1,
        "alpha must lie in [0, 1]": 0 <= config.alpha <= 1,
        "temperature must be above 0": config.temperature > 0,
    }  # fmt: skip
    for rule, holds in rules.items():
        if not holds:
            raise ConfigError(rule)


def _check_contradictions(config: EncoderConfig) -> None:
    _ = config.outputs
    if config.temperature != 1.0 and config.sampling != "temperature":
        raise ConfigError('temperature is set: set sampling to "temperature", or leave it out')
    if config.objective == "each":
        return
    if config.intensity or NONE not in config.labels:
        raise ConfigError(f'objective "one" needs the label "{NONE}", and cannot learn intensity')
    if config.threshold_from != "fixed":
        raise ConfigError('objective "one" takes the likeliest label: leave threshold_from "fixed"')


def presets() -> tuple[str, ...]:
    """The names of the presets, sorted."""
    folder = files("untwist.detect").joinpath("presets")
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def preset(name: str) -> dict[str, Any]:
    """The settings that a preset changes; `EncoderConfig(**preset(name))` is the whole.

    Raises:
        ConfigError: there is none of that name.
    """
    known = presets()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
        raise ConfigError(f'no preset "{name}"; did you mean "{near}"? One of {known}')
    text = files("untwist.detect").joinpath("presets", f"{name}.toml").read_text(encoding="utf-8")
    values = tomllib.loads(text)
    unknown = values.keys() - {item.name for item in fields(EncoderConfig)}
    if unknown:
        raise ConfigError(f"preset {name} has unknown keys {sorted(unknown)}: reinstall untwist")
    return values
