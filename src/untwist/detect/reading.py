"""What a linear reader of whole messages is: n-grams in, a probability per question out.

The second reader of risk and the reader of drafts are both made of it. A message is read in pieces,
so that nothing around a sentence can hide it; what pattern rules said of the message is heard too,
and can only add. Leaves out: what the questions mean.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untwist import artifacts
from untwist.artifacts import Artifact
from untwist.detect.linear import Packed, Weights, logits, sigmoid
from untwist.embed import Space
from untwist.errors import ArtifactError
from untwist.safety import revealed
from untwist.text import language, sentences

SPACE = Space(bits=22, gap=8, apart=True)
"""Distant pairs are read too: what makes a wish dangerous often stands far from the verb."""
RUN = 3
"""How many sentences are read together at most."""
LONGEST = (240, 100)
"""Longest piece that is read at once, in characters, in English and in Chinese."""

_LABEL = re.compile(r"(?<=^)\s*(\d{1,2}[.)、]|[^\s:：,，]{1,20}[:：])\s*")

Floats = NDArray[np.float32]
Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Reading:
    """A trained linear reader.

    Attributes:
        heads: one yes/no question each.
        weights: of the n-grams that count, with intercepts by language.
        told: what each sign from outside (a kind of rule that spoke, a context) adds to the heads.
    """

    heads: tuple[str, ...]
    weights: Weights
    told: Mapping[str, Floats]

    def chances(
        self, texts: Sequence[str], signs: Sequence[Collection[str]]
    ) -> tuple[Floats, Index]:
        """Probability per text and head, and the language of each text (0 English, 1 Chinese)."""
        if not texts:
            return np.zeros((0, len(self.heads)), np.float32), np.zeros(0, np.int64)
        pieces = cut(texts)
        heard = logits(pieces.texts, self.weights, SPACE) + self.weights.bias[pieces.lang]
        told = np.array([self._told(own) for own in signs], np.float32)
        return sigmoid(pieces.strongest(heard) + told), pieces.lang[pieces.first]

    def _told(self, signs: Iterable[str]) -> Floats:
        known = [self.told[sign] for sign in sorted({*signs} & self.told.keys())]
        return np.sum(known, axis=0) if known else np.zeros(len(self.heads), np.float32)

    def config(self) -> dict[str, Any]:
        """What of it is written as JSON."""
        return {"heads": list(self.heads), "told": list(self.told)}

    def tensors(self) -> dict[str, NDArray[Any]]:
        """What of it is written as arrays: one byte a weight, in steps of a head's own size."""
        dense = self.weights.dense
        table, square = dense[:, :-1], dense[:, -1]
        step = np.maximum(np.abs(table).max(axis=0), 1e-9) / 127
        told = np.array(list(self.told.values()), np.float32).reshape(-1, len(self.heads))
        return {
            "rows": np.asarray(self.weights.rows, np.int32),
            "table": np.rint(table / step).astype(np.int8),
            "step": step.astype(np.float32),
            "square": square.astype(np.float16),
            "bias": self.weights.bias,
            "told": told,
        }

    @classmethod
    def open(cls, folder: Path, kind: str, heads: tuple[str, ...]) -> tuple[Reading, Artifact]:
        """A reading from a model folder, and whatever else the folder holds.

        Raises:
            ArtifactError: it cannot be used; the message says why.
        """
        artifact = artifacts.load(folder, kind)
        try:
            reading = cls.unpacked(artifact.config, artifact.tensors)
        except KeyError as error:
            raise ArtifactError(f"{folder} lacks {error}: copy the folder again") from error
        except ValueError as error:
            raise ArtifactError(f"{folder} does not fit together: {error}") from error
        if reading.heads != heads:
            raise ArtifactError(f"{folder} answers other questions than this version asks")
        return reading, artifact

    @classmethod
    def unpacked(cls, config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Reading:
        """From what was written.

        Raises:
            KeyError: something is missing.
            ValueError: sizes do not fit.
        """
        heads = tuple(config["heads"])
        # packed as it was written: unpacked, it would be most of what a server takes
        table = Packed(tensors["table"], tensors["step"], tensors["square"])
        rows = tensors["rows"].astype(np.int64)
        weights = Weights(rows, table, tensors["bias"].astype(np.float32))
        if weights.table.shape[1] != len(heads) + 1 or tensors["told"].shape[1] != len(heads):
            raise ValueError(f"a table of shape {weights.table.shape} for {len(heads)} heads")
        told = dict(zip(config["told"], tensors["told"].astype(np.float32), strict=True))
        return cls(heads, weights.indexed(SPACE.bits), told)


@dataclass(frozen=True, slots=True)
class Pieces:
    """What of each text is read at once.

    Attributes:
        texts: revealed pieces (see `untwist.safety.revealed`).
        owner: the text of each piece; never falls.
        lang: the language of each piece's text, 0 English, 1 Chinese.
    """

    texts: list[str]
    owner: Index
    lang: Index

    @property
    def first(self) -> Index:
        """The first piece of each text."""
        return np.flatnonzero(np.diff(self.owner, prepend=-1))

    def strongest(self, heard: Floats) -> Floats:
        """For each text and head, the strongest of its pieces."""
        return np.maximum.reduceat(heard, self.first, axis=0)


def cut(texts: Sequence[str], longest: tuple[int, int] = LONGEST) -> Pieces:
    """The pieces of all texts.

    Every run of up to `RUN` sentences that is not too long is read by itself, so that nothing that
    is added before or after a sentence can hide it.

    Args:
        texts: as they were written.
        longest: longest piece in characters, by language (en, zh).
    """
    pieces: list[str] = []
    owner: list[int] = []
    lang: list[int] = []
    for i, text in enumerate(texts):
        folded = _lines(text)
        code = 1 if language(text) == "zh" else 0
        for start, end in _runs(folded, longest[code]):
            pieces.append(folded[start:end])
            owner.append(i)
            lang.append(code)
    return Pieces(pieces, np.array(owner, np.int64), np.array(lang, np.int64))


def _lines(text: str) -> str:
    """A text with its disguises off, line by line; a label before a colon is a line of its own."""
    lines = (revealed(part) for line in text.splitlines() for part in _LABEL.split(line))
    return "\n".join(line for line in lines if line)


def _runs(text: str, longest: int) -> list[tuple[int, int]]:
    alone = [span for part in sentences(text) for span in _split(part, longest)]
    if len(alone) < 2:
        return [(0, len(text))]
    return [
        (start, alone[last][1])
        for first, (start, _) in enumerate(alone)
        for last in range(first, min(first + RUN, len(alone)))
        if last == first or alone[last][1] - start <= longest
    ]


def _split(span: tuple[int, int], longest: int) -> list[tuple[int, int]]:
    start, end = span
    return [(at, min(at + longest, end)) for at in range(start, end, longest)]
