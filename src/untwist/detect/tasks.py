"""Labelled texts as arrays: read into tokens once, before the first step.

Pure numpy; nothing here needs torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from untwist.detect.encoder_config import EncoderConfig
from untwist.detect.outputs import Outputs
from untwist.detect.tokens import Tokens
from untwist.detect.train import Example
from untwist.errors import DataError
from untwist.taxonomy import CANONICAL

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Task:
    """The texts of one corpus.

    Attributes:
        texts: as they were written.
        ids: tokens of each text.
        gold: labels, shape (texts, outputs).
        mask: 1 where the label is known.
        teacher: a teacher's probabilities; 0 where it said none.
        taught: 1 where it said one and the corpus can carry the label.
        truncated: texts of which only the first tokens are read.
        unjudged: texts left out, since nobody judged anything in them.
    """

    texts: tuple[str, ...]
    ids: tuple[NDArray[np.int64], ...]
    gold: Floats
    mask: Floats
    teacher: Floats
    taught: Floats
    truncated: int
    unjudged: int

    @property
    def lengths(self) -> list[int]:
        """Tokens of each text."""
        return [len(one) for one in self.ids]


def tasks_of(
    examples: Mapping[str, Sequence[Example]], config: EncoderConfig, tokens: Tokens
) -> dict[str, Task]:
    """A task for each corpus.

    Raises:
        DataError: a corpus has no judged text, or a text has several labels where each must have
            one.
    """
    return {name: _task(name, own, config, tokens) for name, own in examples.items()}


def _task(name: str, examples: Sequence[Example], config: EncoderConfig, tokens: Tokens) -> Task:
    outputs = config.outputs
    gold, mask = outputs.targets([one.labels for one in examples])
    judged = np.flatnonzero(mask.any(axis=1)).tolist()
    if not judged:
        raise DataError(f"{name} has no text whose labels are judged: leave it out")
    if config.objective == "one" and (gold[judged].sum(axis=1) != 1).any():
        several = int((gold[judged].sum(axis=1) != 1).sum())
        raise DataError(
            f'{name}: {several} texts have not one label; objective "one" needs a corpus with '
            "exactly one, or none, a text"
        )
    texts = [examples[place].utterance.text for place in judged]
    teacher = np.stack([_teacher(examples[place], outputs) for place in judged])
    taught = (~np.isnan(teacher) & (mask[judged] > 0) & outputs.distortions).astype(np.float32)
    return Task(
        tuple(texts),
        tuple(np.array(row, np.int64) for row in tokens.ids(texts)),
        gold[judged],
        mask[judged],
        np.nan_to_num(teacher, nan=0.0),
        taught,
        tokens.truncated(texts),
        len(examples) - len(judged),
    )


def _teacher(example: Example, outputs: Outputs) -> Floats:
    """A teacher's probability of each output; nan where it said none."""
    said = np.full(outputs.count, np.nan, np.float32)
    if example.teacher is not None:
        where = outputs.canonical
        said[where[where >= 0]] = example.teacher[: len(CANONICAL)][where >= 0]
    return said
