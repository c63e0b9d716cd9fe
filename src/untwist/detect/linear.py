"""A masked multi-label logistic regression on hashed n-grams, solved in numpy.

Only additions, multiplications, divisions and square roots are used, in a fixed order and without
BLAS, so that equal data and settings give equal bytes on any machine with IEEE arithmetic. Leaves
out: mini-batches, dropout, hidden layers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untwist.embed import DENSE, KINDS, Batch, Space, extract

Floats = NDArray[np.float32]
CHUNK = 256
"""Texts that are scored together; bounds the memory of a stream."""
GATHER = 1 << 15
"""Rows of the weight table that are fetched at a time."""
_WORD = 64

_LN2 = 0.6931471805599453


@dataclass(frozen=True, slots=True)
class Settings:
    """Of a fit.

    Attributes:
        l2: penalty on the weights.
        steps: L-BFGS steps at most.
        min_texts: an n-gram counts when it occurs in at least so many texts.
        space: which n-grams are read.
        hinge: squared hinge loss in place of the logistic one. Texts that are clearly right no
            longer pull, which helps where hard twins decide.
    """

    l2: float
    steps: int
    min_texts: int
    space: Space = DENSE
    hinge: bool = False


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


def pairs(batch: Batch, bits: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct (text, table row) pairs as text * 2**bits + row, ascending, and their counts."""
    keys = [g.doc.astype(np.int64) << bits | g.row for g in batch.grams]
    if not keys:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return np.unique(np.concatenate(keys), return_counts=True)


def emphasis(batch: Batch, bits: int) -> Floats:
    """The factor on the idf of each table row; where families collide the last one decides."""
    factor = np.ones(1 << bits, np.float32)
    for gram in batch.grams:
        factor[gram.row] = gram.emphasis
    return factor


def kinds(batch: Batch, bits: int) -> NDArray[np.int64]:
    """The kind of n-gram of each table row; where kinds collide the last one decides."""
    kind = np.zeros(1 << bits, np.int64)
    for gram in batch.grams:
        kind[gram.row] = gram.kind
    return kind


def design(
    keys: NDArray[np.int64],
    counts: NDArray[np.int64],
    factor: Floats,
    rows: int,
    min_texts: int,
    bits: int,
    kind: NDArray[np.int64] | None = None,
    known: Weights | None = None,
) -> Matrix:
    """TF-IDF rows over the features that occur in at least `min_texts` texts, or are known.

    A text's row is divided by the root of its summed squared idf over all occurrences, exactly as
    `logits` does when it scores; where `kind` is given, each kind of n-gram by itself. Features
    that are known from earlier weights keep their idf.
    """
    doc, row = keys >> bits, keys & ((1 << bits) - 1)
    texts = np.bincount(row, minlength=1 << bits)
    enough = texts >= min_texts
    if known is not None:
        enough[known.rows] = texts[known.rows] > 0
    features = np.flatnonzero(enough)
    place = np.full(1 << bits, -1, np.int64)
    place[features] = np.arange(len(features))
    keep = place[row] >= 0
    doc, column, times = doc[keep], place[row[keep]], counts[keep]
    idf = (log(np.float64(1.0 + rows) / (1.0 + texts[features])) + 1.0) * factor[features]
    if known is not None:
        _, here, there = np.intersect1d(features, known.rows, True, True)
        idf[here] = np.sqrt(known.dense[there, -1].astype(np.float64))
    part = doc if kind is None else doc * KINDS + kind[features[column]]
    square = np.bincount(part, weights=times * idf[column] ** 2)
    value = (times * idf[column] / np.sqrt(square[part])).astype(np.float32)
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
    settings: Settings,
    progress: Callable[[int, float], None] = lambda step, loss: None,
    anchor: tuple[Floats, Floats] | None = None,
) -> tuple[Floats, Floats]:
    """Minimise, summed over heads, the weighted mean loss plus l2/2 |W - A|^2, by L-BFGS.

    Args:
        matrix: the texts.
        gold: targets in [0, 1], shape (texts, heads); the logistic loss of a target between is the
            Bernoulli cross-entropy, which has the slope of the Kullback-Leibler divergence.
        weight: weight of each cell; 0 masks it (CrossLinCD 5.3).
        offset: which row of intercepts a text uses (its language).
        settings: penalty (on the weights, not on the intercepts), steps and loss.
        progress: called after each step with its number and the loss.
        anchor: weights A and intercepts to start from and to stay near; None is zero.

    Returns:
        Weights (features, heads) and intercepts (offsets, heads).
    """
    share = weight / np.maximum(weight.sum(axis=0), 1.0)
    groups = int(offset.max()) + 1
    members = [np.flatnonzero(offset == g) for g in range(groups)]
    loss_of = _squared_hinge if settings.hinge else _logistic
    start = np.zeros((len(matrix.features) + groups, gold.shape[1]), np.float32)
    if anchor is not None:
        start[:-groups], start[-groups:] = anchor[0], anchor[1][:groups]
    home = start[:-groups].copy()

    def loss_and_slope(point: Floats) -> tuple[float, Floats]:
        table, bias = point[:-groups], point[-groups:]
        loss, residual = loss_of(product(matrix, table) + bias[offset], gold, share)
        away = table - home
        pull = transposed_product(matrix, residual) + np.float32(settings.l2) * away
        slope = np.vstack([pull, *(residual[m].sum(axis=0) for m in members)])
        return loss + 0.5 * settings.l2 * float(_dot(away, away)), slope

    point = lbfgs(loss_and_slope, start, settings.steps, progress)
    return point[:-groups], point[-groups:]


