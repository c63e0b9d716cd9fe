"""The losses: how much each sample's target tokens weigh in one step, over all of its parts.

Every loss here is a weighted sum of the cross-entropies of target tokens. The weights come from
counts over the whole step: all micro-batches of an accumulation, in all processes. So the loss and
its gradient do not depend on how a step is cut into parts.

    dsco          w_s / N_s          N_s: target tokens of the sample's stream s in the step
    token_mean    1 / N              N: target tokens in the step
    sample_mean   1 / (n_i * S)      n_i: target tokens of the sample; S: samples in the step

`dsco` is CoPoLLM's L_total = L_diagnosis + L_intervention, each over its own tokens, with weights
1 : 1. `sample_mean` is what its published code computes: there the weight of a stream is its share
of the batch. A stream that a step lacks adds nothing to it, and the log counts such steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from untwist.errors import ConfigError
from untwist.tune.examples import STREAMS, Sample, Stream

Loss = Literal["dsco", "sample_mean", "token_mean"]
LOSSES: tuple[Loss, ...] = get_args(Loss)

Ablation = Literal["no_diagnosis", "no_intervention", "no_augmented", "pipeline"]
ABLATIONS: tuple[Ablation, ...] = get_args(Ablation)
"""CoPoLLM Table 4: a stream left out, the policy's samples left out, or one model per stream."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What is counted in a step.

    Attributes:
        tokens: target tokens of each stream, in the order of `STREAMS`.
        samples: samples with a target.
    """

    tokens: tuple[int, ...]
    samples: int

    def __add__(self, other: Counts) -> Counts:
        tokens = tuple(a + b for a, b in zip(self.tokens, other.tokens, strict=True))
        return Counts(tokens, self.samples + other.samples)

    def to_list(self) -> list[int]:
        """As numbers that processes can add up."""
        return [*self.tokens, self.samples]

    @classmethod
    def from_list(cls, numbers: Sequence[float]) -> Counts:
        """From such numbers."""
        return cls(tuple(int(n) for n in numbers[:-1]), int(numbers[-1]))


NOTHING = Counts((0,) * len(STREAMS), 0)
"""The counts of no batch at all."""


def count(streams: NDArray[np.int64], targets: NDArray[np.int64]) -> Counts:
    """The counts of one batch.

    Args:
        streams: of each row, its place in `STREAMS`.
        targets: of each row, how many of its tokens are learned; 0 in a row that fills up a batch.
    """
    tokens = np.bincount(streams, weights=targets, minlength=len(STREAMS))
    return Counts(tuple(int(n) for n in tokens), int((targets > 0).sum()))


@dataclass(frozen=True, slots=True)
class Objective:
    """A loss and the weights of its streams.

    Attributes:
        loss: which of `LOSSES`.
        weights: of each stream, above 0; 1 where none is given. Only with "dsco".

    Raises:
        ConfigError: the loss is unknown, or the weights are none or are given to another loss.
    """

    loss: Loss = "dsco"
    weights: Mapping[Stream, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise ConfigError(f'loss is "{self.loss}": give one of {", ".join(LOSSES)}')
        if self.weights and self.loss != "dsco":
            raise ConfigError(f'{self.loss} has no weights of streams: give loss "dsco"')
        for stream, weight in self.weights.items():
            if stream not in STREAMS:
                raise ConfigError(f'no stream is "{stream}": give one of {", ".join(STREAMS)}')
            if not (np.isfinite(weight) and weight > 0):
                raise ConfigError(
                    f"the weight of {stream} is {weight}: give one above 0, "
                    "or leave the stream's samples out"
                )

    def row_weights(
        self, streams: NDArray[np.int64], targets: NDArray[np.int64], step: Counts
    ) -> NDArray[np.float64]:
        """What each row's summed cross-entropy is multiplied by.

        Args:
            streams: of each row, its place in `STREAMS`.
            targets: of each row, how many of its tokens are learned.
            step: the counts of the whole step that the rows belong to.

        Returns:
            One weight per row; 0 for a row without a target.
        """
        learned = targets > 0
        if self.loss == "dsco":
            per_stream = [self.weights.get(stream, 1.0) for stream in STREAMS]
            numerator: Any = np.asarray(per_stream)[streams]
            denominator = np.asarray(step.tokens)[streams]
        elif self.loss == "token_mean":
            numerator, denominator = 1.0, np.full(len(streams), sum(step.tokens))
        else:
            numerator, denominator = 1.0, targets * step.samples
        return np.where(learned, numerator / np.maximum(denominator, 1), 0.0)

    def total(self, sums: Sequence[float], means: float, step: Counts) -> float | None:
        """The loss from sums over all rows, for what is evaluated in many batches.

        Args:
            sums: the cross-entropy of each stream's target tokens, summed.
            means: the rows' mean cross-entropies, summed.
            step: the counts of all those rows.

        Returns:
            None where there is no row with a target.
        """
        if not step.samples:
            return None
        if self.loss == "sample_mean":
            return means / step.samples
        if self.loss == "token_mean":
            return sum(sums) / sum(step.tokens)
        pairs = zip(STREAMS, sums, step.tokens, strict=True)
        return sum(self.weights.get(s, 1.0) * given / n for s, given, n in pairs if n)


def ablate(samples: Sequence[Sample], ablation: Ablation) -> dict[str, list[Sample]]:
    """The samples of each model that an ablation trains.

    Args:
        samples: of both streams.
        ablation: which of `ABLATIONS`.

    Returns:
        The samples by the name of the model: "model", or with "pipeline" one for each stream.

    Raises:
        ConfigError: the ablation is unknown, leaves nothing, or changes nothing.
    """
    if ablation not in ABLATIONS:
        raise ConfigError(f'no ablation is "{ablation}": give one of {", ".join(ABLATIONS)}')
    present = {sample.stream for sample in samples}
    if ablation == "pipeline":
        if len(present) < 2:
            raise ConfigError("a pipeline needs samples of two streams: give both")
        return {s: [each for each in samples if each.stream == s] for s in sorted(present)}
    kept = [sample for sample in samples if not _left_out(sample, ablation)]
    if not kept or len(kept) == len(samples):
        raise ConfigError(
            f"{ablation} leaves {len(kept):,} of {len(samples):,} samples: it would be no ablation"
        )
    return {"model": kept}


def _left_out(sample: Sample, ablation: Ablation) -> bool:
    if ablation == "no_augmented":
        return sample.augmented
    return sample.stream == ablation.removeprefix("no_")
