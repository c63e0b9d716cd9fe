"""One detector on one part of a corpus, with everything a number needs beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from untwist.evaluate.baselines import all_labels, best_constant, sample_prior
from untwist.evaluate.bootstrap import RESAMPLES, Interval, bootstrap
from untwist.evaluate.calibrate import BINS, ProbabilityScores, probability_scores
from untwist.evaluate.classify import (
    Bools,
    FalseAlarms,
    Scores,
    as_cells,
    as_flags,
    false_alarms,
    scores,
)

PROTOCOL = (
    "Micro-F1 is one pooled count over rows × the labels that the corpus can carry; rows without "
    "a label are in, no distortion is not a label. Macro-F1 is the mean over the classes with "
    "support; the harmonic one is that of macro-precision and macro-recall. A row without an "
    "answer is unscored: it misses all its labels and is left out of the false alarms. Intervals: "
    f"95 %, bootstrap over groups. ECE has {BINS} bins over all cells. The oracle threshold was "
    "chosen on the very rows it is shown for and is no result."
)
UNKNOWN = "–"
NOT_OFFERED = "not offered"


@dataclass(frozen=True, slots=True)
class Baseline:
    """One floor.

    Attributes:
        name: "best constant", "prior sampling" or "all labels".
        labels: the constant set, by name; empty for the others.
        scores: on the same rows and mask as the detector.
        alarms: on the same undistorted rows.
    """

    name: str
    labels: tuple[str, ...]
    scores: Scores
    alarms: FalseAlarms

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "name": self.name,
            "labels": list(self.labels),
            "scores": self.scores.to_dict(),
            "false_alarms": self.alarms.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class DetectionReport:
    """One line of a results table, and all that stands behind it.

    Attributes:
        corpus: name of the corpus.
        part: which rows of it.
        n: how many rows.
        groups: how many groups they form.
        unscored: rows for which the detector gave no answer; counted as misses.
        detector: name and version.
        thresholds: where the detector's thresholds come from.
        protocol: how the numbers were made.
        command: what made them.
        labels: names of the columns.
        scores: count-based scores.
        alarms: what happened to undistorted rows.
        intervals: by metric; None where not known.
        probabilities: None when the detector offers none.
        baselines: the floors.
        baselines_from: the rows that the floors were taken from.
    """

    corpus: str
    part: str
    n: int
    groups: int
    unscored: int
    detector: str
    thresholds: str
    protocol: str
    command: str
    labels: tuple[str, ...]
    scores: Scores
    alarms: FalseAlarms
    intervals: dict[str, Interval | None]
    probabilities: ProbabilityScores | None
    baselines: tuple[Baseline, ...]
    baselines_from: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; the classes are keyed by label."""
        values = self.scores.to_dict()
        classes = dict(zip(self.labels, values.pop("classes"), strict=True))
        return {
            "corpus": self.corpus,
            "part": self.part,
            "n": self.n,
            "groups": self.groups,
            "unscored": self.unscored,
            "detector": self.detector,
            "thresholds": self.thresholds,
            "protocol": self.protocol,
            "command": self.command,
            "scores": values,
            "classes": classes,
            "false_alarms": self.alarms.to_dict(),
            "intervals": {k: v.to_dict() if v else None for k, v in self.intervals.items()},
            "probabilities": self.probabilities.to_dict() if self.probabilities else NOT_OFFERED,
            "baselines_from": self.baselines_from,
            "baselines": [baseline.to_dict() for baseline in self.baselines],
        }

    def to_markdown(self) -> str:
        """The table of this line alone, then its classes."""
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
        ("best constant", chosen, np.broadcast_to(constant, gold.shape)),
        ("prior sampling", (), sample_prior(source[0], len(gold), rng, source[1])),
        ("all labels", (), all_labels(*gold.shape)),
    )
    return tuple(
        Baseline(name, kept, scores(gold, guess, mask), false_alarms(guess, undistorted, mask))
        for name, kept, guess in guesses
    )


