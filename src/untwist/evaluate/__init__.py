"""Honest scores: pure functions on gold labels and predictions, with floors and intervals beside.

Purpose: compute every number of a results table in one way, and say what it leaves out.
Takes: arrays of gold labels, predictions, probabilities, masks and groups.
Gives: scores, intervals, floors, and a report as Markdown and JSON.
May import: schema, taxonomy, errors.
Heavy doors: none.
"""

from untwist.evaluate.agreement import Agreement, agreement
from untwist.evaluate.baselines import all_labels, best_constant, sample_prior
from untwist.evaluate.binary import Rates
from untwist.evaluate.bootstrap import (
    RESAMPLES,
    Difference,
    Interval,
    bootstrap,
    paired_bootstrap,
)
from untwist.evaluate.calibrate import (
    ProbabilityScores,
    average_precision,
    expected_calibration_error,
    probability_scores,
)
from untwist.evaluate.classify import (
    ClassScore,
    FalseAlarms,
    Mean,
    Scores,
    false_alarms,
    scores,
)
from untwist.evaluate.proportions import Share
from untwist.evaluate.report import (
    PROTOCOL,
    Baseline,
    DetectionReport,
    detection_report,
    markdown,
)

__all__ = [
    "PROTOCOL",
    "RESAMPLES",
    "Agreement",
    "Baseline",
    "ClassScore",
    "DetectionReport",
    "Difference",
    "FalseAlarms",
    "Interval",
    "Mean",
    "ProbabilityScores",
    "Rates",
    "Scores",
    "Share",
    "agreement",
    "all_labels",
    "average_precision",
    "best_constant",
    "bootstrap",
    "detection_report",
    "expected_calibration_error",
    "false_alarms",
    "markdown",
    "paired_bootstrap",
    "probability_scores",
    "sample_prior",
    "scores",
]
