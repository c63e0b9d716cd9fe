"""Recipe: two systems on the same rows, compared by a paired bootstrap over groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from untwist.data import Mode, Reading, Refusals, load_source
from untwist.errors import ConfigError, DataError
from untwist.evaluate import RESAMPLES, Comparison, compare, difference_plot
from untwist.ports import Detector
from untwist.recipes.answers import Answers, ask, read_answers
from untwist.recipes.evaluate_detector import kept, validation_threshold
from untwist.recipes.publish import Chapter, Drawing, publish
from untwist.recipes.rows import MODES, Bools, N, Rows, rows_of
from untwist.recipes.runfolder import open_run

SCHEMA = "untwist/comparisons@1"
_PROTOCOL = (
    "Both systems on the same test rows and the same resamples of groups (sources and "
    "near-duplicates together). A system that gives labels is taken at its word; one that gives "
    "probabilities alone gets one threshold for all labels from the validation part. Canonical "
    "labels that the corpus can carry are counted."
)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two systems.

    Attributes:
        name: stands in the report.
        source: a detector, or the path of a file of predictions.
    """

    name: str
    source: Detector | str


@dataclass(frozen=True, slots=True)
class CompareDetectors:
    """What to compare on."""

    out: str
    """The run folder; it must be new or empty."""
    corpus: str
    """Name of a corpus, or a file of your own."""
    reading: Reading = field(default_factory=Reading)
    """How it is read."""
    seed: int = 42
    """Of the resamples."""
    resamples: int = RESAMPLES
    """Of the bootstrap."""
    command: str = "untwist.recipes.compare_detectors.run(config, first, second)"
    """What starts this run; stands in the report."""


def run(config: CompareDetectors, first: Side, second: Side) -> tuple[Path, list[Comparison]]:
    """Compare, and write the run folder.

    Rows that one side does not answer are unscored on that side.

    Returns:
        The folder and one comparison for each split with a test part.

    Raises:
        ConfigError: the run folder is in use, no resample is asked for, or both systems have one
            name.
        DataError: the corpus or a file of predictions cannot be read, or it has no test part.
    """
    if config.resamples < 1 or first.name == second.name:
        raise ConfigError("ask for one resample at least, and give the two systems two names")
    refusals = Refusals()
    loaded = load_source(config.corpus, config.reading, refusals)
    rows = rows_of(loaded.entry.name, loaded.dialogues)
    modes = [mode for mode in MODES if (rows.parts[mode] == "test").any()]
    if not modes:
        raise DataError(f"{rows.corpus} has no test part: nothing to compare on")
    sides = (first, second)
    # a slip in a file of predictions leaves no folder behind
    files = {s.source: read_answers(s.source, rows) for s in sides if isinstance(s.source, str)}
    inputs = [*loaded.files, *map(Path, files)]
    folder = open_run(config.out, config, config.seed, inputs)
    answers = [
        files[side.source] if isinstance(side.source, str) else ask(side.source, rows)
        for side in sides
    ]
    found = [_compared(config, rows, mode, answers, (first.name, second.name)) for mode in modes]
    folder.write_metrics(
        {
            "schema": SCHEMA,
            "comparisons": [one.to_dict() for one in found],
            "refused": len(refusals),
        }
    )
    chapters = [_chapter(one, place) for place, one in enumerate(found, 1)]
    title = f"{first.name} against {second.name}"
    publish(folder, title, chapters, protocol=_PROTOCOL, command=config.command)
    return folder.path, found


def _compared(
    config: CompareDetectors,
    rows: Rows,
    mode: Mode,
    answers: Sequence[Answers],
    names: tuple[str, str],
) -> Comparison:
    test = np.asarray(rows.parts[mode] == "test")
    first, second = (_predicted(one, rows, mode, test)[:, :N] for one in answers)
    return compare(
        rows.gold[test, :N],
        first,
        second,
        [group for group, here in zip(rows.groups, test, strict=True) if here],
        np.random.default_rng(config.seed),
        corpus=rows.corpus,
        part=f"{mode} split, test part",
        names=names,
        command=config.command,
        mask=rows.mask[test, :N],
        undistorted=rows.undistorted[test],
        scored_first=answers[0].scored[test],
        scored_second=answers[1].scored[test],
        resamples=config.resamples,
    )


def _predicted(answers: Answers, rows: Rows, mode: Mode, test: Bools) -> Bools:
    if answers.labelled(test):
        return np.asarray(answers.predicted[test])
    threshold = validation_threshold(rows, answers, mode)
    if threshold is None:
        raise DataError(
            f"{rows.corpus}, {mode} split: probabilities are lacking in the validation or the test "
            "part: give those too, or labels"
        )
    return kept(answers.probabilities, threshold)[test]


def _chapter(one: Comparison, place: int) -> Chapter:
    table = one.table()
    counts = (
        f"{one.statement()}. {one.n:,} rows in {one.groups:,} groups; unscored: "
        f"{one.unscored_first:,} by {one.first}, {one.unscored_second:,} by {one.second}."
    )
    drawing = Drawing(
        f"differences-{place}",
        f"Differences on {one.corpus}, {one.part}; an interval that leaves 0 out shows one.",
        partial(difference_plot, one),
    )
    return Chapter(one.part, (counts,), (table,), (drawing,))
