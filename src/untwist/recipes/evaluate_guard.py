"""Recipe: the guard on labelled drafts, rule by rule, with and without its reader.

    drafts -> patterns -> reader -> shares with Wilson intervals -> a run folder

Drafts of single turns go through the gate of a stream instead, in one piece, character by character
and cut at random: a broken one counts as stopped when every way stops it, a good one as soon as one
does. Nothing is trained or tuned here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from untwist.data import Draft, read_drafts, shipped_drafts
from untwist.evaluate import Share
from untwist.recipes.runfolder import open_run
from untwist.respond import DraftStopper, ReplyGuard
from untwist.respond.stream import Gate
from untwist.schema import Json

REPORT = "report.md"
_DRAFTS = (
    "Shares of drafts that are stopped, with 95 % Wilson intervals. Language models wrote and",
    'labelled the drafts; no clinician has read them. Parts: "looked at" was in sight when',
    'patterns were written and "train" trained the reader, so both flatter; all others were',
    "only scored.",
)
_TURNS = (
    "Shares of drafts of single turns that are stopped, with 95 % Wilson intervals. Each went",
    "through the gate of a stream in one piece, character by character, and cut at random; a",
    "broken one counts as stopped when every way stopped it, a good one when any did. A language",
    'model wrote and labelled the drafts and wrote the rules; no clinician has read them. "looked',
    'at" was in sight when rules were written, which flatters; the README beside the drafts says',
    "what the other parts are.",
)


@dataclass(frozen=True, slots=True)
class EvaluateGuard:
    """What to score."""

    out: str
    """The run folder; it must be new or empty."""
    drafts: tuple[str, ...] = ()
    """Files of drafts as in `untwist.data.read_drafts`; none means the drafts that ship."""
    turns: bool = False
    """Whether the drafts are single turns of a language model, read strictly and as a stream."""
    seed: int = 42
    """Of the places where a stream is cut."""
    command: str = "untwist evaluate guard"
    """What starts this run; stands in the report."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """One draft, and whether it was stopped."""

    draft: Draft
    stopped: bool
    ways: tuple[bool, ...] = ()
    """For a stream, whether each way of cutting it stopped it."""


RANDOM_CUTS = 2
"""How often a stream is cut at random, besides in one piece and character by character."""
MOST = 12
"""Longest piece of a stream cut at random, in characters."""


def run(config: EvaluateGuard, stops: DraftStopper | None) -> tuple[Path, Json]:
    """Score, and write the run folder.

    Args:
        config: what to score.
        stops: the reader that is scored beside the patterns alone; None leaves it out.

    Returns:
        The folder (config.toml, manifest.json, metrics.json, report.md) and the metrics.

    Raises:
        ConfigError: the run folder is in use.
        DataError: a file or a draft cannot be read; nothing is left out in silence.
    """
    files = map(read_drafts, config.drafts) if config.drafts else [shipped_drafts()]
    drafts = [draft for file in files for draft in file]
    folder = open_run(config.out, config, 0, [Path(path) for path in config.drafts])
    scored = _streamed(drafts, config.seed, stops) if config.turns else _read(drafts, stops)
    metrics: Json = {
        "tables": [
            {"guard": name, "lang": lang, "part": part, **_table(column)}
            for name, rows in scored.items()
            for (lang, part), column in _columns(rows)
        ]
    }
    folder.write_metrics(metrics)
    folder.write_text(REPORT, _report(config, scored))
    return folder.path, metrics


def _read(drafts: Sequence[Draft], stops: DraftStopper | None) -> dict[str, list[Stopped]]:
    guards = {"patterns": ReplyGuard()}
    if stops:
        guards["patterns and reader"] = ReplyGuard(stops=stops)
    return {
        name: [Stopped(d, not guard.check_text(d.text, d.context, d.lang).passed) for d in drafts]
        for name, guard in guards.items()
    }


def _streamed(
    drafts: Sequence[Draft], seed: int, stops: DraftStopper | None
) -> dict[str, list[Stopped]]:
    guards = {
        "wording rules alone": ReplyGuard(conversation=True),
        "rules for turns": ReplyGuard.for_generated(),
    }
    if stops:
        guards["rules for turns and reader"] = ReplyGuard.for_generated(stops)
    return {name: [_through(d, guard, seed) for d in drafts] for name, guard in guards.items()}


def _through(draft: Draft, guard: ReplyGuard, seed: int) -> Stopped:
    """One draft through the gate in every way; all of them have to agree on a broken one."""

    def rules(text: str, _: bool) -> tuple[str, ...]:
        return guard.check_text(text, draft.context, draft.lang).rules

    rng = np.random.default_rng([seed, *draft.id.encode()])
    ways = tuple(_is_closed(Gate(rules), pieces) for pieces in _cuts(draft.text, rng))
    return Stopped(draft, all(ways) if draft.rule is not None else any(ways), ways)


def _is_closed(gate: Gate, pieces: Sequence[str]) -> bool:
    for piece in pieces:
        gate.feed(piece)
    gate.end()
    return bool(gate.rules)


def _cuts(text: str, rng: np.random.Generator) -> Iterator[Sequence[str]]:
    yield [text]
    yield list(text)
    for _ in range(RANDOM_CUTS):
        ends = np.cumsum(rng.integers(1, MOST + 1, len(text)))
        places = [0, *(int(end) for end in ends if end < len(text)), len(text)]
        yield [text[i:j] for i, j in pairwise(places)]


def _columns(rows: Sequence[Stopped]) -> list[tuple[tuple[str, str], list[Stopped]]]:
    groups = sorted({(s.draft.lang, s.draft.part) for s in rows})
    return [(g, [s for s in rows if (s.draft.lang, s.draft.part) == g]) for g in groups]


def _table(column: Sequence[Stopped]) -> Json:
    broken = [s for s in column if s.draft.rule is not None]
    cut = sum(len(set(s.ways)) > 1 for s in column)
    return {
        "broken stopped": _share(broken).to_dict(),
        "good stopped": _share([s for s in column if s.draft.rule is None]).to_dict(),
        **({"told apart by the cuts": cut} if column[0].ways else {}),
        "rules": {rule: _share(own).to_dict() for rule, own in _by_rule(broken)},
    }


def _by_rule(broken: Sequence[Stopped]) -> list[tuple[str, list[Stopped]]]:
    rules = sorted({s.draft.rule for s in broken if s.draft.rule is not None})
    return [(rule, [s for s in broken if s.draft.rule == rule]) for rule in rules]


def _share(rows: Sequence[Stopped]) -> Share:
    return Share(sum(s.stopped for s in rows), len(rows))


def _report(config: EvaluateGuard, scored: dict[str, list[Stopped]]) -> str:
    lines = [
        "# The guard on labelled drafts",
        "",
        f"Command: `{config.command}`.",
        "",
        *(_TURNS if config.turns else _DRAFTS),
        "",
        "| guard | language, part | broken stopped | good stopped |",
        "|---|---|---|---|",
    ]
    for name, rows in scored.items():
        for (lang, part), column in _columns(rows):
            broken = _share([s for s in column if s.draft.rule is not None])
            good = _share([s for s in column if s.draft.rule is None])
            lines.append(f"| {name} | {lang}, {part} | {broken} | {good} |")
    for name, rows in scored.items():
        unseen = [s for s in rows if s.draft.part not in ("train", "looked at")]
        columns = {
            lang: [s for s in unseen if s.draft.lang == lang and s.draft.rule is not None]
            for lang in ("en", "zh")
        }
        rules = sorted({s.draft.rule or "" for rows in columns.values() for s in rows})
        lines += ["", f"## {name.capitalize()}: broken drafts stopped, by rule, parts only scored"]
        lines += ["", "| rule | en | zh |", "|---|---|---|"]
        for rule in rules:
            shares = (_share([s for s in own if s.draft.rule == rule]) for own in columns.values())
            lines.append(f"| {rule} | {' | '.join(map(str, shares))} |")
    return "\n".join(lines) + "\n"
