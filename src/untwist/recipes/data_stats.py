"""Recipe: what is in the corpora, counted, beside what the papers print.

corpora -> counts -> CrossLinCD Table 1 and Figure 2, CoPoLLM Table 2 -> a run folder
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from untwist.data import Loaded, Reading, Refusals, Stats, parts_of, stats_of
from untwist.evaluate import Table, label_distribution
from untwist.recipes.publish import Chapter, Drawing, publish
from untwist.recipes.rows import MODES, Progress, load_each, quiet
from untwist.recipes.runfolder import open_run
from untwist.schema import Json
from untwist.taxonomy import Distortion

SCHEMA = "untwist/data-stats@1"
UNKNOWN = "–"
_COLUMNS_AT_ONCE = 8
_PROTOCOL = (
    "Every row that could be read is counted; refused rows are counted beside. Labels per row and "
    "undistorted rows are over the utterances whose distortions are judged, characters over the "
    "person's own utterances as written. A label that a corpus cannot carry has no number. Where a "
    "paper prints another number than the files give, both stand there."
)


@dataclass(frozen=True, slots=True)
class DataStats:
    """What to count."""

    out: str
    """The run folder; it must be new or empty."""
    corpora: tuple[str, ...]
    """Names of corpora, or files of your own."""
    reading: Reading = field(default_factory=Reading)
    """How they are read."""
    command: str = "untwist.recipes.data_stats.run(config)"
    """What starts this run; stands in the report."""


@cache
def published() -> Json:
    """The papers' own figures, each with its source."""
    raw = files("untwist.recipes").joinpath("published.json").read_text(encoding="utf-8")
    figures: Json = json.loads(raw)
    return figures


def run(
    config: DataStats, refusals: Refusals | None = None, progress: Progress = quiet
) -> tuple[Path, Json]:
    """Count, and write the run folder.

    Args:
        config: what to count.
        refusals: collects refused rows.
        progress: told how many corpora are read.

    Returns:
        The folder (config.toml, manifest.json, metrics.json, report.md, report.html, pictures) and
        the metrics.

    Raises:
        ConfigError: the run folder is in use.
        DataError: a corpus cannot be read, or two have one name.
    """
    refused = Refusals() if refusals is None else refusals
    loaded = load_each(config.corpora, config.reading, refused, progress)
    folder = open_run(config.out, config, 42, [file for one in loaded for file in one.files])
    counted = {one.entry.name: count(one) for one in loaded}
    metrics: Json = {
        "schema": SCHEMA,
        "command": config.command,
        "corpora": {name: stats.to_dict() for name, stats in counted.items()},
        "refused": {"count": len(refused), "by_reason": refused.by_reason()},
        "differences": differences(counted),
    }
    folder.write_metrics(metrics)
    title = "What is in the corpora"
    publish(folder, title, chapters(counted, refused), protocol=_PROTOCOL, command=config.command)
    return folder.path, metrics


def count(loaded: Loaded) -> Stats:
    """One corpus, with its parts by both splits."""
    name = loaded.entry.name
    parts = {str(mode): parts_of(name, loaded.dialogues, mode) for mode in MODES}
    return stats_of(name, loaded.dialogues, parts)


def chapters(counted: Mapping[str, Stats], refused: Refusals) -> list[Chapter]:
    """The report: every corpus, then the papers' tables as far as the corpora at hand allow."""
    found = [Chapter("Corpora", (refused.summary() + ".",), (_overview(counted), _parts(counted)))]
    labelled = {name: one for name, one in counted.items() if sum(one.distortions.values())}
    if labelled:
        found.append(Chapter("Labels", (), (_labels(labelled),), tuple(_figures(labelled))))
    levels = [table for kind in ("risk", "intensity") if (table := _levels(counted, kind))]
    if levels:
        found.append(Chapter("Levels", (), tuple(levels)))
    known = [name for name in published()["crosslincd_table1"]["corpora"] if name in counted]
    if known:
        found.append(_table1([counted[name] for name in known]))
    if "cogbias" in counted:
        found.append(_table2(counted["cogbias"]))
    return found


def _overview(counted: Mapping[str, Stats]) -> Table:
    header = (
        "corpus", "rows", "groups", "judged utterances", "labels a row", "undistorted",
        "distorted, not how", "characters", "languages",
    )  # fmt: skip
    rows = tuple(
        (
            name,
            f"{one.rows:,}",
            f"{one.groups:,}",
            f"{one.judged:,}",
            _number(one.labels),
            f"{one.undistorted:,}" if one.judged else UNKNOWN,
            f"{one.distorted:,}" if one.distorted else UNKNOWN,
            _number(one.chars),
            ", ".join(f"{lang or 'neither'} {n:,}" for lang, n in one.langs.items()),
        )
        for name, one in counted.items()
    )
    return Table("Corpora", header, rows)


def _parts(counted: Mapping[str, Stats]) -> Table:
    header = ("corpus", "split", "train", "validation", "test")
    rows = tuple(
        (name, mode, *(f"{one.parts[mode].get(part, 0):,}" for part in header[2:]))
        for name, one in counted.items()
        for mode in one.parts
    )
    return Table("Parts", header, rows)


