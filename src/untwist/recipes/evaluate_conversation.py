"""Recipe: an engine in conversation with simulated people, turn by turn.

    pool of messages -> people who answer -> engine -> what went wrong, and where it ended -> folder

Nothing is trained or tuned here. Every second conversation is led by the history alone, as someone
would who keeps no turns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from untwist.data import Reading, Refusals
from untwist.detect import FastDetector, RiskReader
from untwist.embed import StaticEncoder
from untwist.engine import Engine
from untwist.errors import ConfigError, UntwistError
from untwist.evaluate import Share, variety
from untwist.policy.pool import Pool
from untwist.policy.state import StateEncoder
from untwist.policy.talking import TalkingPatient
from untwist.recipes.conversation_faults import Ended, Talk, ended, faults_of
from untwist.recipes.conversation_report import REPORT, TALKS, report, talks
from untwist.recipes.policy_rows import policy_rows
from untwist.recipes.replies_made import template_reply
from untwist.recipes.rows import Progress, load_each, quiet
from untwist.recipes.runfolder import open_run
from untwist.schema import Dialogue, Json, Labels, Screening, Turn, Utterance
from untwist.taxonomy import CANONICAL, LANGS, Lang

_ENCODER_SIZE = 64
"""The people are drawn by labels; the vectors of the messages are not read."""
_SHOWN = 12
"""Conversations of each language that are written out, for whoever wants to read them."""


@dataclass(frozen=True, slots=True)
class EvaluateConversation:
    """Who talks, and how long."""

    out: str
    """The run folder; it must be new or empty."""
    talks: int = 2_000
    """Conversations in each language."""
    turns: int = 24
    """Messages of each person."""
    langs: tuple[str, ...] = LANGS
    """Languages."""
    corpora: tuple[str, ...] = ("open", "open-dialogues")
    """Where messages of the people's own accord come from, by name, or files of your own."""
    parts: tuple[str, ...] = ("validation", "test")
    """Parts of the grouped split."""
    reading: Reading = field(default_factory=Reading)
    """How they are read."""
    sample: int = 1_000
    """Replies in a draw of variety."""
    seed: int = 42
    """Of the people and of all draws."""
    command: str = "untwist evaluate conversation"
    """What starts this run; stands in the report."""

    def __post_init__(self) -> None:
        if self.talks < 1 or self.turns < 1:
            raise ConfigError("give at least one conversation of one message")
        if not self.langs or set(self.langs) - set(LANGS):
            raise ConfigError(f"langs is {', '.join(self.langs) or 'empty'}: give en, zh or both")


def run(
    config: EvaluateConversation, engine: Engine, progress: Progress = quiet
) -> tuple[Path, Json]:
    """Let them talk, and write the run folder.

    Args:
        config: who talks, and how long.
        engine: answers; made for conversation.
        progress: told the stage and how many conversations are done.

    Returns:
        The folder (config.toml, manifest.json, metrics.json, report.md, talks.md) and the metrics.

    Raises:
        ConfigError: the run folder is in use.
        DataError: a corpus cannot be read, or lacks messages.
    """
    folder = open_run(config.out, config, config.seed, [])
    engine = _remembering(engine)
    pool = _pool(config, progress)
    metrics: Json = {"engine": _names(engine), "langs": {}}
    shown: list[Talk] = []
    for lang in (code for code in LANGS if code in config.langs):
        held = _talks(config, engine, pool, lang, progress)
        shown += held[:_SHOWN]
        metrics["langs"][lang] = _metrics(config, held, lang)
    folder.write_metrics(metrics)
    folder.write_text(REPORT, report(config.command, config.turns, metrics))
    folder.write_text(TALKS, talks(shown))
    return folder.path, metrics


class _Remembering:
    """A second reader that reads equal messages once: simulated people repeat themselves."""

    def __init__(self, reader: RiskReader) -> None:
        self.reader = reader
        self.known: dict[tuple[str, Screening], Screening] = {}

    def read(self, text: str, own: Screening) -> Screening:
        """As the reader says, now or the first time."""
        if (text, own) not in self.known:
            self.known[text, own] = self.reader.read(text, own)
        return self.known[text, own]


def _remembering(engine: Engine) -> Engine:
    """The same engine, faster; what it says does not change."""
    detector = engine.detector
    if not isinstance(detector, FastDetector) or detector.reader is None:
        return engine
    reader: Any = _Remembering(detector.reader)
    return replace(engine, detector=replace(detector, reader=reader))


def _names(engine: Engine) -> Json:
    parts = (engine.detector, engine.policy, engine.responder)
    return dict(zip(("detector", "policy", "responder"), (p.name for p in parts), strict=True))


