"""The Q network: three layers of numbers, forward and backward, and the optimiser that moves them.

    state (1048) -> 256 -> 128 -> 10 action values, ReLU between, dropout while learning

All parameters lie in one array, the layers are views of it: the optimiser, the target's copy and a
saved state are each one operation. Leaves out: every other architecture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untwist.errors import DataError

Floats = NDArray[np.float32]
Layer = tuple[Floats, Floats]


@dataclass(frozen=True, slots=True)
class Network:
    """A multi-layer perceptron.

    Attributes:
        sizes: of the layers, the input first and the action values last.
        flat: every parameter.
        layers: weights (in, out) and biases (out,) of each layer, as views of `flat`.

    Raises:
        DataError: there are not as many parameters as the sizes ask for.
    """

    sizes: tuple[int, ...]
    flat: Floats
    layers: tuple[Layer, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.flat.shape != (parameter_count(self.sizes),):
            raise DataError(f"{self.flat.shape} parameters do not fit layers of {self.sizes}")
        object.__setattr__(self, "layers", views(self.sizes, self.flat))

    @classmethod
    def fresh(cls, sizes: Sequence[int], rng: np.random.Generator) -> Network:
        """Weights and biases uniform within 1 / sqrt(inputs), as PyTorch's linear layers begin."""
        network = cls(tuple(sizes), np.zeros(parameter_count(sizes), np.float32))
        for weights, bias in network.layers:
            bound = 1 / np.sqrt(len(weights))
            weights[:] = rng.uniform(-bound, bound, weights.shape)
            bias[:] = rng.uniform(-bound, bound, bias.shape)
        return network

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]]) -> Network:
        """From what `tensors` gives.

        Raises:
            KeyError: a layer is missing.
            DataError: shapes do not follow one another, or a number is NaN or infinite.
        """
        count = sum(name.startswith("weights_") for name in tensors)
        pairs = [(tensors[f"weights_{i}"], tensors[f"bias_{i}"]) for i in range(max(count, 1))]
        sizes = (pairs[0][0].shape[0], *(weights.shape[-1] for weights, _ in pairs))
        flat = np.concatenate([part.ravel() for pair in pairs for part in pair], dtype=np.float32)
        if not np.isfinite(flat).all():
            raise DataError("a weight is NaN or infinite")
        return cls(sizes, flat)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Weights and biases by name."""
        named: dict[str, NDArray[Any]] = {}
        for i, (weights, bias) in enumerate(self.layers):
            named |= {f"weights_{i}": weights, f"bias_{i}": bias}
        return named

    def values(self, states: Floats) -> Floats:
        """Action values, shape (n, actions); without dropout, so acting is deterministic.

        Raises:
            DataError: the states have another size than the network reads.
        """
        if states.ndim != 2 or states.shape[1] != self.sizes[0]:
            raise DataError(
                f"the states have shape {states.shape}, the network reads {self.sizes[0]} numbers: "
                "use the encoder that the policy was trained with"
            )
        hidden = states
        for weights, bias in self.layers[:-1]:
            hidden = np.maximum(hidden @ weights + bias, 0)
        weights, bias = self.layers[-1]
        out: Floats = hidden @ weights + bias
        return out


def parameter_count(sizes: Sequence[int]) -> int:
    """How many parameters layers of these sizes have."""
    return sum(inputs * outputs + outputs for inputs, outputs in pairwise(sizes))


def views(sizes: Sequence[int], flat: Floats) -> tuple[Layer, ...]:
    """Weights and biases of each layer as views of one array."""
    layers, at = [], 0
    for inputs, outputs in pairwise(sizes):
        end = at + inputs * outputs
        layers.append((flat[at:end].reshape(inputs, outputs), flat[end : end + outputs]))
        at = end + outputs
    return tuple(layers)
