"""From raw scores to calibrated probabilities, and from probabilities to decisions.

Everything here is fitted on held-out scores (out-of-fold over groups), never on a test part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from untwist.detect.linear import lbfgs, log, sigmoid

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

GRID = np.arange(2, 96).astype(np.float32) / np.float32(100)
SURE = (0.95, 0.9, 0.85, 0.8, 0.7)
LONGER = (2, 4, 8, 16, 32)


def logistic(inputs: Floats, gold: Floats, weight: Floats, l2: Floats) -> Floats:
    """Coefficients of a small logistic regression on dense inputs.

    Args:
        inputs: shape (texts, columns); a constant column gives the intercept.
        gold: 0 or 1 per text.
        weight: weight of each text; 0 leaves it out.
        l2: penalty on each column, for the mean loss.

    Returns:
        One coefficient per column; zeros when only one kind of answer is there.
    """
    keep = weight > 0
    x, w = inputs[keep].astype(np.float64), weight[keep].astype(np.float64)
    if not 0 < gold[keep].sum() < len(x):
        return np.zeros(inputs.shape[1], np.float32)
    share = w / w.sum()
    y = _smoothed(gold[keep])

    def loss_and_slope(point: Floats) -> tuple[float, Floats]:
        by_column = point[:, 0].astype(np.float64)
        chance = sigmoid((x * by_column).sum(axis=1).astype(np.float32)).astype(np.float64)
        safe = np.clip(chance, 1e-7, 1 - 1e-7)
        loss = -((y * log(safe) + (1 - y) * log(1 - safe)) * share).sum()
        slope = (x * ((chance - y) * share)[:, None]).sum(axis=0) + l2 * by_column
        return float(loss + 0.5 * (l2 * by_column**2).sum()), slope[:, None].astype(np.float32)

    start = np.zeros((x.shape[1], 1), np.float32)
    return lbfgs(loss_and_slope, start, 200)[:, 0]


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
    target = _smoothed(y)
    inputs = np.stack([x / scale, np.ones_like(x)]).astype(np.float64)

    def loss_and_slope(point: Floats) -> tuple[float, Floats]:
        chance = sigmoid((inputs * point).sum(axis=0).astype(np.float32)).astype(np.float64)
        safe = np.clip(chance, 1e-7, 1 - 1e-7)
        loss = -(target * log(safe) + (1 - target) * log(1 - safe)).mean()
        slope = (inputs * (chance - target)).mean(axis=1)[:, None]
        return float(loss), slope.astype(np.float32)

    slope, shift = lbfgs(loss_and_slope, np.zeros((2, 1), np.float32), 100)[:, 0]
    return max(float(slope) / scale, 1e-3), float(shift)


def _smoothed(gold: Floats) -> NDArray[np.float64]:
    """Platt's targets, which keep a separable head from running to infinity."""
    positives = float(gold.sum())
    negatives = len(gold) - positives
    return np.where(gold > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))


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


@dataclass(frozen=True, slots=True)
class Decision:
    """When a window of text is given a label; one rule for training and for use.

    Attributes:
        labels: probability above which each distortion is heard.
        gates: probability of "any distortion" below which none is, in a text of 1, up to 2, 4, 8,
            16, and more windows: a long text has more chances to set off a false alarm.
        sure: probability of "any distortion" above which the likeliest distortion is heard even
            when it stays below its own threshold.
    """

    labels: Floats
    gates: tuple[float, ...]
    sure: float

    def fire(self, likely: Floats, any_chance: Floats, windows: NDArray[np.int64]) -> Flags:
        """Which labels each window is given.

        Args:
            likely: probability per window and distortion.
            any_chance: probability of "any distortion" per window.
            windows: into how many windows the window's text was cut.
        """
        step = np.minimum(np.ceil(np.log2(windows)).astype(np.int64), len(self.gates) - 1)
        gate = np.array(self.gates, np.float32)[step]
        fired: Flags = (likely > self.labels) & (any_chance > gate)[:, None]
        sure = any_chance > np.maximum(gate, np.float32(self.sure))
        missed = np.flatnonzero(sure & ~fired.any(axis=1))
        fired[missed, (likely[missed] / self.labels).argmax(axis=1)] = True
        return fired


