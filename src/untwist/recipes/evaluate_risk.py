"""Recipe: the safety screen on public risk corpora, with the noise of their labels beside it.

    corpora -> rules, second reader, floors -> rates by each corpus's own labels -> a run folder

Nothing is trained, chosen or tuned on these corpora. Every message is read alone; a user's level
is that of the highest post. A second labelling of a sample tells how far a score could go at all.
No text is written anywhere.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from untwist.data import Failure, Reading, Refusals, RiskLabels, load_source, read_records
from untwist.errors import ConfigError, DataError
from untwist.evaluate import RESAMPLES, Rates, Share, agreement
from untwist.recipes.risk_figures import draw
from untwist.recipes.risk_report import report
from untwist.recipes.risk_sets import SETS, Own, RiskSet, has_keyword
from untwist.recipes.risk_shared import departures, shared
from untwist.recipes.runfolder import open_run
from untwist.safety import SecondReader, screen
from untwist.schema import Dialogue, Json
from untwist.taxonomy import Risk

REPORT = "report.md"
SECOND = "second-labels.jsonl"
RULES, BOTH = "rules", "rules and reader"
CUTS = {"high": Risk.HIGH, "medium or high": Risk.MEDIUM}


@dataclass(frozen=True, slots=True)
class EvaluateRisk:
    """What to score."""

    out: str
    """The run folder; it must be new or empty."""
    reading: Reading
    """How the corpora are read."""
    corpora: tuple[str, ...] = tuple(SETS)
    """Names of the corpora."""
    second: str = ""
    """File of second labels; none means that agreement is not measured."""
    seed: int = 42
    """Of the intervals of kappa."""
    resamples: int = RESAMPLES
    """Of the same."""
    figures: bool = True
    """Whether to draw, where matplotlib is installed."""
    command: str = "untwist evaluate risk"
    """What starts this run; stands in the report."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said of one text, or of several by one writer: the highest."""

    levels: Mapping[str, Risk]
    keyword: bool


@dataclass(frozen=True, slots=True)
class Unit:
    """What carries one label of a corpus, and what was said of it.

    Attributes:
        id: as in the corpus.
        labels: the corpus's.
        heard: the highest of its texts.
        texts: each text by its id.
    """

    id: str
    labels: RiskLabels
    heard: Heard
    texts: Mapping[str, Heard]


@dataclass(frozen=True, slots=True)
class Second:
    """One text of a sample and its second label.

    Attributes:
        corpus: name of the corpus.
        id: of the text.
        crisis: suicidal or self-harm thoughts, plan or act, or danger now.
    """

    corpus: str
    id: str
    crisis: bool


Ear = Callable[[str], Heard]
Say = Callable[[Heard], bool]


def run(config: EvaluateRisk, second: SecondReader | None) -> tuple[Path, Json]:
    """Score, and write the run folder.

    Args:
        config: what to score.
        second: the reader that is scored beside the rules alone; None leaves it out.

    Returns:
        The folder (config.toml, manifest.json, metrics.json, report.md, the second labels, and
        figures where matplotlib is installed) and the metrics.

    Raises:
        ConfigError: a corpus is unknown, or the run folder is in use.
        DataError: a file is missing, or a second label cannot be read or names no text.
    """
    _check(config)
    refusals = Refusals()
    loaded = {name: load_source(name, config.reading, refusals) for name in config.corpora}
    dialogues = {name: list(one.dialogues) for name, one in loaded.items()}
    labelled = _read_second(config.second) if config.second else []
    inputs = [file for one in loaded.values() for file in one.files]
    inputs += [Path(config.second)] if config.second else []
    folder = open_run(config.out, config, config.seed, inputs)
    ear = _ear(second)
    units = {name: [_unit(d, ear) for d in rows] for name, rows in dialogues.items()}
    readers = (RULES, BOTH) if second else (RULES,)
    rng = np.random.default_rng(config.seed)
    metrics: Json = {
        "refused": {"count": len(refusals), "rows": [str(r) for r in refusals]},
        "corpora": {name: _corpus(SETS[name], rows, readers) for name, rows in units.items()},
        "shared": shared(dialogues),
        "departures": departures(dialogues),
        "second": {
            name: _agreement(name, rows, labelled, readers, (rng, config.resamples))
            for name, rows in units.items()
            if any(one.corpus == name for one in labelled)
        },
        "second_twice": _twice(dialogues, labelled),
    }
    folder.write_metrics(metrics)
    if config.second:
        folder.write_text(SECOND, Path(config.second).read_text(encoding="utf-8"))
    figures = draw(folder.path, metrics["corpora"]) if config.figures else ()
    folder.write_text(REPORT, report(metrics, config.command, refusals.summary(), figures))
    return folder.path, metrics


def _check(config: EvaluateRisk) -> None:
    for name in config.corpora:
        if name not in SETS:
            near = difflib.get_close_matches(name, SETS, n=1, cutoff=0.0)[0]
            raise ConfigError(f'unknown risk corpus "{name}"; did you mean "{near}"?')
    if not config.corpora or config.resamples < 1:
        raise ConfigError("name at least one corpus and one resample")


def _read_second(path: str) -> list[Second]:
    labels: dict[tuple[str, str], Second] = {}
    for record in read_records(path):
        if isinstance(record, Failure):
            raise DataError(f"{path}:{record.line}: {record.message}")
        corpus, id, crisis = (record.data.get(key) for key in ("corpus", "id", "crisis"))
        if corpus not in SETS or not isinstance(id, str) or not isinstance(crisis, bool):
            raise DataError(f'{path}:{record.line}: no {{"corpus", "id", "crisis"}}')
        if (corpus, id) in labels:
            raise DataError(f"{path}:{record.line}: the text has a second label already")
        labels[corpus, id] = Second(corpus, id, crisis)
    return list(labels.values())


