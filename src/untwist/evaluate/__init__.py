"""Honest scores: pure functions on gold labels and predictions, with floors and intervals beside.

Purpose: compute every number of a results table in one way, and say what it leaves out.
Takes: arrays of gold labels, predictions, probabilities, masks and groups.
Gives: scores, intervals, floors, reports and leaderboards as Markdown, JSON, pictures and a page.
May import: schema, taxonomy, errors.
Heavy doors: scikit-learn and matplotlib (the extra "eval"), opened by the functions that need them.
"""

from untwist.evaluate.agreement import (
    Agreement,
    ManyAgreement,
    agreement,
    fleiss_kappa,
    pooled_agreement,
)
from untwist.evaluate.baselines import all_labels, best_constant, sample_prior
from untwist.evaluate.binary import Rates
from untwist.evaluate.bootstrap import (
    METRIC_NAMES,
    METRICS,
    bootstrap,
    paired_bootstrap,
)
from untwist.evaluate.calibrate import (
    Bin,
    ProbabilityScores,
    average_precision,
    expected_calibration_error,
    probability_scores,
    reliability,
)
from untwist.evaluate.cells import Mean
from untwist.evaluate.classify import (
    ClassScore,
    FalseAlarms,
    Scores,
    false_alarms,
    scores,
    with_none,
)
from untwist.evaluate.comparison import Comparison, compare
from untwist.evaluate.differences import difference_plot
from untwist.evaluate.figures import (
    ForestRow,
    class_bars,
    forest,
    forest_rows,
    label_distribution,
    reliability_diagram,
)
from untwist.evaluate.forms import SCHEMAS, check, schema
from untwist.evaluate.heat import heat_map
from untwist.evaluate.leaderboard import (
    Entry,
    entry_of,
    floor_of,
    leaderboard_markdown,
    leaderboard_tables,
    read_leaderboard,
)
from untwist.evaluate.line import Baseline, Line
from untwist.evaluate.matrix import Matrix
from untwist.evaluate.ordinal import LevelScore, OrdinalScores, missed_high_risk, ordinal_scores
from untwist.evaluate.page import Image, Section, html_page
from untwist.evaluate.pictures import Picture, save
from untwist.evaluate.proportions import Share
from untwist.evaluate.report import FLOOR, PROTOCOL, DetectionReport, detection_report
from untwist.evaluate.report_tables import markdown, report_tables
from untwist.evaluate.resample import RESAMPLES, Difference, Interval
from untwist.evaluate.seeds import Spread, over_seeds
from untwist.evaluate.span_plot import span_plot
from untwist.evaluate.spans import (
    OVERLAP,
    SPAN_METRICS,
    Lengths,
    Spans,
    SpanScores,
    merged,
    span_counts,
    span_lengths,
    span_scores,
    trimmed,
)
from untwist.evaluate.tables import Table, bounds, number, table_markdown
from untwist.evaluate.thresholds import (
    apply,
    tune_threshold,
    tune_thresholds,
    tune_together,
)

__all__ = [
    "FLOOR",
    "METRICS",
    "METRIC_NAMES",
    "OVERLAP",
    "PROTOCOL",
    "RESAMPLES",
    "SCHEMAS",
    "SPAN_METRICS",
    "Agreement",
    "Baseline",
    "Bin",
    "ClassScore",
    "Comparison",
    "DetectionReport",
    "Difference",
    "Entry",
    "FalseAlarms",
    "ForestRow",
    "Image",
    "Interval",
    "Lengths",
    "LevelScore",
    "Line",
    "ManyAgreement",
    "Matrix",
    "Mean",
    "OrdinalScores",
    "Picture",
    "ProbabilityScores",
    "Rates",
    "Scores",
    "Section",
    "Share",
    "SpanScores",
    "Spans",
    "Spread",
    "Table",
    "agreement",
    "all_labels",
    "apply",
    "average_precision",
    "best_constant",
    "bootstrap",
    "bounds",
    "check",
    "class_bars",
    "compare",
    "detection_report",
    "difference_plot",
    "entry_of",
    "expected_calibration_error",
    "false_alarms",
    "fleiss_kappa",
    "floor_of",
    "forest",
    "forest_rows",
    "heat_map",
    "html_page",
    "label_distribution",
    "leaderboard_markdown",
    "leaderboard_tables",
    "markdown",
    "merged",
    "missed_high_risk",
    "number",
    "ordinal_scores",
    "over_seeds",
    "paired_bootstrap",
    "pooled_agreement",
    "probability_scores",
    "read_leaderboard",
    "reliability",
    "reliability_diagram",
    "report_tables",
    "sample_prior",
    "save",
    "schema",
    "scores",
    "span_counts",
    "span_lengths",
    "span_plot",
    "span_scores",
    "table_markdown",
    "trimmed",
    "tune_threshold",
    "tune_thresholds",
    "tune_together",
    "with_none",
]
