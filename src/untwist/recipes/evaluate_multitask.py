"""Recipe: one detector for several corpora, or one for each. Which shares, and what it is worth.

    corpora -> training rows by split -> each way of sharing -> threshold per corpus from validation
    -> test rows -> a run folder

Every way of sharing is scored by three splits: as published, as published without the training rows
whose source or near-duplicate is held out in the tested corpus, and with sources kept together. The
way to report is the one that is best on validation rows. No step is random, so there are no seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from untwist.data import Mode, Reading, Refusals
from untwist.detect import Example, FastConfig, FastDetector, fit
from untwist.errors import ConfigError
from untwist.evaluate import (
    RESAMPLES,
    Interval,
    Table,
    apply,
    best_constant,
    bootstrap,
    bounds,
    number,
    scores,
    tune_threshold,
    tune_together,
)
from untwist.recipes.publish import Chapter, publish
from untwist.recipes.rows import (
    Bools,
    N,
    Progress,
    Rows,
    joint_groups,
    load_each,
    quiet,
    require_parts,
    rows_of,
)
from untwist.recipes.runfolder import RunFolder, open_run
from untwist.schema import Json

SCHEMA = "untwist/multitask@1"
Split = Literal["published", "published-without-twins", "grouped"]
Way = Literal["own", "own-from-start", "shared", "shared-from-start", "then-own", "student"]
SPLITS: tuple[Split, ...] = get_args(Split)
WAYS: tuple[Way, ...] = get_args(Way)
_WAY_WORDS: dict[Way, str] = {
    "own": "a model for each corpus",
    "own-from-start": "a model for each corpus, from the detector given",
    "shared": "one model for all, one head a label",
    "shared-from-start": "one model for all, from the detector given",
    "then-own": "one model for all, then one for each corpus from it",
    "student": "one model for all, taught by those of each corpus",
}
_SPLIT_WORDS: dict[Split, str] = {
    "published": "Rows drawn as in the papers, each corpus by itself. Excerpts of a letter lie on "
    'both sides: "seen" is how many test rows have their source or a near-duplicate among the '
    "training rows. No evidence of skill on new sources.",
    "published-without-twins": "The same test rows. Training rows with the source or a "
    "near-duplicate of a held-out row of the tested corpus are left out.",
    "grouped": "Sources, near-duplicates and excerpts kept on one side, over all corpora at once.",
}
_PROTOCOL = (
    "Training rows of all corpora by the split named; labels that a corpus cannot carry are "
    "masked. Thresholds from the tested corpus' validation rows, never from a test row: one for "
    "all labels, and one a label chosen together. The way in bold has the best mean on validation "
    "rows with one threshold. Micro-F1 over rows × labels that the corpus can carry, rows without "
    "a label are in; the mean is over corpora. Intervals: 95 %, bootstrap over groups. Training "
    "has no random step."
)


@dataclass(frozen=True, slots=True)
class EvaluateMultitask:
    """What to train and test on."""

    out: str
    """The run folder; it must be new or empty."""
    corpora: tuple[str, ...] = ("socialcd", "reframing", "therapist-part", "therapist-whole")
    """Names of corpora, or files of your own."""
    reading: Reading = field(default_factory=Reading)
    """How they are read."""
    l2: float = 3e-5
    """Penalty on the weights, or on their distance from where they started."""
    alpha: float = 0.8
    """Weight of the teachers' probabilities beside the labels (CrossLinCD 5.4)."""
    seed: int = 42
    """Of the intervals."""
    resamples: int = RESAMPLES
    """Of the bootstrap."""
    command: str = "untwist.recipes.evaluate_multitask.run(config, start)"
    """What starts this run; stands in the report."""


@dataclass(frozen=True, slots=True)
class _Task:
    """A corpus, where its rows come from, and where it stands among the others."""

    place: int
    rows: Rows
    sources: np.ndarray


