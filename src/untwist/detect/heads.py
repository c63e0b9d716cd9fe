"""What the detector's outputs mean: one yes/no head per question, in a fixed order.

Twelve distortions; "is there any distortion at all"; intensity as cumulative steps (at least
moderate, at least severe). Risk is not asked here: it has a reader of its own (`risk.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from untwist.schema import Labels
from untwist.taxonomy import CANONICAL, Intensity

DISTORTIONS = slice(0, len(CANONICAL))
ANY = len(CANONICAL)
INTENSITY = slice(ANY + 1, ANY + 1 + len(Intensity) - 1)
COUNT = INTENSITY.stop
NAMES: tuple[str, ...] = (
    *(d.value for d in CANONICAL),
    "any",
    *(f"intensity>={i.value}" for i in list(Intensity)[1:]),
)


def targets(labels: Sequence[Labels]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Gold answers and their mask, both of shape (texts, COUNT).

    A cell is masked where the corpus cannot carry the label or nobody judged it.
    """
    gold = np.zeros((len(labels), COUNT), np.float32)
    mask = np.zeros((len(labels), COUNT), np.float32)
    for i, label in enumerate(labels):
        if label.distortions is not None:
            gold[i, DISTORTIONS] = [d in label.distortions for d in CANONICAL]
            mask[i, DISTORTIONS] = [d in label.carried for d in CANONICAL]
            gold[i, ANY] = gold[i, DISTORTIONS].any()
            mask[i, ANY] = 1.0
        if label.intensity is not None:
            gold[i, INTENSITY] = [label.intensity >= step for step in list(Intensity)[1:]]
            mask[i, INTENSITY] = 1.0
    return gold, mask
