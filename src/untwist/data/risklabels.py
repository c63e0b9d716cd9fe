"""Labels of the risk corpora: the corpus's own, and the levels of ours that they leave open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from untwist.data.tables import Row, locate
from untwist.errors import DataError
from untwist.schema import Dialogue, Labels, Utterance
from untwist.taxonomy import Risk

EVERY = frozenset(Risk)
"""Nothing is said about the level."""


@dataclass(frozen=True, slots=True)
class RiskLabels(Labels):
    """What a risk corpus says of an utterance, in its words and in ours.

    Attributes:
        own: the corpus's own labels, as it writes them, in its order.
        accept: levels of ours that agree with them; `risk` is set when it is only one.
        whole: the labels are of the writer's utterances together, not of each one.
    """

    own: tuple[str, ...] = ()
    accept: frozenset[Risk] = EVERY
    whole: bool = False


def judged(own: tuple[str, ...], accept: frozenset[Risk], *, whole: bool = False) -> RiskLabels:
    """Labels of risk alone; distortions are not annotated."""
    only = next(iter(accept)) if len(accept) == 1 else None
    return RiskLabels(None, frozenset(), risk=only, own=own, accept=accept, whole=whole)


def message(
    corpus: str, id: str, text: str, labels: RiskLabels, split: str | None = None
) -> Dialogue:
    """A dialogue of one labelled message, a group of its own.

    Raises:
        DataError: the text cannot be read.
    """
    return Dialogue(id, corpus, (Utterance(text, id=id),), (labels,), f"{corpus}:{id}", split)


def level_of(row: Row, column: str, highest: int) -> int:
    """The whole number 0 to `highest` in a column.

    Raises:
        DataError: the cell holds something else.
    """
    cell = row.cells[column].strip()
    if cell not in {str(level) for level in range(highest + 1)}:
        raise DataError(f"column {column} holds no whole number from 0 to {highest}")
    return int(cell)


def parts_in(path: Path | str, parts: dict[str, str]) -> Iterator[tuple[Path, str | None]]:
    """The files of all published parts below a folder, or one file, each with its part.

    The part of a single file is what its name ends in; None when that names none.

    Raises:
        DataError: a file is missing.
    """
    file = Path(path)
    if file.is_file():
        ending = file.stem.rsplit("_", 1)[-1]
        yield file, ending if ending in parts else None
        return
    for part, relative in parts.items():
        yield locate(path, relative), part