def _ear(second: SecondReader | None) -> Ear:
    """Hears a text once, however many corpora hold it."""
    known: dict[str, Heard] = {}

    def hear(text: str) -> Heard:
        if text not in known:
            levels = {RULES: screen(text).level}
            if second:
                levels[BOTH] = screen(text, (), second).level
            known[text] = Heard(levels, has_keyword(text))
        return known[text]

    return hear


def _unit(dialogue: Dialogue, ear: Ear) -> Unit:
    labels = dialogue.labels[0]
    if not isinstance(labels, RiskLabels):
        raise DataError(f"{dialogue.corpus} {dialogue.id} has no label of risk")
    texts = {utterance.id or "": ear(utterance.text) for utterance in dialogue.utterances}
    return Unit(dialogue.id, labels, _highest(list(texts.values())), texts)


def _highest(heard: Sequence[Heard]) -> Heard:
    levels = {name: max(one.levels[name] for one in heard) for name in heard[0].levels}
    return Heard(levels, any(one.keyword for one in heard))


def _sayings(readers: Iterable[str]) -> dict[tuple[str, str], Say]:
    """Who says yes to what, by name and cut; the floors have no cut."""
    found: dict[tuple[str, str], Say] = {}
    for reader in readers:
        for cut, level in CUTS.items():
            found[reader, cut] = _reaches(reader, level)
    found["keyword list", ""] = lambda h: h.keyword
    found["always high", ""] = lambda h: True
    found["always none", ""] = lambda h: False
    return found


def _reaches(reader: str, level: Risk) -> Say:
    return lambda heard: heard.levels[reader] >= level


def _corpus(how: RiskSet, units: Sequence[Unit], readers: Sequence[str]) -> Json:
    return {
        "unit": how.unit,
        "n": len(units),
        "texts": sum(len(u.texts) for u in units),
        "note": how.note,
        "yardsticks": [
            {"name": y.name, **_rated(units, y.crisis, _sayings(readers))} for y in how.yardsticks
        ],
        "classes": {
            reader: [_class(name, how, units, reader) for name in how.classes] for reader in readers
        },
        "accepted": {
            reader: Share(
                sum(u.heard.levels[reader] in u.labels.accept for u in units), len(units)
            ).to_dict()
            for reader in readers
        },
    }


def _rated(
    units: Sequence[Unit],
    crisis: Callable[[Own], bool | None],
    sayings: Mapping[tuple[str, str], Say],
) -> Json:
    judged = [(truth, u.heard) for u in units if (truth := crisis(u.labels.own)) is not None]
    return {
        "n": len(judged),
        "yes": sum(truth for truth, _ in judged),
        "left_out": len(units) - len(judged),
        "rates": _rates(judged, sayings),
    }


def _rates(
    judged: Sequence[tuple[bool, Heard]], sayings: Mapping[tuple[str, str], Say]
) -> list[Json]:
    return [
        {
            "reader": reader,
            "cut": cut,
            **Rates.count((truth, say(heard)) for truth, heard in judged).to_dict(),
        }
        for (reader, cut), say in sayings.items()
    ]


def _class(name: str, how: RiskSet, units: Sequence[Unit], reader: str) -> Json:
    levels = [u.heard.levels[reader] for u in units if name in how.shown(u.labels.own)]
    counts = Counter(levels)
    return {
        "class": name,
        "n": len(levels),
        "levels": {level.value: counts[level] for level in Risk},
        **{
            cut: Share(sum(level >= at for level in levels), len(levels)).to_dict()
            for cut, at in CUTS.items()
        },
    }


def _agreement(
    name: str,
    units: Sequence[Unit],
    labelled: Sequence[Second],
    readers: Sequence[str],
    chance: tuple[np.random.Generator, int],
) -> Json:
    """The corpus's labels and the second ones on the sample, and the screen against each."""
    place = {text: unit for unit in units for text in unit.texts}
    sample = [one for one in labelled if one.corpus == name]
    lost = [one.id for one in sample if one.id not in place]
    if lost:
        raise DataError(f"second labels of {name} name no text: {', '.join(lost[:3])}")
    found: list[Json] = []
    for yardstick in SETS[name].yardsticks:
        rows = [
            (first, one.crisis, place[one.id].texts[one.id])
            for one in sample
            if (first := yardstick.crisis(place[one.id].labels.own)) is not None
        ]
        against = {
            "the corpus": [(a, heard) for a, _, heard in rows],
            "the second labels": [(b, heard) for _, b, heard in rows],
            "where both agree": [(a, heard) for a, b, heard in rows if a == b],
        }
        both = agreement(((a, b) for a, b, _ in rows), *chance)
        found.append(
            {
                "name": yardstick.name,
                "n": len(rows),
                **both.to_dict(),
                "against": {
                    labels: {"n": len(judged), "rates": _rates(judged, _sayings(readers))}
                    for labels, judged in against.items()
                },
            }
        )
    return {"n": len(sample), "yes": sum(one.crisis for one in sample), "yardsticks": found}


def _twice(dialogues: Mapping[str, Sequence[Dialogue]], labelled: Sequence[Second]) -> Json:
    """How often a text that was drawn in two corpora got the same second label."""
    text_of = {
        (name, u.id): u.text.strip()
        for name, rows in dialogues.items()
        for dialogue in rows
        for u in dialogue.utterances
    }
    answers: dict[str, list[bool]] = {}
    for one in labelled:
        if (one.corpus, one.id) in text_of:
            answers.setdefault(text_of[one.corpus, one.id], []).append(one.crisis)
    again = [given for given in answers.values() if len(given) > 1]
    return Share(sum(len({*given}) == 1 for given in again), len(again)).to_dict()
