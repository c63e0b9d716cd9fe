"""Texts as tokens by the library tokenizers alone: training, torch and onnxruntime read alike.

Leaves out: padding, which whoever makes a batch adds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untwist.errors import ArtifactError, MissingExtra
from untwist.text import sentences

FILE = "tokenizer.json"
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tokens:
    """A tokenizer with its limits.

    Attributes:
        whole: of the library tokenizers; cuts nothing and pads nothing.
        cut: the same, but it cuts at `longest`.
        longest: tokens of a text that a model reads at once, special ones included.
        pad: the token that fills a batch.
    """

    whole: Any
    cut: Any
    longest: int
    pad: int

    @classmethod
    def of(cls, text: str, longest: int, pad: int) -> Tokens:
        """From the JSON text of a tokenizer; whatever it says of cutting and padding is left out.

        Raises:
            ArtifactError: it is no tokenizer.
            MissingExtra: the library is not installed.
        """
        try:
            library = import_module("tokenizers")
        except ImportError as error:
            raise MissingExtra("a detector by an encoder", "onnx") from error
        try:
            whole, cut = library.Tokenizer.from_str(text), library.Tokenizer.from_str(text)
        except Exception as error:  # the library raises nothing narrower
            raise ArtifactError(f"{FILE} is no tokenizer: copy the folder again") from error
        for one in (whole, cut):
            one.no_padding()
        whole.no_truncation()
        cut.enable_truncation(longest)
        return cls(whole, cut, longest, pad)

    @classmethod
    def load(cls, folder: Path, longest: int, pad: int) -> Tokens:
        """From a model folder.

        Raises:
            ArtifactError: the folder has no tokenizer that can be used.
        """
        try:
            text = (folder / FILE).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ArtifactError(f"cannot read {folder / FILE}: copy the folder again") from error
        return cls.of(text, longest, pad)

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The first `longest` tokens of each text."""
        return [one.ids for one in self.cut.encode_batch(list(texts))]

    def truncated(self, texts: Sequence[str]) -> int:
        """How many texts have more tokens than are read at once."""
        return sum(bool(one.overflowing) for one in self.cut.encode_batch(list(texts)))

    def windows(self, text: str) -> list[tuple[int, int]]:
        """Spans of whole sentences that fit into `longest` tokens; a longer sentence is cut."""
        encoding = self.whole.encode(text)
        if len(encoding.ids) <= self.longest:
            return [(0, len(text))]
        # a piece may begin with a token of its own, for the space that stood before it
        most = self.longest - self.whole.num_special_tokens_to_add(False) - 1
        starts = np.array(sorted(start for start, end in encoding.offsets if end > start))
        spans: list[tuple[int, int]] = []
        for start, end in sentences(text):
            if spans and _within(starts, spans[-1][0], end) <= most:
                spans[-1] = (spans[-1][0], end)
            else:
                spans.extend(_cut(starts, start, end, most))
        return spans or [(0, len(text))]


def _within(starts: Ids, start: int, end: int) -> int:
    return int(np.searchsorted(starts, end) - np.searchsorted(starts, start))


def _cut(starts: Ids, start: int, end: int, most: int) -> list[tuple[int, int]]:
    """A sentence in pieces of at most `most` tokens."""
    first, last = np.searchsorted(starts, (start, end)).tolist()
    cuts = [start]
    while last - first > most:
        # a character may be several tokens: it goes to the next piece whole
        cuts.append(max(int(starts[first + most]), int(starts[first]) + 1))
        first = int(np.searchsorted(starts, cuts[-1]))
    return list(pairwise([*cuts, end]))


def padded(rows: Sequence[Sequence[int]], pad: int) -> tuple[Ids, Ids]:
    """Token ids and the mask of real tokens, both of shape (rows, longest row)."""
    width = max(1, *(len(row) for row in rows))
    ids = np.full((len(rows), width), pad, np.int64)
    mask = np.zeros((len(rows), width), np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return ids, mask
