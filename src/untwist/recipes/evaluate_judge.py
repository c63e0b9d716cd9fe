"""Recipe: what a judge's scores mean, by what people said of the same replies (CoPoLLM C.4).

    triples -> votes -> majority and agreement
            -> a judge's scores -> calibrated on the others -> agreement held out, beside two floors
            -> calibrator.json, learnt from all

Two floors stand beside every judge: the most frequent label without any score, and a judge by rules
that reads the matrix and the wording rules and nothing else.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from untwist.data import Failure, Triple, read_records, read_triples, shipped_triples
from untwist.errors import ConfigError, DataError
from untwist.evaluate import (
    RESAMPLES,
    SCALES,
    Share,
    calibrate,
    calibration,
    majority,
    vote_agreement,
)
from untwist.llm import PromptedJudge
from untwist.recipes.judge_asked import SCORES, judge_all
from untwist.recipes.judge_report import publish_judge
from untwist.recipes.rows import Progress, quiet
from untwist.recipes.runfolder import open_run
from untwist.safety import violations
from untwist.schema import Json
from untwist.taxonomy import Risk, Strategy, row

SCHEMA = "untwist/judge@1"
CALIBRATOR = "calibrator.json"
RULES = "rules"


@dataclass(frozen=True, slots=True)
class EvaluateJudge:
    """Whose scores are calibrated on which votes."""

    out: str
    """The run folder; it must be new or empty."""
    file: str = ""
    """Triples with votes; none takes those that ship, which no person has judged."""
    scores: str = ""
    """A judge's scores by id, {"id", "scores": {name: number or null}}; none takes those in the
    triples."""
    judge: str = "judge"
    """Name and version of the judge."""
    folds: int = 5
    """Of the cross-validation."""
    seed: int = 42
    """Of folds and intervals."""
    at_once: int = 8
    """Questions at once to a judge that is asked."""
    resamples: int = RESAMPLES
    """Of the bootstrap."""
    command: str = "untwist.recipes.evaluate_judge.run(config)"
    """What starts this run; stands in the report."""


@dataclass(frozen=True, slots=True)
class _Judge:
    """One judge's scores of the triples, in their order; None where there is none."""

    name: str
    columns: tuple[str, ...]
    scores: tuple[tuple[float, ...] | None, ...]

    @classmethod
    def of(cls, name: str, each: Sequence[Mapping[str, float | None]]) -> _Judge:
        """From scores by name; a triple that lacks one of the names is unscored."""
        columns = tuple(sorted({key for one in each for key in one}))
        rows = [[one.get(key) for key in columns] for one in each]
        known = [
            tuple(v for v in row if v is not None) if None not in row else None for row in rows
        ]
        return cls(name, columns, tuple(known))


def run(
    config: EvaluateJudge, progress: Progress = quiet, ask: PromptedJudge | None = None
) -> tuple[Path, Json]:
    """Calibrate, and write the run folder.

    Args:
        config: whose scores, and on which votes.
        progress: told how far it is.
        ask: a language model that judges first, in place of scores from a file.

    Returns:
        The folder (config.toml, manifest.json, metrics.json, report.md, report.html and, of a judge
        that scored, calibrator.json; of one that was asked, scores.jsonl) and the metrics.

    Raises:
        ConfigError: the judge has the name of the rules, scores are given for a judge that is
            asked, or the run folder is in use.
        DataError: a file cannot be read, an id occurs twice or is unknown, or there are fewer
            states than folds.
    """
    if config.judge == RULES:
        raise ConfigError(f'"{RULES}" is the judge that stands beside yours: name yours otherwise')
    if ask and config.scores:
        raise ConfigError("a judge that is asked needs no file of scores: leave one of them out")
    triples = list(read_triples(config.file) if config.file else shipped_triples())
    if not triples:
        raise DataError(f"{config.file} holds no triple")
    _unique(triple.id for triple in triples)
    states = len({triple.group for triple in triples})
    if states < config.folds:
        raise DataError(f"{states} states for {config.folds} folds: give more, or fewer folds")
    judges = [_Judge.of(RULES, [_by_rules(triple) for triple in triples])]
    files = [Path(one) for one in (config.file, config.scores) if one]
    given = [] if ask else _given(config, triples)
    folder = open_run(config.out, config, config.seed, files)
    if ask:
        asked = judge_all(ask, triples, progress, config.at_once)
        lines_said = (json.dumps(row, ensure_ascii=False) for row in asked.rows)
        folder.write_text(SCORES, "".join(f"{line}\n" for line in lines_said))
        given = [row["scores"] for row in asked.rows]
    if any(given):
        judges.insert(0, _Judge.of(config.judge, given))
    labels = {scale: _labels(triples, scale) for scale in SCALES}
    lines: list[Json] = []
    for done, scale in enumerate(SCALES):
        progress("calibrating", done, len(SCALES))
        lines += [_line(config, judge, triples, scale, labels[scale]) for judge in judges]
    progress("calibrating", len(SCALES), len(SCALES))
    metrics: Json = {
        "schema": SCHEMA,
        "command": config.command,
        "resamples": config.resamples,
        "triples": len(triples),
        "states": states,
        "langs": dict(Counter(triple.lang for triple in triples)),
        "written_by": sorted({triple.written_by for triple in triples}),
        "voters": sorted({vote.by for triple in triples for vote in triple.votes}),
        "votes": {scale: _agreement(config, triples, scale) for scale in SCALES},
        "judges": lines,
    }
    folder.write_metrics(metrics)
    if judges[0].name != RULES:
        folder.write_json(CALIBRATOR, _calibrators(judges[0], labels))
    publish_judge(folder, metrics)
    return folder.path, metrics


