"""Training the reader of drafts: labelled drafts in, a reader with its cuts out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from untwist.detect.drafts import BROKEN, DraftReader, signs
from untwist.detect.linear import Settings
from untwist.detect.reading import SPACE
from untwist.detect.train_reading import Lessons, Progress, learn, spared_cut
from untwist.errors import ConfigError
from untwist.taxonomy import Risk

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DraftConfig:
    """How the reader of drafts is trained."""

    l2: float = 1e-4
    "Penalty on the weights of n-grams."
    rule_l2: float = 1e-3
    "Penalty on what a pattern that was found adds."
    steps: int = 50
    "L-BFGS steps of each fit."
    min_texts: int = 2
    "An n-gram counts when it occurs in at least so many drafts."
    folds: int = 4
    "Folds by writer, for the held-out scores behind the cuts."
    side_weight: float = 0.3
    "Weight of a scripted reply, which is good by definition."
    blocked: float = 0.04
    "Share of good drafts that patterns and reader together may stop, on held-out scores."

    def __post_init__(self) -> None:
        if self.folds < 2 or self.steps < 1 or self.min_texts < 1:
            raise ConfigError("folds must be at least 2, steps and min_texts at least 1")
        if self.l2 <= 0 or self.rule_l2 <= 0 or not 0 < self.blocked < 1:
            raise ConfigError("penalties must be above 0, blocked must lie between 0 and 1")


@dataclass(frozen=True, slots=True)
class DraftExample:
    """One labelled draft.

    Attributes:
        text: the draft.
        context: the level of risk of the message that it answers.
        broken: whether it breaks a rule.
        found: the rules whose patterns were found in it.
        group: who wrote it.
        scripted: whether it is one of our own replies; these set no cut.
        seen: whether patterns were written with it in sight.
    """

    text: str
    context: Risk
    broken: bool
    found: tuple[str, ...]
    group: str
    scripted: bool = False
    seen: bool = False


def fit_drafts(
    examples: Sequence[DraftExample],
    config: DraftConfig,
    seed: int,
    name: str,
    progress: Progress = lambda stage, done, total: None,
) -> DraftReader:
    """Train a reader; equal examples, config and seed give equal bytes.

    Raises:
        DataError: there are fewer writers than folds, or no draft at all.
    """
    gold = np.array([[e.broken] for e in examples], np.float32).reshape(-1, 1)
    weight = np.array([config.side_weight if e.scripted else 1.0 for e in examples], np.float32)
    broken = np.array([e.broken for e in examples], np.bool_)
    fresh = np.array([not e.seen and not e.scripted for e in examples])
    lessons = Lessons(
        [e.text for e in examples], gold, np.ones_like(gold) * weight[:, None],
        [e.group for e in examples], [signs(e.context, e.found) for e in examples],
        fresh.astype(np.float32), broken,
    )  # fmt: skip
    settings = Settings(config.l2, config.steps, config.min_texts, SPACE, hinge=True)
    found = learn(lessons, (BROKEN,), settings, config.folds, seed, progress, config.rule_l2)
    stopped = np.array([bool(e.found) for e in examples])
    chance = found.chance[:, 0]
    cuts = np.ones(2, np.float32)
    shares: dict[str, float] = {}
    for lang, code in enumerate(("en", "zh")):
        here = (found.lang == lang) & fresh
        good, bad = here & ~broken, here & broken
        cuts[lang] = spared_cut(chance[good], stopped[good], config.blocked)
        both = stopped | (chance > cuts[lang])
        for kind, group in (("broken drafts", bad), ("good drafts", good)):
            shares[f"{code}: {kind} stopped by patterns"] = _mean(stopped[group])
            shares[f"{code}: {kind} stopped by both"] = _mean(both[group])
    about = {"examples": len(examples), "held_out": shares}
    return DraftReader(name, found.reading, cuts, about)


def _mean(hits: NDArray[np.bool_]) -> float:
    return round(float(hits.mean()), 4) if len(hits) else 0.0
