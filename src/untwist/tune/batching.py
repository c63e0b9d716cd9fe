"""Batches: which samples make a step, in which order, and how they are laid side by side.

Samples of like length stand together, so that little is computed on padding, and every step has
each stream in nearly the share that it has in the data. Rows are padded on the left: the targets
end in one column, and the model's last layer is computed for as many columns as the longest
target has, and for no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untwist.tune.examples import STREAMS
from untwist.tune.masking import IGNORED, Encoded

WINDOW = 32
"""Steps whose samples are sorted by length together; the order of steps is random in it."""

PASS = 128
"""What another pass through the model costs, in tokens of padding that it must save."""

Row = Mapping[str, Any]
"""A sample as `rows` gives it: `input_ids`, `labels` and `stream` as its place in `STREAMS`."""


def rows(samples: Sequence[Encoded], multiple: int = 1) -> dict[str, list[Any]]:
    """The samples as columns, filled up with rows that weigh nothing.

    Args:
        samples: in any order.
        multiple: the number of rows becomes one of its multiples: rows of all processes that are
            computed at a time. So no process repeats a sample to keep up with the others.
    """
    missing = -len(samples) % multiple
    blank = [samples[0].input_ids[-1]] if samples else []
    return {
        "input_ids": [list(s.input_ids) for s in samples] + [blank] * missing,
        "labels": [list(s.labels) for s in samples] + [[IGNORED]] * missing,
        "stream": [STREAMS.index(s.stream) for s in samples] + [len(STREAMS) - 1] * missing,
    }


def epoch_order(
    lengths: NDArray[np.int64],
    streams: NDArray[np.int64],
    step: int,
    seed: tuple[int, ...],
    *,
    grouped: bool = True,
) -> NDArray[np.int64]:
    """The order of one epoch: every sample once, `step` of them after the other make a step.

    Args:
        lengths: tokens of each sample.
        streams: of each sample, its place in `STREAMS`.
        step: samples of a step, over all micro-batches and processes.
        seed: the run's seed and the epoch's number; equal ones give equal orders.
        grouped: sort by length within windows of `WINDOW` steps; otherwise the streams are spread
            evenly and all else is chance.

    Returns:
        Places of the samples. An incomplete step stands last. Within a step the longest comes
        first, so that its micro-batches hold samples of like length; that changes no gradient.
    """
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(lengths))
    order = shuffled[_spread_streams(streams[shuffled])]
    if not grouped:
        return order
    windows = []
    for start in range(0, len(order), WINDOW * step):
        window = order[start : start + WINDOW * step]
        by_length = window[np.argsort(lengths[window], kind="stable")]
        even = by_length[_spread_streams(streams[by_length])]
        whole, rest = divmod(len(even), step)
        # the incomplete step is taken from anywhere: the end of the row holds the longest
        cut = int(rng.integers(whole + 1)) * step
        full = np.concatenate([even[:cut], even[cut + rest :]]).reshape(whole, step)
        windows += [*rng.permutation(full), even[cut : cut + rest]]
    return np.concatenate([_longest_first(each, lengths) for each in windows] or [order])


def collate(batch: Sequence[Row], pad: int) -> dict[str, NDArray[np.int64]]:
    """Rows of one batch side by side, padded on the left.

    Args:
        batch: rows of any length.
        pad: the token that fills up; it is neither seen nor learned.

    Returns:
        `input_ids`, `labels`, `attention_mask` and `position_ids`, shape (rows, longest), and
        `stream`, shape (rows,).
    """
    width = max(len(row["input_ids"]) for row in batch)
    shape = (len(batch), width)
    ids = np.full(shape, pad, np.int64)
    labels = np.full(shape, IGNORED, np.int64)
    seen = np.zeros(shape, np.int64)
    for place, row in enumerate(batch):
        start = width - len(row["input_ids"])
        ids[place, start:] = row["input_ids"]
        labels[place, start:] = row["labels"]
        seen[place, start:] = 1
    return {
        "input_ids": ids,
        "labels": labels,
        "attention_mask": seen,
        "position_ids": np.maximum(np.cumsum(seen, axis=1) - 1, 0),
        "stream": np.asarray([row["stream"] for row in batch], np.int64),
    }


def passes(lengths: Sequence[int]) -> list[list[int]]:
    """The rows of a batch that go through the model together, so that least is computed in all.

    A step that has both streams has long and short rows: two passes over rows of like length cost
    less than one in which the short ones are padded. The sum of the losses stays what it was.

    Args:
        lengths: tokens of each row.

    Returns:
        Places of rows, each once; the parts of least padded size, with `PASS` more for each part.
    """
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    # best[n]: cost of the first n rows, and where their last part begins
    best: list[tuple[int, int]] = [(0, 0)]
    for end in range(1, len(order) + 1):
        best.append(
            min(
                (best[start][0] + lengths[order[start]] * (end - start) + PASS, start)
                for start in range(end)
            )
        )
    parts, end = [], len(order)
    while end:
        start = best[end][1]
        parts.append(order[start:end])
        end = start
    return parts[::-1]


def padding_share(lengths: NDArray[np.int64], order: NDArray[np.int64], batch: int) -> float:
    """The share of a run's columns that is padding, when batches follow the order."""
    if not len(order):
        return 0.0
    wide = [lengths[order[at : at + batch]] for at in range(0, len(order), batch)]
    return 1 - float(lengths[order].sum()) / float(sum(each.max() * len(each) for each in wide))


def _spread_streams(streams: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places in an order in which every stretch has each stream in its share of the whole.

    Within a stream the order stays.
    """
    key = np.empty(len(streams))
    for stream in np.unique(streams):
        mine = np.flatnonzero(streams == stream)
        key[mine] = (np.arange(len(mine)) + 0.5) / len(mine)
    return np.argsort(key, kind="stable")


def _longest_first(step: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return step[np.argsort(-lengths[step], kind="stable")]