def _labels(labelled: Mapping[str, Stats]) -> Table:
    rows = tuple(
        (d.name_in("en"), *(_carried(one.distortions.get(d)) for one in labelled.values()))
        for d in Distortion
        if any(d in one.distortions for one in labelled.values())
    )
    return Table("Labels by corpus", ("label", *labelled), rows, f"{UNKNOWN}: cannot be carried.")


def _figures(labelled: Mapping[str, Stats]) -> list[Drawing]:
    """CrossLinCD Figure 2, as many corpora a picture as can be told apart."""
    names = list(labelled)
    drawings = []
    for place, start in enumerate(range(0, len(names), _COLUMNS_AT_ONCE), 1):
        some = names[start : start + _COLUMNS_AT_ONCE]
        counts = {
            name: {d.name_in("en"): n for d, n in labelled[name].distortions.items()}
            for name in some
        }
        caption = "Share of each label among all labels of its corpus (CrossLinCD Figure 2)."
        drawings.append(Drawing(f"labels-{place}", caption, partial(label_distribution, counts)))
    return drawings


def _levels(counted: Mapping[str, Stats], kind: str) -> Table | None:
    levels = list(dict.fromkeys(level for one in counted.values() for level in getattr(one, kind)))
    rows = tuple(
        (name, *(f"{getattr(one, kind).get(level, 0):,}" for level in levels))
        for name, one in counted.items()
        if getattr(one, kind)
    )
    return Table(f"{kind.capitalize()}", ("corpus", *levels), rows) if rows else None


def _table1(counted: Sequence[Stats]) -> Chapter:
    paper = published()["crosslincd_table1"]
    columns = list(paper["corpora"])
    header = ("", *(paper["corpora"][one.corpus] for one in counted))
    rows = tuple(
        (name, *(_beside(ours(one, key), values[columns.index(one.corpus)]) for one in counted))
        for name, key, values in _lines(paper)
    )
    note = (
        f"{paper['source']}. One number: files and paper agree. Two numbers: from the files, then "
        "(as printed). D_a is published with 5,697 rows; its parts and those of D_r, D_t1 and D_t2 "
        "are not published and are drawn here."
    )
    return Chapter("CrossLinCD, Table 1", (), (Table("Counts of CrossLinCD", header, rows, note),))


def _lines(paper: Json) -> list[tuple[str, str, list[Any]]]:
    known = {d.value: d.name_in("en") for d in Distortion}
    lines = [(known.get(key, key), key, values) for key, values in paper["labels"].items()]
    shown = ("labels_per_row", "chars_per_row", "train", "validation", "test", "rows")
    return [*lines, *((key.replace("_", " "), key, paper[key]) for key in shown)]


def ours(stats: Stats, key: str) -> float | int | None:
    """One cell of CrossLinCD Table 1 from the files; None where the corpus cannot carry it."""
    if key in ("train", "validation", "test"):
        return stats.parts["published"].get(key, 0)
    if key in ("labels_per_row", "chars_per_row", "rows"):
        value = {"labels_per_row": stats.labels, "chars_per_row": stats.chars, "rows": stats.rows}
        found = value[key]
        return round(found, 2) if isinstance(found, float) else found
    named = {d.value: n for d, n in stats.distortions.items()}
    return named.get(key, stats.own.get(key))


def differences(counted: Mapping[str, Stats]) -> list[Json]:
    """Every cell of CrossLinCD Table 1 that the files at hand do not give."""
    paper = published()["crosslincd_table1"]
    columns = list(paper["corpora"])
    return [
        {"corpus": name, "what": key, "files": ours(counted[name], key), "paper": value}
        for name in columns
        if name in counted
        for _, key, values in _lines(paper)
        if (value := values[columns.index(name)]) is not None and ours(counted[name], key) != value
    ]


def _table2(stats: Stats) -> Chapter:
    paper = published()["copollm_table2"]
    turns = stats.turns
    dialogues = turns.dialogues or None
    values = {
        "dialogues": turns.dialogues,
        "utterances": turns.utterances,
        "seeker": turns.seeker,
        "counsellor": turns.counsellor,
        "turns_per_dialogue": dialogues and round(turns.utterances / dialogues, 1),
        "annotated_dialogues": turns.annotated_dialogues,
        "annotated": turns.annotated,
        "labels": turns.labels,
        "labels_per_dialogue": dialogues and round(turns.labels / dialogues, 1),
        "label_types": sum(n > 0 for n in stats.distortions.values()),
    }
    rows = tuple(
        (key.replace("_", " "), _plain(values[key]), *map(_plain, printed))
        for key, printed in paper["rows"].items()
    )
    header = ("", "files at hand", *(f"paper, {column}" for column in paper["columns"]))
    note = (
        f"{paper['source']}. The published test file has 324 of the 405 dialogues and one label a "
        "turn, so the paper's label counts do not follow from it; nor do its labels per dialogue "
        "follow from its own rows (12,907 / 2,094 = 6.16, printed 3.3)."
    )
    return Chapter("CoPoLLM, Table 2", (), (Table("CogBiasESC", header, rows, note),))


def _beside(value: float | None, printed: float | None) -> str:
    if printed is None:
        return UNKNOWN if not value else f"{_plain(value)} (not printed)"
    return _plain(value) if value == printed else f"{_plain(value)} ({_plain(printed)})"


def _plain(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2f}"


def _carried(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"
