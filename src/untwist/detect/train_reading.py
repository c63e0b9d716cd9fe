"""Training a linear reader: labelled texts in, weights and held-out probabilities out; numpy only.

One fit per fold gives scores for texts of writers that the model has not seen; calibration, and
what signs from outside add, come from these. One last fit on everything gives the weights. Which
cuts follow is the business of each reader.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from untwist.detect.linear import Settings, Weights, fit_weights, logits, sigmoid
from untwist.detect.reading import SPACE, Reading, cut
from untwist.detect.thresholds import GRID, logistic
from untwist.errors import DataError
from untwist.safety import revealed

Floats = NDArray[np.float32]
Index = NDArray[np.int64]
Progress = Callable[[str, int, int], None]
LEAST = 0.2
"""No cut is lower, however well the lessons can be told apart."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """Labelled texts.

    Attributes:
        texts: as they were written.
        gold: answers 0 or 1, shape (texts, heads).
        mask: weight of each answer; 0 where it is not known.
        groups: who wrote each text; the texts of one writer are held out together.
        signs: what is heard of each text from outside.
        fresh: weight of each text for calibration; 0 where signs look better than they are.
        whole: whether a text is learned as a whole, because which piece matters is not known.
    """

    texts: Sequence[str]
    gold: Floats
    mask: Floats
    groups: Sequence[str]
    signs: Sequence[frozenset[str]]
    fresh: Floats
    whole: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Learned:
    """A reader, and what models that had not seen each text said of it.

    Attributes:
        reading: the reader.
        chance: held-out probability per text and head.
        lang: language of each text, 0 English, 1 Chinese.
    """

    reading: Reading
    chance: Floats
    lang: Index


def learn(
    lessons: Lessons,
    heads: tuple[str, ...],
    settings: Settings,
    folds: int,
    seed: int,
    progress: Progress = lambda stage, done, total: None,
    sign_l2: float = 1e-3,
) -> Learned:
    """Train a reader; equal lessons, settings and seed give equal bytes.

    Args:
        lessons: labelled texts.
        heads: names of the questions.
        settings: of each fit.
        folds: folds by writer.
        seed: of the folds.
        progress: called with stage, steps done and steps in all.
        sign_l2: penalty on what a sign adds.

    Raises:
        DataError: there are fewer writers than folds, or no text at all.
    """
    if not lessons.texts:
        raise DataError("no labelled messages: name a file of cases")
    fold = _folds(lessons.groups, folds, seed)
    pieces = cut(lessons.texts)
    rows = _rows(lessons)
    heard = np.zeros((len(pieces.texts), len(heads)), np.float32)
    for k in range(folds):
        model = _fit(rows.take(fold != k), lessons, settings, f"fold {k + 1}/{folds}", progress)
        at = np.flatnonzero(fold[pieces.owner] == k)
        said = logits([pieces.texts[i] for i in at], model, SPACE)
        heard[at] = said + model.bias[pieces.lang[at]]
    model = _fit(rows, lessons, settings, "all texts", progress)
    fit = _calibrate(lessons, pieces.strongest(heard), sign_l2)
    chance = fit.chances(pieces.strongest(heard), lessons.signs)
    reading = Reading(heads, fit.scaled(model), fit.told)
    return Learned(reading, chance, pieces.lang[pieces.first])


def even_cut(chance: Floats, gold: NDArray[np.bool_], asked: NDArray[np.bool_]) -> float:
    """The cut of the grid at which most answers are right; the highest of equals."""
    right = [int(((chance[asked] > cut_) == gold[asked]).sum()) for cut_ in GRID]
    return float(GRID[len(GRID) - 1 - int(np.argmax(right[::-1]))])


def spared_cut(chance: Floats, spoken: NDArray[np.bool_], rate: float) -> float:
    """The lowest cut that keeps false alarms at a rate, those counted that rules raise already.

    The reader has half of the rate in any case.

    Args:
        chance: held-out probability of each text that must not be raised.
        spoken: whether the rules raise it already.
        rate: share that may be raised by both together.
    """
    spare = max(rate * len(spoken) - int(spoken.sum()), rate * len(spoken) / 2)
    ordered = np.sort(chance[~spoken])
    if not len(ordered):
        return LEAST
    return max(float(ordered[max(len(ordered) - 1 - int(spare), 0)]), LEAST)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Training rows: pieces of some texts, others whole."""

    pieces: list[str]
    owner: Index
    lang: Index
    share: Floats

    def take(self, keep: NDArray[np.bool_]) -> _Rows:
        at = np.flatnonzero(np.asarray(keep)[self.owner])
        return _Rows([self.pieces[i] for i in at], self.owner[at], self.lang[at], self.share[at])