def markdown(reports: Sequence[DetectionReport]) -> str:
    """One table over several reports, their floors, then every report's classes.

    Header, protocol and command are those of the first report; a report that differs from it in
    detector, thresholds, protocol or command belongs in a page of its own.
    """
    if not reports:
        return ""
    first = reports[0]
    head = [
        f"Detector: `{first.detector}`. Thresholds: {first.thresholds}. {first.protocol}",
        f"Command: `{first.command}`",
        f"{UNKNOWN} means not known; brackets hold the interval, (k) says over how many classes.",
    ]
    columns = [name for name, _ in _COLUMNS]
    main = _table(columns, [[cell(r) for _, cell in _COLUMNS] for r in reports])
    floors = _table(_FLOOR_COLUMNS, [row for r in reports for row in _floor_rows(r)])
    classes = [part for r in reports for part in (f"### {r.corpus}, {r.part}", _class_table(r))]
    return "\n\n".join([*head, main, "## Floors", floors, "## Classes", *classes]) + "\n"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:z.3f}"


def _with_interval(report: DetectionReport, metric: str, value: float | None) -> str:
    interval = report.intervals.get(metric)
    bounds = f" [{interval.low:z.3f}, {interval.high:z.3f}]" if interval else ""
    return _number(value) + bounds


def _offered(report: DetectionReport, pick: Callable[[ProbabilityScores], str]) -> str:
    return pick(report.probabilities) if report.probabilities else NOT_OFFERED


def _alarm_rate(report: DetectionReport) -> str:
    rate = report.alarms.over_pathologising
    shown = _with_interval(report, "over_pathologising", rate)
    return shown if rate is None else f"{shown} (n = {report.alarms.rows})"


_COLUMNS: tuple[tuple[str, Callable[[DetectionReport], str]], ...] = (
    ("corpus", lambda r: r.corpus),
    ("part", lambda r: r.part),
    ("n", lambda r: str(r.n)),
    ("groups", lambda r: str(r.groups)),
    ("unscored", lambda r: str(r.unscored)),
    ("micro-F1", lambda r: _with_interval(r, "micro_f1", r.scores.micro_f1)),
    ("best constant", lambda r: _number(r.baselines[0].scores.micro_f1)),
    (
        "macro-F1 (mean)",
        lambda r: (
            _with_interval(r, "macro_f1", r.scores.macro_f1.value)
            + f" ({r.scores.macro_f1.classes})"
        ),
    ),
    (
        "macro-F1 (harmonic)",
        lambda r: _with_interval(r, "macro_f1_harmonic", r.scores.macro_f1_harmonic.value),
    ),
    ("weighted F1", lambda r: _with_interval(r, "weighted_f1", r.scores.weighted_f1)),
    ("exact match", lambda r: _with_interval(r, "exact_match", r.scores.exact_match)),
    ("kappa", lambda r: f"{_number(r.scores.kappa.value)} ({r.scores.kappa.classes})"),
    ("over-pathologising", _alarm_rate),
    ("specificity", lambda r: _number(r.alarms.specificity)),
    ("AUPRC", lambda r: _offered(r, lambda p: f"{_number(p.auprc.value)} ({p.auprc.classes})")),
    ("ECE", lambda r: _offered(r, lambda p: _number(p.ece))),
    ("Brier", lambda r: _offered(r, lambda p: _number(p.brier))),
    ("micro-F1, oracle threshold", lambda r: _offered(r, lambda p: _number(p.oracle_f1))),
)

_FLOOR_COLUMNS = (
    "corpus",
    "part",
    "floor",
    "from",
    "micro-F1",
    "macro-F1 (mean)",
    "macro-F1 (harmonic)",
    "weighted F1",
    "exact match",
    "over-pathologising",
)


def _floor_rows(report: DetectionReport) -> list[list[str]]:
    return [
        [
            report.corpus,
            report.part,
            f"{b.name}: {', '.join(b.labels)}" if b.labels else b.name,
            report.baselines_from,
            _number(b.scores.micro_f1),
            _number(b.scores.macro_f1.value),
            _number(b.scores.macro_f1_harmonic.value),
            _number(b.scores.weighted_f1),
            _number(b.scores.exact_match),
            _number(b.alarms.over_pathologising),
        ]
        for b in report.baselines
    ]


def _class_table(report: DetectionReport) -> str:
    average = report.probabilities.auprc_classes if report.probabilities else None
    rows = [
        [
            name,
            str(c.support) if c.cells else "not carried",
            _number(c.precision),
            _number(c.recall),
            _number(c.f1),
            _number(c.kappa),
            NOT_OFFERED if average is None else _number(average[place]),
        ]
        for place, (name, c) in enumerate(zip(report.labels, report.scores.classes, strict=True))
    ]
    return _table(["label", "support", "precision", "recall", "F1", "kappa", "AUPRC"], rows)
