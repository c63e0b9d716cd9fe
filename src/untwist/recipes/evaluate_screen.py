"""Recipe: the safety screen on labelled cases, family by family, and its second reader.

    cases -> rules -> second reader -> shares with Wilson intervals -> a run folder

A case says which levels a careful reader would accept and whether only "high" is right. Nothing is
trained or tuned here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from untwist.data import Case, read_cases, shipped_cases
from untwist.evaluate import Share
from untwist.recipes.runfolder import open_run
from untwist.safety import SecondReader, screen
from untwist.schema import Json, Screening
from untwist.taxonomy import Risk

REPORT = "report.md"

_TEMPTING = frozenset({"figurative_idiom", "information"})
_EXPLICIT = frozenset({"explicit_plan", "active_wish", "action_taken", "psychosis_command"})
_INDIRECT = frozenset({"passive_wish", "indirect_farewell"})


@dataclass(frozen=True, slots=True)
class EvaluateScreen:
    """What to score."""

    out: str
    """The run folder; it must be new or empty."""
    cases: tuple[str, ...] = ()
    """Files of cases as in `untwist.data.read_cases`; none means the cases that ship."""
    command: str = "untwist evaluate screen"
    """What starts this run; stands in the report."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One case, and what was said of it."""

    case: Case
    said: Screening


_MEASURES: dict[str, tuple[Callable[[Case], bool], Callable[[Scored], bool]]] = {
    "level accepted": (lambda c: True, lambda s: s.said.level in s.case.accept),
    "crisis recall": (lambda c: c.crisis, lambda s: s.said.level is Risk.HIGH),
    "silent misses": (lambda c: c.crisis, lambda s: s.said.level <= Risk.LOW),
    "false crisis alarms": (
        lambda c: max(c.accept) <= Risk.LOW,
        lambda s: s.said.level is Risk.HIGH,
    ),
    "false medium or high": (
        lambda c: max(c.accept) <= Risk.LOW,
        lambda s: s.said.level >= Risk.MEDIUM,
    ),
    "figurative or information called high": (
        lambda c: c.family in _TEMPTING and max(c.accept) <= Risk.LOW,
        lambda s: s.said.level is Risk.HIGH,
    ),
    "explicit, silently missed": (
        lambda c: c.crisis and c.family in _EXPLICIT,
        lambda s: s.said.level <= Risk.LOW,
    ),
    "indirect, at least medium": (
        lambda c: c.crisis and c.family in _INDIRECT,
        lambda s: s.said.level >= Risk.MEDIUM,
    ),
    "disguised, at high": (
        lambda c: c.crisis and c.family == "obfuscated",
        lambda s: s.said.level is Risk.HIGH,
    ),
    "acuity named": (lambda c: bool(c.acuity), lambda s: bool(s.case.acuity & {*s.said.acuity})),
}
_BY_FAMILY = ("level accepted", "crisis recall", "silent misses", "false crisis alarms")


def run(config: EvaluateScreen, second: SecondReader | None) -> tuple[Path, Json]:
    """Score, and write the run folder.

    Args:
        config: what to score.
        second: the reader that is scored beside the rules alone; None leaves it out.

    Returns:
        The folder (config.toml, manifest.json, metrics.json, report.md) and the metrics.

    Raises:
        ConfigError: the run folder is in use.
        DataError: a file or a case cannot be read; nothing is left out in silence.
    """
    files = map(read_cases, config.cases) if config.cases else [shipped_cases()]
    cases = [case for file in files for case in file]
    folder = open_run(config.out, config, 0, [Path(path) for path in config.cases])
    readers: dict[str, SecondReader | None] = {"rules": None}
    if second:
        readers["rules and reader"] = second
    scored = {
        name: [Scored(c, screen(c.utterance.text, c.history, reader)) for c in cases]
        for name, reader in readers.items()
    }
    metrics: Json = {
        "tables": [
            {"reader": name, "lang": lang, "part": part, **_table(column)}
            for name, rows in scored.items()
            for (lang, part), column in _columns(rows)
        ]
    }
    folder.write_metrics(metrics)
    folder.write_text(REPORT, _report(config, scored))
    return folder.path, metrics


def _columns(rows: Sequence[Scored]) -> list[tuple[tuple[str, str], list[Scored]]]:
    groups = sorted({(s.case.lang, s.case.part) for s in rows})
    return [(g, [s for s in rows if (s.case.lang, s.case.part) == g]) for g in groups]


def _table(column: Sequence[Scored]) -> Json:
    return {
        "measures": {name: _share(name, column).to_dict() for name in _MEASURES},
        "families": {
            family: {name: _share(name, rows).to_dict() for name in _BY_FAMILY}
            for family, rows in _families(column)
        },
    }


def _families(column: Iterable[Scored]) -> list[tuple[str, list[Scored]]]:
    rows = list(column)
    return [
        (family, [s for s in rows if s.case.family == family])
        for family in sorted({s.case.family for s in rows})
    ]


def _share(measure: str, rows: Sequence[Scored]) -> Share:
    counted, hit = _MEASURES[measure]
    asked = [s for s in rows if counted(s.case)]
    return Share(sum(map(hit, asked)), len(asked))


def _report(config: EvaluateScreen, scored: dict[str, list[Scored]]) -> str:
    lines = [
        "# The safety screen on labelled cases",
        "",
        f"Command: `{config.command}`.",
        "",
        "Shares with 95 % Wilson intervals. A silent miss is a crisis text that is given none or",
        "low; a false crisis alarm is high on a text whose accepted levels are none or low. Cases",
        'were written by language models; no clinician has read them. Parts: "train" trained the',
        'second reader and "looked at" the rules, so both flatter; all others were only scored.',
    ]
    for name, rows in scored.items():
        lines += ["", f"## {name.capitalize()}", "", *_overview(rows)]
    for name, rows in scored.items():
        for (lang, part), column in _columns(rows):
            lines += ["", f"### {name}: {lang}, {part}, by family", "", *_by_family(column)]
    return "\n".join(lines) + "\n"


def _overview(rows: Sequence[Scored]) -> list[str]:
    columns = _columns(rows)
    heads = [f"{lang}, {part} (n = {len(column)})" for (lang, part), column in columns]
    return [
        f"| | {' | '.join(heads)} |",
        "|---" * (len(heads) + 1) + "|",
        *(
            f"| {name} | {' | '.join(str(_share(name, column)) for _, column in columns)} |"
            for name in _MEASURES
        ),
    ]


def _by_family(column: Sequence[Scored]) -> list[str]:
    return [
        f"| family | {' | '.join(_BY_FAMILY)} |",
        "|---" * (len(_BY_FAMILY) + 1) + "|",
        *(
            f"| {family} | {' | '.join(str(_share(name, rows)) for name in _BY_FAMILY)} |"
            for family, rows in _families(column)
        ),
    ]