Rules = tuple[Decision, Decision]
"""One rule for each language (en, zh)."""


def fire(
    rules: Rules,
    lang: NDArray[np.int64],
    likely: Floats,
    any_chance: Floats,
    windows: NDArray[np.int64],
) -> Flags:
    """Which labels each window is given by the rule of its language (0 English, 1 Chinese)."""
    fired = np.zeros(likely.shape, bool)
    for place, rule in enumerate(rules):
        here = lang == place
        fired[here] = rule.fire(likely[here], any_chance[here], windows[here])
    return fired


def decide(
    likely: Floats,
    any_chance: Floats,
    texts: NDArray[np.int64],
    gold: Flags,
    known: Flags,
    rate: float,
) -> Decision:
    """Thresholds by F1 per label; then the gate and the certainty with the best micro-F1.

    Among those that give a label to at most `rate` of the undistorted texts; when no pair does,
    the strictest gate. The gates for longer texts follow from the false alarms of single windows.

    Args:
        likely: held-out probability per window and distortion.
        any_chance: held-out probability of "any distortion" per window.
        texts: first window of each text.
        gold: right answers per text and distortion.
        known: which of them are known.
        rate: largest share of undistorted texts that may be given a label.
    """
    strongest = np.maximum.reduceat(likely, texts, axis=0)
    labels = np.array(
        [
            best_threshold(strongest[:, k], gold[:, k], known[:, k], GRID)
            for k in range(gold.shape[1])
        ],
        np.float32,
    )
    count = np.diff(np.append(texts, len(likely)))
    clean = known.any(axis=1) & ~gold.any(axis=1)
    spare = texts[clean & (count == 1)]
    best, best_score = Decision(labels, (float(GRID[-1]),), 1.0), -1.0
    for sure in (1.0, *SURE):
        alarms = _alarms(labels, sure, likely[spare], any_chance[spare])
        for first in range(0, 60, 3):
            rule = Decision(labels, _gates(first, alarms, rate), sure)
            fired = rule.fire(likely, any_chance, np.repeat(count, count))
            found = np.logical_or.reduceat(fired, texts, axis=0)
            score = f1(gold & known, found & known)
            spared = not clean.any() or found[clean].any(axis=1).mean() <= rate
            if spared and score > best_score:
                best, best_score = rule, score
    return best


def _alarms(labels: Floats, sure: float, likely: Floats, any_chance: Floats) -> Floats:
    """For each gate of the grid, the share of undistorted single windows that are given a label."""
    if not len(likely):
        return np.zeros(len(GRID), np.float32)
    one = np.ones(len(likely), np.int64)
    rules = (Decision(labels, (float(gate),), sure) for gate in GRID)
    shares = [rule.fire(likely, any_chance, one).any(axis=1).mean() for rule in rules]
    return np.array(shares, np.float32)


def _gates(first: int, alarms: Floats, rate: float) -> tuple[float, ...]:
    """The first gate, and those for longer texts.

    Were the windows of a text independent, W of them with a false alarm rate r each would raise one
    with 1 - (1 - r)^W. They are not, so the exponent is the root of W; each gate is the lowest of
    the grid that keeps this at `rate`.
    """
    places = [first]
    for windows in LONGER:
        bound = 1.0 - (1.0 - rate) ** (1.0 / windows**0.5)
        enough = np.flatnonzero(alarms <= bound)
        place = int(enough[0]) if len(enough) else len(GRID) - 1
        places.append(max(places[-1], place))
    return tuple(float(GRID[place]) for place in places)