def _pool(config: EvaluateConversation, progress: Progress) -> Pool:
    loaded = load_each(config.corpora, config.reading, Refusals(), progress)
    rows = policy_rows(loaded, config.parts)
    encoder = StateEncoder(StaticEncoder(_ENCODER_SIZE))
    return Pool.of(rows.gold(), [row.labels for row in rows.rows], encoder)


def _talks(
    config: EvaluateConversation, engine: Engine, pool: Pool, lang: Lang, progress: Progress
) -> list[Talk]:
    held = []
    for number in range(config.talks):
        if number % 50 == 0:
            progress(f"talking {lang}", number, config.talks)
        rng = np.random.default_rng([config.seed, LANGS.index(lang), number])
        patient = TalkingPatient(pool, lang, turns=config.turns)
        held.append(_talk(engine, patient, rng, kept=number % 2 == 0))
    progress(f"talking {lang}", config.talks, config.talks)
    return held


def _talk(engine: Engine, patient: TalkingPatient, rng: np.random.Generator, *, kept: bool) -> Talk:
    """One conversation; an engine that fails ends it and is counted."""
    said: list[Utterance] = []
    turns: list[Turn] = []
    message: Utterance | None = patient.begin(rng)
    while message is not None:
        try:
            turn = engine.turn(message, said, turns if kept else ())
        except UntwistError as error:
            return Talk(tuple(turns), patient.group or "", type(error).__name__)
        turns.append(turn)
        said += [message, Utterance(turn.reply.text, turn.reply.lang, role="assistant")]
        message = patient.respond(turn.reply, rng)
    return Talk(tuple(turns), patient.group or "")


def _metrics(config: EvaluateConversation, held: Sequence[Talk], lang: Lang) -> Json:
    faults = [faults_of(talk) for talk in held]
    ends = [ended(talk) for talk in held]
    calm = [end for talk, end in zip(held, ends, strict=True) if not talk.danger]
    replies = sum(len(talk.turns) for talk in held)
    counts = {
        name: {
            "conversations": Share(sum(bool(one[name]) for one in faults), len(held)).to_dict(),
            "replies": sum(one[name] for one in faults),
        }
        for name in faults[0]
    }
    return {
        "conversations": len(held),
        "replies": replies,
        "turns": sum(len(talk.turns) for talk in held) / len(held),
        "crashes": sum(talk.crash is not None for talk in held),
        "faults": counts,
        "ends": {end: ends.count(end) for end in sorted(set(ends))},
        "reached": Share(sum(end in ("balanced", "stopped") for end in calm), len(calm)).to_dict(),
        "balanced": Share(calm.count("balanced"), len(calm)).to_dict(),
        "in danger": sum(talk.danger for talk in held),
        "groups": _by_group(held, ends),
        "openings": _openings(held, lang),
        "variety": _variety(config, held, lang),
    }


def _by_group(held: Sequence[Talk], ends: Sequence[Ended]) -> Json:
    groups = sorted({talk.group for talk in held})
    found = {}
    for group in groups:
        own = [e for t, e in zip(held, ends, strict=True) if t.group == group and not t.danger]
        found[group] = Share(sum(e in ("balanced", "stopped") for e in own), len(own)).to_dict()
    return found


def _openings(held: Sequence[Talk], lang: Lang) -> Json:
    """Share of the commonest beginning: two words, or two Chinese characters."""
    begun = [" ".join(text.split()[:2]) if lang == "en" else text[:2] for text in _said(held)]
    most = max(set(begun), key=lambda one: (begun.count(one), one)) if begun else ""
    return {
        "commonest": most,
        "share": begun.count(most) / len(begun) if begun else None,
        "different": len(set(begun)),
    }


def _said(held: Sequence[Talk]) -> list[str]:
    return [turn.reply.text for talk in held for turn in talk.turns if turn.reply.step]


def _variety(config: EvaluateConversation, held: Sequence[Talk], lang: Lang) -> Json:
    """Ours beside the templates of a keyword program, on the same messages."""
    columns = {
        "untwist": _said(held),
        "templates": [
            template_reply(dialogue) for talk in held for dialogue in _as_dialogues(talk)
        ],
    }
    return {
        name: variety(texts, lang, config.sample, np.random.default_rng(config.seed)).to_dict()
        for name, texts in columns.items()
        if len(texts) > 1
    }


def _as_dialogues(talk: Talk) -> Iterator[Dialogue]:
    """Each message as a dialogue of one, labelled as it was heard."""
    for turn in talk.turns:
        heard = turn.assessment
        labels = Labels(frozenset(f.distortion for f in heard.findings), frozenset(CANONICAL))
        yield Dialogue("talk", "simulated", (heard.utterance,), (labels,), "talk")
