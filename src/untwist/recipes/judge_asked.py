"""Asking a language model to judge labelled replies: its scores, or why there are none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from untwist.data import Triple
from untwist.errors import ModelError
from untwist.llm import PromptedJudge
from untwist.llm.prompts import Exchange
from untwist.recipes.rows import Progress
from untwist.schema import Json

SCORES = "scores.jsonl"
"""The file of a run that holds what was judged; `--scores` reads it again."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a judge said of the triples, in their order.

    Attributes:
        rows: {"id", "scores", "why"}; where no answer came, no scores and the reason in "unscored".
        reasons: how many triples are unscored, by reason.
    """

    rows: tuple[Json, ...]
    reasons: Mapping[str, int]


def judge_all(
    judge: PromptedJudge, triples: Sequence[Triple], progress: Progress, at_once: int
) -> Asked:
    """Judge every triple, several at once; one that fails is unscored, and the rest goes on."""
    rows: list[Json] = []
    with ThreadPoolExecutor(at_once) as pool:
        for row in pool.map(lambda triple: _row(judge, triple), triples):
            progress("judging", len(rows), len(triples))
            rows.append(row)
    progress("judging", len(rows), len(triples))
    return Asked(tuple(rows), Counter(row["unscored"] for row in rows if "unscored" in row))


def _row(judge: PromptedJudge, triple: Triple) -> Json:
    judged = Exchange(
        (triple.utterance,),
        triple.reply,
        distortions=tuple(sorted(triple.distortions)),
        intensity=triple.intensity,
        risk=triple.risk,
        strategy=triple.strategy,
    )
    try:
        found = judge.judge(judged, triple.lang)
    except ModelError as error:
        return {"id": triple.id, "scores": {}, "unscored": error.reason or "model"}
    why = {one.scale: one.why for one in found.scores}
    return {"id": triple.id, "scores": dict(found.numbers), "why": why}
