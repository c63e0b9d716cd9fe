"""What a tuning run is told: one frozen table per concern, and every contradiction refused.

Leaves out: the names that libraries have for these settings; `tune.plan` translates them.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field

from untwist.errors import ConfigError
from untwist.llm.prompts.labels import DEFAULT, labels_of
from untwist.tune.dsco import ABLATIONS, LOSSES, Loss

KINDS = ("dialogues", "labels", "chains", "triads", "worksheets", "samples")
"""What a file of data may hold; docs/guides/tuning.md shows a row of each."""
PRECISIONS = ("fp32", "bf16", "fp16")
SCHEDULES = ("cosine", "linear", "constant")
OPTIMIZERS = ("adamw", "adamw_8bit")
BATCHINGS = ("grouped", "shuffled")
_TWO_STREAMS = ("dialogues", "samples")


@dataclass(frozen=True, slots=True)
class DataConfig:
    """What is learned, and in which form."""

    kind: str = "samples"
    """What the file holds: "dialogues", "labels", "chains", "triads", "worksheets", "samples"."""
    ablation: str = "none"
    """"none", or of CoPoLLM's Table 4: "no_diagnosis", "no_intervention", "no_augmented" (replies
    whose strategy a policy chose), "pipeline" (an adapter for each stream)."""
    taxonomy: str = DEFAULT
    """Whose labels dialogues and worksheets name."""
    system: str = ""
    """System message of triads that have none of their own; empty adds none."""
    validation: float = 0.0
    """Share of the groups held out; 0 holds none out. A file of its own goes before this."""
    max_length: int = 2048
    """Tokens of prompt and target; the earliest of the history goes first, the target never."""

    def __post_init__(self) -> None:
        one_of("kind", self.kind, KINDS)
        one_of("ablation", self.ablation, ("none", *ABLATIONS))
        labels_of(self.taxonomy)
        if self.taxonomy != DEFAULT and self.kind not in {"dialogues", "worksheets"}:
            raise ConfigError(f"taxonomy is for dialogues and worksheets, not for {self.kind}")
        if self.ablation != "none" and self.kind not in _TWO_STREAMS:
            raise ConfigError(f'ablation is "{self.ablation}", but {self.kind} have one stream')
        if self.system and self.kind != "triads":
            raise ConfigError(f"system is for triads, and this is {self.kind}: leave it out")
        if not 0 <= self.validation < 1:
            raise ConfigError("validation must lie in [0, 1)")
        if self.max_length < _SHORTEST:
            raise ConfigError(f"max_length is {self.max_length}: give {_SHORTEST} or more")


_SHORTEST = 8


@dataclass(frozen=True, slots=True)
class LossConfig:
    """What is minimised."""

    kind: Loss = "token_mean"
    """"dsco": each stream over its own target tokens; "sample_mean": the mean of the samples'
    means, as CoPoLLM's published code has it; "token_mean": over all target tokens."""
    diagnosis: float = 1.0
    """Weight of the diagnosis stream; only with "dsco"."""
    intervention: float = 1.0
    """Weight of the intervention stream; only with "dsco"."""

    def __post_init__(self) -> None:
        one_of("loss kind", self.kind, LOSSES)
        if min(self.diagnosis, self.intervention) <= 0:
            raise ConfigError("a weight is above 0: a stream is left out by data.ablation")
        if self.kind != "dsco" and (self.diagnosis, self.intervention) != (1.0, 1.0):
            raise ConfigError(f'{self.kind} has no weights of streams: give kind = "dsco"')


@dataclass(frozen=True, slots=True)
class LoraConfig:
    """The adapter."""

    rank: int = 16
    """Of the matrices."""
    alpha: int = 32
    """Scale of what they add: alpha / rank."""
    dropout: float = 0.05
    """Before them."""
    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj")
    """Projections that get an adapter; the model must have each of them."""

    def __post_init__(self) -> None:
        if min(self.rank, self.alpha) < 1 or not 0 <= self.dropout < 1:
            raise ConfigError("rank and alpha begin at 1, dropout lies in [0, 1)")
        if not self.targets or len(set(self.targets)) < len(self.targets):
            raise ConfigError("targets names one projection or more, each once")


@dataclass(frozen=True, slots=True)
class LoadConfig:
    """How the model is loaded."""

    bits: int = 16
    """4 is NF4 with double quantisation (QLoRA, the extra "qlora"); 16 takes the weights as the
    precision says."""
    precision: str = "bf16"
    """Of the arithmetic: "fp32", "bf16" or "fp16"."""
    checkpointing: bool = False
    """Compute activations again in place of keeping them: less memory, more time."""

    def __post_init__(self) -> None:
        one_of("precision", self.precision, PRECISIONS)
        if self.bits not in {4, 16}:
            raise ConfigError(f"bits is {self.bits}: give 4 or 16")
        if self.bits == _NF4 and self.precision == "fp32":
            raise ConfigError('4 bits are computed in "bf16" or "fp16": change precision')


