"""Evidence spans against gold spans, counted in characters.

A cell is one label of one text, or one text whatever the label. On each side it holds spans,
counted as the set of characters that they cover together; a side may hold none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from untwist.errors import DataError
from untwist.evaluate.cells import Floats, known
from untwist.evaluate.resample import RESAMPLES, Interval, group_weights, percentiles

Spans = tuple[tuple[int, int], ...]
"""Sorted, none empty, none touching the next: first character, and one past the last."""

Counts = NDArray[np.int64]
OVERLAP = 0.5
"""Two sides overlap when they share this part of the characters that they cover together (IoU)."""

SPAN_METRICS = {
    "precision": "character precision",
    "recall": "character recall",
    "f1": "character F1",
    "mean_precision": "mean precision",
    "mean_recall": "mean recall",
    "mean_f1": "mean F1",
    "exact": "exact match",
    "overlap": "overlap (IoU ≥ 0.5)",
}
"""The scores of spans, each as it is called in tables."""


@dataclass(frozen=True, slots=True)
class SpanScores:
    """How well spans agree with gold spans.

    Attributes:
        n: how many cells.
        groups: how many groups they form.
        values: by name of `SPAN_METRICS`, 0 to 1; None where not known.
        intervals: 95 % bootstrap intervals over groups; None where not known.
    """

    n: int
    groups: int
    values: dict[str, float | None]
    intervals: dict[str, Interval | None]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        ends = {name: one.to_dict() if one else None for name, one in self.intervals.items()}
        return {"n": self.n, "groups": self.groups, "values": self.values, "intervals": ends}


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long spans are, in characters; None where there is no span.

    Attributes:
        n: cells with a span.
        mean: over those cells.
        median: over those cells.
        p90: 90th percentile over those cells.
        share: mean share of the text that is covered, 0 to 1.
    """

    n: int
    mean: float | None
    median: float | None
    p90: float | None
    share: float | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def trimmed(text: str, start: int, end: int) -> Spans:
    """One span without the space at its ends; none when it holds nothing else.

    Raises:
        DataError: the span is empty or not within the text.
    """
    if not 0 <= start < end <= len(text):
        raise DataError(f"a span is not within the text's {len(text)} characters")
    piece = text[start:end]
    left = start + len(piece) - len(piece.lstrip())
    return ((left, left + len(piece.strip())),) if piece.strip() else ()


def merged(spans: Iterable[tuple[int, int]]) -> Spans:
    """Spans in order, those that overlap or touch made one, empty ones left out.

    Raises:
        DataError: a span begins below 0 or ends before it begins.
    """
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if not 0 <= start <= end:
            raise DataError(f"a span from {start} to {end}: give 0 or more, the end not first")
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif start < end:
            joined.append((start, end))
    return tuple(joined)


def span_counts(gold: Sequence[Spans], predicted: Sequence[Spans]) -> Counts:
    """Characters in common, predicted and gold, for each cell.

    Args:
        gold: one per cell; need not be merged.
        predicted: one per cell, the same cells.

    Returns:
        Shape (n, 3).

    Raises:
        DataError: there are more cells on one side, or a span is none.
    """
    if len(gold) != len(predicted):
        raise DataError(f"{len(predicted)} predicted cells for {len(gold)} gold ones")
    rows = [
        _counted(merged(one), merged(other)) for one, other in zip(gold, predicted, strict=True)
    ]
    return np.array(rows, np.int64).reshape(-1, 3)


def _counted(gold: Spans, predicted: Spans) -> tuple[int, int, int]:
    one, other = (np.array(side, np.int64).reshape(-1, 2) for side in (gold, predicted))
    starts = np.maximum(one[:, None, 0], other[None, :, 0])
    ends = np.minimum(one[:, None, 1], other[None, :, 1])
    common = np.clip(ends - starts, 0, None).sum()
    predicted_size, gold_size = ((side[:, 1] - side[:, 0]).sum() for side in (other, one))
    return int(common), int(predicted_size), int(gold_size)


