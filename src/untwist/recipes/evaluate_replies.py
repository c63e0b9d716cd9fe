"""Recipe: replies are scored, by rules, by references, by a second reading and by a judge.

    replies of systems (files, or the scripted ones over a corpus) -> counts, variety, references
    -> groups of seekers -> second reading -> judge, shown where people calibrate it -> a run folder

Nothing is trained or tuned here. A reply that never came is unscored and counted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from untwist.data import Reading, ReplyRow, load_source, read_replies
from untwist.engine import Engine
from untwist.errors import ConfigError, DataError
from untwist.evaluate import (
    RESAMPLES,
    ScoreModels,
    SeekerCells,
    cbt_parts,
    question_count,
    reference_scores,
    reply_counts,
    reply_tokens,
    seeker_cells,
    seeker_of,
    variety,
)
from untwist.llm import PromptedJudge
from untwist.recipes.replies_judged import (
    Asking,
    People,
    compare_replies,
    judge_replies,
    judged_metrics,
    read_people,
)
from untwist.recipes.replies_made import scripted_replies, template_replies
from untwist.recipes.replies_read import read_reading, reading_scores
from untwist.recipes.replies_report import publish_replies
from untwist.recipes.rows import Progress, quiet
from untwist.recipes.runfolder import RunFolder, open_run
from untwist.safety import violations
from untwist.schema import Json
from untwist.taxonomy import LANGS, Risk

SCHEMA = "untwist/replies@1"
JUDGED, COMPARED = "judged.jsonl", "compared.jsonl"
SEEKER_SCALES = ("parts of five", "questions", "length", "broken rules")
"""What is counted by group of seekers; broken rules are a share."""


@dataclass(frozen=True, slots=True)
class EvaluateReplies:
    """What to score, and with what."""

    out: str
    """The run folder; it must be new or empty."""
    files: tuple[str, ...] = ()
    """Replies, as `untwist.data.read_replies` reads them; none scores the scripted replies."""
    corpus: str = "open"
    """Whose messages the scripted replies answer."""
    limit: int = 0
    """So many of its messages, drawn by chance; 0 takes all."""
    templates: bool = False
    """Put templates beside the scripted replies."""
    sample: int = 1_000
    """Replies in a draw of variety; all systems of a language are drawn equally many."""
    readings: tuple[str, ...] = ()
    """Files of a second reading."""
    people: tuple[str, ...] = ()
    """People's ratings, by which the judge is calibrated."""
    judged: int = 200
    """Messages whose replies a judge is asked about, those that people rated first; 0 takes all."""
    models: ScoreModels = field(default_factory=ScoreModels)
    """Of the scores that are learned."""
    seed: int = 42
    """Of draws and intervals."""
    resamples: int = RESAMPLES
    """Of the bootstrap."""
    command: str = "untwist.recipes.evaluate_replies.run(config)"
    """What starts this run; stands in the report."""


def run(
    config: EvaluateReplies,
    progress: Progress = quiet,
    judge: PromptedJudge | None = None,
    asking: Asking | None = None,
) -> tuple[Path, Json]:
    """Score, and write the run folder.

    Args:
        config: what to score.
        progress: told how far it is.
        judge: a language model that judges; None leaves that out.
        asking: how it is asked; None takes the scales of both papers.

    Returns:
        The folder (config.toml, manifest.json, metrics.json, report.md, report.html, pictures and,
        of a judge, judged.jsonl and compared.jsonl) and the metrics.

    Raises:
        ConfigError: the run folder is in use, or ratings are given and no judge.
        DataError: a file cannot be read, a system replies twice to a message, or there is nothing
            to score.
    """
    if config.people and judge is None:
        raise ConfigError("people's ratings calibrate a judge: name one, or leave them out")
    rows, inputs = _rows(config, progress)
    read = [row for file in config.readings for row in read_reading(file)]
    people = read_people(config.people)
    folder = open_run(config.out, config, config.seed, [*inputs, *config.readings, *config.people])
    rng = np.random.default_rng(config.seed)
    broken = {(row.id, row.system): _broken(row) for row in rows if row.reply is not None}
    metrics: Json = {
        "schema": SCHEMA,
        "command": config.command,
        "resamples": config.resamples,
        "state": dict(Counter(row.state for row in rows)),
        "systems": _systems(rows, broken, config, rng, progress),
        "seekers": [one.to_dict() for one in _seekers(rows, broken, rng, config.resamples)],
        "reading": reading_scores(read),
        "judge": None,
    }
    if judge is not None:
        how = asking or Asking(("cognitive", "session", "answer"))
        metrics["judge"] = _judged(config, folder, judge, how, rows, people, rng, progress)
    folder.write_metrics(metrics)
    publish_replies(folder, metrics)
    return folder.path, metrics


