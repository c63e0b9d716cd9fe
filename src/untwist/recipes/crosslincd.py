"""Recipe: CrossLinCD's Tables 2, 3, 4 and 5, made anew.

    corpora -> a model for each column, split and seed -> thresholds from validation -> a run folder

The same recipe with a tiny encoder of random weights shows that it runs, says so on every table,
and is no result. Leaves out: training language models (`untwist train llm`); their answers come in
as columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import numpy as np

from untwist.data import Mode
from untwist.detect import PromptedDetector
from untwist.errors import ConfigError, DataError
from untwist.ports import Detector
from untwist.recipes import crosslincd_report
from untwist.recipes.answers import ask, read_answers
from untwist.recipes.crosslincd_answers import Run, Said, train_all
from untwist.recipes.crosslincd_config import (
    Asked,
    Crosslincd,
    Model,
    Target,
    models_of,
    targets_of,
)
from untwist.recipes.crosslincd_report import called, paper_figure, stamp_of
from untwist.recipes.crosslincd_rows import Corpora, Places, read_corpora
from untwist.recipes.crosslincd_scores import (
    MEAN,
    RULES,
    Cell,
    answered_cell,
    floors,
    mean_of,
    scored,
    test_places,
    trained_cell,
)
from untwist.recipes.rows import Bools, Progress, Rows, quiet
from untwist.recipes.runfolder import open_run
from untwist.recipes.train_encoder import is_main
from untwist.schema import Json

SCHEMA = "untwist/crosslincd-table@1"
Asking = Callable[[Asked], Detector]
"""Opens a language model that is asked."""


def run(
    config: Crosslincd, progress: Progress = quiet, asking: Asking | None = None
) -> tuple[Path, Json]:
    """Train, test, and write the run folder.

    Args:
        config: which table, on what.
        progress: told what is trained.
        asking: opens the language models that are asked; needed where one is.

    Returns:
        The folder (config.toml, manifest.json, metrics.json, report.md, report.html) and the
        metrics; processes that do not write have no metrics.

    Raises:
        ConfigError: the run folder is in use, or settings do not fit the data or the machine.
        DataError: a corpus or a file of predictions cannot be read, or has nothing to learn, tune
            or test on.
        MissingExtra: the extra "finetune" is not installed.
        ModelError: the encoder cannot be loaded.
    """
    path = Path(config.out)
    if path.is_file() or (path.is_dir() and any(path.iterdir())):
        raise ConfigError(f"{path} is not empty: name a new folder for the run")
    corpora = read_corpora(config, progress)
    models = models_of(config, corpora.names, called())
    targets = targets_of(config, corpora.names, called())
    said = train_all(config, corpora, models, targets, progress)
    if not is_main():
        return path, {}
    cells = _cells(config, corpora, models, targets, said)
    cells += _answered(config, corpora, targets, asking)
    metrics = _metrics(config, corpora, models, targets, said, cells)
    inputs = [*corpora.files, *_predictions(config, corpora)]
    folder = open_run(path, config, config.seeds[0], inputs)
    folder.write_metrics(metrics)
    crosslincd_report.write(folder, config, metrics)
    return folder.path, metrics


def _cells(
    config: Crosslincd,
    corpora: Corpora,
    models: Sequence[Model],
    targets: Sequence[Target],
    said: Mapping[Run, Said],
) -> list[Json]:
    """Every trained model on every target, and its mean over targets."""
    found: list[Json] = []
    for split in config.splits:
        for model in models:
            cells = [trained_cell(config, corpora, model, t, split, said) for t in targets]
            found += _scored(config, split, model.key, cells)
    return found


def _answered(
    config: Crosslincd, corpora: Corpora, targets: Sequence[Target], asking: Asking | None
) -> list[Json]:
    """Every language model on every target."""
    found: list[Json] = []
    for split in config.splits:
        for name, trainings in config.asked(split).items():
            told = [_Told(one, corpora, asking) for one in trainings]
            cells = [_answered_cell(corpora, name, target, split, told) for target in targets]
            found += _scored(config, split, name, cells)
    return found


def _answered_cell(
    corpora: Corpora, name: str, target: Target, split: Mode, told: Sequence[_Told]
) -> Cell:
    said = [one.of(target) for one in told]
    predicted = [labels for labels, _ in said]
    return answered_cell(corpora, name, target, split, predicted, [lost for _, lost in said])


class _Told:
    """What one training of a language model says of the test rows of each corpus, asked once."""

    def __init__(self, one: Asked, corpora: Corpora, asking: Asking | None) -> None:
        self._one, self._corpora = one, corpora
        detector = None
        if one.source.startswith("llm:"):
            if asking is None:
                raise ConfigError(f"{one.name}: nothing opens {one.source}; give predictions")
            detector = asking(one)
        # one model after the other: several may not fit into memory
        self._answers = {name: self._ask(name, detector) for name in corpora.names}

    def of(self, target: Target) -> tuple[Bools, int]:
        """The labels of a target's test rows, and how many rows have no answer."""
        split = self._one.split
        every, predicted, answered = self._answers[target.corpus]
        own = np.isin(every, test_places(self._corpora, target, split))
        return predicted[own], int((~answered[own]).sum())

    def _ask(self, name: str, detector: Detector | None) -> tuple[Places, Bools, Bools]:
        rows = self._corpora.rows[name]
        places = self._corpora.places(name, self._one.split, "test")
        if detector is not None:
            asked = asked_as_tuned(detector, self._corpora.taxonomies[name])
            answers = ask(asked, _only(rows, places))
            return places, answers.predicted & answers.scored[:, None], answers.scored
        file = predictions_file(self._one, name)
        answers = read_answers(file, rows)
        here: Bools = np.isin(np.arange(len(rows.gold)), places)
        if not answers.labelled(here):
            raise DataError(f"{file} has probabilities alone: give labels")
        predicted = answers.predicted & answers.scored[:, None]
        return places, predicted[places], answers.scored[places]


