"""A masked multi-label logistic regression on hashed n-grams, solved in numpy.

Only additions, multiplications, divisions and square roots are used, in a fixed order and without
BLAS, so that equal data and settings give equal bytes on any machine with IEEE arithmetic. Leaves
out: mini-batches, dropout, hidden layers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untwist.detect.features import BITS, Batch

Floats = NDArray[np.float32]
_LN2 = 0.6931471805599453


@dataclass(frozen=True, slots=True)
class Matrix:
    """A sparse design matrix, stored twice: by text and by feature.

    Attributes:
        rows: number of texts.
        features: weight-table row of each column that is used, ascending.
        by_row: (column, value, border) of the entries in text order; `border` is the first entry
            of each text.
        by_column: (text, value, border) of the same entries in feature order.
        idf: inverse document frequency of each column.
    """

    rows: int
    features: NDArray[np.int64]
    by_row: tuple[NDArray[np.int64], Floats, NDArray[np.int64]]
    by_column: tuple[NDArray[np.int64], Floats, NDArray[np.int64]]
    idf: Floats


def pairs(batch: Batch) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct (text, table row) pairs as text * 2**BITS + row, ascending, and their counts."""
    keys = [g.doc.astype(np.int64) << BITS | g.row for g in batch.grams]
    if not keys:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return np.unique(np.concatenate(keys), return_counts=True)


def emphasis(batch: Batch) -> Floats:
    """The factor on the idf of each table row; where families collide the last one decides."""
    factor = np.ones(1 << BITS, np.float32)
    for gram in batch.grams:
        factor[gram.row] = gram.emphasis
    return factor


def design(
    keys: NDArray[np.int64],
    counts: NDArray[np.int64],
    factor: Floats,
    rows: int,
    min_texts: int,
) -> Matrix:
    """TF-IDF rows over the features that occur in at least `min_texts` texts.

    A text's row is divided by the root of its summed squared idf over all occurrences, exactly as
    `untwist.detect.fast` does when it scores.
    """
    doc, row = keys >> BITS, keys & ((1 << BITS) - 1)
    texts = np.bincount(row, minlength=1 << BITS)
    features = np.flatnonzero(texts >= min_texts)
    place = np.full(1 << BITS, -1, np.int64)
    place[features] = np.arange(len(features))
    keep = place[row] >= 0
    doc, column, times = doc[keep], place[row[keep]], counts[keep]
    idf = (log(np.float64(1.0 + rows) / (1.0 + texts[features])) + 1.0) * factor[features]
    square = np.bincount(doc, weights=times * idf[column] ** 2, minlength=rows)
    value = (times * idf[column] / np.sqrt(square[doc])).astype(np.float32)
    order = np.argsort(column, kind="stable")
    row_border = np.searchsorted(doc, np.arange(rows))
    column_border = np.searchsorted(column[order], np.arange(len(features)))
    return Matrix(
        rows,
        features,
        (column, value, row_border),
        (doc[order], value[order], column_border),
        idf.astype(np.float32),
    )


def product(matrix: Matrix, weights: Floats) -> Floats:
    """Design matrix times weights, shape (texts, heads)."""
    column, value, border = matrix.by_row
    filled = np.diff(np.append(border, len(column))) > 0
    out = np.zeros((matrix.rows, weights.shape[1]), np.float32)
    out[filled] = np.add.reduceat(weights[column] * value[:, None], border[filled], axis=0)
    return out


def transposed_product(matrix: Matrix, residual: Floats) -> Floats:
    """Transposed design matrix times residuals, shape (features, heads)."""
    doc, value, border = matrix.by_column
    return np.add.reduceat(residual[doc] * value[:, None], border, axis=0)