def _rows(lessons: Lessons) -> _Rows:
    """Pieces of one text share its weight, but for a little that longer texts are worth more."""
    pieces = cut(lessons.texts)
    count = np.bincount(pieces.owner, minlength=len(lessons.texts))
    share = (1.0 / np.sqrt(count[pieces.owner])).astype(np.float32)
    every = _Rows(pieces.texts, pieces.owner, pieces.lang, share)
    parts = every.take(np.logical_not(lessons.whole))
    at = np.flatnonzero(lessons.whole)
    return _Rows(
        [*parts.pieces, *(revealed(lessons.texts[int(i)]) for i in at)],
        np.concatenate([parts.owner, at]),
        np.concatenate([parts.lang, pieces.lang[pieces.first][at]]),
        np.concatenate([parts.share, np.ones(len(at), np.float32)]),
    )


def _folds(groups: Sequence[str], folds: int, seed: int) -> Index:
    """A fold per text; one writer's texts share it, and the folds are about equally large."""
    sizes = Counter(groups)
    if len(sizes) < folds:
        raise DataError(f"{len(sizes)} writers of messages for {folds} folds: set folds lower")
    names = sorted(sizes)
    order = np.random.default_rng(seed).permutation(len(names))
    ranked = sorted((names[i] for i in order), key=lambda name: -sizes[name])
    filled, of_group = [0] * folds, {}
    for name in ranked:
        fold = filled.index(min(filled))
        of_group[name] = fold
        filled[fold] += sizes[name]
    return np.array([of_group[group] for group in groups], np.int64)


def _fit(
    rows: _Rows, lessons: Lessons, settings: Settings, stage: str, progress: Progress
) -> Weights:
    right = lessons.gold[rows.owner]
    weight = lessons.mask[rows.owner] * rows.share[:, None]
    positive = (right * weight).sum(axis=0)
    negative = ((1 - right) * weight).sum(axis=0)
    lift = np.sqrt(np.maximum(negative, 1) / np.maximum(positive, 1))
    lifted = weight * np.where(right > 0, np.maximum(lift, 1), 1).astype(np.float32)
    return fit_weights(
        rows.pieces, right, lifted, rows.lang, settings,
        lambda step, loss: progress(stage, step + 1, settings.steps),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Calibration:
    """From logits to probabilities: slope and shift by head, and what signs add."""

    slope: Floats
    shift: Floats
    told: dict[str, Floats]

    def chances(self, logit: Floats, signs: Sequence[frozenset[str]]) -> Floats:
        nothing = np.zeros(len(self.slope), np.float32)
        added = [sum((self.told[s] for s in sorted(own)), nothing) for own in signs]
        return sigmoid((logit * self.slope + self.shift + np.array(added)).astype(np.float32))

    def scaled(self, model: Weights) -> Weights:
        table = np.concatenate([model.dense[:, :-1] * self.slope, model.dense[:, -1:]], axis=1)
        bias = (model.bias * self.slope + self.shift).astype(np.float32)
        return Weights(model.rows, table, bias)


def _calibrate(lessons: Lessons, logit: Floats, sign_l2: float) -> _Calibration:
    """A sign never takes anything away. Nor does length: added text must not hide a sentence."""
    names = sorted({sign for own in lessons.signs for sign in own})
    spoke = np.array([[n in own for n in names] for own in lessons.signs], np.float32)
    heads = logit.shape[1]
    slope, shift = np.ones(heads), np.zeros(heads)
    told = np.zeros((len(names), heads), np.float32)
    penalty = np.array([1e-9, 1e-9] + [sign_l2] * len(names), np.float32)
    weight = lessons.mask * lessons.fresh[:, None]
    for head in range(heads):
        scale = max(float(np.abs(logit[:, head]).max()), 1e-6)
        columns = [logit[:, head] / np.float32(scale), np.ones(len(logit), np.float32)]
        inputs = np.concatenate([np.stack(columns, axis=1), spoke], axis=1)
        found = logistic(inputs, lessons.gold[:, head], weight[:, head], penalty)
        slope[head], shift[head] = max(found[0] / scale, 1e-3), found[1]
        told[:, head] = np.maximum(found[2:], 0.0)
    both = slope.astype(np.float32), shift.astype(np.float32)
    return _Calibration(*both, dict(zip(names, told, strict=True)))
