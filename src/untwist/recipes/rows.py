"""Annotated utterances as arrays, one column for each label, shared by all scoring of detection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from untwist.data import Loaded, Mode, Reading, Refusals, grouped, load_source, parts_of
from untwist.data.splits import PARTS
from untwist.errors import DataError
from untwist.schema import Dialogue, Labels, Utterance
from untwist.taxonomy import CANONICAL, CORPUS_ONLY, Distortion

COLUMNS = (*CANONICAL, *(d for d in Distortion if d in CORPUS_ONLY))
"""The canonical labels, then those that one corpus alone has."""

N = len(CANONICAL)
COLUMN = {distortion: place for place, distortion in enumerate(COLUMNS)}
MODES: tuple[Mode, ...] = ("published", "grouped")
Bools = NDArray[np.bool_]
Progress = Callable[[str, int, int], None]
"""Told the stage, how much of it is done, and how much there is."""


def quiet(stage: str, done: int, total: int) -> None:
    """Tells nobody."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The utterances of one corpus whose distortions are judged.

    Attributes:
        corpus: its name.
        utterances: with their ids; one of a longer dialogue is named "dialogue/place".
        dialogues: the place of each one's dialogue in the corpus.
        histories: what was said before each.
        labels: as annotated.
        gold: (n, 14), columns as `COLUMNS`.
        mask: (n, 14), true where the corpus can carry the label.
        undistorted: (n,), true where annotators gave no label at all.
        groups: the group of each, near-duplicates joined.
        parts: the part of each, by split.
    """

    corpus: str
    utterances: tuple[Utterance, ...]
    dialogues: tuple[int, ...]
    histories: tuple[tuple[Utterance, ...], ...]
    labels: tuple[Labels, ...]
    gold: Bools
    mask: Bools
    undistorted: Bools
    groups: tuple[str, ...]
    parts: dict[Mode, NDArray[np.str_]]

    @property
    def ids(self) -> tuple[str, ...]:
        """The id of each utterance."""
        return tuple(utterance.id or "" for utterance in self.utterances)


def load_each(
    sources: Sequence[str], how: Reading, refusals: Refusals, progress: Progress = quiet
) -> list[Loaded]:
    """Every source, in order.

    Raises:
        DataError: one cannot be read, or two have one name, so that a report could not tell them
            apart.
    """
    loaded = []
    for done, source in enumerate(sources):
        progress("reading", done, len(sources))
        loaded.append(load_source(source, how, refusals))
    progress("reading", len(sources), len(sources))
    names = [one.entry.name for one in loaded]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise DataError(f'{sources[place]}: "{name}" is there already: give each another name')
    return loaded


def rows_of(corpus: str, dialogues: Sequence[Dialogue]) -> Rows:
    """The judged utterances of a corpus.

    Raises:
        DataError: there is none, or the parts are named only here and there.
    """
    parts = {mode: parts_of(corpus, dialogues, mode) for mode in MODES}
    kept = [
        (place, utterance, history, labels)
        for place, dialogue in enumerate(dialogues)
        for utterance, history, labels in _judged(dialogue)
    ]
    if not kept:
        raise DataError(f"{corpus} has no row whose distortions are judged")
    groups = grouped(dialogues)
    labels = tuple(one for _, _, _, one in kept)
    return Rows(
        corpus=corpus,
        utterances=tuple(utterance for _, utterance, _, _ in kept),
        dialogues=tuple(place for place, _, _, _ in kept),
        histories=tuple(history for _, _, history, _ in kept),
        labels=labels,
        gold=np.array([[d in (one.distortions or ()) for d in COLUMNS] for one in labels]),
        mask=np.array([[d in one.carried for d in COLUMNS] for one in labels]),
        undistorted=np.array([not one.distortions for one in labels]),
        groups=tuple(groups[place] for place, _, _, _ in kept),
        parts={m: np.array([parts[m][place] for place, _, _, _ in kept]) for m in MODES},
    )


def joint_groups(loaded: Sequence[Loaded], rows: Sequence[Rows]) -> list[NDArray[np.str_]]:
    """The group of each judged row, joined over all corpora."""
    names = np.array(grouped([d for one in loaded for d in one.dialogues]))
    starts = np.cumsum([0, *(len(one.dialogues) for one in loaded)])
    return [
        names[start + np.array(one.dialogues)] for start, one in zip(starts, rows, strict=False)
    ]


def require_parts(corpora: Sequence[Rows]) -> None:
    """Check that each split has labels to learn from and to tune on, and rows to test on.

    Raises:
        DataError: one has not.
    """
    for one, mode, part in product(corpora, MODES, PARTS):
        here = one.parts[mode] == part
        if part != "test":
            here = here & (one.gold & one.mask).any(axis=1)
        if not here.any():
            raise DataError(
                f"{one.corpus}, {mode} split: no {'row' if part == 'test' else 'label'} in the "
                f"{part} part: leave this corpus out, or name other parts"
            )


def _judged(
    dialogue: Dialogue,
) -> Iterator[tuple[Utterance, tuple[Utterance, ...], Labels]]:
    single = len(dialogue.utterances) == 1
    pairs = zip(dialogue.utterances, dialogue.labels, strict=True)
    for place, (utterance, labels) in enumerate(pairs):
        if labels is None or labels.distortions is None:
            continue
        id = dialogue.id if single else f"{dialogue.id}/{place + 1}"
        named = Utterance(utterance.text, utterance.lang, id, utterance.role)
        yield named, dialogue.utterances[:place], labels
