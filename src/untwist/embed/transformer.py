"""Texts as vectors by a sentence encoder on this machine.

A named door: it is opened by importing this module, and needs the extra "sentence", which brings
PyTorch. Nothing in the base install imports it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untwist.errors import MissingExtra, ModelError

BATCH = 32
"""Texts that go through the model together, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class SentenceEncoder:
    """A model of the library sentence-transformers.

    Attributes:
        model: its name or folder, for example "Qwen/Qwen3-Embedding-0.6B".
        batch: texts that go through it together.
        device: "cpu", "cuda" and so on; None takes what there is.
        loaded: the model itself, in place of loading it.

    Raises:
        MissingExtra: the extra "sentence" is not installed.
        ModelError: the model cannot be loaded.
    """

    model: str
    batch: int = BATCH
    device: str | None = None
    loaded: Any = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.loaded is None:
            object.__setattr__(self, "loaded", _load(self.model, self.device))

    @property
    def name(self) -> str:
        """The model and its size; a policy refuses any other than its own."""
        return f"sentence-{self.model}-{self.size}@1"

    @property
    def size(self) -> int:
        """Length of a vector.

        Raises:
            ModelError: the model does not say.
        """
        size = self.loaded.get_sentence_embedding_dimension()
        if not size:
            raise ModelError(f"{self.model} does not say how long its vectors are: take another")
        return int(size)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row per text, shape (len(texts), size).

        Raises:
            ModelError: the model failed, or gave another shape or no numbers.
        """
        if not texts:
            return np.zeros((0, self.size), np.float32)
        try:
            given = self.loaded.encode(
                list(texts),
                batch_size=self.batch,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        except (RuntimeError, ValueError, OSError) as error:
            # what the library says may repeat the text
            raise ModelError(f"{self.model} failed ({type(error).__name__})") from error
        rows = np.asarray(given, np.float32)
        if rows.shape != (len(texts), self.size) or not np.isfinite(rows).all():
            raise ModelError(f"{self.model} gave vectors that do not fit, or NaN: take another")
        return rows


def _load(model: str, device: str | None) -> Any:  # noqa: ANN401
    try:
        library: Any = import_module("sentence_transformers")
    except ImportError as error:
        raise MissingExtra("sentence encoders", "sentence") from error
    try:
        return library.SentenceTransformer(model, device=device)
    except (RuntimeError, ValueError, OSError) as error:
        raise ModelError(f"{model} cannot be loaded: {error}") from error