def _logistic(logit: Floats, gold: Floats, share: Floats) -> tuple[float, Floats]:
    """The loss and its slope by each logit."""
    chance = sigmoid(logit)
    return _cross_entropy(chance, gold, share), (chance - gold) * share


def _squared_hinge(logit: Floats, gold: Floats, share: Floats) -> tuple[float, Floats]:
    side = 2 * gold - 1
    short = np.maximum(1 - side * logit, 0)
    return float((short * short * share).sum(dtype=np.float64)), -2 * side * short * share


@dataclass(frozen=True, slots=True)
class Packed:
    """A table as it is written, one byte a weight; rows are unpacked when they are asked for.

    Attributes:
        small: weights by n-gram and head, in steps.
        step: the size of a step by head.
        square: the squared idf by n-gram.
    """

    small: NDArray[np.int8]
    step: Floats
    square: NDArray[np.float16]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the unpacked table."""
        return self.small.shape[0], self.small.shape[1] + 1

    def take(self, rows: NDArray[np.int64], axis: int = 0) -> Floats:
        """These rows, unpacked; shape (len(rows), columns)."""
        out = np.empty((len(rows), self.shape[1]), np.float32)
        np.multiply(self.small.take(rows, axis=axis), self.step, out=out[:, :-1])
        out[:, -1] = self.square.take(rows)
        return out


@dataclass(frozen=True, slots=True)
class Places:
    """The place of every known hash among all that are known, as bits and counts.

    A hundredth of what a list of places by hash takes, and small enough to stay near the processor.

    Attributes:
        bits: one bit a hash, 64 in a word.
        before: how many hashes are known before each word.
    """

    bits: NDArray[np.uint64]
    before: NDArray[np.int64]

    @classmethod
    def of(cls, rows: NDArray[np.int64], bits: int) -> Places:
        """From the known hashes, ascending, each below 2**bits."""
        words = np.zeros(max(1, (1 << bits) // _WORD), np.uint64)
        one = np.uint64(1) << (rows % _WORD).astype(np.uint64)
        np.bitwise_or.at(words, rows // _WORD, one)
        counts = np.bitwise_count(words).astype(np.int64)
        return cls(words, np.cumsum(counts) - counts)

    def find(self, hashes: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The place of each hash, and whether it is known at all."""
        word, bit = hashes // _WORD, (hashes % _WORD).astype(np.uint64)
        held = self.bits[word]
        lower = held & ((np.uint64(1) << bit) - np.uint64(1))
        place = self.before[word] + np.bitwise_count(lower)
        return place, (held >> bit) & np.uint64(1) == 1


