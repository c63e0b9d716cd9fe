"""The report of `evaluate_detector`: tables, pictures, calibration, levels, leaderboard lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from untwist.data import Mode, Refusals
from untwist.evaluate import (
    PROTOCOL,
    Bin,
    DetectionReport,
    Entry,
    Share,
    Table,
    class_bars,
    entry_of,
    floor_of,
    forest,
    forest_rows,
    missed_high_risk,
    number,
    ordinal_scores,
    reliability,
    reliability_diagram,
    report_tables,
)
from untwist.recipes.answers import Answers
from untwist.recipes.publish import Chapter, Drawing, publish
from untwist.recipes.rows import Bools, Rows
from untwist.recipes.runfolder import MANIFEST, RunFolder
from untwist.schema import Json
from untwist.taxonomy import Intensity, Risk

SCHEMA = "untwist/detection@1"
Threshold = float | tuple[float, ...]
"""One for all labels, or one a label."""

LEADERBOARD = "leaderboard.jsonl"
_LEVELS: tuple[tuple[str, int, tuple[Any, ...]], ...] = (
    ("intensity", 0, tuple(Intensity)),
    ("risk", 1, tuple(Risk)),
)


@dataclass(frozen=True, slots=True)
class Scored:
    """One line of the report and what it was made of.

    Attributes:
        report: the scores.
        rows: the corpus.
        answers: what was said of it.
        here: (n,), the rows that were scored.
        mode: the split; None for all rows.
        tuned: whether the threshold comes from the validation part.
        threshold: that threshold, or one a label; None for the system's own.
        trained_on: corpora or parts that the system learnt from.
    """

    report: DetectionReport
    rows: Rows
    answers: Answers
    here: Bools
    mode: Mode | None
    tuned: bool
    threshold: Threshold | None
    trained_on: tuple[str, ...]

    @property
    def wide(self) -> bool:
        """Whether the corpus' own labels are among the columns."""
        return "own labels" in self.report.part


def refused(refusals: Refusals) -> Json:
    """Refused rows as they stand in metrics.json: how many, why, and where."""
    return {
        "count": len(refusals),
        "by_reason": refusals.by_reason(),
        "rows": [str(refusal) for refusal in refusals],
    }


def publish_detection(
    folder: RunFolder,
    lines: Sequence[Scored],
    about: Json,
    command: str,
) -> None:
    """Write metrics.json, leaderboard.jsonl, report.md, report.html and the pictures.

    Args:
        folder: open, with its manifest.
        lines: in the order of the report.
        about: what else belongs into metrics.json: refused and unscored rows.
        command: what made the report.
    """
    reports = [line.report for line in lines]
    tables = [_calibrated(line) for line in _main(lines)]
    calibration = {name: bins for name, bins in tables if bins}
    levels = [row for line in _main(lines) for row in _levels(line)]
    folder.write_metrics(
        {
            "schema": SCHEMA,
            **about,
            "trained_on": _learnt(lines),
            "reports": [report.to_dict() for report in reports],
            "levels": levels,
            "calibration": {
                name: [one.to_dict() for one in bins] for name, bins in calibration.items()
            },
        }
    )
    entries = list(_entries(folder, lines))
    rows = (json.dumps(entry.to_dict(), ensure_ascii=False) + "\n" for entry in entries)
    folder.write_text(LEADERBOARD, "".join(rows))
    title = f"Detection: {reports[0].detector}"
    chapters = [_scores(lines, about), _classes(_main(lines))]
    if calibration:
        chapters.append(_calibration(calibration))
    if levels:
        chapters.append(Chapter("Intensity and risk", (), (_level_table(levels),)))
    publish(folder, title, chapters, protocol=PROTOCOL, command=command)


def _main(lines: Sequence[Scored]) -> list[Scored]:
    """One line a corpus: its strictest test part at the system's own thresholds."""
    best: dict[str, Scored] = {}
    for line in lines:
        if line.wide or line.mode is None:
            continue
        known = best.get(line.rows.corpus)
        if known is None or _rank(line) > _rank(known):
            best[line.rows.corpus] = line
    for line in lines:
        best.setdefault(line.rows.corpus, line)
    return list(best.values())


def _rank(line: Scored) -> tuple[bool, bool]:
    return (not line.tuned, line.mode == "grouped")


def _learnt(lines: Sequence[Scored]) -> list[str]:
    return list(dict.fromkeys(name for line in lines for name in line.trained_on))


def _scores(lines: Sequence[Scored], about: Json) -> Chapter:
    reports = [line.report for line in lines]
    main, floors, *_ = report_tables(reports)
    learnt = ", ".join(_learnt(lines)) or "not said"
    words = (
        f"Trained on: {learnt}. {about['refused']['count']:,} rows refused, "
        f"{len(about['unscored']):,} unscored."
    )
    drawings = tuple(
        Drawing(
            name,
            f"{title} with 95 % intervals; the bar across is the best constant answer.",
            partial(_forest, reports, metric, title),
        )
        for name, metric, title in (
            ("micro-f1", "micro_f1", "Micro-F1"),
            ("macro-f1", "macro_f1", "Macro-F1"),
        )
    )
    return Chapter("Scores", (words,), (main, floors), drawings)