def run(
    config: EvaluateMultitask, start: FastDetector, progress: Progress = quiet
) -> tuple[Path, Json]:
    """Train and test every way of sharing by every split, and write the run folder.

    Args:
        config: what to train and test on.
        start: where the ways "from the detector given" start; its n-grams are read by all. It must
            not have learnt from a row of these corpora.
        progress: told what is trained.

    Returns:
        The folder (config.toml, manifest.json, metrics.json, report.md, report.html) and the
        metrics.

    Raises:
        ConfigError: fewer than two corpora, no resample, or the run folder is in use.
        DataError: a corpus cannot be read, or a part of it has nothing to learn, tune or test on.
    """
    if len(config.corpora) < 2:
        raise ConfigError("name two corpora at least: --corpora A,B")
    if config.resamples < 1:
        raise ConfigError("ask for one resample at least")
    refusals = Refusals()
    loaded = load_each(config.corpora, config.reading, refusals)
    rows = [rows_of(one.entry.name, one.dialogues) for one in loaded]
    require_parts(rows)
    tasks = [
        _Task(place, one, sources)
        for place, (one, sources) in enumerate(
            zip(rows, joint_groups(loaded, rows), strict=True)
        )
    ]  # fmt: skip
    folder = open_run(config.out, config, config.seed, [f for one in loaded for f in one.files])
    results: list[Json] = []
    for split in SPLITS:
        trainer = _Trainer(config, start, tasks, split)
        for way in WAYS:
            progress("training and testing", len(results), len(SPLITS) * len(WAYS))
            results.append(_result(config, tasks, trainer, way))
    progress("training and testing", len(results), len(results))
    metrics = {
        "schema": SCHEMA,
        "start": start.name,
        "command": config.command,
        "corpora": [one.corpus for one in rows],
        "resamples": config.resamples,
        "refused": {"count": len(refusals), "by_reason": refusals.by_reason()},
        "results": results,
        "best": {split: _best(results, split) for split in SPLITS},
        "constant": [_constant(task) for task in tasks],
    }
    folder.write_metrics(metrics)
    _write(folder, config, metrics)
    return folder.path, metrics


class _Trainer:
    """Trains each model of one split once; a model is named by its way and its tested corpus."""

    def __init__(
        self,
        config: EvaluateMultitask,
        start: FastDetector,
        tasks: Sequence[_Task],
        split: Split,
    ) -> None:
        self.split, self.mode = split, _mode(split)
        self._start, self._tasks = start, tasks
        self._made: dict[tuple[Way, int], FastDetector] = {}
        space = start.space
        self._config = FastConfig(
            l2=config.l2, folds=0, bits=space.bits, gap=space.gap, apart=space.apart,
            alpha=config.alpha,
        )  # fmt: skip

    def model(self, way: Way, task: _Task) -> FastDetector:
        """The model that answers for the task's corpus."""
        # without twins every tested corpus has training rows of its own
        alike = self.split != "published-without-twins" and way in _FOR_ALL
        key = (way, -1 if alike else task.place)
        if key not in self._made:
            self._made[key] = self._train(way, task)
        return self._made[key]

    def seen(self, way: Way, task: _Task) -> int:
        """How many test rows have their source or a near-duplicate among the training rows."""
        taught = [task] if way in _ALONE else self._tasks
        learnt = [one.sources[self._kept(one, task)] for one in taught]
        test = task.rows.parts[self.mode] == "test"
        return int(np.isin(task.sources[test], np.concatenate(learnt)).sum())

    def _train(self, way: Way, task: _Task) -> FastDetector:
        everyone = self._tasks
        match way:
            case "own":
                return self._fit([task], task)
            case "own-from-start":
                return self._fit([task], task, self._start)
            case "shared":
                return self._fit(everyone, task)
            case "shared-from-start":
                return self._fit(everyone, task, self._start)
            case "then-own":
                return self._fit([task], task, self.model("shared-from-start", task))
            case "student":
                teachers = {one.place: self._teacher(one, task) for one in everyone}
                return self._fit(everyone, task, self._start, teachers)

    def _teacher(self, one: _Task, task: _Task) -> FastDetector:
        if self.split != "published-without-twins" or one is task:
            return self.model("own-from-start", one)
        return self._fit([one], task, self._start)

    def _fit(
        self,
        tasks: Sequence[_Task],
        target: _Task,
        start: FastDetector | None = None,
        teachers: Mapping[int, FastDetector] | None = None,
    ) -> FastDetector:
        examples: list[Example] = []
        for task in tasks:
            rows, places = task.rows, np.flatnonzero(self._kept(task, target))
            own = [Example(rows.utterances[i], rows.labels[i], rows.groups[i]) for i in places]
            if teachers is not None:
                said = teachers[task.place].probabilities([e.utterance for e in own])
                own = [replace(e, teacher=row) for e, row in zip(own, said, strict=True)]
            examples.extend(own)
        return fit(examples, self._config, 0, "multitask", start=start)

    def _kept(self, task: _Task, target: _Task) -> Bools:
        """The training rows of one corpus for a model that is tested on another."""
        keep: Bools = np.asarray(task.rows.parts[self.mode] == "train")
        if self.split == "published-without-twins":
            held = target.sources[target.rows.parts[self.mode] != "train"]
            keep = keep & ~np.isin(task.sources, held)
        return keep