_NF4 = 4


@dataclass(frozen=True, slots=True)
class OptimConfig:
    """How the weights move."""

    name: str = "adamw"
    """"adamw", or "adamw_8bit" (the extra "qlora")."""
    learning_rate: float = 2e-4
    """The highest one."""
    beta1: float = 0.9
    """Of the first moment."""
    beta2: float = 0.999
    """Of the second moment."""
    epsilon: float = 1e-8
    """Below the root."""
    weight_decay: float = 0.0
    """Of all weights but biases and norms."""
    schedule: str = "cosine"
    """"cosine", "linear" or "constant", after the warm-up."""
    warmup_ratio: float = 0.0
    """Share of all steps in which the rate rises."""
    warmup_steps: int = 0
    """Or their number."""
    clip: float = 1.0
    """Largest norm of a gradient."""

    def __post_init__(self) -> None:
        one_of("optimizer", self.name, OPTIMIZERS)
        one_of("schedule", self.schedule, SCHEDULES)
        if min(self.learning_rate, self.epsilon, self.clip) <= 0 or self.weight_decay < 0:
            raise ConfigError(
                "learning_rate, epsilon and clip are above 0, weight_decay is 0 or more"
            )
        if not 0 <= min(self.beta1, self.beta2) <= max(self.beta1, self.beta2) < 1:
            raise ConfigError("beta1 and beta2 lie in [0, 1)")
        if self.warmup_ratio and self.warmup_steps:
            raise ConfigError("warmup_ratio and warmup_steps are both given: keep one")
        if not 0 <= self.warmup_ratio < 1 or self.warmup_steps < 0:
            raise ConfigError("warmup_ratio lies in [0, 1), warmup_steps begins at 0")


@dataclass(frozen=True, slots=True)
class StepsConfig:
    """How long, and in which batches."""

    batch: int = 4
    """Samples at once on one device."""
    accumulation: int = 1
    """Such batches to a step."""
    epochs: int = 3
    """Times that all samples are seen; 0 counts `steps`."""
    steps: int = 0
    """Number of steps in place of epochs."""
    batching: str = "grouped"
    """"grouped" puts samples of like length together, "shuffled" does not."""
    keep: str = "last"
    """"last", or "best" by the loss on what is held out, looked at after every epoch."""
    log_every: int = 10
    """Steps between two lines of the log."""

    def __post_init__(self) -> None:
        one_of("batching", self.batching, BATCHINGS)
        one_of("keep", self.keep, ("last", "best"))
        if min(self.batch, self.accumulation, self.log_every) < 1:
            raise ConfigError("batch, accumulation and log_every begin at 1")
        if min(self.epochs, self.steps) < 0 or bool(self.epochs) == bool(self.steps):
            raise ConfigError("give epochs or steps, and set the other to 0: one of them decides")


@dataclass(frozen=True, slots=True)
class TuneConfig:
    """A whole preset."""

    about: str
    """What it makes, in a line."""
    source: str
    """Where its numbers stand."""
    base: str
    """The model that it was made for; `--model` puts another one in its place."""
    seed: int = 42
    """Of everything that chance decides."""
    data: DataConfig = field(default_factory=DataConfig)
    """What is learned."""
    loss: LossConfig = field(default_factory=LossConfig)
    """What is minimised."""
    lora: LoraConfig = field(default_factory=LoraConfig)
    """The adapter."""
    load: LoadConfig = field(default_factory=LoadConfig)
    """How the model is loaded."""
    optim: OptimConfig = field(default_factory=OptimConfig)
    """How the weights move."""
    steps: StepsConfig = field(default_factory=StepsConfig)
    """How long."""

    def __post_init__(self) -> None:
        if not all((self.about.strip(), self.source.strip(), self.base.strip())):
            raise ConfigError("about, source and base each say something")
        if self.seed < 0:
            raise ConfigError("seed is 0 or more")
        weighed = (self.loss.diagnosis, self.loss.intervention) != (1.0, 1.0)
        if weighed and self.data.ablation in ("no_diagnosis", "no_intervention", "pipeline"):
            raise ConfigError(
                f"weights of two streams, and {self.data.ablation} leaves each model one: "
                "leave them at 1"
            )
        if self.loss.kind == "dsco" and self.data.kind not in _TWO_STREAMS:
            raise ConfigError(
                f'loss "dsco" needs two streams, and {self.data.kind} have one: '
                'give loss kind = "token_mean"'
            )


def one_of(key: str, value: str, known: Sequence[str]) -> None:
    """Refuses a value that is none of those known.

    Raises:
        ConfigError: with the nearest of them.
    """
    if value not in known:
        near = difflib.get_close_matches(value, known, n=1, cutoff=0.0)[0]
        raise ConfigError(
            f'{key} is "{value}"; did you mean "{near}"? There are {", ".join(known)}'
        )
