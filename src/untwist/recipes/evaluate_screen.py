"""Recipe: the safety screen on labelled cases, family by family.

    cases -> screen -> shares with Wilson intervals -> a run folder

A case says which levels a careful reader would accept and whether only "high" is right. Nothing is
trained or tuned here. Leaves out: anything but the rules; no model takes part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from untwist.data import Failure, Record, read_records, text_of
from untwist.errors import DataError
from untwist.evaluate import Share
from untwist.recipes.runfolder import open_run
from untwist.safety import screen
from untwist.schema import Json, Utterance
from untwist.taxonomy import Acuity, Risk

REPORT = "report.md"


@dataclass(frozen=True, slots=True)
class EvaluateScreen:
    """What to score."""

    out: str
    """The run folder; it must be new or empty."""
    cases: tuple[str, ...]
    """Files of cases: {"id","family","text","accept":[levels],"acuity":[...],"crisis",
    "history"?, "part"?}."""
    command: str = "untwist evaluate screen"
    """What starts this run; stands in the report."""


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled message.

    Attributes:
        lang: language of the message.
        part: which part of its file, for example "unseen".
        family: kind of message.
        accept: levels that a careful reader would accept.
        crisis: only "high" is right.
        acuity: kinds of danger, one of which should be named; empty when none is expected.
        level: what the screen said.
        named: the kinds of danger that the screen named.
    """

    lang: str
    part: str
    family: str
    accept: frozenset[Risk]
    crisis: bool
    acuity: frozenset[Acuity]
    level: Risk
    named: frozenset[Acuity]


_MEASURES: dict[str, tuple[Callable[[Case], bool], Callable[[Case], bool]]] = {
    "level accepted": (lambda c: True, lambda c: c.level in c.accept),
    "crisis recall": (lambda c: c.crisis, lambda c: c.level is Risk.HIGH),
    "silent misses": (lambda c: c.crisis, lambda c: c.level <= Risk.LOW),
    "false crisis alarms": (
        lambda c: max(c.accept) <= Risk.LOW,
        lambda c: c.level is Risk.HIGH,
    ),
    "acuity named": (lambda c: bool(c.acuity), lambda c: bool(c.acuity & c.named)),
}


def run(config: EvaluateScreen) -> tuple[Path, Json]:
    """Score, and write the run folder.

    Returns:
        The folder (config.toml, manifest.json, metrics.json, report.md) and the metrics.

    Raises:
        ConfigError: the run folder is in use.
        DataError: a file or a case cannot be read; nothing is left out in silence.
    """
    cases = [case for path in config.cases for case in _read(path)]
    folder = open_run(config.out, config, 0, [Path(path) for path in config.cases])
    groups = sorted({(c.lang, c.part) for c in cases})
    tables = [
        {
            "lang": lang,
            "part": part,
            "measures": _measures([c for c in cases if (c.lang, c.part) == (lang, part)]),
            "families": {
                family: _share(
                    "level accepted",
                    [c for c in cases if (c.lang, c.part, c.family) == (lang, part, family)],
                ).to_dict()
                for family in sorted({c.family for c in cases})
            },
        }
        for lang, part in groups
    ]
    metrics: Json = {"tables": tables}
    folder.write_metrics(metrics)
    folder.write_text(REPORT, _report(config, cases, groups))
    return folder.path, metrics


def _read(path: str) -> Iterable[Case]:
    for record in read_records(path):
        if isinstance(record, Failure):
            raise DataError(f"{path}:{record.line}: {record.message}")
        try:
            yield _case(record)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path}:{record.line}: not a case: {error!r}") from error


def _case(record: Record) -> Case:
    data = record.data
    utterance = text_of(data, str(data["id"]))
    history = [Utterance(t["content"], role=t["role"]) for t in data.get("history", ())]
    found = screen(utterance.text, history)
    return Case(
        str(data.get("lang") or utterance.lang),
        str(data.get("part", "all")),
        data["family"],
        frozenset(Risk(level) for level in data["accept"]),
        bool(data["crisis"]),
        frozenset(Acuity(a) for a in data["acuity"]),
        found.level,
        frozenset(found.acuity),
    )


def _share(measure: str, cases: Sequence[Case]) -> Share:
    counted, hit = _MEASURES[measure]
    asked = [case for case in cases if counted(case)]
    return Share(sum(hit(case) for case in asked), len(asked))


def _measures(cases: Sequence[Case]) -> Json:
    return {measure: _share(measure, cases).to_dict() for measure in _MEASURES}


def _report(
    config: EvaluateScreen, cases: Sequence[Case], groups: Sequence[tuple[str, str]]
) -> str:
    columns = [[c for c in cases if (c.lang, c.part) == group] for group in groups]
    head = " | ".join(
        f"{lang}, {part} (n = {len(column)})"
        for (lang, part), column in zip(groups, columns, strict=True)
    )
    lines = [
        "# The safety screen on labelled cases",
        "",
        f"Command: `{config.command}`.",
        "",
        "Shares with 95 % Wilson intervals. A silent miss is a crisis text that is given none or",
        "low; a false crisis alarm is high on a text whose accepted levels are none or low. Cases",
        "were written by language models; no clinician has read them.",
        "",
        f"| | {head} |",
        "|---" * (len(columns) + 1) + "|",
        *(
            f"| {name} | {' | '.join(str(_share(name, c)) for c in columns)} |"
            for name in _MEASURES
        ),
        "",
        "## Level accepted, by family",
        "",
        f"| family | {head} |",
        "|---" * (len(columns) + 1) + "|",
    ]
    for family in sorted({c.family for c in cases}):
        rows = [[c for c in column if c.family == family] for column in columns]
        shares = (str(_share("level accepted", row)) for row in rows)
        lines.append(f"| {family} | {' | '.join(shares)} |")
    return "\n".join(lines) + "\n"
