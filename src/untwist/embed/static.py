"""Texts as vectors without a model: n-grams hashed, with signs, into a fixed number of places.

Deterministic and without training: the same text gives the same vector on every machine. It knows
spelling, not meaning. Leaves out: weights learnt from any text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from untwist.embed.ngrams import BITS, Space, extract
from untwist.errors import ConfigError, DataError
from untwist.text import normalize

CHUNK = 256
"""Texts that are read together; bounds the memory."""
_SPACE = Space(BITS)


@dataclass(frozen=True, slots=True)
class StaticEncoder:
    """Signed hashing of character and word n-grams; counts are damped; every row has length 1.

    The hash of an n-gram says which place it goes to, one further bit of it which sign it has
    (Weinberger et al. 2009), so that n-grams that share a place cancel out on average.

    Attributes:
        size: length of a vector; a power of two from 2 to 65,536.

    Raises:
        ConfigError: the size is not one of these.
    """

    size: int = 1024

    def __post_init__(self) -> None:
        if self.size not in {1 << bits for bits in range(1, BITS)}:
            raise ConfigError(f"size is {self.size}: give a power of two from 2 to {1 << BITS - 1}")

    @property
    def name(self) -> str:
        """Which encoder, which version; a policy refuses any other than its own."""
        return f"static-{self.size}@1"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row per text, shape (len(texts), size).

        Raises:
            DataError: a text holds nothing to read.
        """
        rows = np.empty((len(texts), self.size), np.float32)
        for at in range(0, len(texts), CHUNK):
            part = [normalize(text).text for text in texts[at : at + CHUNK]]
            rows[at : at + len(part)] = self._encode(part, at)
        return rows

    def _encode(self, texts: Sequence[str], offset: int) -> NDArray[np.float32]:
        batch = extract(texts, _SPACE)
        keys = [gram.doc.astype(np.int64) << BITS | gram.row for gram in batch.grams]
        pairs, counts = np.unique(np.concatenate(keys), return_counts=True)
        row = pairs & ((1 << BITS) - 1)
        sign = 1.0 - 2.0 * (row // self.size & 1)
        place = (pairs >> BITS) * self.size + row % self.size
        # square roots are the same on every machine, logarithms are not
        flat = np.bincount(place, sign * np.sqrt(counts), len(texts) * self.size)
        table = flat.reshape(len(texts), self.size)
        length = np.sqrt((table * table).sum(axis=1, keepdims=True))
        if not length.all():
            empty = int(np.flatnonzero(length[:, 0] == 0)[0]) + offset
            raise DataError(f"text {empty} holds nothing that can be read: leave it out")
        rows: NDArray[np.float32] = (table / length).astype(np.float32)
        return rows
