"""What needs no reading at all: the floors that every table shows beside its results."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from untwist.evaluate.cells import Bools, as_cells


def best_constant(gold: ArrayLike, mask: ArrayLike | None = None) -> Bools:
    """The label set that, given to every row, has the best micro-F1; found greedily.

    Starts from the empty set and adds the label that helps most until none helps; of equal labels
    the first column wins. The empty set comes back when there are no gold labels.

    Args:
        gold: (n, labels) of the training or validation rows, never of the test rows unless said.
        mask: (n, labels); None for everywhere.

    Returns:
        (labels,), true where the label is in the set.

    Raises:
        DataError: the shapes differ.
    """
    truth, _, cells = as_cells(gold, gold, mask)
    hits, kept = (truth & cells).sum(axis=0), cells.sum(axis=0)
    total = int(hits.sum())
    chosen = np.zeros(truth.shape[1], bool)
    best = 0.0
    while total and not chosen.all():
        tp, size = hits[chosen].sum() + hits, kept[chosen].sum() + kept
        f1 = np.where(chosen, -1.0, 2 * tp / (size + total))
        place = int(f1.argmax())
        if f1[place] <= best:
            break
        best, chosen[place] = float(f1[place]), True
    return chosen


def sample_prior(
    gold: ArrayLike, rows: int, rng: np.random.Generator, mask: ArrayLike | None = None
) -> Bools:
    """Labels drawn at random, each by its share among the unmasked gold cells.

    Args:
        gold: (n, labels) of the training or validation rows.
        rows: how many rows to draw.
        rng: the source of chance.
        mask: (n, labels); None for everywhere.

    Returns:
        (rows, labels); a label without an unmasked cell is never drawn.

    Raises:
        DataError: the shapes differ.
    """
    truth, _, cells = as_cells(gold, gold, mask)
    share = (truth & cells).sum(axis=0) / np.maximum(cells.sum(axis=0), 1)
    drawn: Bools = rng.random((rows, truth.shape[1])) < share
    return drawn


def all_labels(rows: int, labels: int) -> Bools:
    """Every label on every row: shape (rows, labels)."""
    return np.ones((rows, labels), bool)
