"""Training the second reader of risk: labelled messages in, a reader with its cuts out.

The cuts come from probabilities that are held out by writer, never from a part that is scored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from untwist.detect.linear import Settings
from untwist.detect.reading import SPACE
from untwist.detect.risk import HEADS, KINDS, STEPS, RiskReader, signs
from untwist.detect.thresholds import precise_threshold
from untwist.detect.train_reading import Learned, Lessons, Progress, even_cut, learn, spared_cut
from untwist.errors import ConfigError
from untwist.safety import screen
from untwist.taxonomy import Acuity, Risk

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class RiskConfig:
    """How the second reader is trained."""

    l2: float = 1e-4
    "Penalty on the weights of n-grams."
    rule_l2: float = 1e-3
    "Penalty on what a kind of rule adds."
    steps: int = 60
    "L-BFGS steps of each fit."
    min_texts: int = 2
    "An n-gram counts when it occurs in at least so many texts."
    folds: int = 5
    "Folds by writer, for the held-out scores behind the cuts."
    side_weight: float = 0.35
    "Weight of an example that is not a case of the screen, such as a text of the open corpus."
    false_high: tuple[float, float] = (0.04, 0.03)
    "Share of harmless cases, and of harmless texts of the open corpus (both at most low), that may"
    "be called high by rules and reader together; the reader has half of it in any case."
    false_medium: tuple[float, float] = (0.12, 0.12)
    "The same for medium or high."
    precision: float = 0.6
    "How often a danger that it names must be right."

    def __post_init__(self) -> None:
        if self.folds < 2 or self.steps < 1 or self.min_texts < 1:
            raise ConfigError("folds must be at least 2, steps and min_texts at least 1")
        if not all(0 < rate < 1 for rate in (*self.false_high, *self.false_medium)):
            raise ConfigError("false_high and false_medium must lie between 0 and 1")
        if self.l2 <= 0 or self.rule_l2 <= 0:
            raise ConfigError("l2 and rule_l2 must be above 0")


@dataclass(frozen=True, slots=True)
class RiskExample:
    """One labelled message.

    Attributes:
        text: what the person wrote.
        accept: the levels that a careful reader would accept.
        acuity: the kinds of danger it may be named with.
        group: who wrote it; the messages of one writer are held out together.
        case: whether it was written to try the screen; only these set the cuts.
        seen: it is a lesson but sets no cut, because rules were written with it in sight, or
            because it is of one kind only, easier or harder than what is met in life.
    """

    text: str
    accept: frozenset[Risk]
    acuity: frozenset[Acuity]
    group: str
    case: bool = True
    seen: bool = False


def fit_risk(
    examples: Sequence[RiskExample],
    config: RiskConfig,
    seed: int,
    name: str,
    progress: Progress = lambda stage, done, total: None,
) -> RiskReader:
    """Train a reader; equal examples, config and seed give equal bytes.

    Raises:
        DataError: there are fewer writers than folds, or no text at all.
    """
    gold, mask = targets(examples)
    weight = np.array([1.0 if e.case else config.side_weight for e in examples], np.float32)
    ruled = [screen(e.text) for e in examples]
    lessons = Lessons(
        [e.text for e in examples], gold, mask * weight[:, None], [e.group for e in examples],
        [signs(own) for own in ruled], np.array([not e.seen for e in examples], np.float32),
        np.asarray((gold[:, :2] > 0).any(axis=1), np.bool_),
    )  # fmt: skip
    settings = Settings(config.l2, config.steps, config.min_texts, SPACE, hinge=True)
    found = learn(lessons, HEADS, settings, config.folds, seed, progress, config.rule_l2)
    levels = np.array([own.level.rank for own in ruled])
    cases = np.array([e.case and not e.seen for e in examples])
    others = np.array([not e.case and not e.seen for e in examples])
    cuts = _cuts(found, levels, gold, mask, cases, others, config)
    about = {"examples": len(examples), "held_out": _held_out(examples, found, levels, cuts)}
    named = _named(found.chance, gold, mask, config.precision)
    return RiskReader(name, found.reading, cuts, named, about)


def targets(examples: Sequence[RiskExample]) -> tuple[Floats, Floats]:
    """Gold answers and their mask, both (examples, heads).

    Whether a step is reached is known where all accepted levels agree; a kind of danger is known
    to be missing where it is not named, and everywhere in a harmless text.
    """
    gold = np.zeros((len(examples), len(HEADS)), np.float32)
    mask = np.zeros_like(gold)
    for i, example in enumerate(examples):
        low, high = min(example.accept), max(example.accept)
        for k, step in enumerate(STEPS):
            gold[i, k] = low >= step
            mask[i, k] = low >= step or high < step
        for k, kind in enumerate(KINDS, len(STEPS)):
            gold[i, k] = kind in example.acuity
            mask[i, k] = 1.0
    return gold, mask


def _cuts(
    found: Learned,
    ruled: NDArray[np.int64],
    gold: Floats,
    mask: Floats,
    cases: NDArray[np.bool_],
    others: NDArray[np.bool_],
    config: RiskConfig,
) -> Floats:
    """Cuts for each level and language.

    High and medium: as low as the share of harmless cases that may be raised allows. Low: where
    most cases come out right.
    """
    harmless = (gold[:, 1] == 0) & (mask[:, 1] > 0)
    cuts = np.zeros((len(STEPS), 2), np.float32)
    for lang in (0, 1):
        asked = cases & (mask[:, 0] > 0) & (found.lang == lang)
        cuts[0, lang] = even_cut(found.chance[:, 0], gold[:, 0] > 0, asked)
        for step, rates in ((1, config.false_medium), (2, config.false_high)):
            for rate, kind in zip(rates, (cases, others), strict=True):
                group = harmless & kind & (found.lang == lang)
                spoken = ruled[group] >= step + 1
                spared = spared_cut(found.chance[group, step], spoken, rate)
                cuts[step, lang] = max(cuts[step, lang], spared)
    return cuts


def _named(chance: Floats, gold: Floats, mask: Floats, precision: float) -> Floats:
    """Cuts of the kinds of danger; out of reach for one that no message has."""
    heads = range(len(STEPS), len(HEADS))
    found = [
        max(precise_threshold(chance[:, k], gold[:, k] > 0, mask[:, k] > 0, precision), 0.05)
        if gold[:, k].any()
        else 1e3
        for k in heads
    ]
    return np.array(found, np.float32)


def _held_out(
    examples: Sequence[RiskExample], found: Learned, ruled: NDArray[np.int64], cuts: Floats
) -> dict[str, float]:
    """Shares on the scores that the cuts were chosen on: rules alone, and both readers."""
    cases = [i for i, e in enumerate(examples) if e.case and not e.seen]
    alone = [list(Risk)[int(ruled[i])] for i in cases]
    both = [
        max(r, _level(found.chance[i], cuts[:, found.lang[i]]))
        for i, r in zip(cases, alone, strict=True)
    ]
    shares: dict[str, float] = {}
    for name, levels in (("rules", alone), ("both", both)):
        crisis = [
            at for i, at in zip(cases, levels, strict=True) if examples[i].accept == {Risk.HIGH}
        ]
        calm = [
            at for i, at in zip(cases, levels, strict=True) if max(examples[i].accept) <= Risk.LOW
        ]
        shares |= {
            f"{name}: crisis recall": _share(crisis, lambda at: at is Risk.HIGH),
            f"{name}: silent misses": _share(crisis, lambda at: at <= Risk.LOW),
            f"{name}: false crisis alarms": _share(calm, lambda at: at is Risk.HIGH),
        }
    return shares


def _share(levels: Sequence[Risk], asked: Callable[[Risk], bool]) -> float:
    return round(sum(map(asked, levels)) / max(len(levels), 1), 4)


def _level(chance: Floats, cuts: Floats) -> Risk:
    reached = np.flatnonzero(chance[: len(STEPS)] > cuts)
    return STEPS[int(reached[-1])] if len(reached) else Risk.NONE