_ALONE: tuple[Way, ...] = ("own", "own-from-start")
_FOR_ALL: tuple[Way, ...] = ("shared", "shared-from-start", "student")


def _mode(split: Split) -> Mode:
    return "grouped" if split == "grouped" else "published"


@dataclass(frozen=True, slots=True)
class _Answer:
    """Of one corpus' test rows."""

    gold: Bools
    guess: Bools
    mask: Bools
    groups: list[str]


def _result(config: EvaluateMultitask, tasks: Sequence[_Task], trainer: _Trainer, way: Way) -> Json:
    cells, single, each = [], [], []
    for task in tasks:
        rows, model = task.rows, trainer.model(way, task)
        said = np.asarray(model.probabilities(rows.utterances), float)
        gold, mask = rows.gold[:, :N], rows.mask[:, :N]
        parts = rows.parts[trainer.mode]
        validation, test = parts == "validation", parts == "test"
        known = gold[validation], said[validation], mask[validation]
        one, together = tune_threshold(*known), tune_together(*known)
        groups = task.sources[test].tolist()
        single.append(_Answer(gold[test], apply(said[test], one), mask[test], groups))
        each.append(_Answer(gold[test], apply(said[test], together), mask[test], groups))
        cells.append(
            {
                "corpus": rows.corpus,
                "n": int(test.sum()),
                "groups": len(set(groups)),
                "seen": trainer.seen(way, task),
                "threshold": round(one, 6),
                "validation_micro_f1": scores(known[0], apply(known[1], one), known[2]).micro_f1,
                "one": _scored(config, single[-1], rows.undistorted[test]),
                "together": _scored(config, each[-1], rows.undistorted[test]),
            }
        )
    validation_mean = float(np.mean([cell["validation_micro_f1"] for cell in cells]))
    return {
        "split": trainer.split,
        "way": way,
        "cells": cells,
        "validation_mean": validation_mean,
        "mean": {"one": _mean(config, single), "together": _mean(config, each)},
    }


def _scored(config: EvaluateMultitask, answer: _Answer, calm: Bools) -> Json:
    found = scores(answer.gold, answer.guess, answer.mask)
    rng = np.random.default_rng(config.seed)
    intervals = bootstrap(
        answer.gold, answer.guess, answer.groups, rng,
        mask=answer.mask, undistorted=calm, resamples=config.resamples,
    )  # fmt: skip
    alarmed = np.asarray((answer.guess & answer.mask).any(axis=1))[calm]
    return {
        "micro_f1": found.micro_f1,
        "macro_f1": found.macro_f1.value,
        "over_pathologising": float(alarmed.mean()) if calm.any() else None,
        "intervals": {
            name: _ends(intervals[name]) for name in ("micro_f1", "macro_f1", "over_pathologising")
        },
    }


def _mean(config: EvaluateMultitask, answers: Sequence[_Answer]) -> Json:
    """The mean of the corpora's micro-F1, sources drawn once for all corpora.

    Each corpus is laid out as one class, of which the macro-F1 is the mean in question.
    """
    gold, guess, mask = (
        _stacked([getattr(answer, name) for answer in answers])
        for name in ("gold", "guess", "mask")
    )
    groups = [g for a in answers for g in a.groups for _ in range(a.gold.shape[1])]
    rng = np.random.default_rng(config.seed)
    intervals = bootstrap(gold, guess, groups, rng, mask=mask, resamples=config.resamples)
    value = scores(gold, guess, mask).macro_f1.value
    return {"micro_f1": value, "interval": _ends(intervals["macro_f1"])}


