"""Rows whose detector is a language model: several questions at once, and who is unscored."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator

from untwist.data import Failure, Item
from untwist.detect import PromptedDetector
from untwist.errors import ModelError
from untwist.schema import Assessment, Utterance


def assessed(
    detector: PromptedDetector, rows: Iterable[Item | Failure]
) -> Generator[tuple[Item | Failure, Assessment | Failure], None, None]:
    """Each row with its assessment, or with the failure that marks it, in order.

    Raises:
        DataError: a row cannot be read; all before it are answered first.
    """
    waiting: deque[Item | Failure] = deque()

    def items() -> Iterator[tuple[Utterance, tuple[Utterance, ...]]]:
        for row in rows:
            waiting.append(row)
            if isinstance(row, Item):
                yield row.utterance, tuple(row.history)

    for answer in detector.each(items()):
        yield from _unreadable(waiting)
        row = waiting.popleft()
        yield row, unscored(row, answer) if isinstance(answer, ModelError) else answer
    yield from _unreadable(waiting)


def _unreadable(waiting: deque[Item | Failure]) -> Iterator[tuple[Failure, Failure]]:
    while waiting and isinstance(waiting[0], Failure):
        failure = waiting.popleft()
        if isinstance(failure, Failure):
            yield failure, failure


def unscored(row: Item | Failure, error: ModelError) -> Failure:
    """The mark of a row that the model did not answer: no label, no level, and the reason."""
    return Failure(row.line, row.id, f"unscored ({error.reason or 'model'}): {error}")
