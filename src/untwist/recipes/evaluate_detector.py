"""Recipe: any detector, or a file of any system's predictions, on corpora that the user brings.

    corpora -> rows -> answers -> scores with intervals and floors by both splits -> a run folder

Nothing is learnt here. A threshold is either the detector's own, untouched, or one for all labels
found on the validation part of the scored corpus; the threshold that the test part itself would
have liked stands in a column of its own and is no result. The columns are the canonical labels; a
corpus with labels of its own is scored a second time with those as well, as its published figures
count them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from untwist.data import Mode, Reading, Refusals
from untwist.data.splits import PARTS
from untwist.errors import ConfigError, DataError
from untwist.evaluate import (
    RESAMPLES,
    DetectionReport,
    detection_report,
    tune_threshold,
    tune_together,
)
from untwist.ports import Detector
from untwist.recipes.answers import Answers, Floats, ask, read_answers
from untwist.recipes.detector_report import Scored, Threshold, publish_detection, refused
from untwist.recipes.rows import COLUMNS, MODES, Bools, N, Rows, load_each, rows_of
from untwist.recipes.runfolder import open_run
from untwist.schema import Json

OWN, VALIDATION = "the system's own", "one for all labels, from the validation part"
TOGETHER = "one a label, chosen together, from the validation part"
Tune = Callable[[Bools, Floats, Bools], Threshold]
TUNES: tuple[Tune, ...] = (tune_threshold, tune_together)
"""How thresholds are found on a validation part: one for all labels, then one a label."""

_OWN = "the rows themselves, in the floors' favour"
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class EvaluateDetector:
    """What to evaluate on."""

    out: str
    """The run folder; it must be new or empty."""
    corpora: tuple[str, ...]
    """Names of corpora, or files of your own."""
    reading: Reading = field(default_factory=Reading)
    """How they are read."""
    trained_on: tuple[str, ...] = ()
    """Corpora ("socialcd") or parts ("socialcd:train") that the system learnt from."""
    predictions: str = ""
    """A file of predictions in place of a detector; only with one corpus."""
    system: str = ""
    """Name of the system behind the predictions."""
    missing: bool = False
    """Count rows that the file does not name as unscored; otherwise they are an error."""
    seed: int = 42
    """Of the intervals and the sampled floor."""
    resamples: int = RESAMPLES
    """Of the bootstrap."""
    command: str = "untwist.recipes.evaluate_detector.run(config, detector)"
    """What starts this run; stands in the report."""


def run(
    config: EvaluateDetector,
    detector: Detector | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> Path:
    """Evaluate, and write the run folder.

    A row for which the detector raises a model or parse error is unscored: marked, counted and
    listed in metrics.json. A row of a corpus that cannot be read is refused and listed as well.

    Args:
        config: what to evaluate on.
        detector: the detector; None with a file of predictions.
        progress: told the stage and how many corpora are done.

    Returns:
        The run folder, with config.toml, manifest.json, metrics.json, leaderboard.jsonl, report.md,
        report.html and pictures.

    Raises:
        ConfigError: no corpus is named, the run folder is in use, both or neither of detector and
            predictions are given, or `trained_on` names a part that there is not.
        DataError: a corpus or the predictions cannot be read, or the detector does not keep to its
            socket.
    """
    _check(config, detector)
    refusals = Refusals()
    loaded = load_each(config.corpora, config.reading, refusals)
    corpora = [rows_of(one.entry.name, one.dialogues) for one in loaded]
    inputs = [file for one in loaded for file in one.files]
    inputs += [Path(config.predictions)] if config.predictions else []
    # a slip in a file of predictions leaves no folder behind; a detector may take hours, so its
    # folder is sure before it is asked
    ready = None if detector else _scored(config, None, corpora, progress)
    folder = open_run(config.out, config, config.seed, inputs)
    lines, failures = ready or _scored(config, detector, corpora, progress)
    about: Json = {"refused": refused(refusals), "unscored": failures}
    publish_detection(folder, lines, about, config.command)
    return folder.path


def _scored(
    config: EvaluateDetector,
    detector: Detector | None,
    corpora: Sequence[Rows],
    progress: Progress,
) -> tuple[list[Scored], list[Json]]:
    """The lines of all corpora, and the rows without an answer."""
    name = config.system or (detector.name if detector else Path(config.predictions).stem)
    lines: list[Scored] = []
    failures: list[Json] = []
    for done, rows in enumerate(corpora):
        progress("scoring", done, len(corpora))
        answers = ask(detector, rows) if detector else read_answers(config.predictions, rows)
        failures.extend(answers.failures)
        lines.extend(_lines(config, name, rows, answers))
    progress("scoring", len(corpora), len(corpora))
    return lines, failures


def _check(config: EvaluateDetector, detector: Detector | None) -> None:
    if not config.corpora or config.resamples < 1:
        raise ConfigError("name at least one corpus and one resample")
    if bool(config.predictions) == bool(detector):
        raise ConfigError("give a detector or a file of predictions, one of them")
    if config.predictions and len(config.corpora) > 1:
        raise ConfigError("a file of predictions is for one corpus: name one")
    for name in config.trained_on:
        _, _, part = name.partition(":")
        if part not in ("", "all", *PARTS):
            known = ", ".join(PARTS)
            raise ConfigError(f'trained on "{name}": name a corpus, or one of its parts {known}')


def _lines(config: EvaluateDetector, name: str, rows: Rows, answers: Answers) -> list[Scored]:
    """Every line of one corpus: both test parts, then all rows where a detector was asked."""
    lines: list[Scored] = []
    for mode in _modes(config, rows, answers):
        test = np.asarray(rows.parts[mode] == "test")
        if answers.labelled(test):
            lines += score_line(config, name, rows, answers, (test, mode), None)
        for tune in () if _has_learnt(config, rows.corpus, "validation") else TUNES:
            threshold = validation_threshold(rows, answers, mode, tune)
            if threshold is not None:
                lines += score_line(config, name, rows, answers, (test, mode), threshold)
    fresh = not any(_has_learnt(config, rows.corpus, part) for part in PARTS)
    if fresh and not config.predictions:
        lines += score_line(
            config, name, rows, answers, (np.ones(len(rows.gold), bool), None), None
        )
    if not lines and not any((rows.parts[mode] == "test").any() for mode in MODES):
        raise DataError(f"{rows.corpus} has no test part: nothing to score")
    if not lines:
        raise DataError(
            f"{rows.corpus}: nothing to score: give labels, or probabilities of the validation "
            "part as well, on which the threshold is found"
        )
    return lines


def _has_learnt(config: EvaluateDetector, corpus: str, part: str) -> bool:
    """Whether the system was trained on a part of a corpus: a threshold found there flatters."""
    return bool({corpus, f"{corpus}:all", f"{corpus}:{part}"} & set(config.trained_on))


def _modes(config: EvaluateDetector, rows: Rows, answers: Answers) -> list[Mode]:
    """The splits whose test rows all have an answer; the same test rows are scored once."""
    tests = {mode: np.asarray(rows.parts[mode] == "test") for mode in MODES}
    failed = {failure["id"] for failure in answers.failures}
    known = answers.scored | np.array([id in failed for id in rows.ids])
    able = [m for m in MODES if tests[m].any() and (config.missing or known[tests[m]].all())]
    if not able and any(tests[mode].any() for mode in MODES):
        lacking = min(int((~known[tests[m]]).sum()) for m in MODES if tests[m].any())
        raise DataError(
            f"{config.predictions}: {lacking} test rows of {rows.corpus} have no answer: mark them "
            '{"id", "unscored": "why"}, or count them so with --missing'
        )
    if len(able) == 2 and np.array_equal(tests["published"], tests["grouped"]):
        return ["published"]
    return able


def validation_threshold(
    rows: Rows, answers: Answers, mode: Mode, tune: Tune = tune_threshold
) -> Threshold | None:
    """From the validation part, one for all labels or one a label.

    None where that part has no gold label, or it or the test part a row without probabilities: one
    row without them would look as if nothing was found in it.
    """
    parts, given = rows.parts[mode], answers.probabilities
    validation = np.asarray(parts == "validation") & answers.scored
    if given is None or not answers.graded(np.isin(parts, ("validation", "test"))):
        return None
    if not (rows.gold & rows.mask)[validation].any():
        return None
    return tune(rows.gold[validation], given[validation], rows.mask[validation])


def score_line(
    config: EvaluateDetector,
    name: str,
    rows: Rows,
    answers: Answers,
    which: tuple[Bools, Mode | None],
    threshold: Threshold | None,
) -> list[Scored]:
    """One line, and a second one with the corpus' own labels where it has such labels."""
    here, mode = which
    return [
        Scored(
            _report(config, name, rows, answers, which, threshold, wide),
            rows,
            answers,
            here,
            mode,
            threshold is not None,
            threshold,
            config.trained_on,
        )
        for wide in ((False, True) if rows.mask[:, N:].any() else (False,))
    ]


