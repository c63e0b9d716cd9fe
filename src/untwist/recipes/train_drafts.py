"""Recipe: the guard's second reader from labelled drafts.

    drafts (train part) + scripted replies -> patterns, n-grams -> weights, cuts -> a run folder

Parts that are only scored never get here; `evaluate_guard` scores them. Equal files, configuration
and seed give equal weights, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from untwist.data import load_open, read_drafts, shipped_drafts
from untwist.detect import DraftConfig, DraftExample, DraftReader, fit_drafts
from untwist.detect.train_reading import Progress
from untwist.policy import MatrixPolicy
from untwist.recipes.runfolder import open_run
from untwist.respond import ReplyGuard, ScriptedResponder
from untwist.safety import allowed
from untwist.schema import Assessment, Finding, Json, Labels, Utterance
from untwist.taxonomy import Risk

ARTEFACT = "reader"


@dataclass(frozen=True, slots=True)
class TrainDrafts:
    """What to train on, and how."""

    out: str
    """The run folder; it must be new or empty."""
    name: str
    """Name and version of the model, for example "draft-reader-v1"."""
    drafts: tuple[str, ...] = ()
    """Files of drafts as for `untwist evaluate guard`; none means the drafts that ship."""
    parts: tuple[str, ...] = ("train", "looked at")
    """Parts of the files that may be trained on."""
    seen: tuple[str, ...] = ("looked at",)
    """Parts with which in sight patterns were written: they set no cuts."""
    scripted_every: int = 12
    """The reply to every so many-th text of the open corpus is learned as good; 0 for none."""
    seed: int = 42
    """Of the folds."""
    drafting: DraftConfig = field(default_factory=DraftConfig)
    """Settings of the model."""
    command: str = "untwist train drafts CONFIG.toml"
    """What starts this run; stands in the card."""


def with_changes(config: TrainDrafts, *, quick: bool, out: str | None) -> TrainDrafts:
    """The same run elsewhere, or too small to be of use but fast (two folds, few steps)."""
    drafting = replace(config.drafting, folds=2, steps=8) if quick else config.drafting
    every = config.scripted_every * 20 if quick else config.scripted_every
    return replace(config, drafting=drafting, out=out or config.out, scripted_every=every)


def run(
    config: TrainDrafts, progress: Progress = lambda stage, done, total: None
) -> tuple[Path, Json]:
    """Train, and write the run folder.

    Returns:
        The folder (with config.toml, manifest.json, metrics.json and reader/) and the metrics.

    Raises:
        ConfigError: the run folder is in use.
        DataError: a file is missing or holds something that is no draft.
    """
    examples = [*_drafts(config), *_scripted(config.scripted_every)]
    folder = open_run(config.out, config, config.seed, [Path(path) for path in config.drafts])
    reader = fit_drafts(examples, config.drafting, config.seed, config.name, progress)
    metrics = _metrics(reader, examples)
    folder.write_metrics(metrics)
    reader.save(folder.path / ARTEFACT, _card(config, metrics))
    return folder.path, metrics


def _drafts(config: TrainDrafts) -> Iterator[DraftExample]:
    guard = ReplyGuard()
    files = map(read_drafts, config.drafts) if config.drafts else [shipped_drafts()]
    for drafts in files:
        for d in drafts:
            if d.part in config.parts:
                found = guard.check_text(d.text, d.context, d.lang).rules
                seen = d.part in config.seen
                yield DraftExample(
                    d.text, d.context, d.rule is not None, found, d.writer, seen=seen
                )


def _scripted(every: int) -> Iterator[DraftExample]:
    """Our own replies to texts of the open corpus, as one answer and as the turn of a talk."""
    if not every:
        return
    texts = [
        (utterance, labels)
        for dialogue in load_open()
        for utterance, labels in zip(dialogue.utterances, dialogue.labels, strict=True)
        if labels is not None
    ]
    voices = [ScriptedResponder(conversation, "US") for conversation in (False, True)]
    for place, (utterance, labels) in enumerate(texts[::every]):
        assessment = _labelled(utterance, labels)
        choice = MatrixPolicy().choose(assessment, allowed(assessment.risk))
        reply = voices[place % 2].reply(choice, assessment, ())
        yield DraftExample(
            reply.text, assessment.risk, False, (), f"scripted-{place % 4}", scripted=True
        )


def _labelled(utterance: Utterance, labels: Labels) -> Assessment:
    """What a detector would say that heard exactly the labels."""
    findings = tuple(Finding(d, 1.0) for d in sorted(labels.distortions or ()))
    risk = labels.risk or Risk.NONE
    return Assessment(utterance, findings, labels.intensity, risk, labels.acuity, (), "labels")


def _metrics(reader: DraftReader, examples: list[DraftExample]) -> Json:
    return {
        "texts": len(examples),
        "broken": sum(e.broken for e in examples),
        "scripted": sum(e.scripted for e in examples),
        "held_out": reader.about["held_out"],
        "cuts": [round(float(cut), 4) for cut in reader.cuts],
    }


def _card(config: TrainDrafts, metrics: Json) -> str:
    shares = "\n".join(f"  - {name}: {share:.3f}" for name, share in metrics["held_out"].items())
    return f"""# {config.name}

A linear model on hashed character and word n-grams that reads drafts of replies, English and
Chinese, after the wording patterns of `untwist.safety`; it can stop a draft, never pass one. numpy
only.

- Trained on: {metrics["texts"]:,} drafts, {metrics["broken"]:,} of them broken and
  {metrics["scripted"]:,} of them our own scripted replies.
- Made by: `{config.command}`, seed {config.seed}. Equal files, settings and seed give equal bytes.
- Cuts: from scores held out by writer ({config.drafting.folds} folds), so that patterns and reader
  stop about {config.drafting.blocked:.0%} of good drafts together; never from a scored part.
- Held-out shares, at cuts chosen on the same scores (so a little too kind):
{shares}

## What it cannot do

It knows words, not meaning: it misses harm in new words and stops some good drafts. The drafts were
made up and labelled by language models; no clinician has reviewed them.
"""
