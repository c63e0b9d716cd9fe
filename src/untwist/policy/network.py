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


@dataclass(frozen=True, slots=True)
class Pass:
    """What a forward pass leaves for the backward one.

    Attributes:
        inputs: what went into each layer, after ReLU and dropout.
        out: the action values.
        keep: what each hidden unit was multiplied with by ReLU and dropout together.
    """

    inputs: tuple[Floats, ...]
    out: Floats
    keep: tuple[Floats, ...]


def forward(network: Network, states: Floats, drop: float, rng: np.random.Generator) -> Pass:
    """Action values with dropout, for learning.

    Args:
        network: the parameters.
        states: shape (n, inputs).
        drop: share of hidden units that are silent; the others speak louder for it.
        rng: which ones.
    """
    inputs, keep = [states], []
    louder = np.float32(1 / (1 - drop))
    for weights, bias in network.layers[:-1]:
        hidden = inputs[-1] @ weights
        hidden += bias
        kept = (hidden > 0).astype(np.float32)
        if drop:
            kept *= louder * (rng.random(hidden.shape, dtype=np.float32) >= drop)
        hidden *= kept
        inputs.append(hidden)
        keep.append(kept)
    weights, bias = network.layers[-1]
    return Pass(tuple(inputs), inputs[-1] @ weights + bias, tuple(keep))


def backward(network: Network, done: Pass, slope: Floats, gradient: Floats) -> None:
    """The gradient of a loss by every parameter.

    Args:
        network: the parameters.
        done: the forward pass.
        slope: of the loss by the action values, shape (n, actions).
        gradient: is overwritten; as long as `network.flat`.
    """
    into = views(network.sizes, gradient)
    for at in range(len(network.layers) - 1, -1, -1):
        by_weights, by_bias = into[at]
        np.matmul(done.inputs[at].T, slope, out=by_weights)
        np.sum(slope, axis=0, out=by_bias)
        if at:
            slope = slope @ network.layers[at][0].T
            slope *= done.keep[at - 1]


BLOCK = 1 << 14
"""Parameters that are moved together: so many stay in the processor's cache."""


@dataclass(slots=True)
class AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019), on one array of parameters.

    The two moments are kept without their factors (1 - beta), which are put into the step's size.

    Attributes:
        size: number of parameters.
        rate: learning rate.
        decay: weight decay.
        betas: of the two moments.
        tiny: keeps the division from exploding.
        clip: no part of a gradient counts as more than this.
        steps: taken so far.
    """

    size: int
    rate: float = 1e-4
    decay: float = 1e-5
    betas: tuple[float, float] = (0.9, 0.999)
    tiny: float = 1e-8
    clip: float = float("inf")
    steps: int = 0
    first: Floats = field(init=False, repr=False)
    second: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.first, self.second = (np.zeros(self.size, np.float32) for _ in range(2))

    def step(self, parameters: Floats, gradient: Floats) -> None:
        """Move the parameters, in place; the gradient is clipped where it stands."""
        self.steps += 1
        one, two = self.betas
        root = np.sqrt((1 - two) / (1 - two**self.steps))
        reach = np.float32(self.rate * (1 - one) / (1 - one**self.steps) / root)
        tiny, keep = np.float32(self.tiny / root), np.float32(1 - self.rate * self.decay)
        fade, fade_square, most = np.float32(one), np.float32(two), np.float32(self.clip)
        room = np.empty(BLOCK, np.float32)
        for at in range(0, self.size, BLOCK):
            part = slice(at, at + BLOCK)
            slope, first, second = gradient[part], self.first[part], self.second[part]
            move, moved = room[: len(slope)], parameters[part]
            np.minimum(slope, most, out=slope)
            np.maximum(slope, -most, out=slope)
            first *= fade
            first += slope
            np.multiply(slope, slope, out=move)
            second *= fade_square
            second += move
            np.sqrt(second, out=move)
            move += tiny
            np.divide(first, move, out=move)
            move *= reach
            if keep != 1:  # a small rate and decay are lost in rounding
                moved *= keep
            moved -= move