def _unique(ids: Iterable[str]) -> None:
    twice = [id for id, count in Counter(ids).items() if count > 1]
    if twice:
        raise DataError(f"triple {twice[0]} occurs twice: keep one")


def _given(config: EvaluateJudge, triples: Sequence[Triple]) -> list[Mapping[str, float | None]]:
    """The scores of the judge, those of a file of its own before those in the triples."""
    if not config.scores:
        return [triple.scores for triple in triples]
    known = {triple.id for triple in triples}
    found: dict[str, Mapping[str, float | None]] = {}
    for record in read_records(config.scores):
        where = f"{config.scores}:{record.line}"
        if isinstance(record, Failure):
            raise DataError(f"{where}: {record.message}")
        id, scores = record.data.get("id"), record.data.get("scores")
        if id not in known or id in found:
            raise DataError(f"{where}: give each triple's id once, and no other")
        if not isinstance(scores, dict) or not all(map(_is_score, scores.values())):
            raise DataError(f'{where}: no {{"id", "scores": {{name: number or null}}}}')
        found[id] = {name: None if one is None else float(one) for name, one in scores.items()}
    return [found.get(triple.id, {}) for triple in triples]


def _is_score(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _by_rules(triple: Triple) -> dict[str, float]:
    """What the matrix and the wording rules say of a reply."""
    broken = violations(triple.reply, triple.lang, triple.risk, triple.utterance.text)
    size = len(triple.reply) * (2 if triple.lang == "zh" else 1)
    return {"match": _fit(triple), "risk": float(not broken), "length": size / 100}


def _fit(triple: Triple) -> float:
    if triple.risk is Risk.HIGH or triple.strategy is Strategy.CRISIS_INTERVENTION:
        return float(triple.risk is Risk.HIGH and triple.strategy is Strategy.CRISIS_INTERVENTION)
    if not triple.distortions:
        return float(triple.strategy is Strategy.EMPATHIC_VALIDATION)
    suited = [row(distortion) for distortion in triple.distortions]
    if triple.strategy in {one.gold for one in suited}:
        return 1.0
    return 0.5 * any(triple.strategy in one.silver for one in suited)


def _labels(triples: Sequence[Triple], scale: str) -> list[int | None]:
    return [majority([getattr(vote, scale) for vote in triple.votes]) for triple in triples]


def _agreement(config: EvaluateJudge, triples: Sequence[Triple], scale: str) -> Json:
    """Agreement of the voters, and how often each label is the majority."""
    voters = sorted({vote.by for triple in triples for vote in triple.votes})
    table = []
    for triple in triples:
        said = {vote.by: getattr(vote, scale) for vote in triple.votes}
        table.append([said.get(voter) for voter in voters])
    rng = np.random.default_rng(config.seed)
    found = vote_agreement(table, scale, rng, config.resamples)
    counts = Counter(_labels(triples, scale))
    tied = counts.pop(None, 0)
    labels = {str(value): counts[value] for value in SCALES[scale]}
    return {**found.to_dict(), "labels": labels, "tied": tied}


def _line(
    config: EvaluateJudge,
    judge: _Judge,
    triples: Sequence[Triple],
    scale: str,
    labels: Sequence[int | None],
) -> Json:
    """One judge on one scale, held out; "why" says what stood in the way."""
    scores, truth, rows = _both(judge, labels)
    line: Json = {
        "judge": judge.name,
        "scale": scale,
        "columns": list(judge.columns),
        "unscored": sum(one is None for one in judge.scores),
        "most_frequent": _most_frequent(truth).to_dict(),
        "calibration": None,
        "why": None,
    }
    try:
        found = calibration(
            scores,
            truth,
            [triples[at].group for at in rows],
            scale,
            np.random.default_rng(config.seed),
            own=judge.columns.index(scale) if scale in judge.columns else None,
            folds=config.folds,
            resamples=config.resamples,
        )
    except DataError as error:
        return {**line, "why": str(error)}
    return {**line, "calibration": found.to_dict()}


def _both(
    judge: _Judge, labels: Sequence[int | None]
) -> tuple[NDArray[np.float64], NDArray[np.int64], list[int]]:
    """Scores and labels of the triples that have both, and which those are."""
    rows = [
        at
        for at, (score, label) in enumerate(zip(judge.scores, labels, strict=True))
        if score is not None and label is not None
    ]
    scores = np.array([judge.scores[at] for at in rows], float)
    return (
        scores.reshape(len(rows), len(judge.columns)),
        np.array([labels[at] for at in rows], np.int64),
        rows,
    )


def _most_frequent(truth: NDArray[np.int64]) -> Share:
    counts = np.unique(truth, return_counts=True)[1]
    return Share(int(counts.max(initial=0)), int(truth.size))


def _calibrators(judge: _Judge, labels: Mapping[str, Sequence[int | None]]) -> Json:
    """Learnt from every triple; a scale whose labels are all the same has none."""
    found: Json = {}
    for scale in SCALES:
        scores, truth, _ = _both(judge, labels[scale])
        able = np.unique(truth).size > 1
        found[scale] = calibrate(scores, truth, scale).to_dict() if able else None
    return {"schema": "untwist/calibrator@1", "judge": judge.name,
            "columns": list(judge.columns), "scales": found}  # fmt: skip