def span_scores(
    counts: ArrayLike,
    groups: Sequence[str],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> SpanScores:
    """Scores of cells: over all their characters together, and as means over cells.

    A cell in which one side alone has spans scores 0 in every mean; one in which neither has any
    scores 1. Equal generators draw equal resamples, whatever the counts.

    Args:
        counts: (n, 3), as `span_counts` gives them.
        groups: the group of each cell; whole groups are drawn, with replacement.
        rng: the source of chance.
        resamples: how many.

    Raises:
        DataError: the shapes differ, or more characters are in common than either side has.
    """
    table = np.asarray(counts, np.int64)
    if table.shape != (len(groups), 3):
        raise DataError(f"counts of shape {table.shape} for {len(groups)} groups: give (n, 3)")
    if (table < 0).any() or (table[:, :1] > table[:, 1:]).any():
        raise DataError("more characters in common than either side has")
    names, code = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    cells = _cells(table)
    sums = np.zeros((names.size, cells.shape[1]))
    np.add.at(sums, code, cells)
    whole = _metrics(sums.sum(axis=0, keepdims=True))[:, 0]
    values = {name: known(value) for name, value in zip(SPAN_METRICS, whole, strict=True)}
    intervals = _intervals(sums, rng, resamples)
    return SpanScores(len(table), names.size, values, intervals)


def _cells(counts: Counts) -> Floats:
    """What is added up over cells: counts, then one, then what each mean is taken of."""
    hit, predicted, gold = counts.T.astype(float)
    silent = predicted + gold == 0

    def share(under: Floats) -> Floats:
        return np.where(silent, 1.0, hit / np.maximum(under, 1))

    exact = (hit == predicted) & (hit == gold)
    overlap = share(predicted + gold - hit) >= OVERLAP
    f1 = np.where(silent, 1.0, 2 * hit / np.maximum(predicted + gold, 1))
    means = (share(predicted), share(gold), f1, exact, overlap)
    return np.stack([hit, predicted, gold, np.ones(len(counts)), *means], axis=1)


def _metrics(sums: Floats) -> Floats:
    """`SPAN_METRICS` (rows) for each row of sums (columns); NaN where not known."""
    hit, predicted, gold, n, *means = sums.T
    with np.errstate(invalid="ignore", divide="ignore"):
        micro = (hit / predicted, hit / gold, 2 * hit / (predicted + gold))
        return np.stack([*micro, *(one / n for one in means)])


def _intervals(
    sums: Floats, rng: np.random.Generator, resamples: int
) -> dict[str, Interval | None]:
    if len(sums) < 2:
        return dict.fromkeys(SPAN_METRICS)
    drawn = [_metrics(weights @ sums) for weights in group_weights(len(sums), resamples, rng)]
    values = np.concatenate(drawn, axis=1)
    return {name: percentiles(row) for name, row in zip(SPAN_METRICS, values, strict=True)}


def span_lengths(spans: Sequence[Spans], texts: Sequence[int]) -> Lengths:
    """How long the spans of cells are, cells without a span left out.

    Args:
        spans: one per cell.
        texts: characters of each cell's text.

    Raises:
        DataError: there are more or fewer texts than cells, or a text is shorter than its spans.
    """
    if len(spans) != len(texts):
        raise DataError(f"{len(texts)} texts for {len(spans)} cells")
    joined = [merged(one) for one in spans]
    if any(one and one[-1][1] > size for one, size in zip(joined, texts, strict=True)):
        raise DataError("a span is longer than its text")
    sizes = np.array([sum(end - start for start, end in one) for one in joined], float)
    marked = sizes > 0
    if not marked.any():
        return Lengths(0, None, None, None, None)
    kept = sizes[marked]
    share = (kept / np.asarray(texts, float)[marked]).mean()
    median, p90 = np.quantile(kept, [0.5, 0.9])
    return Lengths(kept.size, float(kept.mean()), float(median), float(p90), float(share))
