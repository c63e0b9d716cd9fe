"""Recipe: the fast detector from labelled texts.

    corpora -> all but the test part -> n-grams -> weights, calibration, thresholds -> a run folder

No row of a test part is learnt from, by the grouped split; `evaluate_detector` scores it. Equal
files, configuration and seed give equal weights, byte for byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from untwist.data import Loaded, Reading, Refusals, grouped, load_source, parts_of
from untwist.detect import Example, FastConfig, FastDetector, fit
from untwist.detect.train import Progress
from untwist.recipes.runfolder import open_run
from untwist.schema import Dialogue, Json
from untwist.taxonomy import CANONICAL

ARTEFACT = "detector"


@dataclass(frozen=True, slots=True)
class TrainDetector:
    """What to train on, and how."""

    out: str
    """The run folder; it must be new or empty."""
    name: str
    """Name and version of the model, for example "detector-fast-v2"."""
    corpora: tuple[str, ...] = ("open",)
    """Corpora by name, or paths of files of your own (docs/guides/data.md)."""
    folder: str = "corpora"
    """The folder that holds the public corpora that are named."""
    accept_licences: tuple[str, ...] = ()
    """Names of the corpora whose licence you have read and accept."""
    unverified: bool = False
    """Read corpus files whose sha256 is not the known one."""
    seed: int = 42
    """Of the derived splits and of the folds."""
    fast: FastConfig = field(default_factory=FastConfig)
    """Settings of the model."""
    command: str = "untwist train detector CONFIG.toml"
    """What starts this run; stands in the card."""


def with_changes(config: TrainDetector, *, quick: bool, out: str | None) -> TrainDetector:
    """The same run elsewhere, or too small to be of use but fast (two folds, few steps)."""
    fast = replace(config.fast, folds=2, steps=8) if quick else config.fast
    return replace(config, fast=fast, out=out or config.out)


def run(
    config: TrainDetector, progress: Progress = lambda stage, done, total: None
) -> tuple[Path, Json]:
    """Train, and write the run folder.

    Returns:
        The folder (with config.toml, manifest.json, metrics.json and detector/) and the metrics.

    Raises:
        ConfigError: the run folder is in use.
        DataError: a corpus is unknown, missing or not accepted, or nothing is left to train on.
    """
    refusals = Refusals()
    how = Reading(config.folder, config.accept_licences, config.unverified)
    loaded = [load_source(name, how, refusals) for name in config.corpora]
    train = [example for one in loaded for example in _examples(_train_part(one, config.seed))]
    folder = open_run(config.out, config, config.seed, [f for one in loaded for f in one.files])
    detector = fit(train, config.fast, config.seed, config.name, progress)
    metrics = _metrics(detector, train, refusals)
    folder.write_metrics(metrics)
    detector.save(folder.path / ARTEFACT, _card(config, metrics))
    return folder.path, metrics


def _train_part(loaded: Loaded, seed: int) -> list[Dialogue]:
    """Every row that is not in the test part of the grouped split, groups in a drawn order.

    The folds of the training are made of this order, so they are drawn as well.
    """
    parts = parts_of(loaded.entry.name, loaded.dialogues, "grouped", seed)
    named = zip(loaded.dialogues, parts, strict=True)
    rows = sorted((d for d, part in named if part != "test"), key=lambda d: (d.corpus, d.id))
    members: dict[str, list[Dialogue]] = {}
    for name, dialogue in zip(grouped(rows), rows, strict=True):
        members.setdefault(name, []).append(dialogue)
    order = sorted(members)
    drawn = np.random.default_rng(seed).permutation(len(order))
    return [dialogue for place in drawn for dialogue in members[order[place]]]


def _examples(dialogues: Sequence[Dialogue]) -> list[Example]:
    return [
        Example(utterance, labels, group)
        for dialogue, group in zip(dialogues, grouped(dialogues), strict=True)
        for utterance, labels in zip(dialogue.utterances, dialogue.labels, strict=True)
        if labels is not None and utterance.role == "user"
    ]


def _metrics(detector: FastDetector, train: Sequence[Example], refusals: Refusals) -> Json:
    return {
        "texts": len(train),
        "groups": len({e.group for e in train}),
        "refused": len(refusals),
        "held_out": detector.about["held_out"],
        "rules": {
            lang: {
                "gates": [round(gate, 4) for gate in rule.gates],
                "sure": rule.sure,
                "thresholds": {
                    d.value: round(float(t), 4) for d, t in zip(CANONICAL, rule.labels, strict=True)
                },
            }
            for lang, rule in zip(("en", "zh"), detector.rules, strict=True)
        },
    }


def _card(config: TrainDetector, metrics: Json) -> str:
    held = metrics["held_out"]
    return f"""# {config.name}

A linear model on hashed character and word n-grams that hears twelve cognitive distortions, their
intensity in English and Chinese messages, with evidence. numpy only.

- Trained on: {", ".join(config.corpora)} (train part): {metrics["texts"]:,} texts of
  {metrics["groups"]:,} groups; {metrics["refused"]} rows refused.
- Made by: `{config.command}`, seed {config.seed}. Equal files, settings and seed give equal bytes.
- Calibration and thresholds: from scores held out by group ({config.fast.folds} folds), never from
  a test part.
- Held-out scores, at thresholds chosen on the same scores (so a little too kind): micro-F1
  {held["micro_f1"]:.3f}, macro-F1 {held["macro_f1"]:.3f}, share of undistorted texts given any
  label {held["over_pathologising"]:.3f}. Scores on texts and corpora it has never seen stand in
  `results/`, with intervals and trivial baselines.

## What it cannot do

It reads words, not people. It misses what is said between the lines, mistakes quotation for belief,
and knows nothing of the person or of what was said before. Its training texts were written and
labelled by language models; no clinician has reviewed them. It is no diagnosis and no measure of
anyone's safety: risk is found by the rules of `untwist.safety` and a reader of its own.
"""
