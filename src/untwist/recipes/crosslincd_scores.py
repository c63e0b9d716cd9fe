"""The scores of a CrossLinCD table: every cell by three thresholds, over seeds, with intervals.

Pure numpy. The threshold of a result comes from validation rows. The paper's own
(0.25) stands beside it, and so does the best that the test rows would have allowed, which is no
result. A label that a model has not learnt is never heard.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from untwist.data import Mode
from untwist.evaluate import (
    Interval,
    all_labels,
    best_constant,
    bootstrap,
    sample_prior,
    tune_threshold,
)
from untwist.recipes.crosslincd_answers import Question, Run, Said, tuned_on, voice_of
from untwist.recipes.crosslincd_config import Crosslincd, Model, Target
from untwist.recipes.crosslincd_rows import Corpora, Places
from untwist.recipes.rows import Bools
from untwist.schema import Json

VALIDATION, PAPER, ORACLE = "validation", "paper", "oracle"
RULES = (VALIDATION, PAPER, ORACLE)
"""Where a threshold comes from; the last one is no result."""
MEAN = "mean"
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Guesses:
    """What was said of the test rows of one target, by one rule, once for each seed.

    Attributes:
        gold: (rows, labels).
        mask: where the corpus can carry the label.
        groups: the source of each row.
        calm: rows without any label.
        guesses: by seed, (rows, labels).
    """

    gold: Bools
    mask: Bools
    groups: NDArray[np.str_]
    calm: Bools
    guesses: tuple[Bools, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One model on one target.

    Attributes:
        about: what metrics.json says of it, without scores.
        by_rule: what was said, by rule.
    """

    about: Json
    by_rule: Mapping[str, Guesses]


def trained_cell(
    config: Crosslincd,
    corpora: Corpora,
    model: Model,
    target: Target,
    split: Mode,
    said: Mapping[Run, Said],
) -> Cell:
    """What a trained model says of a target."""
    places, rows = test_places(corpora, target, split), corpora.rows[target.corpus]
    own = np.isin(corpora.places(target.corpus, split, "test"), places)
    settings = config.settings(model.role)
    voice = voice_of(model, settings, target.corpus)
    gold, mask = rows.gold[places], rows.mask[places]
    guesses: dict[str, list[Bools]] = {rule: [] for rule in RULES}
    thresholds: dict[str, list[float]] = {rule: [] for rule in RULES}
    for seed in config.seeds:
        answers = said[split, model.key, seed].chances
        chance = answers[str(Question(target.corpus, "test", voice))][own].astype(float)
        found = {
            VALIDATION: _tuned(corpora, model, target, split, voice, answers),
            PAPER: settings.threshold,
            ORACLE: oracle_threshold(gold, chance, mask),
        }
        for rule, threshold in found.items():
            # what is not a number was never learnt, and is never heard
            guesses[rule].append(np.asarray(chance >= threshold))
            thresholds[rule].append(round(float(threshold), 6))
    about = {
        "split": split,
        "model": model.key,
        "target": target.key,
        "n": len(places),
        "groups": len(set(corpora.sources[target.corpus][places])),
        "seen": corpora.seen(model, split, target.corpus, places),
        "in_domain": target.corpus in model.corpora,
        "tuned_on": list(tuned_on(model, target)),
        "thresholds": thresholds,
    }
    sources, calm = corpora.sources[target.corpus][places], rows.undistorted[places]
    by_rule = {r: Guesses(gold, mask, sources, calm, tuple(guesses[r])) for r in RULES}
    return Cell(about, by_rule)


def answered_cell(
    corpora: Corpora,
    name: str,
    target: Target,
    split: Mode,
    predicted: Sequence[Bools],
    unscored: Sequence[int],
) -> Cell:
    """What the trainings of a language model said of a target, labels as they were given.

    Args:
        corpora: what was read.
        name: of the column.
        target: what was tested on.
        split: by which it was tuned.
        predicted: of the target's test rows, by training; nothing where there was no answer, so
            that all labels of such a row are missed.
        unscored: rows without an answer, by training.
    """
    places, rows = test_places(corpora, target, split), corpora.rows[target.corpus]
    sources = corpora.sources[target.corpus][places]
    given = Guesses(
        rows.gold[places], rows.mask[places], sources, rows.undistorted[places], tuple(predicted)
    )
    about = {
        "split": split,
        "model": name,
        "target": target.key,
        "n": len(places),
        "groups": len(set(sources)),
        "unscored": list(unscored),
    }
    return Cell(about, {VALIDATION: given})


def test_places(corpora: Corpora, target: Target, split: Mode) -> Places:
    """The test rows of a target; they are never cut short."""
    return corpora.places(target.corpus, split, "test", target.lang)


def _tuned(
    corpora: Corpora,
    model: Model,
    target: Target,
    split: Mode,
    voice: str,
    answers: Mapping[str, NDArray[np.float32]],
) -> float:
    """The threshold with the best micro-F1 on the model's validation rows, by the same head."""
    gold, mask, chance = [], [], []
    for name in tuned_on(model, target):
        rows, places = corpora.rows[name], corpora.learnt(name, split, "validation", model.lang)
        gold.append(rows.gold[places])
        mask.append(rows.mask[places])
        chance.append(answers[str(Question(name, "validation", voice))].astype(float))
    said = np.concatenate(chance)
    known = ~np.isnan(said)
    return tune_threshold(
        np.concatenate(gold), np.nan_to_num(said, nan=0.0), np.concatenate(mask) & known
    )


