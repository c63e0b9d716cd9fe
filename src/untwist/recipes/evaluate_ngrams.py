"""Recipe: the fixed n-gram model on every corpus, trained on that corpus' own train part.

    corpora -> train part -> n-gram model -> threshold on validation -> test part -> a run folder

Once by the papers' row split and once by the grouped one. These are the numbers that a trained
detector has to beat on its own corpus.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from untwist.data import Mode, Reading, Refusals, load_source
from untwist.errors import DataError
from untwist.evaluate import RESAMPLES
from untwist.recipes.answers import Answers
from untwist.recipes.detector_report import Scored, publish_detection, refused
from untwist.recipes.evaluate_detector import (
    TUNES,
    EvaluateDetector,
    score_line,
    validation_threshold,
)
from untwist.recipes.ngrams import NAME, NgramModel
from untwist.recipes.rows import MODES, Rows, rows_of
from untwist.recipes.runfolder import open_run


@dataclass(frozen=True, slots=True)
class EvaluateNgrams:
    """What to train and score on."""

    out: str
    """The run folder; it must be new or empty."""
    corpora: tuple[str, ...]
    """Names of corpora, or files of your own."""
    reading: Reading = field(default_factory=Reading)
    """How they are read."""
    seed: int = 42
    """Of the intervals and the sampled floor."""
    resamples: int = RESAMPLES
    """Of the bootstrap."""
    command: str = "untwist.recipes.evaluate_ngrams.run(config)"
    """What starts this run; stands in the report."""


def run(
    config: EvaluateNgrams,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Path:
    """Train and score, and write the run folder, as `evaluate_detector` does.

    Raises:
        ConfigError: the run folder is in use.
        DataError: a corpus cannot be read, or one of its parts has nothing to learn or tune on.
    """
    refusals = Refusals()
    loaded = [load_source(name, config.reading, refusals) for name in config.corpora]
    folder = open_run(config.out, config, config.seed, [f for one in loaded for f in one.files])
    lines: list[Scored] = []
    for done, one in enumerate(loaded):
        progress("training and scoring", done, len(loaded))
        rows = rows_of(one.entry.name, one.dialogues)
        for mode in MODES:
            if (rows.parts[mode] == "test").any():
                lines += _lines(config, rows, mode)
    progress("training and scoring", len(loaded), len(loaded))
    publish_detection(folder, lines, {"refused": refused(refusals), "unscored": []}, config.command)
    return folder.path


def _lines(config: EvaluateNgrams, rows: Rows, mode: Mode) -> list[Scored]:
    answers = _answers(rows, mode)
    like = EvaluateDetector(
        out=config.out,
        corpora=config.corpora,
        trained_on=(f"{rows.corpus}:train",),
        seed=config.seed,
        resamples=config.resamples,
        command=config.command,
    )
    test = np.asarray(rows.parts[mode] == "test")
    lines: list[Scored] = []
    for tune in TUNES:
        threshold = validation_threshold(rows, answers, mode, tune)
        if threshold is None:
            raise DataError(f"{rows.corpus}: no label in its validation part: nothing to tune on")
        lines += score_line(like, NAME, rows, answers, (test, mode), threshold)
    return lines


def _answers(rows: Rows, mode: Mode) -> Answers:
    """What the model says of every row once it has learnt the train part."""
    n = len(rows.gold)
    train = np.flatnonzero(rows.parts[mode] == "train")
    model = NgramModel().fit([rows.utterances[p].text for p in train], rows.gold[train])
    said = model.probabilities([utterance.text for utterance in rows.utterances])
    return Answers(
        predicted=np.zeros(rows.gold.shape, bool),
        decided=np.zeros(n, bool),
        scored=np.ones(n, bool),
        probabilities=said,
        levels=((None, None),) * n,
        failures=(),
    )