def _report(
    config: EvaluateDetector,
    name: str,
    rows: Rows,
    answers: Answers,
    which: tuple[Bools, Mode | None],
    threshold: Threshold | None,
    wide: bool,
) -> DetectionReport:
    here, mode = which
    rest = here if mode is None else ~here
    if not rest.any():
        rest = here
    columns = slice(None) if wide else slice(N)
    given = answers.probabilities
    predicted = answers.predicted if threshold is None else kept(given, threshold)
    offered = given if answers.graded(here) else None
    return detection_report(
        rows.gold[here, columns],
        predicted[here, columns],
        [group for group, kept in zip(rows.groups, here, strict=True) if kept],
        np.random.default_rng(config.seed),
        corpus=rows.corpus,
        part=part_name(rows, mode, wide),
        detector=name,
        thresholds=_said(threshold),
        command=config.command,
        labels=[distortion.value for distortion in COLUMNS[columns]],
        mask=rows.mask[here, columns],
        undistorted=rows.undistorted[here],
        scored=answers.scored[here],
        probabilities=None if offered is None else offered[here, columns],
        baseline_gold=rows.gold[rest, columns],
        baseline_mask=rows.mask[rest, columns],
        baselines_from=_OWN if rest is here else "all other rows of the corpus",
        resamples=config.resamples,
    )


def _said(threshold: Threshold | None) -> str:
    if threshold is None:
        return OWN
    return f"{VALIDATION}: {threshold:.4f}" if isinstance(threshold, float) else TOGETHER


def kept(given: Floats | None, threshold: Threshold) -> Bools:
    """Labels at or above a threshold; a row without probabilities has none."""
    values = np.empty((0, 0)) if given is None else given
    above: Bools = np.nan_to_num(values, nan=-1.0) >= np.asarray(threshold)
    return above


def part_name(rows: Rows, mode: Mode | None, wide: bool) -> str:
    """What a line calls its rows."""
    same = np.array_equal(rows.parts["published"] == "test", rows.parts["grouped"] == "test")
    name = "all rows" if mode is None else f"{'either' if same else mode} split, test part"
    return f"{name}, with the corpus' own labels" if wide else name