@dataclass(frozen=True, slots=True)
class Weights:
    """What a fit finds.

    Attributes:
        rows: hash of each n-gram that counts, ascending.
        table: weights by n-gram and head, the squared idf as last column; packed or not.
        bias: intercepts by language (en, zh) and head.
        places: where each hash stands; found by search when it is None, which is slower.
    """

    rows: NDArray[np.int64]
    table: Floats | Packed
    bias: Floats
    places: Places | None = None

    @property
    def dense(self) -> Floats:
        """The whole table as numbers that can be counted with."""
        if isinstance(self.table, Packed):
            return self.table.take(np.arange(len(self.rows)))
        return self.table

    def indexed(self, bits: int) -> Weights:
        """The same weights with an index of places."""
        return Weights(self.rows, self.table, self.bias, Places.of(self.rows, bits))

    def at(self, rows: NDArray[np.int64]) -> Floats:
        """Weights of these n-grams, shape (rows, heads); 0 where one does not count here."""
        found = np.zeros((len(rows), self.table.shape[1] - 1), np.float32)
        _, here, there = np.intersect1d(rows, self.rows, True, True)
        found[here] = self.dense[there, :-1]
        return found

    def changed(self, found: Weights) -> Weights:
        """These weights, but those of `found` where it has any; its intercepts."""
        kept = ~np.isin(self.rows, found.rows)
        rows = np.concatenate([self.rows[kept], found.rows])
        order = np.argsort(rows)
        table = np.concatenate([self.dense[kept], found.dense])[order]
        return Weights(rows[order], table, found.bias)


def fit_weights(
    pieces: Sequence[str],
    gold: Floats,
    weight: Floats,
    lang: NDArray[np.int64],
    settings: Settings,
    progress: Callable[[int, float], None] = lambda step, loss: None,
    known: Weights | None = None,
) -> Weights:
    """Weights from labelled texts, for the n-grams that occur often enough.

    Args:
        pieces: normalised texts.
        gold: targets in [0, 1], shape (texts, heads).
        weight: weight of each cell; 0 masks it.
        lang: 0 for English, 1 for Chinese.
        settings: of the solver.
        progress: called after each step with its number and the loss.
        known: weights of the same heads and space to start from and to stay near.
    """
    bits = settings.space.bits
    batch = extract(pieces, settings.space)
    keys, counts = pairs(batch, bits)
    kind = kinds(batch, bits) if settings.space.apart else None
    factor = emphasis(batch, bits)
    matrix = design(keys, counts, factor, len(pieces), settings.min_texts, bits, kind, known)
    idf = matrix.idf[:, None]
    anchor = None if known is None else (known.at(matrix.features) / idf, known.bias)
    weights, bias = solve(matrix, gold, weight, lang, settings, progress, anchor)
    table = np.concatenate([weights * idf, idf * idf], axis=1, dtype=np.float32)
    found = Weights(matrix.features, table, bias if len(bias) == 2 else bias.repeat(2, axis=0))
    return found if known is None else known.changed(found)


def logits(pieces: Sequence[str], weights: Weights, space: Space = DENSE) -> Floats:
    """What each piece's n-grams say to each head, before the intercept; shape (pieces, heads)."""
    parts = [np.zeros((0, weights.table.shape[1] - 1), np.float32)]
    for at in range(0, len(pieces), CHUNK):
        batch = extract(pieces[at : at + CHUNK], space)
        groups = _by_kind(batch) if space.apart else [batch]
        total = np.zeros((batch.size, weights.table.shape[1] - 1), np.float32)
        for group in groups:
            heard = sums(group, weights)
            total += heard[:, :-1] / np.sqrt(np.maximum(heard[:, -1:], 1e-6))
        parts.append(total)
    return np.concatenate(parts)


def _by_kind(batch: Batch) -> list[Batch]:
    return [
        Batch(tuple(g for g in batch.grams if g.kind == kind), batch.size, batch.origin)
        for kind in range(KINDS)
    ]


def sums(batch: Batch, weights: Weights) -> Floats:
    """Per text, the sum of the table's rows of all its n-grams; shape (texts, columns)."""
    table = weights.table
    out = np.zeros((batch.size, table.shape[1]), np.float32)
    for gram in batch.grams:
        row, known = places_of(gram.row, weights)
        row, doc = row[known], gram.doc[known]
        for at in range(0, len(row), GATHER):
            part = doc[at : at + GATHER]
            border = np.flatnonzero(np.diff(part, prepend=-1))
            out[part[border]] += np.add.reduceat(
                table.take(row[at : at + GATHER], axis=0), border, axis=0
            )
    return out


def places_of(
    hashes: NDArray[np.int32], weights: Weights
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Where in the table each n-gram stands, and whether it is there at all."""
    if weights.places is not None:
        return weights.places.find(hashes)
    place = np.minimum(np.searchsorted(weights.rows, hashes), len(weights.rows) - 1)
    return place, weights.rows[place] == hashes


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
    yes = log(chance.clip(1e-7, 1.0).astype(np.float64))
    no = log((1.0 - chance).clip(1e-7, 1.0).astype(np.float64))
    return float(-((gold * yes + (1.0 - gold) * no) * share).sum())


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
