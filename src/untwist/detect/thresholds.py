"""From raw scores to calibrated probabilities, and from probabilities to decisions.

Everything here is fitted on held-out scores (out-of-fold over groups), never on a test part.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from untwist.detect.linear import lbfgs, log, sigmoid

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]


def platt(logit: Floats, gold: Floats, weight: Floats) -> tuple[float, float]:
    """Slope and shift that turn one head's logits into probabilities (Platt 1999).

    Returns (1, 0), that is no change, when only one kind of answer is there.
    """
    keep = weight > 0
    x, y = logit[keep], gold[keep]
    positives, negatives = float(y.sum()), float(len(y) - y.sum())
    if not positives or not negatives:
        return 1.0, 0.0
    scale = max(float(np.abs(x).max()), 1e-6)
    # Platt's smoothed targets keep a separable head from running to infinity.
    target = np.where(y > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    inputs = np.stack([x / scale, np.ones_like(x)]).astype(np.float64)

    def loss_and_slope(point: Floats) -> tuple[float, Floats]:
        chance = sigmoid((inputs * point).sum(axis=0).astype(np.float32)).astype(np.float64)
        safe = np.clip(chance, 1e-7, 1 - 1e-7)
        loss = -(target * log(safe) + (1 - target) * log(1 - safe)).mean()
        slope = (inputs * (chance - target)).mean(axis=1)[:, None]
        return float(loss), slope.astype(np.float32)

    slope, shift = lbfgs(loss_and_slope, np.zeros((2, 1), np.float32), 100)[:, 0]
    return max(float(slope) / scale, 1e-3), float(shift)


def f1(gold: Flags, found: Flags) -> float:
    """2TP / (2TP + FP + FN) over all cells; 0 when nothing is there and nothing was found."""
    both = float((gold & found).sum())
    total = float(gold.sum() + found.sum())
    return 2 * both / total if total else 0.0


def best_threshold(chance: Floats, gold: Flags, mask: Flags, grid: Floats) -> float:
    """The threshold of the grid with the best F1 for one head; the highest of equals."""
    scores = [f1(gold[mask], chance[mask] > t) for t in grid]
    best = max(scores)
    return float(max(t for t, s in zip(grid, scores, strict=True) if s == best))


def precise_threshold(chance: Floats, gold: Flags, mask: Flags, precision: float) -> float:
    """The lowest threshold at which at least this share of what is found is right; else 1."""
    order = np.argsort(-chance[mask], kind="stable")
    hits = np.cumsum(gold[mask][order])
    right = hits / np.arange(1, len(order) + 1)
    good = np.flatnonzero(right >= precision)
    return float(chance[mask][order[good[-1]]]) - 1e-6 if len(good) else 1.0


def gate_for(
    any_chance: Floats, would_fire: Flags, undistorted: Flags, rate: float, grid: Floats
) -> float:
    """The lowest gate at which at most `rate` of the undistorted texts are given any label."""
    fired = would_fire[undistorted]
    for gate in grid:
        if (fired & (any_chance[undistorted] > gate)).mean() <= rate:
            return float(gate)
    return float(grid[-1])
