"""Honest scores: pure functions on gold labels and predictions, with floors and intervals beside.

Purpose: compute every number of a results table in one way, and say what it leaves out.
Takes: arrays of gold labels, predictions, probabilities, masks and groups; replies and ratings.
Gives: scores, intervals, floors, reports and leaderboards as Markdown, JSON, pictures and a page.
May import: schema, taxonomy, text, errors.
Heavy doors: scikit-learn and matplotlib (the extra "eval"), opened by the functions that need them.
"""

from untwist.evaluate.advantage import Advantage, advantage_of, safety_advantage
from untwist.evaluate.agreement import (
    Agreement,
    ManyAgreement,
    agreement,
    fleiss_kappa,
    pooled_agreement,
)
from untwist.evaluate.baselines import all_labels, best_constant, sample_prior
from untwist.evaluate.binary import Rates
from untwist.evaluate.blind import MASK, Blinding, BlindReply, BlindRow, blinded
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
from untwist.evaluate.calibrator import Calibration, Calibrator, calibrate, calibration
from untwist.evaluate.cells import Mean
from untwist.evaluate.choose import (
    CHOICE_METRICS,
    SEEKERS,
    ChoiceScores,
    States,
    choice_differences,
    choice_scores,
    fitting,
)
from untwist.evaluate.classify import (
    ClassScore,
    FalseAlarms,
    Scores,
    false_alarms,
    scores,
    with_none,
)
from untwist.evaluate.comparison import Comparison, compare
from untwist.evaluate.consensus import most, most_labels, most_spans
from untwist.evaluate.crisis import Crisis, crisis_calls, precision_at
from untwist.evaluate.differences import difference_plot
from untwist.evaluate.episodes import (
    Episodes,
    Habits,
    habits,
    mean_return,
    return_difference,
)
from untwist.evaluate.figures import (
    ForestRow,
    class_bars,
    forest,
    forest_rows,
    label_distribution,
    reliability_diagram,
)
from untwist.evaluate.forms import SCHEMAS, check, schema
from untwist.evaluate.gates import (
    Facet,
    FacetAgreement,
    Gate,
    Obstacle,
    PartAgreement,
    facet_agreement,
    obstacles,
)
from untwist.evaluate.heat import heat_map
from untwist.evaluate.judge import (
    MIN_RATED,
    Preferences,
    Standing,
    Steadiness,
    mean_score,
    preferences,
    quadratic_kappa,
    settled,
    standing,
    steadiness,
)
from untwist.evaluate.krippendorff import Alpha, krippendorff_alpha, masi
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
from untwist.evaluate.ope import ESTIMATORS, Logged, OffPolicy, fitted_values, off_policy
from untwist.evaluate.ordinal import LevelScore, OrdinalScores, missed_high_risk, ordinal_scores
from untwist.evaluate.page import Image, Section, html_page
from untwist.evaluate.parts import CBT_PARTS, PartCues, cbt_parts, part_cues
from untwist.evaluate.pictures import Picture, save
from untwist.evaluate.policy_plots import (
    Point,
    advantage_plot,
    curve_plot,
    hit_ranking,
    point_plot,
)
from untwist.evaluate.proportions import Share
from untwist.evaluate.rating_page import PageScale, rating_page
from untwist.evaluate.ratings import (
    NO_SCORE,
    TENTATIVE,
    Rating,
    ReadSheet,
    ScaleRatings,
    read_sheet,
    scale_ratings,
)
from untwist.evaluate.references import ReferenceScore, ScoreModels, reference_scores
from untwist.evaluate.reply import (
    ReplyCounts,
    Variety,
    distinct,
    question_count,
    reply_counts,
    reply_tokens,
    self_bleu,
    variety,
)
from untwist.evaluate.report import FLOOR, PROTOCOL, DetectionReport, detection_report
from untwist.evaluate.report_tables import markdown, report_tables
from untwist.evaluate.resample import (
    RESAMPLES,
    Difference,
    Estimate,
    Interval,
    Runs,
    grouped_mean,
    over_runs,
    paired_means,
)
from untwist.evaluate.seeds import Spread, over_seeds
from untwist.evaluate.seekers import (
    COGNITIVE_SCALES,
    SEEKER_NAMES,
    SeekerCells,
    seeker_cells,
    seeker_map,
    seeker_of,
    seeker_table,
)
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
from untwist.evaluate.votes import SCALES, VoteAgreement, cohen_kappa, majority, vote_agreement