def _rows(config: EvaluateReplies, progress: Progress) -> tuple[list[ReplyRow], tuple[Path, ...]]:
    if config.files:
        rows = [row for file in config.files for row in read_replies(file)]
        inputs = tuple(map(Path, config.files))
    else:
        loaded = load_source(config.corpus, Reading())
        dialogues = loaded.dialogues
        if config.limit and config.limit < len(dialogues):
            order = np.random.default_rng(config.seed).permutation(len(dialogues))
            dialogues = tuple(dialogues[at] for at in sorted(order[: config.limit].tolist()))
        rows = scripted_replies(Engine.default(), dialogues, progress)
        rows += template_replies(rows, dialogues) if config.templates else []
        inputs = tuple(map(Path, loaded.files))
    twice = [key for key, n in Counter((row.id, row.system) for row in rows).items() if n > 1]
    if twice:
        raise DataError(f'{twice[0][1]} replies twice to "{twice[0][0]}": keep one of them')
    if not any(row.reply for row in rows):
        raise DataError("there is no reply to score")
    return rows, inputs


def _columns(rows: Sequence[ReplyRow]) -> list[tuple[str, str, list[ReplyRow]]]:
    """System, language and rows, in the order in which systems come up."""
    systems = list(dict.fromkeys(row.system for row in rows))
    found = [
        (system, lang, [row for row in rows if (row.system, row.lang) == (system, lang)])
        for lang in LANGS
        for system in systems
    ]
    return [one for one in found if one[2]]


_Broken = Mapping[tuple[str, str], Sequence[str]]
"""By id of the message and system, the rules that the reply breaks."""


def _systems(
    rows: Sequence[ReplyRow],
    broken: _Broken,
    config: EvaluateReplies,
    rng: np.random.Generator,
    progress: Progress,
) -> list[Json]:
    columns = _columns(rows)
    replies = {
        (system, lang): sum(row.reply is not None for row in own) for system, lang, own in columns
    }
    found = []
    for done, (system, lang, own) in enumerate(columns):
        progress("scoring", done, len(columns))
        there = [n for (_, code), n in replies.items() if code == lang and n > 1]
        size = min([config.sample, *there])
        found.append(_system(system, lang, own, broken, size, config, rng))
    progress("scoring", len(columns), len(columns))
    return found


def _system(
    system: str,
    lang: str,
    rows: Sequence[ReplyRow],
    broken: _Broken,
    size: int,
    config: EvaluateReplies,
    rng: np.random.Generator,
) -> Json:
    said = [row for row in rows if row.reply is not None]
    texts = [row.reply or "" for row in said]
    code = rows[0].lang
    counts = reply_counts(
        texts, code, [broken[row.id, row.system] for row in said], [row.group for row in said],
        rng, config.resamples,
    )  # fmt: skip
    referred = [row for row in said if row.references]
    told = {}
    if referred:
        scores = reference_scores(
            [row.reply or "" for row in referred], [row.references for row in referred], code,
            config.models, config.resamples,
        )  # fmt: skip
        told = {"n": len(referred), "scores": [one.to_dict() for one in scores]}
    return {
        "system": system,
        "lang": lang,
        "unscored": dict(Counter(row.unscored for row in rows if row.unscored)),
        "counts": counts.to_dict(),
        "variety": variety(texts, code, size, rng).to_dict() if len(texts) > 1 else None,
        "references": told or None,
    }


def _broken(row: ReplyRow) -> tuple[str, ...]:
    return violations(row.reply or "", row.lang, row.risk or Risk.NONE, row.message)


def _seekers(
    rows: Sequence[ReplyRow], broken: _Broken, rng: np.random.Generator, resamples: int
) -> list[SeekerCells]:
    cells = []
    for system, lang, own in _columns(rows):
        said = [row for row in own if row.reply is not None]
        seekers = [seeker_of(row.distortions, row.intensity, row.risk) for row in said]
        if not any(seekers):
            continue
        columns: tuple[Iterable[float], ...] = (
            (len(cbt_parts(row.reply or "", row.lang)) for row in said),
            (question_count(row.reply or "") for row in said),
            (len(reply_tokens(row.reply or "", row.lang)) for row in said),
            (bool(broken[row.id, row.system]) for row in said),
        )
        scores = {
            scale: [float(value) for value in column]
            for scale, column in zip(SEEKER_SCALES, columns, strict=True)
        }
        groups = [row.group for row in said]
        cells.append(seeker_cells(f"{system}, {lang}", seekers, scores, groups, rng, resamples))
    return cells


def _judged(
    config: EvaluateReplies,
    folder: RunFolder,
    judge: PromptedJudge,
    asking: Asking,
    rows: Sequence[ReplyRow],
    people: People,
    rng: np.random.Generator,
    progress: Progress,
) -> Json:
    taken = _asked_about(rows, people, config)
    said = judge_replies(judge, taken, asking, progress)
    compared = compare_replies(judge, taken, asking, progress) if asking.compare else []
    for name, lines in ((JUDGED, said), (COMPARED, compared)):
        if lines:
            text = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
            folder.write_text(name, text)
    name = judge.model.name
    return judged_metrics(name, taken, said, compared, people, asking, rng, config.resamples)


def _asked_about(
    rows: Sequence[ReplyRow], people: People, config: EvaluateReplies
) -> list[ReplyRow]:
    """The replies to a sample of messages, those first of which people rated a reply."""
    said = [row for row in rows if row.reply is not None]
    rated = {id for id, _ in people.scores}
    messages = list(dict.fromkeys(row.id for row in said))
    order = np.random.default_rng(config.seed).permutation(len(messages))
    ranked = sorted((messages[at] for at in order), key=lambda id: id not in rated)
    taken = set(ranked[: config.judged or len(ranked)])
    return [row for row in said if row.id in taken]
