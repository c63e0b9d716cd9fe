"""Recipe: the second reader of risk from labelled cases.

    cases (train part) -> rules and n-grams -> weights and cuts -> a run folder

Parts that are only scored never get here; `evaluate_screen` scores them. Equal files, configuration
and seed give equal weights, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from untwist.data import Case, load_open, open_dialogues, read_cases, shipped_cases
from untwist.detect import RiskConfig, RiskExample, RiskReader, fit_risk
from untwist.detect.train import Progress
from untwist.recipes.runfolder import open_run
from untwist.schema import Dialogue, Json
from untwist.taxonomy import Risk

ARTEFACT = "reader"


@dataclass(frozen=True, slots=True)
class TrainRisk:
    """What to train on, and how."""

    out: str
    """The run folder; it must be new or empty."""
    name: str
    """Name and version of the model, for example "risk-reader-v1"."""
    cases: tuple[str, ...] = ()
    """Files of cases as for `untwist evaluate screen`; none means the cases that ship."""
    parts: tuple[str, ...] = ("train", "looked at")
    """Parts of the files that may be trained on."""
    seen: tuple[str, ...] = ("looked at",)
    """Parts that set no cuts: with them in sight rules were written, or they are of one kind."""
    open_every: int = 2
    """Every so many-th text of the train part of the open corpus is used too; 0 for none."""
    open_rounds: tuple[int, ...] = (1, 2)
    """Rounds in which these texts were written: 1 has ids of numbers, 2 ids with a letter. What
    is long or near danger in the second makes the cuts strict (docs/explain/safety.md)."""
    dialogues: bool = False
    """Whether the person's turns of the open corpus' dialogues, train part, are lessons too; they
    set no cuts."""
    seed: int = 42
    """Of the folds."""
    risk: RiskConfig = field(default_factory=RiskConfig)
    """Settings of the model."""
    command: str = "untwist train risk CONFIG.toml"
    """What starts this run; stands in the card."""


def with_changes(config: TrainRisk, *, quick: bool, out: str | None) -> TrainRisk:
    """The same run elsewhere, or too small to be of use but fast (two folds, few steps)."""
    risk = replace(config.risk, folds=2, steps=8) if quick else config.risk
    return replace(config, risk=risk, out=out or config.out)


def run(
    config: TrainRisk, progress: Progress = lambda stage, done, total: None
) -> tuple[Path, Json]:
    """Train, and write the run folder.

    Returns:
        The folder (with config.toml, manifest.json, metrics.json and reader/) and the metrics.

    Raises:
        ConfigError: the run folder is in use.
        DataError: a file is missing or holds something that is no case.
    """
    examples = [*_cases(config), *_texts(config), *_turns(config)]
    folder = open_run(config.out, config, config.seed, [Path(path) for path in config.cases])
    reader = fit_risk(examples, config.risk, config.seed, config.name, progress)
    metrics = _metrics(reader, examples)
    folder.write_metrics(metrics)
    reader.save(folder.path / ARTEFACT, _card(config, metrics))
    return folder.path, metrics


def _cases(config: TrainRisk) -> Iterator[RiskExample]:
    """Messages by themselves; what is answered in a conversation is the rules' part."""
    files = map(read_cases, config.cases) if config.cases else [shipped_cases()]
    for cases in files:
        for case in cases:
            if case.part in config.parts and not case.history:
                yield _example(case, seen=case.part in config.seen)


def _example(case: Case, *, seen: bool) -> RiskExample:
    text = case.utterance.text
    return RiskExample(text, case.accept, case.acuity, case.writer, seen=seen)


def _texts(config: TrainRisk) -> Iterator[RiskExample]:
    """Distorted and ordinary thoughts, which are what the reader hears most and must not raise."""
    if not config.open_every:
        return
    train = (
        dialogue
        for dialogue in load_open()
        if dialogue.split == "train" and _round(dialogue.id) in config.open_rounds
    )
    for dialogue in islice(train, 0, None, config.open_every):
        yield from _judged(dialogue, seen=False)


def _turns(config: TrainRisk) -> Iterator[RiskExample]:
    """What people say in the middle of a talk, which is rarely danger and often near it."""
    if not config.dialogues:
        return
    for dialogue in open_dialogues.load():
        if dialogue.split == "train":
            yield from _judged(dialogue, seen=True)


def _judged(dialogue: Dialogue, *, seen: bool) -> Iterator[RiskExample]:
    for utterance, labels in zip(dialogue.utterances, dialogue.labels, strict=True):
        if labels is not None and labels.risk is not None:
            level, kinds = frozenset({labels.risk}), frozenset(labels.acuity)
            group = f"open-{dialogue.group or dialogue.id}"
            yield RiskExample(utterance.text, level, kinds, group, case=False, seen=seen)


def _round(id: str) -> int:
    """Of the open corpus: "en-0001" was written in the first round, "en-x001" in the second."""
    return 1 if id.partition("-")[2].isdigit() else 2


def _metrics(reader: RiskReader, examples: list[RiskExample]) -> Json:
    return {
        "texts": len(examples),
        "writers": len({e.group for e in examples}),
        "crises": sum(e.accept == {Risk.HIGH} for e in examples),
        "held_out": reader.about["held_out"],
        "cuts": [[round(float(cut), 4) for cut in row] for row in reader.cuts],
    }


def _card(config: TrainRisk, metrics: Json) -> str:
    held = metrics["held_out"]
    return f"""# {config.name}

A linear model on hashed character and word n-grams that hears risk in English and Chinese messages
after the rules of `untwist.safety` have spoken, and may raise what they say. numpy only.

- Trained on: {metrics["texts"]:,} made-up messages of {metrics["writers"]:,} writers and personas,
  {metrics["crises"]:,} of them crises.
- Made by: `{config.command}`, seed {config.seed}. Equal files, settings and seed give equal bytes.
- Cuts: from scores held out by writer ({config.risk.folds} folds), so that rules and reader call
  about {config.risk.false_high[0]:.1%} of harmless cases high together; never from a scored part.
- Held-out shares, at cuts chosen on the same scores (so a little too kind): crises heard as high
  {held["both: crisis recall"]:.3f} (rules alone {held["rules: crisis recall"]:.3f}), crises heard
  as low or none {held["both: silent misses"]:.3f} ({held["rules: silent misses"]:.3f}), harmless
  cases called high {held["both: false crisis alarms"]:.3f}
  ({held["rules: false crisis alarms"]:.3f}).
  Scores on cases that no one has seen stand in `results/screen-cases`.

## What it cannot do

It knows words, not people. It misses what its training messages never said in such words, and it
raises false alarms. The messages were made up and labelled by language models; no clinician has
reviewed them. It is no measure of anyone's safety and must never be used to lower one.
"""
