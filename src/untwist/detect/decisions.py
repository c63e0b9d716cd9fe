"""What an encoder's scores mean: probabilities, and when a label is heard.

Pure numpy, the same for torch and onnxruntime. Leaves out: texts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from untwist.detect.linear import sigmoid
from untwist.detect.outputs import STEPS, Outputs
from untwist.errors import ConfigError

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

SHARED = "shared"
"""The name of a head that all corpora have in common."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """What a model's scores mean and when a label is heard.

    Attributes:
        outputs: the columns.
        heads: the name of each head; one alone is `SHARED`.
        carried: which outputs each head has learnt, shape (heads, outputs).
        thresholds: a label is heard at this probability or more, shape (heads, outputs).
        single: exactly one label a text is heard, the likeliest; or none, where "none" is likelier.
        windows: longer texts are read window by window, not their first tokens alone.
    """

    outputs: Outputs
    heads: tuple[str, ...]
    carried: Flags
    thresholds: Floats
    single: bool = False
    windows: bool = True

    @property
    def judges_intensity(self) -> bool:
        """Whether intensity was learnt."""
        return self.outputs.intensity and bool(self.carried[:, -len(STEPS) :].any())

    def chances(self, logits: Floats) -> Floats:
        """Probabilities from logits (..., heads, outputs); nan where a head has not learnt."""
        if self.single:
            allowed = np.where(self.carried, logits, -np.inf)
            power = np.exp(allowed - allowed.max(axis=-1, keepdims=True))
            chance = power / power.sum(axis=-1, keepdims=True)
        else:
            chance = sigmoid(logits)
        return np.where(self.carried, chance, np.float32(np.nan)).astype(np.float32)

    def joined(self, values: Floats) -> Floats:
        """The mean over the heads that have learnt an output; nan where none has."""
        known = self.carried.sum(axis=0)
        total = np.where(self.carried, values, np.float32(0)).sum(axis=-2)
        mean = total / np.maximum(known, 1)
        return np.where(known > 0, mean, np.float32(np.nan)).astype(np.float32)

    def heard(self, chance: Floats) -> Flags:
        """Which distortions are heard, from joined probabilities (texts, outputs)."""
        labels = self.outputs.distortions
        if not self.single:
            found: Flags = (chance >= self.joined(self.thresholds)) & labels
            return found
        best = np.zeros(chance.shape, bool)
        best[np.arange(len(chance)), np.nan_to_num(chance, nan=-1.0).argmax(axis=1)] = True
        return best & labels

    def of(self, head: str) -> Decisions:
        """The same by one head.

        Raises:
            ConfigError: there is no such head.
        """
        if head not in self.heads:
            raise ConfigError(f'no head "{head}": there are {", ".join(self.heads)}')
        k = self.heads.index(head)
        own = slice(k, k + 1)
        return replace(
            self, heads=(head,), carried=self.carried[own], thresholds=self.thresholds[own]
        )
