"""What the outputs of an encoder detector mean: one per label, then "none", then intensity.

Labels stand in CrossLinCD's order by default. The paper's fifteenth output is its "non" category;
two spellings of comparing are one label here. Leaves out: risk, which has a reader of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from untwist.errors import ConfigError
from untwist.schema import Labels
from untwist.taxonomy import CANONICAL, Distortion, Intensity, taxonomy

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

NONE = "none"
"""The output that says that no label holds; learnt as the others, never scored as a label."""
STEPS = tuple(f"intensity>={step.value}" for step in list(Intensity)[1:])
"""Intensity as cumulative steps: at least moderate, at least severe."""


def crosslincd_labels() -> tuple[str, ...]:
    """The fifteen outputs of CrossLinCD (Table 1, column order), "none" last."""
    aligned = [found[0].value for found in taxonomy("aligned-12").labels.values()]
    rest = (Distortion.NEGATIVE_EMOTION.value, Distortion.COMPARING.value)
    return (*aligned, *rest, NONE)


@dataclass(frozen=True, slots=True)
class Outputs:
    """The columns of a model's answer.

    Attributes:
        labels: slugs of distortions, and `NONE` where it is learnt, in the order of the columns.
        intensity: whether the steps of intensity follow them.

    Raises:
        ConfigError: a label is unknown or stands twice.
    """

    labels: tuple[str, ...]
    intensity: bool = False

    def __post_init__(self) -> None:
        known = {*(d.value for d in Distortion), NONE}
        if unknown := [label for label in self.labels if label not in known]:
            raise ConfigError(f"unknown labels {unknown}: give slugs of `untwist.taxonomy`")
        if len(set(self.labels)) != len(self.labels) or not self.distortions.any():
            raise ConfigError("labels must name each label once, and at least one distortion")

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each column."""
        return (*self.labels, *STEPS) if self.intensity else self.labels

    @property
    def count(self) -> int:
        """How many columns there are."""
        return len(self.names)

    @property
    def distortions(self) -> Flags:
        """True in the columns of distortions, shape (count,)."""
        return np.array([name not in {NONE, *STEPS} for name in self.names])

    @property
    def canonical(self) -> NDArray[np.int64]:
        """The column of each canonical distortion; -1 where the model has none."""
        place = {name: k for k, name in enumerate(self.names)}
        return np.array([place.get(d.value, -1) for d in CANONICAL], np.int64)

    def targets(self, labels: Sequence[Labels]) -> tuple[Floats, Floats]:
        """Gold answers of one corpus and their mask, both of shape (texts, count).

        A cell is masked where the corpus cannot carry the label or nobody judged it. "None" is
        known in a corpus that has undistorted texts; elsewhere it would be learnt as "never".
        """
        gold = np.zeros((len(labels), self.count), np.float32)
        mask = np.zeros_like(gold)
        plain = any(one.distortions is not None and not one.distortions for one in labels)
        for i, one in enumerate(labels):
            if one.distortions is not None:
                held = {d.value for d in one.distortions} or {NONE}
                carried = {d.value for d in one.carried} | ({NONE} if plain else set())
                gold[i] = [name in held for name in self.names]
                mask[i] = [name in carried for name in self.names]
            if self.intensity and one.intensity is not None:
                steps = [one.intensity >= step for step in list(Intensity)[1:]]
                gold[i, -len(STEPS) :], mask[i, -len(STEPS) :] = steps, 1.0
        return gold * mask, mask


def micro_f1(gold: Flags, found: Flags, mask: Flags) -> float:
    """2TP / (2TP + FP + FN), one pooled count over unmasked cells; 0 when there is nothing."""
    both = float((gold & found & mask).sum())
    total = float((gold & mask).sum() + (found & mask).sum())
    return 2 * both / total if total else 0.0


def macro_f1(gold: Flags, found: Flags, mask: Flags) -> float:
    """The mean of the F1 of all labels with an unmasked cell; 0 when there is none."""
    known = np.flatnonzero(mask.any(axis=0))
    scores = [micro_f1(gold[:, k], found[:, k], mask[:, k]) for k in known]
    return float(np.mean(scores)) if scores else 0.0


def best_threshold(chance: Floats, gold: Flags, mask: Flags, grid: Floats) -> float:
    """The threshold of the grid with the best pooled F1, inclusive; the lowest of equals."""
    scores = [micro_f1(gold, chance >= t, mask) for t in grid]
    return float(grid[int(np.argmax(scores))])
