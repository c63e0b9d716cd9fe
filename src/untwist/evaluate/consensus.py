"""What several annotators together say of one item, where most of them agree.

Most means more than half of those who judged; without it there is no consensus, and a senior reader
decides (CoPoLLM, section 3). Nothing is decided by a draw or by who came first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from itertools import groupby
from typing import TypeVar

T = TypeVar("T", bound=Hashable)
Span = tuple[int, int]


def most(votes: Iterable[T | None]) -> T | None:
    """What more than half of those who judged said; None when there is no such value.

    Args:
        votes: None where somebody did not judge.
    """
    given = [vote for vote in votes if vote is not None]
    for value, count in Counter(given).most_common(1):
        if 2 * count > len(given):
            return value
    return None


def most_labels(votes: Sequence[frozenset[T]]) -> frozenset[T] | None:
    """The labels that more than half gave; an empty set when more than half gave none at all.

    Returns:
        None when a label was given by exactly half, or most gave a label but none is given by most:
        that nobody agrees on which does not mean that there is none.
    """
    if not votes:
        return None
    counts = Counter(label for vote in votes for label in vote)
    if any(2 * count == len(votes) for count in counts.values()):
        return None
    found = frozenset(label for label, count in counts.items() if 2 * count > len(votes))
    nothing = sum(not vote for vote in votes)
    return found if found or 2 * nothing > len(votes) else None


def most_spans(marked: Sequence[Sequence[Span]]) -> tuple[Span, ...]:
    """The runs of characters that more than half marked, in order.

    Args:
        marked: (start, end) of each annotator who gave the label, and marked words for it.
    """
    counts = Counter(
        place
        for spans in marked
        for place in {n for start, end in spans for n in range(start, end)}
    )
    held = sorted(place for place, count in counts.items() if 2 * count > len(marked))
    runs = groupby(enumerate(held), key=lambda pair: pair[1] - pair[0])
    places = ([place for _, place in run] for _, run in runs)
    return tuple((run[0], run[-1] + 1) for run in places)
