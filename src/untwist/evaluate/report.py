"""One detector on one part of a corpus, with everything a number needs beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from untwist.evaluate.baselines import all_labels, best_constant, sample_prior
from untwist.evaluate.bootstrap import bootstrap
from untwist.evaluate.calibrate import BINS, probability_scores
from untwist.evaluate.cells import Bools, as_cells, as_flags
from untwist.evaluate.classify import false_alarms, scores, with_none
from untwist.evaluate.line import Baseline, Line
from untwist.evaluate.report_tables import markdown
from untwist.evaluate.resample import RESAMPLES

PROTOCOL = (
    "Micro-F1 is one pooled count over rows × the labels that the corpus can carry; rows without "
    "a label are in, no distortion is not a label. Macro-F1 is the mean over the classes with "
    "support; the harmonic one is that of macro-precision and macro-recall. A row without an "
    "answer is unscored: it misses all its labels and is left out of the false alarms. Intervals: "
    f"95 %, bootstrap over groups. ECE has {BINS} bins over all cells. The oracle threshold was "
    "chosen on the very rows it is shown for and is no result. With 'none' as a class, no "
    "distortion is one more label: that number stands in a column of its own, with its own floor."
)

FLOOR = "best constant"
"""Name of the floor that every table shows beside its results."""


@dataclass(frozen=True, slots=True)
class DetectionReport(Line):
    """One detector on one part of a corpus, as `detection_report` makes it; see `Line`."""

    def to_markdown(self) -> str:
        """The table of this line alone, then its floors and classes."""
        return markdown([self])


def detection_report(
    gold: ArrayLike,
    predicted: ArrayLike,
    groups: Sequence[str],
    rng: np.random.Generator,
    *,
    corpus: str,
    part: str,
    detector: str,
    thresholds: str,
    command: str,
    labels: Sequence[str],
    mask: ArrayLike | None = None,
    undistorted: ArrayLike | None = None,
    scored: ArrayLike | None = None,
    probabilities: ArrayLike | None = None,
    baseline_gold: ArrayLike | None = None,
    baseline_mask: ArrayLike | None = None,
    baselines_from: str = "the rows themselves, in the floors' favour",
    protocol: str = PROTOCOL,
    resamples: int = RESAMPLES,
) -> DetectionReport:
    """Score one detector on one part of a corpus.

    Args:
        gold: (n, labels).
        predicted: (n, labels).
        groups: the group of each row.
        rng: chance for the intervals and the sampled floor.
        corpus: name of the corpus.
        part: which rows of it.
        detector: name and version.
        thresholds: where the detector's thresholds come from.
        command: what makes this report.
        labels: names of the columns.
        mask: (n, labels); None for everywhere.
        undistorted: (n,), true where annotators said "no distortion"; None for no such row.
        scored: (n,), false where there is no answer; None for all answered.
        probabilities: (n, labels), 0 to 1; None when the detector offers none.
        baseline_gold: (m, labels) of the rows that the floors are taken from; None for `gold`.
        baseline_mask: (m, labels); only with `baseline_gold`.
        baselines_from: says which rows those are.
        protocol: how the numbers are made.
        resamples: of the bootstrap.

    Raises:
        DataError: shapes differ, or a probability is out of range.
        MissingExtra: scikit-learn is not installed.
    """
    truth, guess, cells = as_cells(gold, predicted, mask)
    n = len(truth)
    answered = as_flags(scored, n, True)
    calm = as_flags(undistorted, n, False)
    source = (truth, cells) if baseline_gold is None else (baseline_gold, baseline_mask)
    given = None if probabilities is None else np.asarray(probabilities, float)
    ranked = None if given is None else (truth[answered], given[answered], cells[answered])
    names = tuple(labels)
    return DetectionReport(
        corpus=corpus,
        part=part,
        n=n,
        groups=len(set(groups)),
        unscored=int((~answered).sum()),
        detector=detector,
        thresholds=thresholds,
        protocol=protocol,
        command=command,
        labels=names,
        scores=scores(truth, guess, cells, answered),
        with_none=with_none(truth, guess, cells, answered),
        with_none_floor=_none_floor(truth, cells, source),
        alarms=false_alarms(guess, calm & answered, cells),
        intervals=bootstrap(
            truth,
            guess,
            groups,
            rng,
            mask=cells,
            undistorted=calm,
            scored=answered,
            resamples=resamples,
        ),
        probabilities=probability_scores(*ranked) if ranked else None,
        baselines=_baselines(truth, cells, calm, source, names, rng),
        baselines_from=baselines_from,
    )


def _baselines(
    gold: Bools,
    mask: Bools,
    undistorted: Bools,
    source: tuple[ArrayLike, ArrayLike | None],
    names: tuple[str, ...],
    rng: np.random.Generator,
) -> tuple[Baseline, ...]:
    constant = best_constant(*source)
    chosen = tuple(name for name, kept in zip(names, constant, strict=True) if kept)
    guesses: tuple[tuple[str, tuple[str, ...], Bools], ...] = (
        (FLOOR, chosen, np.broadcast_to(constant, gold.shape)),
        ("prior sampling", (), sample_prior(source[0], len(gold), rng, source[1])),
        ("all labels", (), all_labels(*gold.shape)),
    )
    return tuple(
        Baseline(name, kept, scores(gold, guess, mask), false_alarms(guess, undistorted, mask))
        for name, kept, guess in guesses
    )


def _none_floor(
    gold: Bools, mask: Bools, source: tuple[ArrayLike, ArrayLike | None]
) -> float | None:
    """With "none" as a class: the better of the best constant set and silence, by `source`."""
    known, _, carried = as_cells(source[0], *source)
    constant = best_constant(*source)

    def worth(answer: Bools) -> float:
        return with_none(known, np.broadcast_to(answer, known.shape), carried).micro_f1 or 0.0

    best = max(constant, np.zeros_like(constant), key=worth)
    return with_none(gold, np.broadcast_to(best, gold.shape), mask).micro_f1
