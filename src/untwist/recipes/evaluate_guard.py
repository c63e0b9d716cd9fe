"""Recipe: the guard on labelled drafts, rule by rule, with and without its reader.

    drafts -> patterns -> reader -> shares with Wilson intervals -> a run folder

Nothing is trained or tuned here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from untwist.data import Draft, read_drafts, shipped_drafts
from untwist.evaluate import Share
from untwist.recipes.runfolder import open_run
from untwist.respond import DraftStopper, ReplyGuard
from untwist.schema import Json

REPORT = "report.md"


@dataclass(frozen=True, slots=True)
class EvaluateGuard:
    """What to score."""

    out: str
    """The run folder; it must be new or empty."""
    drafts: tuple[str, ...] = ()
    """Files of drafts as in `untwist.data.read_drafts`; none means the drafts that ship."""
    command: str = "untwist evaluate guard"
    """What starts this run; stands in the report."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """One draft, and whether it was stopped."""

    draft: Draft
    stopped: bool


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
    guards = {"patterns": ReplyGuard()}
    if stops:
        guards["patterns and reader"] = ReplyGuard(stops=stops)
    scored = {
        name: [Stopped(d, not guard.check_text(d.text, d.context, d.lang).passed) for d in drafts]
        for name, guard in guards.items()
    }
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


def _columns(rows: Sequence[Stopped]) -> list[tuple[tuple[str, str], list[Stopped]]]:
    groups = sorted({(s.draft.lang, s.draft.part) for s in rows})
    return [(g, [s for s in rows if (s.draft.lang, s.draft.part) == g]) for g in groups]


def _table(column: Sequence[Stopped]) -> Json:
    broken = [s for s in column if s.draft.rule is not None]
    return {
        "broken stopped": _share(broken).to_dict(),
        "good stopped": _share([s for s in column if s.draft.rule is None]).to_dict(),
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
        "Shares of drafts that are stopped, with 95 % Wilson intervals. Language models wrote and",
        'labelled the drafts; no clinician has read them. Parts: "looked at" was in sight when',
        'patterns were written and "train" trained the reader, so both flatter; all others were',
        "only scored.",
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
