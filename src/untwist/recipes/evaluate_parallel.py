"""Recipe: whether a detector says the same of a thought in English and in Chinese.

    pairs of one thought in two languages -> detector -> label sets side by side -> a run folder

A detector that never finds anything agrees with itself always, so how often it is right stands
beside how often it agrees.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from untwist.data import Reading, Refusals, load_source
from untwist.errors import DataError
from untwist.evaluate import RESAMPLES, Share, Table, agreement, bootstrap, bounds, number, scores
from untwist.ports import Detector
from untwist.recipes.answers import Answers, ask
from untwist.recipes.publish import Chapter, publish
from untwist.recipes.rows import Bools, N, Rows, rows_of
from untwist.recipes.runfolder import open_run
from untwist.schema import Json
from untwist.taxonomy import CANONICAL

SCHEMA = "untwist/parallel@1"
_LANGS = ("en", "zh")
_PROTOCOL = (
    "The same thought, written in English and in Chinese, with one set of gold labels. Same set: "
    "both texts get exactly the same labels. Right: exactly the gold labels. Wilson intervals for "
    "shares, bootstrap over pairs for F1, 95 %. Kappa compares what is said in the two languages, "
    "label by label. A detector that never finds anything has the same set in every pair."
)


@dataclass(frozen=True, slots=True)
class EvaluateParallel:
    """What to compare on."""

    out: str
    """The run folder; it must be new or empty."""
    corpus: str = "open-parallel"
    """A corpus or file whose groups are pairs of an English and a Chinese message."""
    reading: Reading = field(default_factory=Reading)
    """How it is read."""
    seed: int = 42
    """Of the intervals."""
    resamples: int = RESAMPLES
    """Of the bootstrap."""
    command: str = "untwist.recipes.evaluate_parallel.run(config, detector)"
    """What starts this run; stands in the report."""


def run(config: EvaluateParallel, detector: Detector) -> tuple[Path, Json]:
    """Compare, and write the run folder.

    Returns:
        The folder (config.toml, manifest.json, metrics.json, report.md, report.html) and the
        metrics.

    Raises:
        ConfigError: the run folder is in use.
        DataError: the corpus cannot be read, or a group is no pair of the two languages.
    """
    refusals = Refusals()
    loaded = load_source(config.corpus, config.reading, refusals)
    rows = rows_of(loaded.entry.name, loaded.dialogues)
    places = _pairs(rows)
    folder = open_run(config.out, config, config.seed, loaded.files)
    answers = ask(detector, rows)
    metrics = _metrics(config, detector.name, rows, answers, places)
    folder.write_metrics(metrics | {"refused": len(refusals)})
    title = f"One thought in two languages: {detector.name}"
    publish(folder, title, [_chapter(metrics)], protocol=_PROTOCOL, command=config.command)
    return folder.path, metrics


def _pairs(rows: Rows) -> np.ndarray:
    """Shape (pairs, 2): the places of the English and of the Chinese message."""
    found: dict[str, dict[str, int]] = {}
    for place, (group, utterance) in enumerate(zip(rows.groups, rows.utterances, strict=True)):
        found.setdefault(group, {})[utterance.lang or ""] = place
    for group, two in found.items():
        if set(two) != set(_LANGS):
            raise DataError(f"{group} is no pair of an English and a Chinese message")
    return np.array([[two[lang] for lang in _LANGS] for two in found.values()])


def _metrics(
    config: EvaluateParallel, name: str, rows: Rows, answers: Answers, places: np.ndarray
) -> Json:
    rng = np.random.default_rng(config.seed)
    gold, said = rows.gold[:, :N], answers.predicted[:, :N]
    one, other = said[places[:, 0]], said[places[:, 1]]
    same = (one == other).all(axis=1)
    right = (said == gold).all(axis=1)[places]
    return {
        "schema": SCHEMA,
        "detector": name,
        "command": config.command,
        "pairs": len(places),
        "unscored": len(answers.failures),
        "same": Share(int(same.sum()), len(same)).to_dict(),
        "both_right": Share(int(right.all(axis=1).sum()), len(same)).to_dict(),
        "silent_in_both": Share(int((~one.any(1) & ~other.any(1)).sum()), len(same)).to_dict(),
        "langs": {
            lang: _one_language(config, gold[places[:, c]], said[places[:, c]], rng)
            for c, lang in enumerate(_LANGS)
        },
        "kappa": {
            d.value: agreement(
                zip(one[:, c].tolist(), other[:, c].tolist(), strict=True), rng, config.resamples
            ).to_dict()
            for c, d in enumerate(CANONICAL)
        },
    }


def _one_language(
    config: EvaluateParallel, gold: Bools, said: Bools, rng: np.random.Generator
) -> Json:
    found = scores(gold, said)
    groups = [str(place) for place in range(len(gold))]
    intervals = bootstrap(gold, said, groups, rng, resamples=config.resamples)
    return {
        "right": Share(int((gold == said).all(axis=1).sum()), len(gold)).to_dict(),
        "micro_f1": found.micro_f1,
        "macro_f1": found.macro_f1.value,
        "intervals": {
            key: interval.to_dict() if (interval := intervals[key]) else None
            for key in ("micro_f1", "macro_f1")
        },
    }


def _chapter(metrics: Json) -> Chapter:
    shares = tuple(
        (title, _share(metrics[key]))
        for title, key in (
            ("same label set in both languages", "same"),
            ("right in both", "both_right"),
            ("nothing found in either", "silent_in_both"),
        )
    )
    langs = tuple(
        (lang, _share(one["right"]), *(_score(one, key) for key in ("micro_f1", "macro_f1")))
        for lang, one in metrics["langs"].items()
    )
    labels = tuple((d.name_in("en"), number(metrics["kappa"][d.value]["kappa"])) for d in CANONICAL)
    return Chapter(
        "Pairs",
        (f"{metrics['pairs']:,} pairs, {metrics['unscored']:,} messages unscored.",),
        (
            Table("Shares", ("what", "share of pairs"), shares),
            Table("Languages", ("language", "right", "micro-F1", "macro-F1"), langs),
            Table("English against Chinese", ("label", "Cohen's kappa"), labels),
        ),
    )


def _share(share: Json) -> str:
    return str(Share(share["hits"], share["of"]))


def _score(one: Json, key: str) -> str:
    interval = one["intervals"][key]
    return number(one[key]) + bounds((interval["low"], interval["high"]) if interval else None)