def _stacked(parts: Sequence[Bools]) -> Bools:
    whole = np.zeros((sum(part.size for part in parts), len(parts)), bool)
    at = 0
    for column, part in enumerate(parts):
        whole[at : at + part.size, column] = part.ravel()
        at += part.size
    return whole


def _ends(interval: Interval | None) -> list[float] | None:
    return [interval.low, interval.high] if interval else None


def _best(results: Sequence[Json], split: Split) -> Way:
    mine = [one for one in results if one["split"] == split]
    best: Way = max(mine, key=lambda one: float(one["validation_mean"]))["way"]
    return best


def _constant(task: _Task) -> Json:
    """The best constant answer of the tested corpus' other rows, by the grouped split."""
    rows = task.rows
    test: Bools = np.asarray(rows.parts["grouped"] == "test")
    gold, mask = rows.gold[:, :N], rows.mask[:, :N]
    answer = np.broadcast_to(best_constant(gold[~test], mask[~test]), gold[test].shape)
    found = scores(gold[test], answer, mask[test])
    return {
        "corpus": rows.corpus,
        "micro_f1": found.micro_f1,
        "macro_f1": found.macro_f1.value,
    }


def _write(folder: RunFolder, config: EvaluateMultitask, metrics: Json) -> None:
    chapters = [
        Chapter(
            f"The {split} split",
            (_SPLIT_WORDS[split],),
            tuple(
                Table(title, ("way", *metrics["corpora"], "mean"), _lines(metrics, split, show))
                for title, show in _VIEWS
            ),
        )
        for split in SPLITS
    ]
    title = f"Trained on {len(metrics['corpora'])} corpora, from {metrics['start']}"
    publish(folder, title, chapters, protocol=_PROTOCOL, command=config.command)


def _lines(
    metrics: Json, split: Split, show: Callable[[Json], tuple[str, ...]]
) -> tuple[tuple[str, ...], ...]:
    rows = []
    for one in metrics["results"]:
        if one["split"] == split:
            words = _WAY_WORDS[one["way"]]
            best = one["way"] == metrics["best"][split]
            rows.append((f"**{words}**" if best else words, *show(one)))
    floor = [number(one["micro_f1"]) for one in metrics["constant"]]
    mean = number(float(np.mean([one["micro_f1"] for one in metrics["constant"]])))
    return (*rows, ("best constant answer, micro-F1", *floor, mean))


def _by_validation(one: Json) -> tuple[str, ...]:
    cells = (number(cell["validation_micro_f1"]) for cell in one["cells"])
    return (*cells, number(one["validation_mean"]))


def _by_micro(rule: str) -> Callable[[Json], tuple[str, ...]]:
    def show(one: Json) -> tuple[str, ...]:
        cells = (_cell(cell, rule, "micro_f1") for cell in one["cells"])
        mean = one["mean"][rule]
        return (*cells, number(mean["micro_f1"]) + bounds(mean["interval"]))

    return show


def _by(key: str) -> Callable[[Json], tuple[str, ...]]:
    def show(one: Json) -> tuple[str, ...]:
        return (*(_cell(cell, "one", key) for cell in one["cells"]), "")

    return show


def _cell(cell: Json, rule: str, key: str) -> str:
    seen = f" ({cell['seen']} of {cell['n']} seen)" if cell["seen"] and key == "micro_f1" else ""
    score = cell[rule]
    return number(score[key]) + bounds(score["intervals"][key]) + seen


_VIEWS: tuple[tuple[str, Callable[[Json], tuple[str, ...]]], ...] = (
    ("Micro-F1 on validation rows, one threshold", _by_validation),
    ("Micro-F1 on test rows, one threshold", _by_micro("one")),
    ("Micro-F1 on test rows, one threshold a label, chosen together", _by_micro("together")),
    ("Macro-F1 on test rows, one threshold", _by("macro_f1")),
    ("Share of undistorted test rows given any label, one threshold", _by("over_pathologising")),
)
