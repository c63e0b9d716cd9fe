"""From the weights of a linear model to the words that made its decision.

Each n-gram's share of a head's logit is spread over its characters. The evidence is the clause with
the highest sum of shares, with its neighbours as long as they carry a fair part of that sum. Whole
clauses read well and agreed better with marked spans than the best run of characters did (LOG.md).
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from untwist.detect.linear import Weights, places_of
from untwist.embed import KINDS, Batch

Floats = NDArray[np.float32]

NEIGHBOUR = 0.3
"""A neighbouring clause is evidence too when it carries this part of the best clause's sum."""

_END = re.compile(r"[,.;:!?。！？；：、…\n]+\s*| - ")


def shares(
    batch: Batch, weights: Weights, apart: bool, head: NDArray[np.int64], length: int
) -> Floats:
    """Each character's share of one head's logit per text.

    Args:
        batch: the n-grams.
        weights: the model's.
        apart: each kind of n-gram is scaled by itself, as in `Space`.
        head: which head to explain, one per text.
        length: number of characters of the joined text.

    Returns:
        One number per character of the joined text.
    """
    known = [(gram, *places_of(gram.row, weights)) for gram in batch.grams]
    size = np.zeros((KINDS, batch.size))
    for gram, row, there in known:
        square = weights.dense[row[there], -1]
        size[gram.kind if apart else 0] += np.bincount(gram.doc[there], square, batch.size)
    scale = 1.0 / np.sqrt(np.maximum(size, 1e-6))
    change = np.zeros(length + 1)
    for gram, row, there in known:
        doc, start, end = gram.doc[there], gram.start[there], gram.end[there]
        part = weights.dense[row[there], head[doc]] / (end - start)
        part = part * scale[gram.kind if apart else 0, doc]
        change += np.bincount(start, part, length + 1)
        change -= np.bincount(end, part, length + 1)
    return np.cumsum(change[:-1]).astype(np.float32)


def clauses(text: str) -> list[tuple[int, int]]:
    """Spans between punctuation marks, marks left out; else the whole text."""
    spans: list[tuple[int, int]] = []
    start = 0
    for mark in [*_END.finditer(text), None]:
        end = mark.start() if mark else len(text)
        left = start + len(text[start:end]) - len(text[start:end].lstrip())
        if text[left:end].strip():
            spans.append((left, left + len(text[left:end].rstrip())))
        start = mark.end() if mark else end
    return spans or [(0, len(text))]


def best_clauses(text: str, share: Floats) -> tuple[int, int]:
    """The span of the clauses that made the decision; never empty."""
    spans = clauses(text)
    total = [float(share[start:end].sum()) for start, end in spans]
    first = last = max(range(len(spans)), key=total.__getitem__)
    needed = NEIGHBOUR * total[first]
    while first > 0 and total[first - 1] > needed:
        first -= 1
    while last + 1 < len(spans) and total[last + 1] > needed:
        last += 1
    return spans[first][0], spans[last][1]
