"""Training the fast detector: n-grams in, weights, calibration and thresholds out; numpy only.

One fit per fold gives scores for texts the model has not seen; calibration and thresholds come from
these. One last fit on everything gives the weights. Leaves out: the test part, which never gets
here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from untwist.detect import heads, linear, thresholds
from untwist.detect.fast import FastDetector
from untwist.detect.windows import windows
from untwist.embed import BITS, Space
from untwist.errors import ConfigError, DataError
from untwist.schema import Labels, Utterance
from untwist.taxonomy import CANONICAL
from untwist.text import Normalized, normalize

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class FastConfig:
    """How the fast detector is trained."""

    l2: float = 1e-5
    "Penalty on the weights."
    steps: int = 60
    "L-BFGS steps of each fit."
    min_texts: int = 2
    "An n-gram counts when it occurs in at least so many texts."
    balance: float = 0.5
    "0 weighs every text alike, 1 makes positive and negative texts of a label weigh the same."
    folds: int = 5
    """Folds for the held-out scores behind calibration and thresholds. 0 leaves both out: scores
    are the solver's, and every threshold is 0.5."""
    longest_en: int = 240
    "Longest window of an English text, in characters."
    longest_zh: int = 100
    "Longest window of a Chinese text, in characters."
    over_pathologising: float = 0.15
    "Largest share of undistorted texts that may be given a label, on held-out scores."
    bits: int = BITS
    "N-grams are hashed into 2**bits numbers."
    gap: int = 0
    "Pairs of words or Han characters up to so many places apart are read too; 0 reads none."
    apart: bool = False
    "Characters, words and distant pairs are each scaled to length 1 by themselves."
    hinge: bool = False
    "Squared hinge loss in place of the logistic one."
    alpha: float = 0.8
    """Weight of a teacher's probabilities beside the gold labels, for examples that have them
    (CrossLinCD 5.4)."""

    def __post_init__(self) -> None:
        if self.folds not in {0, *range(2, 101)} or self.steps < 1 or self.min_texts < 1:
            raise ConfigError("folds must be 0 or 2 to 100, steps and min_texts at least 1")
        if not 0 <= self.balance <= 1 or not 0 < self.over_pathologising <= 1:
            raise ConfigError("balance must lie in [0, 1], over_pathologising in (0, 1]")
        if not 0 <= self.alpha <= 1:
            raise ConfigError("alpha must lie in [0, 1]")
        if self.l2 <= 0 or min(self.longest_en, self.longest_zh) < 20:
            raise ConfigError("l2 must be above 0, longest_en and longest_zh at least 20")
        if not 12 <= self.bits <= 22 or not 0 <= self.gap <= 16:
            raise ConfigError("bits must lie in [12, 22], gap in [0, 16]")

    @property
    def space(self) -> Space:
        """Which n-grams are read."""
        return Space(self.bits, self.gap, self.apart)


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled text.

    Attributes:
        utterance: the text and its language.
        labels: as annotated.
        group: holds together what must not be split (persona, source).
        teacher: another model's probability of each canonical distortion, shape (12,), nan where it
            cannot say; None is no teacher.
    """

    utterance: Utterance
    labels: Labels
    group: str
    teacher: Floats | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """The windows of all texts as training rows.

    Attributes:
        pieces: normalised text of each row.
        owner: which text it belongs to.
        gold: labels, shape (rows, heads).
        mask: 1 where the label is known.
        lang: 0 English, 1 Chinese.
        aim: what is learnt, in [0, 1]: the labels, or a mixture of these and a teacher's word.
    """

    pieces: tuple[str, ...]
    owner: NDArray[np.int64]
    gold: Floats
    mask: Floats
    lang: NDArray[np.int64]
    aim: Floats

    def take(self, keep: NDArray[np.bool_]) -> Rows:
        """The rows where `keep` is true."""
        at = np.flatnonzero(keep)
        pieces = tuple(self.pieces[i] for i in at)
        return Rows(
            pieces, self.owner[at], self.gold[at], self.mask[at], self.lang[at], self.aim[at]
        )


def fit(
    examples: Sequence[Example],
    config: FastConfig,
    seed: int,
    name: str,
    progress: Progress = lambda stage, done, total: None,
    start: FastDetector | None = None,
) -> FastDetector:
    """Train a detector; equal examples, config and seed give equal bytes.

    Args:
        examples: training texts, without any test part.
        config: how.
        seed: of the folds.
        name: name and version of the model.
        progress: called with stage, steps done and steps in all.
        start: a detector to start from and to stay near: l2 then draws towards its weights. Its
            space must be that of `config`.

    Raises:
        ConfigError: `start` reads other n-grams than `config` says, or the hinge loss is asked
            to learn from a teacher.
        DataError: there are fewer groups than folds, no text at all, or a teacher that does not
            know every label.
    """
    if start is not None and start.space != config.space:
        raise ConfigError(f"start reads {start.space}, the settings {config.space}: make them one")
    if config.hinge and any(e.teacher is not None for e in examples):
        raise ConfigError("a teacher's probabilities need the logistic loss: set hinge to false")
    if any(e.teacher is not None and np.isnan(e.teacher).any() for e in examples):
        raise DataError("a teacher does not know all twelve labels: train an encoder from it")
    rows = _rows(examples, config)
    known = None if start is None else start.weights
    if not config.folds:
        return _plain(_fit(rows, config, "all texts", progress, known), examples, config, name)
    fold = _folds(examples, config.folds, seed)
    held_out = np.zeros_like(rows.gold)
    for k in range(config.folds):
        inside = fold[rows.owner] == k
        model = _fit(rows.take(~inside), config, f"fold {k + 1}/{config.folds}", progress, known)
        part = rows.take(inside)
        held_out[inside] = linear.logits(part.pieces, model, config.space) + model.bias[part.lang]
    model = _fit(rows, config, "all texts", progress, known)
    return _finish(examples, rows, held_out, model, config, name)


def _rows(examples: Sequence[Example], config: FastConfig) -> Rows:
    """Texts with evidence are cut into windows, each with the labels whose evidence it holds."""
    if not examples:
        raise DataError("no training texts: name a corpus with a train part")
    pieces: list[str] = []
    owner: list[int] = []
    labels: list[Labels] = []
    for i, example in enumerate(examples):
        text = normalize(example.utterance.text)
        longest = config.longest_zh if example.utterance.lang == "zh" else config.longest_en
        spans = windows(text.text, longest)
        if len(spans) > 1 and not _has_evidence(example.labels):
            spans = [(0, len(text.text))]
        for span in spans:
            pieces.append(text.text[slice(*span)])
            owner.append(i)
            labels.append(example.labels if len(spans) == 1 else _within(example, text, span))
    gold, mask = heads.targets(labels)
    lang = [1 if examples[i].utterance.lang == "zh" else 0 for i in owner]
    aim, alpha = gold.copy(), config.alpha
    for row, i in enumerate(owner):
        teacher = examples[i].teacher
        if teacher is not None:
            own = (1 - alpha) * gold[row, heads.DISTORTIONS]
            aim[row, heads.DISTORTIONS] = own + alpha * teacher
    return Rows(tuple(pieces), np.array(owner), gold, mask, np.array(lang, np.int64), aim)


def _has_evidence(labels: Labels) -> bool:
    """Every label has a span, so that a window without one is known to be free of it."""
    return {f.distortion for f in labels.evidence} == (labels.distortions or frozenset())


def _within(example: Example, text: Normalized, span: tuple[int, int]) -> Labels:
    """The labels of one window."""
    start, end = text.span(*span)
    here = tuple(
        f for f in example.labels.evidence
        if f.start is not None and f.end is not None and f.start < end and f.end > start
    )  # fmt: skip
    return Labels(
        frozenset(f.distortion for f in here),
        example.labels.carried,
        example.labels.intensity if here else None,
    )


def _folds(examples: Sequence[Example], folds: int, seed: int) -> NDArray[np.int64]:
    """A fold per text; texts of one group share it."""
    groups = sorted({e.group for e in examples})
    if len(groups) < folds:
        raise DataError(f"{len(groups)} groups of texts for {folds} folds: set folds lower")
    order = np.random.default_rng(seed).permutation(len(groups))
    of_group = {group: int(place) % folds for group, place in zip(groups, order, strict=True)}
    return np.array([of_group[e.group] for e in examples])


def _fit(
    rows: Rows,
    config: FastConfig,
    stage: str,
    progress: Progress,
    known: linear.Weights | None,
) -> linear.Weights:
    """One solve."""
    found = linear.fit_weights(
        rows.pieces, rows.aim, rows.mask * _balance(rows, config.balance), rows.lang,
        linear.Settings(config.l2, config.steps, config.min_texts, config.space, config.hinge),
        lambda step, loss: progress(stage, step + 1, config.steps),
        known,
    )  # fmt: skip
    return found.indexed(config.bits)


def _plain(
    model: linear.Weights, examples: Sequence[Example], config: FastConfig, name: str
) -> FastDetector:
    """Without calibration."""
    rule = thresholds.Decision(np.full(len(CANONICAL), 0.5, np.float32), (0.0,), 1.0)
    longest = (config.longest_en, config.longest_zh)
    about = {"examples": len(examples)}
    return FastDetector(name, config.space, model, (rule, rule), longest, about)


def _balance(rows: Rows, power: float) -> Floats:
    """Weight of each cell: positives count (negatives / positives) ** power."""
    positive = (rows.gold * rows.mask).sum(axis=0)
    negative = ((1 - rows.gold) * rows.mask).sum(axis=0)
    ratio = np.maximum(negative, 1) / np.maximum(positive, 1)
    lift = np.sqrt(ratio) if power == 0.5 else ratio**power
    return np.where(rows.gold > 0, np.maximum(lift, 1.0), 1.0).astype(np.float32)


def _finish(
    examples: Sequence[Example],
    rows: Rows,
    held_out: Floats,
    model: linear.Weights,
    config: FastConfig,
    name: str,
) -> FastDetector:
    """Calibrate every head and choose the thresholds, on held-out scores only."""
    chance = np.empty_like(held_out)
    table, bias = model.dense.copy(), model.bias.copy()
    for head in range(heads.COUNT):
        slope, shift = thresholds.platt(held_out[:, head], rows.gold[:, head], rows.mask[:, head])
        chance[:, head] = linear.sigmoid(held_out[:, head] * np.float32(slope) + np.float32(shift))
        table[:, head] *= np.float32(slope)
        bias[:, head] = bias[:, head] * np.float32(slope) + np.float32(shift)
    gold, mask = heads.targets([e.labels for e in examples])
    rules, found = _decide(chance, rows, gold > 0, mask > 0, config)
    return FastDetector(
        name, config.space,
        replace(model, table=table.astype(np.float16).astype(np.float32), bias=bias), rules,
        (config.longest_en, config.longest_zh),
        {"examples": len(examples), "held_out": _held_out(gold > 0, mask > 0, found)},
    )  # fmt: skip


def _decide(
    chance: Floats, rows: Rows, gold: Flags, mask: Flags, config: FastConfig
) -> tuple[thresholds.Rules, Flags]:
    """The rules, and what they find in the held-out texts.

    A language that nothing was learnt in has the rule of both together.
    """
    texts = np.flatnonzero(np.diff(rows.owner, prepend=-1))
    right, known = gold[:, heads.DISTORTIONS], mask[:, heads.DISTORTIONS]
    langs = rows.lang[texts]

    def rule(texts_of: Flags) -> thresholds.Decision:
        here = texts_of[rows.owner]
        begins = np.flatnonzero(np.diff(rows.owner[here], prepend=-1))
        return thresholds.decide(
            chance[here][:, heads.DISTORTIONS], chance[here, heads.ANY], begins,
            right[texts_of], known[texts_of], config.over_pathologising,
        )  # fmt: skip

    both = np.ones(len(langs), bool)
    of = [langs == z for z in (0, 1)]
    en, zh = (rule(own if (right & known)[own].any() else both) for own in of)
    count = np.diff(np.append(texts, len(rows.owner)))
    fired = thresholds.fire(
        (en, zh), rows.lang, chance[:, heads.DISTORTIONS], chance[:, heads.ANY],
        np.repeat(count, count),
    )  # fmt: skip
    return (en, zh), np.logical_or.reduceat(fired, texts, axis=0)


def _held_out(gold: Flags, mask: Flags, found: Flags) -> dict[str, float]:
    """Scores at the chosen thresholds on the scores they were chosen on."""
    known = mask[:, heads.DISTORTIONS]
    right, found = gold[:, heads.DISTORTIONS] & known, found & known
    clean = known.any(axis=1) & ~right.any(axis=1)
    macro = np.mean([thresholds.f1(right[:, k], found[:, k]) for k in range(right.shape[1])])
    over = found[clean].any(axis=1).mean() if clean.any() else 0.0
    scores = {
        "micro_f1": thresholds.f1(right, found),
        "macro_f1": float(macro),
        "over_pathologising": float(over),
    }
    return {name: round(score, 4) for name, score in scores.items()}
