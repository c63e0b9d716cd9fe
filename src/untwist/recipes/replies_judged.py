"""A language model judges replies: asked again, its scales turned round, pairs in both orders.

What it says is kept; numbers made of it stand in a report only on scales on which people rated some
of the same replies and the judge was found to agree with them (`untwist.evaluate.standing`).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np

from untwist.data import ReplyRow
from untwist.data.jsonlines import Record, read_each
from untwist.errors import DataError, ModelError
from untwist.evaluate import (
    SeekerCells,
    grouped_mean,
    mean_score,
    preferences,
    seeker_cells,
    seeker_of,
    standing,
    steadiness,
)
from untwist.llm import PromptedJudge
from untwist.llm.prompts import Better, Exchange, Judge, Rubric
from untwist.recipes.rows import Progress
from untwist.schema import Json, Utterance
from untwist.taxonomy import LANGS

PERSON = "person"
_APART = 7919
Key = tuple[str, str]
"""Id of a message, and system."""


@dataclass(frozen=True, slots=True)
class Asking:
    """How a judge is asked.

    Attributes:
        rubrics: by which.
        repeats: how often each reply is judged with the scales in order, and again turned round.
        compare: whether pairs of systems are compared.
        at_once: questions at once.
        seed: of the first repeat.
    """

    rubrics: tuple[Rubric, ...]
    repeats: int = 2
    compare: bool = False
    at_once: int = 8
    seed: int = 42


@dataclass(frozen=True, slots=True)
class People:
    """What people said of replies.

    Attributes:
        scores: by reply and scale what each of them gave.
        models: how many ratings of language models were left out.
    """

    scores: Mapping[Key, Mapping[str, list[int | None]]]
    models: int


def read_people(paths: Sequence[Path | str]) -> People:
    """Ratings as `untwist evaluate blind read` leaves them; those of language models are left out.

    Raises:
        DataError: a row is no rating, or a rater rated a reply twice.
    """
    scores: dict[Key, dict[str, list[int | None]]] = {}
    seen: set[tuple[Key, str]] = set()
    models = 0
    for path in paths:
        for key, rater, kind, given in read_each(path, _rating, "rating"):
            if kind != PERSON:
                models += 1
                continue
            if (key, rater) in seen:
                raise DataError(f"{path}: {rater} rated a reply twice: keep one rating")
            seen.add((key, rater))
            for scale, value in given.items():
                scores.setdefault(key, {}).setdefault(scale, []).append(value)
    return People(scores, models)


def _rating(record: Record) -> tuple[Key, str, str, Mapping[str, int | None]]:
    data = record.data
    given = data["scores"]
    fine = isinstance(given, dict) and all(
        value is None or (isinstance(value, int) and not isinstance(value, bool))
        for value in given.values()
    )
    if not fine:
        raise DataError('"scores" is {scale: whole number or null}')
    return (str(data["id"]), str(data["system"])), str(data["rater"]), data["kind"], given


def judge_replies(
    judge: PromptedJudge, rows: Sequence[ReplyRow], asking: Asking, progress: Progress
) -> list[Json]:
    """Ask about every reply, several at once; what fails is unscored, and the rest goes on.

    Returns:
        {"id", "system", "rubric", "repeat", "reverse", "scores", "why"} or, without an answer,
        "unscored" with the reason; in an order that depends on nothing but the arguments.
    """
    jobs = [
        (row, rubric, repeat, reverse)
        for row in rows
        for rubric, repeat, reverse in product(asking.rubrics, range(asking.repeats), (False, True))
    ]

    def one(job: tuple[ReplyRow, Rubric, int, bool]) -> Json:
        row, rubric, repeat, reverse = job
        head = {"id": row.id, "system": row.system, "rubric": rubric, "repeat": repeat,
                "reverse": reverse}  # fmt: skip
        seed = asking.seed + _APART * (2 * repeat + reverse)
        asked = replace(judge, rubric=rubric, seed=seed, reverse=reverse)
        try:
            found = asked.judge(_exchange(row), row.lang)
        except ModelError as error:
            return {**head, "scores": {}, "unscored": error.reason or "model"}
        scores = {score.scale: score.value for score in found.scores}
        return {**head, "scores": scores, "why": {s.scale: s.why for s in found.scores}}

    return _all(one, jobs, asking.at_once, "judging", progress)


def compare_replies(
    judge: PromptedJudge, rows: Sequence[ReplyRow], asking: Asking, progress: Progress
) -> list[Json]:
    """Ask which of two systems' replies to a message does better, in both orders.

    Returns:
        {"id", "first", "second", "rubric", "turned", "better": {scale: ...}} or "unscored";
        "better" names the reply that was shown there.
    """
    jobs = [
        (one, other, rubric, turned)
        for one, other in _pairs(rows)
        for rubric, turned in product(asking.rubrics, (False, True))
    ]

    def ask(job: tuple[ReplyRow, ReplyRow, Rubric, bool]) -> Json:
        one, other, rubric, turned = job
        head = {"id": one.id, "first": one.system, "second": other.system, "rubric": rubric,
                "turned": turned}  # fmt: skip
        shown, beside = (other, one) if turned else (one, other)
        try:
            asked = replace(judge, rubric=rubric, seed=asking.seed)
            found = asked.prefer(_exchange(shown), beside.reply or "", one.lang)
        except ModelError as error:
            return {**head, "better": {}, "unscored": error.reason or "model"}
        better = {c.scale: c.better.value if c.better else None for c in found.compared}
        return {**head, "better": better, "why": {c.scale: c.why for c in found.compared}}

    return _all(ask, jobs, asking.at_once, "comparing", progress)


def _pairs(rows: Sequence[ReplyRow]) -> Iterator[tuple[ReplyRow, ReplyRow]]:
    by_message: dict[str, list[ReplyRow]] = {}
    for row in sorted(rows, key=lambda row: row.system):
        by_message.setdefault(row.id, []).append(row)
    for own in by_message.values():
        yield from combinations(own, 2)


def _exchange(row: ReplyRow) -> Exchange:
    """The judge is told what is known of the person, and never whose the reply is."""
    known = None if row.distortions is None else tuple(sorted(row.distortions))
    return Exchange(
        row.said,
        row.reply or "",
        distortions=known,
        intensity=row.intensity,
        risk=row.risk,
    )


def _all(
    ask: Callable[[Any], Json], jobs: Sequence[Any], at_once: int, stage: str, progress: Progress
) -> list[Json]:
    found: list[Json] = []
    with ThreadPoolExecutor(at_once) as pool:
        for row in pool.map(ask, jobs):
            progress(stage, len(found), len(jobs))
            found.append(row)
    progress(stage, len(found), len(jobs))
    return found


def judged_metrics(
    name: str,
    rows: Sequence[ReplyRow],
    said: Sequence[Json],
    compared: Sequence[Json],
    people: People,
    asking: Asking,
    rng: np.random.Generator,
    resamples: int,
) -> Json:
    """What may be said of a judge's scores, scale by scale.

    Returns:
        {"judge", "rubrics": {name: {"version", "prompt"}}, "unscored": {reason: n},
        "models_left_out", "scales": [{"scale", "steadiness", "standing", "means", "preferences"}],
        "seekers"}; means and preferences are empty on a scale on which the judge is not calibrated.
    """
    known = {(row.id, row.system): row for row in rows}
    scales = [
        _scale(scale, rubric, values, known, said, people, rng, resamples)
        for rubric in asking.rubrics
        for scale, values in Judge("en", rubric).scales.items()
    ]
    for one in scales:
        shown = one["standing"]["withheld"] is None
        one["preferences"] = _preferences(one["scale"], compared) if shown else []
    reasons = Counter(one["unscored"] for one in (*said, *compared) if "unscored" in one)
    held = [one["scale"] for one in scales if one["standing"]["withheld"] is None]
    cells = _seekers(rows, said, held, rng, resamples)
    return {
        "judge": name,
        "rubrics": {rubric: _asked_by(rubric) for rubric in asking.rubrics},
        "repeats": asking.repeats,
        "replies": len(known),
        "unscored": dict(reasons),
        "models_left_out": people.models,
        "scales": scales,
        "seekers": [one.to_dict() for one in cells],
    }


def _asked_by(rubric: Rubric) -> Json:
    """Version of a rubric, and a digest of what the judge is told in both languages."""
    judged = Exchange((Utterance("x"),), "x")
    told = [Judge(lang, rubric).messages(judged)[0]["content"] for lang in LANGS]
    digest = hashlib.sha256("\n".join(told).encode("utf-8")).hexdigest()[:12]
    return {"version": Judge("en", rubric).version, "prompt": digest}


def _scale(
    scale: str,
    rubric: str,
    values: Sequence[int],
    known: Mapping[Key, ReplyRow],
    said: Sequence[Json],
    people: People,
    rng: np.random.Generator,
    resamples: int,
) -> Json:
    forward, turned = (_scores(scale, rubric, known, said, reverse) for reverse in (False, True))
    groups = [row.group for row in known.values()]
    both = [[*one, *other] for one, other in zip(forward, turned, strict=True)]
    given = [people.scores.get(key, {}).get(scale, []) for key in known]
    found = standing(both, given, values, groups, rng, resamples)
    return {
        "scale": scale,
        "rubric": rubric,
        "steadiness": steadiness(forward, turned, values, groups, rng, resamples).to_dict(),
        "standing": found.to_dict(),
        "means": _means(known, both, rng, resamples) if found.withheld is None else [],
    }


def _scores(
    scale: str, rubric: str, known: Mapping[Key, ReplyRow], said: Sequence[Json], reverse: bool
) -> list[list[int | None]]:
    """The repeated scores of every reply in one order of the scales; a failed question is None."""
    found: dict[Key, list[int | None]] = {key: [] for key in known}
    for one in said:
        if one["rubric"] == rubric and one["reverse"] == reverse:
            found[one["id"], one["system"]].append(one["scores"].get(scale))
    return list(found.values())


def _means(
    known: Mapping[Key, ReplyRow],
    scores: Sequence[Sequence[int | None]],
    rng: np.random.Generator,
    resamples: int,
) -> list[Json]:
    """Means by system and language."""
    held: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for row, given in zip(known.values(), scores, strict=True):
        if (mean := mean_score(given)) is not None:
            held.setdefault((row.system, row.lang), []).append((mean, row.group))
    return [
        {"system": system, "lang": lang,
         **grouped_mean([m for m, _ in own], [g for _, g in own], rng, resamples).to_dict()}
        for (system, lang), own in sorted(held.items())
    ]  # fmt: skip


_SIDES: Mapping[str | None, Any] = {**{one.value: one.value for one in Better}, None: None}


def _preferences(scale: str, compared: Sequence[Json]) -> list[Json]:
    answers: dict[tuple[str, str], dict[str, dict[bool, Any]]] = {}
    for one in compared:
        if scale in Judge("en", one["rubric"]).scales:
            pair = answers.setdefault((one["first"], one["second"]), {})
            pair.setdefault(one["id"], {})[one["turned"]] = _SIDES[one["better"].get(scale)]
    return [
        {"first": first, "second": second,
         **preferences([(each.get(False), each.get(True)) for each in own.values()]).to_dict()}
        for (first, second), own in sorted(answers.items())
    ]  # fmt: skip


def _seekers(
    rows: Sequence[ReplyRow],
    said: Sequence[Json],
    scales: Sequence[str],
    rng: np.random.Generator,
    resamples: int,
) -> list[SeekerCells]:
    scored: dict[tuple[Key, str], list[int | None]] = {}
    for one in said:
        for scale, value in one["scores"].items():
            scored.setdefault(((one["id"], one["system"]), scale), []).append(value)
    cells = []
    for system in sorted({row.system for row in rows}) if scales else ():
        own = [row for row in rows if row.system == system]
        columns = {
            scale: [mean_score(scored.get(((row.id, row.system), scale), [])) for row in own]
            for scale in scales
        }
        seekers = [seeker_of(row.distortions, row.intensity, row.risk) for row in own]
        groups = [row.group for row in own]
        cells.append(seeker_cells(system, seekers, columns, groups, rng, resamples))
    return cells
