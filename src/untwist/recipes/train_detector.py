"""Recipe: the fast detector from labelled texts.

    corpora -> train part -> n-grams -> weights, calibration, thresholds -> a run folder

A test part is never read here; `evaluate_detector` scores it. Equal files, configuration and seed
give equal weights, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from untwist.data import CORPORA, Refusals, grouped, known_corpora, load_jsonl, split
from untwist.detect import Example, FastConfig, FastDetector, fit
from untwist.detect.train import Progress
from untwist.errors import ConfigError
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
    """Name and version of the model, for example "detector-fast-v1"."""
    corpora: tuple[str, ...] = ("open",)
    """Corpora by name, or paths of JSON Lines files in the format of docs/guides/data.md."""
    folder: str = "."
    """The folder that holds the public corpora that are named."""
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
        ConfigError: the run folder is in use, or a corpus is unknown.
        DataError: a corpus is missing, or nothing is left to train on.
    """
    refusals = Refusals()
    train = [
        example
        for name in config.corpora
        for example in _examples(_train_part(list(_load(name, config, refusals)), config.seed))
    ]
    folder = open_run(config.out, config, config.seed, list(_inputs(config)))
    detector = fit(train, config.fast, config.seed, config.name, progress)
    metrics = _metrics(detector, train, refusals)
    folder.write_metrics(metrics)
    detector.save(folder.path / ARTEFACT, _card(config, metrics))
    return folder.path, metrics


def _train_part(dialogues: Sequence[Dialogue], seed: int) -> list[Dialogue]:
    """What the corpus publishes for training, else the derived 80 %; groups stay together."""
    return split(dialogues, {"train": 0.8, "test": 0.2}, seed)["train"]


def _load(name: str, config: TrainDetector, refusals: Refusals) -> Iterator[Dialogue]:
    if name in CORPORA:
        return CORPORA[name](config.folder, refusals)
    if not Path(name).is_file():
        known = ", ".join(CORPORA)
        raise ConfigError(f'"{name}" is neither a file nor a corpus; corpora: {known}')
    return load_jsonl(name, refusals)


def _inputs(config: TrainDetector) -> Iterator[Path]:
    for name in config.corpora:
        if name not in CORPORA:
            yield Path(name)
        elif name != "open":
            yield from (Path(config.folder) / f.path for f in known_corpora()[name].files)


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
        "gates": [round(gate, 4) for gate in detector.rule.gates],
        "sure": detector.rule.sure,
        "thresholds": {
            d.value: round(float(t), 4)
            for d, t in zip(CANONICAL, detector.rule.labels, strict=True)
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