def _forest(reports: Sequence[DetectionReport], metric: str, title: str) -> Any:  # noqa: ANN401
    return forest(forest_rows(reports, metric), title, title)


def _classes(lines: Sequence[Scored]) -> Chapter:
    tables = tuple(report_tables([line.report])[2] for line in lines)
    drawings = tuple(
        Drawing(
            f"classes-{line.rows.corpus}",
            f"F1 of each class of {line.rows.corpus}, {line.report.part}.",
            partial(class_bars, line.report),
        )
        for line in lines
    )
    return Chapter("Classes", (), tables, drawings)


def _calibrated(line: Scored) -> tuple[str, tuple[Bin, ...]]:
    name, given = f"{line.rows.corpus}, {line.report.part}", line.answers.probabilities
    here = line.here & line.answers.scored
    if given is None or not here.any() or not line.answers.graded(here):
        return name, ()
    return name, reliability(line.rows.gold[here], given[here], line.rows.mask[here])


def _calibration(calibration: dict[str, tuple[Bin, ...]]) -> Chapter:
    drawings = tuple(
        Drawing(
            f"calibration-{place}",
            f"{name}: how often a label was right, by the probability it was given.",
            partial(reliability_diagram, bins, name),
        )
        for place, (name, bins) in enumerate(calibration.items(), 1)
    )
    header = ("corpus and part", "probability", "labels", "mean probability", "share of gold")
    rows = tuple(
        (
            name,
            f"{one.low:.2f} to {one.high:.2f}",
            f"{one.n:,}",
            number(one.mean_probability),
            number(one.share_of_gold),
        )
        for name, bins in calibration.items()
        for one in bins
        if one.n
    )
    return Chapter("Calibration", (), (Table("Calibration", header, rows),), drawings)


def _levels(line: Scored) -> Iterable[Json]:
    """Intensity and risk on the rows of a line whose annotators judged them."""
    places = np.flatnonzero(line.here)
    for kind, place, members in _LEVELS:
        gold: Any = [getattr(line.rows.labels[p], kind) for p in places]
        if not any(level is not None for level in gold):
            continue
        said: Any = [
            line.answers.levels[p][place] if line.answers.scored[p] else None for p in places
        ]
        scores = ordinal_scores(gold, said, members)
        row: Json = {
            "corpus": line.rows.corpus,
            "part": line.report.part,
            "kind": kind,
            **scores.to_dict(),
        }
        if kind == "risk":
            row["missed_high_risk"] = missed_high_risk(gold, said).to_dict()
        yield row


def _level_table(levels: Sequence[Json]) -> Table:
    header = (
        "corpus", "part", "what", "n", "not said", "accuracy", "macro-F1", "quadratic kappa",
        "high risk missed (HRMDR)",
    )  # fmt: skip
    rows = tuple(
        (
            one["corpus"],
            one["part"],
            one["kind"],
            f"{one['n']:,}",
            f"{one['unscored']:,}",
            _share(one["accuracy"]),
            number(one["macro_f1"]["value"]),
            number(one["quadratic_kappa"]),
            _share(one.get("missed_high_risk")),
        )
        for one in levels
    )
    note = (
        "A row whose intensity or risk the system does not say is wrong, and a missed one where "
        "risk is high. Wilson intervals, 95 %."
    )
    return Table("Intensity and risk", header, rows, note)


def _share(share: Json | None) -> str:
    return str(Share(share["hits"], share["of"])) if share else number(None)


def _suffix(threshold: Threshold | None) -> str:
    if threshold is None:
        return ""
    return f" (threshold{'' if isinstance(threshold, float) else 's'} from validation)"


def _entries(folder: RunFolder, lines: Sequence[Scored]) -> Iterable[Entry]:
    """The lines that a leaderboard takes, at honest thresholds."""
    manifest = json.loads((folder.path / MANIFEST).read_text(encoding="utf-8"))
    seen: set[tuple[str, Mode]] = set()
    for line in lines:
        key = (line.rows.corpus, line.mode or "published")
        if line.wide or line.mode is None or line.report.scores.micro_f1 is None:
            continue
        facts: Any = {"split": line.mode, "part": "test", "revision": manifest["revision"]}
        name = line.report.detector + _suffix(line.threshold)
        yield entry_of(
            line.report,
            thresholds_from="validation" if line.tuned else "fixed",
            trained_on=line.trained_on,
            system=name,
            **facts,
        )
        if key not in seen:
            seen.add(key)
            rest = [f"{line.rows.corpus}:{part}" for part in ("train", "validation")]
            yield floor_of(line.report, trained_on=rest, **facts)
