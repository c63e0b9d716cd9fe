"""Detection reports as tables: one line each, their floors, their classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from untwist.evaluate.bootstrap import METRIC_NAMES
from untwist.evaluate.calibrate import ProbabilityScores
from untwist.evaluate.line import NOT_OFFERED, Line
from untwist.evaluate.tables import UNKNOWN, Table, bounds, number, table_markdown

_LEGEND = f"{UNKNOWN} means not known; brackets hold the interval, (k) says over how many classes."


def markdown(reports: Sequence[Line]) -> str:
    """One table over several reports, their floors, then every report's classes.

    Header, protocol and command are those of the first report; a report that differs from it in
    detector, protocol or command belongs in a page of its own. Where thresholds differ, they have
    a column.
    """
    if not reports:
        return ""
    first = reports[0]
    shared = "" if _thresholds_differ(reports) else f" Thresholds: {first.thresholds}."
    head = [
        f"Detector: `{first.detector}`.{shared} {first.protocol}",
        f"Command: `{first.command}`",
        _LEGEND,
    ]
    main, floors, *classes = report_tables(reports)
    drawn = [table_markdown(main), table_markdown(floors), "## Classes"]
    return "\n\n".join([*head, *drawn, *(table_markdown(t, 3) for t in classes)]) + "\n"


def report_tables(reports: Sequence[Line]) -> tuple[Table, ...]:
    """The tables of several reports.

    Args:
        reports: at least one for a useful table; where their thresholds differ, these have a
            column.

    Returns:
        Scores, floors, then the classes of each report.
    """
    columns = dict(_COLUMNS)
    if _thresholds_differ(reports):
        columns = {"threshold": lambda r: r.thresholds, **columns}
        columns = {name: columns[name] for name in ("corpus", "part", *columns)}
    main = Table(
        "Scores",
        tuple(columns),
        tuple(tuple(cell(r) for cell in columns.values()) for r in reports),
    )
    floors = Table("Floors", _FLOOR_COLUMNS, tuple(row for r in reports for row in _floor_rows(r)))
    return main, floors, *(_class_table(r) for r in reports)


def _thresholds_differ(reports: Sequence[Line]) -> bool:
    return len({report.thresholds for report in reports}) > 1


def _with_interval(report: Line, metric: str) -> str:
    interval = report.intervals.get(metric)
    ends = (interval.low, interval.high) if interval else None
    return number(report.metrics()[metric]) + bounds(ends)


def _offered(report: Line, pick: Callable[[ProbabilityScores], str]) -> str:
    return pick(report.probabilities) if report.probabilities else NOT_OFFERED


def _alarm_rate(report: Line) -> str:
    shown = _with_interval(report, "over_pathologising")
    known = report.alarms.over_pathologising is not None
    return f"{shown} (n = {report.alarms.rows})" if known else shown


_COLUMNS: tuple[tuple[str, Callable[[Line], str]], ...] = (
    ("corpus", lambda r: r.corpus),
    ("part", lambda r: r.part),
    ("n", lambda r: str(r.n)),
    ("groups", lambda r: str(r.groups)),
    ("unscored", lambda r: str(r.unscored)),
    (METRIC_NAMES["micro_f1"], lambda r: _with_interval(r, "micro_f1")),
    ("best constant", lambda r: number(r.baselines[0].scores.micro_f1)),
    (
        METRIC_NAMES["macro_f1"],
        lambda r: f"{_with_interval(r, 'macro_f1')} ({r.scores.macro_f1.classes})",
    ),
    (METRIC_NAMES["macro_f1_harmonic"], lambda r: _with_interval(r, "macro_f1_harmonic")),
    (METRIC_NAMES["weighted_f1"], lambda r: _with_interval(r, "weighted_f1")),
    (METRIC_NAMES["exact_match"], lambda r: _with_interval(r, "exact_match")),
    ("kappa", lambda r: f"{number(r.scores.kappa.value)} ({r.scores.kappa.classes})"),
    (METRIC_NAMES["over_pathologising"], _alarm_rate),
    ("specificity", lambda r: number(r.alarms.specificity)),
    ("AUPRC", lambda r: _offered(r, lambda p: f"{number(p.auprc.value)} ({p.auprc.classes})")),
    ("ECE", lambda r: _offered(r, lambda p: number(p.ece))),
    ("Brier", lambda r: _offered(r, lambda p: number(p.brier))),
    ("micro-F1, oracle threshold", lambda r: _offered(r, lambda p: number(p.oracle_f1))),
    ("micro-F1, with 'none' as a class", lambda r: number(r.with_none.micro_f1)),
    ("best constant, with 'none' as a class", lambda r: number(r.with_none_floor)),
)

_FLOOR_COLUMNS = ("corpus", "part", "floor", "from", *METRIC_NAMES.values())


def _floor_rows(report: Line) -> list[tuple[str, ...]]:
    return [
        (
            report.corpus,
            report.part,
            f"{b.name}: {', '.join(b.labels)}" if b.labels else b.name,
            report.baselines_from,
            *(number(value) for value in b.metrics().values()),
        )
        for b in report.baselines
    ]


def _class_table(report: Line) -> Table:
    average = report.probabilities.auprc_classes if report.probabilities else None
    rows = tuple(
        (
            name,
            str(c.support) if c.cells else "not carried",
            number(c.precision),
            number(c.recall),
            number(c.f1),
            number(c.kappa),
            NOT_OFFERED if average is None else number(average[place]),
        )
        for place, (name, c) in enumerate(zip(report.labels, report.scores.classes, strict=True))
    )
    header = ("label", "support", "precision", "recall", "F1", "kappa", "AUPRC")
    return Table(f"{report.corpus}, {report.part}", header, rows)
