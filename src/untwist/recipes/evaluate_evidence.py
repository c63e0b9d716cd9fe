"""Recipe: the evidence spans of a detector against gold spans, beside baselines that read nothing.

    corpora -> rows -> findings with spans -> scores with intervals, baselines -> a run folder

Nothing is learnt or tuned here: the detector's own thresholds decide which labels it gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from untwist.data import Reading, Refusals
from untwist.data.splits import PARTS
from untwist.errors import ConfigError, DataError
from untwist.evaluate import (
    RESAMPLES,
    Lengths,
    SpanScores,
    span_counts,
    span_lengths,
    span_scores,
)
from untwist.ports import Detector
from untwist.recipes.detector_report import refused
from untwist.recipes.evaluate_detector import part_name
from untwist.recipes.evidence_cells import (
    BASELINES,
    Cells,
    Marks,
    all_labels,
    any_label,
    baseline_cells,
    counts_of,
    gold_of,
    mark,
    same_label,
)
from untwist.recipes.evidence_report import DETECTOR, GOLD, EvidenceLine, publish_evidence
from untwist.recipes.rows import Bools, Progress, Rows, load_each, quiet, rows_of
from untwist.recipes.runfolder import open_run
from untwist.schema import Json
from untwist.taxonomy import LANGS, Lang

SCHEMA = "untwist/evidence@1"


@dataclass(frozen=True, slots=True)
class EvaluateEvidence:
    """What to evaluate on."""

    out: str
    """The run folder; it must be new or empty."""
    corpora: tuple[str, ...]
    """Names of corpora, or files of your own; each with evidence spans."""
    reading: Reading = field(default_factory=Reading)
    """How they are read."""
    trained_on: tuple[str, ...] = ()
    """Corpora ("open") or parts ("open:train") that the detector learnt from."""
    seed: int = 42
    """Of the intervals and the random clause."""
    resamples: int = RESAMPLES
    """Of the bootstrap."""
    command: str = "untwist.recipes.evaluate_evidence.run(config, detector)"
    """What starts this run; stands in the report."""


def run(config: EvaluateEvidence, detector: Detector, progress: Progress = quiet) -> Path:
    """Evaluate, and write the run folder.

    A corpus gets a line for the test part of the grouped split and, where the detector learnt
    nothing from it, one for all rows; each again by language where there are both. A row for which
    the detector raises a model or parse error is unscored: it misses all its labels.

    Args:
        config: what to evaluate on.
        detector: whose findings.
        progress: told the stage and how many corpora are done.

    Returns:
        The run folder, with config.toml, manifest.json, metrics.json, report.md, report.html and
        pictures.

    Raises:
        ConfigError: no corpus or no resample is named, the run folder is in use, or `trained_on`
            names a part that there is not.
        DataError: a corpus cannot be read, has no evidence spans or no row to score, or the
            detector marks what is not in the text.
    """
    _check(config)
    refusals = Refusals()
    loaded = load_each(config.corpora, config.reading, refusals, progress)
    corpora = [rows_of(one.entry.name, one.dialogues) for one in loaded]
    # a slip leaves no folder behind, and a detector may take hours: its folder is sure before it
    # is asked
    wanted = [_wanted(config, rows) for rows in corpora]
    inputs = [file for one in loaded for file in one.files]
    folder = open_run(config.out, config, config.seed, inputs)
    lines: list[EvidenceLine] = []
    failures: list[Json] = []
    for done, (rows, parts) in enumerate(zip(corpora, wanted, strict=True)):
        progress("scoring", done, len(corpora))
        asked: Bools = np.any(list(parts.values()), axis=0)
        marks = mark(detector, rows, asked)
        failures += marks.failures
        lines += _lines(config, marks, parts)
    progress("scoring", len(corpora), len(corpora))
    folder.write_metrics(
        {
            "schema": SCHEMA,
            "command": config.command,
            "detector": detector.name,
            "trained_on": list(config.trained_on),
            "resamples": config.resamples,
            "refused": refused(refusals),
            "unscored": failures,
            "lines": [line.to_dict() for line in lines],
        }
    )
    about = f"Trained on: {', '.join(config.trained_on) or 'not said'}. {len(refusals):,} rows "
    about += f"refused, {len(failures):,} unscored."
    publish_evidence(folder, lines, detector.name, about, config.command)
    return folder.path


def _check(config: EvaluateEvidence) -> None:
    if not config.corpora or config.resamples < 1:
        raise ConfigError("name at least one corpus and one resample")
    for name in config.trained_on:
        _, _, part = name.partition(":")
        if part not in ("", "all", *PARTS):
            known = ", ".join(PARTS)
            raise ConfigError(f'trained on "{name}": name a corpus, or one of its parts {known}')


def _wanted(config: EvaluateEvidence, rows: Rows) -> dict[str, Bools]:
    """The rows of each line of one corpus, by what the line calls them.

    Raises:
        DataError: there is no gold span, or no row that the detector has not learnt from.
    """
    gold_of(rows)
    test: Bools = np.asarray(rows.parts["grouped"] == "test")
    named = [name.partition(":") for name in config.trained_on]
    learnt = {part or "all" for corpus, _, part in named if corpus == rows.corpus}
    wanted: dict[str, Bools] = {}
    if test.any():
        wanted[part_name(rows, "grouped", False)] = test
    if not learnt and not test.all():
        wanted[part_name(rows, None, False)] = np.ones(len(test), bool)
    if not wanted:
        raise DataError(f"{rows.corpus} has no test part: nothing to score")
    return wanted


def _lines(config: EvaluateEvidence, marks: Marks, parts: dict[str, Bools]) -> list[EvidenceLine]:
    langs = np.array([utterance.lang or "" for utterance in marks.rows.utterances])
    both = all((langs == lang).any() for lang in LANGS)
    by_lang: Sequence[Lang | None] = (None, *LANGS) if both else (None,)
    return [
        _line(config, marks, part, here if lang is None else here & (langs == lang), lang)
        for part, here in parts.items()
        for lang in by_lang
    ]


def _line(
    config: EvaluateEvidence, marks: Marks, part: str, here: Bools, lang: Lang | None
) -> EvidenceLine:
    same, any_of = _marked(config, marks, same_label(marks, here)), any_label(marks, here)
    union = _marked(config, marks, any_of)
    scores = {
        "same_label": _scored(config, marks.rows, same),
        "all_labels": _scored(config, marks.rows, {DETECTOR: all_labels(marks, here)}),
        "any_label": _scored(config, marks.rows, union),
    }
    own = same[DETECTOR]
    spans = {GOLD: Cells(own.places, own.gold, own.gold), **same}
    lengths = {name: _lengths(marks.rows, cells) for name, cells in spans.items()}
    counts = counts_of(marks, here)
    return EvidenceLine(marks.rows.corpus, part, lang, counts, scores, lengths)


def _marked(config: EvaluateEvidence, marks: Marks, cells: Cells) -> dict[str, Cells]:
    """Cells as the detector marks them, and as each baseline does."""
    others = {name: baseline_cells(cells, marks.rows, name, config.seed) for name in BASELINES}
    return {DETECTOR: cells, **others}


def _scored(
    config: EvaluateEvidence, rows: Rows, systems: dict[str, Cells]
) -> dict[str, SpanScores]:
    return {
        name: span_scores(
            span_counts(cells.gold, cells.found),
            [rows.groups[place] for place in cells.places],
            np.random.default_rng(config.seed),
            config.resamples,
        )
        for name, cells in systems.items()
    }


def _lengths(rows: Rows, cells: Cells) -> Lengths:
    return span_lengths(cells.found, [len(rows.utterances[p].text) for p in cells.places])