__all__ = [
    "CBT_PARTS",
    "CHOICE_METRICS",
    "COGNITIVE_SCALES",
    "ESTIMATORS",
    "FLOOR",
    "MASK",
    "METRICS",
    "METRIC_NAMES",
    "MIN_RATED",
    "NO_SCORE",
    "OVERLAP",
    "PROTOCOL",
    "RESAMPLES",
    "SCALES",
    "SCHEMAS",
    "SEEKERS",
    "SEEKER_NAMES",
    "SPAN_METRICS",
    "TENTATIVE",
    "Advantage",
    "Agreement",
    "Alpha",
    "Baseline",
    "Bin",
    "BlindReply",
    "BlindRow",
    "Blinding",
    "Calibration",
    "Calibrator",
    "ChoiceScores",
    "ClassScore",
    "Comparison",
    "Crisis",
    "DetectionReport",
    "Difference",
    "Entry",
    "Episodes",
    "Estimate",
    "Facet",
    "FacetAgreement",
    "FalseAlarms",
    "ForestRow",
    "Gate",
    "Habits",
    "Image",
    "Interval",
    "Lengths",
    "LevelScore",
    "Line",
    "Logged",
    "ManyAgreement",
    "Matrix",
    "Mean",
    "Obstacle",
    "OffPolicy",
    "OrdinalScores",
    "PageScale",
    "PartAgreement",
    "PartCues",
    "Picture",
    "Point",
    "Preferences",
    "ProbabilityScores",
    "Rates",
    "Rating",
    "ReadSheet",
    "ReferenceScore",
    "ReplyCounts",
    "Runs",
    "ScaleRatings",
    "ScoreModels",
    "Scores",
    "Section",
    "SeekerCells",
    "Share",
    "SpanScores",
    "Spans",
    "Spread",
    "Standing",
    "States",
    "Steadiness",
    "Table",
    "Variety",
    "VoteAgreement",
    "advantage_of",
    "advantage_plot",
    "agreement",
    "all_labels",
    "apply",
    "average_precision",
    "best_constant",
    "blinded",
    "bootstrap",
    "bounds",
    "calibrate",
    "calibration",
    "cbt_parts",
    "check",
    "choice_differences",
    "choice_scores",
    "class_bars",
    "cohen_kappa",
    "compare",
    "crisis_calls",
    "curve_plot",
    "detection_report",
    "difference_plot",
    "distinct",
    "entry_of",
    "expected_calibration_error",
    "facet_agreement",
    "false_alarms",
    "fitted_values",
    "fitting",
    "fleiss_kappa",
    "floor_of",
    "forest",
    "forest_rows",
    "grouped_mean",
    "habits",
    "heat_map",
    "hit_ranking",
    "html_page",
    "krippendorff_alpha",
    "label_distribution",
    "leaderboard_markdown",
    "leaderboard_tables",
    "majority",
    "markdown",
    "masi",
    "mean_return",
    "mean_score",
    "merged",
    "missed_high_risk",
    "most",
    "most_labels",
    "most_spans",
    "number",
    "obstacles",
    "off_policy",
    "ordinal_scores",
    "over_runs",
    "over_seeds",
    "paired_bootstrap",
    "paired_means",
    "part_cues",
    "point_plot",
    "pooled_agreement",
    "precision_at",
    "preferences",
    "probability_scores",
    "quadratic_kappa",
    "question_count",
    "rating_page",
    "read_leaderboard",
    "read_sheet",
    "reference_scores",
    "reliability",
    "reliability_diagram",
    "reply_counts",
    "reply_tokens",
    "report_tables",
    "return_difference",
    "safety_advantage",
    "sample_prior",
    "save",
    "scale_ratings",
    "schema",
    "scores",
    "seeker_cells",
    "seeker_map",
    "seeker_of",
    "seeker_table",
    "self_bleu",
    "settled",
    "span_counts",
    "span_lengths",
    "span_plot",
    "span_scores",
    "standing",
    "steadiness",
    "table_markdown",
    "trimmed",
    "tune_threshold",
    "tune_thresholds",
    "tune_together",
    "variety",
    "vote_agreement",
    "with_none",
]