def solve(
    matrix: Matrix,
    gold: Floats,
    weight: Floats,
    offset: NDArray[np.int64],
    l2: float,
    steps: int,
    progress: Callable[[int, float], None] = lambda step, loss: None,
) -> tuple[Floats, Floats]:
    """Minimise, summed over heads, the weighted mean log-loss plus l2/2 |W|^2, by L-BFGS.

    Args:
        matrix: the texts.
        gold: targets 0 or 1, shape (texts, heads).
        weight: weight of each cell; 0 masks it (CrossLinCD 5.3).
        offset: which row of intercepts a text uses (its language).
        l2: penalty on the weights, not on the intercepts.
        steps: number of L-BFGS steps at most.
        progress: called after each step with its number and the loss.

    Returns:
        Weights (features, heads) and intercepts (offsets, heads).
    """
    share = weight / np.maximum(weight.sum(axis=0), 1.0)
    groups = int(offset.max()) + 1
    members = [np.flatnonzero(offset == g) for g in range(groups)]

    def loss_and_slope(point: Floats) -> tuple[float, Floats]:
        table, bias = point[:-groups], point[-groups:]
        chance = sigmoid(product(matrix, table) + bias[offset])
        residual = (chance - gold) * share
        pull = transposed_product(matrix, residual) + np.float32(l2) * table
        slope = np.vstack([pull, *(residual[m].sum(axis=0) for m in members)])
        penalty = 0.5 * l2 * float(_dot(table, table))
        return _cross_entropy(chance, gold, share) + penalty, slope

    start = np.zeros((len(matrix.features) + groups, gold.shape[1]), np.float32)
    point = lbfgs(loss_and_slope, start, steps, progress)
    return point[:-groups], point[-groups:]


def lbfgs(
    loss_and_slope: Callable[[Floats], tuple[float, Floats]],
    start: Floats,
    steps: int,
    progress: Callable[[int, float], None] = lambda step, loss: None,
    memory: int = 8,
) -> Floats:
    """Limited-memory BFGS with backtracking (Nocedal and Wright, algorithm 7.5).

    Ends after `steps` steps, or when no step along the direction makes the loss smaller.
    """
    point, (loss, slope) = start, loss_and_slope(start)
    moves: list[tuple[Floats, Floats, float]] = []
    for step in range(steps):
        direction = -_two_loops(slope, moves)
        descent = _dot(direction, slope)
        size, reached = 1.0 if moves else 4.0, None
        while size > 1e-4:
            trial = point + np.float32(size) * direction
            new_loss, new_slope = loss_and_slope(trial)
            if new_loss <= loss + 1e-4 * size * descent:
                reached = trial
                break
            size *= 0.5
        if reached is None:
            break
        moved, turned = reached - point, new_slope - slope
        curvature = _dot(moved, turned)
        if curvature > 1e-12:
            moves = [*moves[1 - memory :], (moved, turned, curvature)]
        point, loss, slope = reached, new_loss, new_slope
        progress(step, loss)
    return point


def _two_loops(slope: Floats, moves: list[tuple[Floats, Floats, float]]) -> Floats:
    """The inverse Hessian's estimate times the slope."""
    direction, shares = slope, []
    for moved, turned, curvature in reversed(moves):
        shares.append(_dot(moved, direction) / curvature)
        direction = direction - np.float32(shares[-1]) * turned
    if moves:
        _, turned, curvature = moves[-1]
        direction = direction * np.float32(curvature / _dot(turned, turned))
    for (moved, turned, curvature), share in zip(moves, reversed(shares), strict=True):
        again = _dot(turned, direction) / curvature
        direction = direction + np.float32(share - again) * moved
    return direction


def _dot(a: Floats, b: Floats) -> float:
    return float((a * b).sum(dtype=np.float64))


def _cross_entropy(chance: Floats, gold: Floats, share: Floats) -> float:
    hit = np.where(gold > 0.5, chance, 1.0 - chance).clip(1e-7, 1.0)
    return float(-(log(hit.astype(np.float64)) * share).sum())


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp(-x)), the same bits on every processor (numpy's own exp is not)."""
    bounded = np.clip(x, -40.0, 40.0).astype(np.float64)
    return (1.0 / (1.0 + _exp(-bounded))).astype(np.float32)


def _exp(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exponential by range reduction and Taylor series; relative error below 1e-9."""
    whole = np.rint(x / _LN2)
    rest = x - whole * _LN2
    series = np.ones_like(rest)
    for divisor in range(9, 0, -1):
        series = 1.0 + series * rest / divisor
    return np.ldexp(series, whole.astype(np.int32))


def log(x: NDArray[Any]) -> NDArray[np.float64]:
    """Natural logarithm by the exponent and an atanh series; relative error below 1e-9."""
    fraction, exponent = np.frexp(np.asarray(x, np.float64))
    ratio = (fraction - 0.75) / (fraction + 0.75)
    square = ratio * ratio
    series = np.zeros_like(ratio)
    for divisor in range(19, 0, -2):
        series = series * square + 1.0 / divisor
    return 2.0 * ratio * series + exponent * _LN2 - 0.28768207245178096