def asked_as_tuned(detector: Detector, taxonomy: str | None) -> Detector:
    """A model that was tuned on names is asked for the labels of the corpus, as it was in tuning.

    Args:
        detector: any; one that is not asked for names stays as it is.
        taxonomy: the label set of the corpus; None is that of a file of the user's own.
    """
    if not isinstance(detector, PromptedDetector) or detector.question == "detect":
        return detector
    return replace(detector, taxonomy=taxonomy) if taxonomy else detector


def predictions_file(one: Asked, corpus: str) -> Path:
    """Where the predictions of a language model on one corpus stand."""
    return Path(one.source) / f"{corpus}.jsonl"


def _only(rows: Rows, places: Places) -> Rows:
    """Some rows of a corpus."""
    return replace(
        rows,
        utterances=tuple(rows.utterances[p] for p in places),
        dialogues=tuple(rows.dialogues[p] for p in places),
        histories=tuple(rows.histories[p] for p in places),
        labels=tuple(rows.labels[p] for p in places),
        gold=rows.gold[places],
        mask=rows.mask[places],
        undistorted=rows.undistorted[places],
        groups=tuple(rows.groups[p] for p in places),
        parts={mode: parts[places] for mode, parts in rows.parts.items()},
    )


def _predictions(config: Crosslincd, corpora: Corpora) -> list[Path]:
    """The files of predictions that are read."""
    trainings = [
        one for split in config.splits for own in config.asked(split).values() for one in own
    ]
    return [
        predictions_file(one, name)
        for one in trainings
        if not one.source.startswith("llm:")
        for name in corpora.names
    ]


def _scored(config: Crosslincd, split: Mode, key: str, cells: Sequence[Cell]) -> list[Json]:
    found: list[Json] = [
        {
            **cell.about,
            "paper": paper_figure(config.table, key, cell.about["target"]),
            "scores": {rule: scored(config, given) for rule, given in cell.by_rule.items()},
        }
        for cell in cells
    ]
    if config.table == 5:
        # the third target is the two others together
        return found
    rules = [rule for rule in RULES if all(rule in cell.by_rule for cell in cells)]
    means = {
        rule: mean_of(
            config,
            [cell.by_rule[rule] for cell in cells],
            [one["scores"][rule] for one in found],
        )
        for rule in rules
    }
    mean = {
        "split": split,
        "model": key,
        "target": MEAN,
        "n": sum(one["n"] for one in found),
        "paper": paper_figure(config.table, key, MEAN),
        "scores": means,
    }
    return [*found, mean]


def _metrics(
    config: Crosslincd,
    corpora: Corpora,
    models: Sequence[Model],
    targets: Sequence[Target],
    said: Mapping[Run, Said],
    cells: Sequence[Json],
) -> Json:
    runs = [
        {"split": split, "model": key, "seed": seed, **one.about}
        for (split, key, seed), one in said.items()
    ]
    columns = {m.key: m.title for m in models} | {c["model"]: c["model"] for c in cells
                                                  if "unscored" in c}  # fmt: skip
    return {
        "schema": SCHEMA,
        "table": config.table,
        "stamp": stamp_of(config, [one["parameters"] for one in runs]),
        "command": config.command,
        "versions": _versions(),
        "corpora": list(corpora.names),
        "teacher": corpora.teacher if any(m.taught for m in models) else "",
        "seeds": list(config.seeds),
        "resamples": config.resamples,
        "refused": dict(corpora.refused),
        "left_out": {
            n: corpora.left_out(n, "grouped") if "grouped" in config.splits else 0
            for n in corpora.rows
        },
        "models": [{"key": key, "title": title} for key, title in columns.items()],
        "targets": [{"key": t.key, "title": t.title} for t in targets],
        "cells": list(cells),
        "floors": [floors(config, corpora, t, s) for s in config.splits for t in targets],
        "leakage_columns": [{"key": t.key, "title": t.title} for t in targets],
        "leakage": _leakage(config, corpora, targets),
        "runs": runs,
    }


def _versions() -> dict[str, str]:
    """Of the libraries that training rests on, as far as they are here."""
    found = {}
    for name in ("torch", "transformers", "tokenizers"):
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _leakage(config: Crosslincd, corpora: Corpora, targets: Sequence[Target]) -> list[Json]:
    """Of each target's test rows, how many were seen among the training rows of each corpus."""
    names = called()
    found: list[Json] = []
    for split in config.splits:
        learnt = {n: corpora.sources[n][corpora.learnt(n, split, "train")] for n in corpora.names}
        if corpora.teacher:
            own = corpora.taught_by(split, "train")
            learnt[corpora.teacher] = corpora.sources[corpora.teacher][own]
        for name, sources in learnt.items():
            seen = []
            for target in targets:
                places = test_places(corpora, target, split)
                hits = np.isin(corpora.sources[target.corpus][places], sources)
                seen.append([int(hits.sum()), len(places)])
            title = names.get(name, name) + " (teacher)" * (name == corpora.teacher)
            found.append({"split": split, "corpus": name, "title": title, "seen": seen})
    return found