def oracle_threshold(gold: Bools, chance: Floats, mask: Bools) -> float:
    """The threshold that the test rows themselves would like best; no result.

    Args:
        gold: (rows, labels).
        chance: (rows, labels); nan where the model has learnt nothing: such labels are missed at
            any threshold.
        mask: where the corpus can carry the label.
    """
    cells = mask & ~np.isnan(chance)
    given, truth = chance[cells], gold[cells]
    order = np.argsort(-given, kind="stable")
    ranked, hits = given[order], np.cumsum(truth[order])
    # equal probabilities are given together or not at all
    last = np.flatnonzero(np.diff(ranked, append=-np.inf))
    f1 = 2 * hits[last] / (last + 1 + max(1, int((gold & mask).sum())))
    return float(ranked[last[int(f1.argmax())]]) if len(last) else 1.0


def f1_scores(gold: Bools, guess: Bools, mask: Bools) -> tuple[float | None, float | None]:
    """Micro-F1, and macro-F1 over labels with support, as `untwist.evaluate.scores` has them.

    A tenth of its time: a table asks for thousands, and for nothing else that it counts.
    """
    truth, said = gold & mask, guess & mask
    hits, total = (truth & said).sum(axis=0), truth.sum(axis=0) + said.sum(axis=0)
    supported = truth.any(axis=0)
    micro = 2 * float(hits.sum()) / float(total.sum()) if total.any() else None
    macro = float((2 * hits[supported] / total[supported]).mean()) if supported.any() else None
    return micro, macro


def scored(config: Crosslincd, given: Guesses) -> Json:
    """Scores of one rule: the mean over seeds, its spread, and an interval over sources."""
    each = [f1_scores(given.gold, guess, given.mask) for guess in given.guesses]
    alarmed = [np.asarray((guess & given.mask).any(axis=1)) for guess in given.guesses]
    calm = given.calm
    alarms = [float(one[calm].mean()) if calm.any() else None for one in alarmed]
    return {
        "micro_f1": _spread([micro for micro, _ in each])
        | {"interval": _interval(config, [given])},
        "macro_f1": _spread([macro for _, macro in each]),
        "over_pathologising": _spread(alarms),
    }


def mean_of(config: Crosslincd, cells: Sequence[Guesses], found: Sequence[Json]) -> Json:
    """The mean over targets, as the paper's AVG; sources are drawn once for all of them.

    Args:
        config: of the interval.
        cells: one a target.
        found: their scores.
    """
    micro = [one["micro_f1"]["each"] for one in found]
    runs = [statistics.fmean(values) for values in zip(*micro, strict=True) if None not in values]
    return {"micro_f1": _spread(runs) | {"interval": _interval(config, cells)}}


def _interval(config: Crosslincd, cells: Sequence[Guesses]) -> list[float] | None:
    """Of the mean over targets and seeds, groups drawn once for all.

    Each target and seed is laid out as one class, of which the macro-F1 is the mean in question.
    """
    sizes = [given.gold.size for given in cells]
    columns = sum(len(given.guesses) for given in cells)
    gold, guess, mask = (np.zeros((sum(sizes), columns), bool) for _ in range(3))
    row = column = 0
    for given, size in zip(cells, sizes, strict=True):
        here = slice(row, row + size)
        for said in given.guesses:
            gold[here, column] = given.gold.ravel()
            guess[here, column] = said.ravel()
            mask[here, column] = given.mask.ravel()
            column += 1
        row += size
    groups = [g for given in cells for g in np.repeat(given.groups, given.gold.shape[1])]
    rng = np.random.default_rng(config.seeds[0])
    found = bootstrap(gold, guess, groups, rng, mask=mask, resamples=config.resamples)
    return _ends(found["macro_f1"])


def _ends(interval: Interval | None) -> list[float] | None:
    return [interval.low, interval.high] if interval else None


def _spread(values: Sequence[float | None]) -> Json:
    known = [value for value in values if value is not None]
    return {
        "mean": statistics.fmean(known) if known else None,
        "sd": statistics.stdev(known) if len(known) > 1 else None,
        "each": list(values),
    }


def floors(config: Crosslincd, corpora: Corpora, target: Target, split: Mode) -> Json:
    """What needs no reading: the best constant answer, labels by their frequency, all labels.

    The first two are taken from the target's other rows.
    """
    rows, places = corpora.rows[target.corpus], test_places(corpora, target, split)
    rest = np.concatenate(
        [corpora.places(target.corpus, split, p, target.lang) for p in ("train", "validation")]
    )
    gold, mask = rows.gold[places], rows.mask[places]
    known = rows.gold[rest], rows.mask[rest]
    constant = np.broadcast_to(best_constant(*known), gold.shape)
    drawn = [
        sample_prior(known[0], len(gold), np.random.default_rng(seed), known[1])
        for seed in config.seeds
    ]
    best, every = (f1_scores(gold, one, mask) for one in (constant, all_labels(*gold.shape)))
    return {
        "split": split,
        "target": target.key,
        "constant": best[0],
        "constant_macro_f1": best[1],
        "prior": _spread([f1_scores(gold, one, mask)[0] for one in drawn])["mean"],
        "all": every[0],
    }
