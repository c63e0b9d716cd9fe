"""Recipe: what people said of replies without knowing whose they were.

    sheets that came back + the key -> agreement -> means, differences, heat maps -> a run folder

`blind_sheets` makes the sheets and the key.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from untwist.errors import DataError
from untwist.evaluate import (
    RESAMPLES,
    BlindReply,
    Rating,
    ReadSheet,
    SeekerCells,
    mean_score,
    read_sheet,
    scale_ratings,
    seeker_cells,
)
from untwist.recipes.blind_report import publish_blind
from untwist.recipes.blind_sheets import KEY, KEY_FORM
from untwist.recipes.runfolder import open_run
from untwist.recipes.sheets import read_sheet_rows
from untwist.safety import redact
from untwist.schema import Json

SCHEMA = "untwist/blind@1"
RATINGS = "ratings.jsonl"


@dataclass(frozen=True, slots=True)
class ReadBlind:
    """Sheets that came back."""

    out: str
    """The run folder; it must be new or empty."""
    made: str
    """The folder that `make` left, with its key."""
    sheets: tuple[str, ...]
    """CSV or XLSX files, one for each rater."""
    kind: Literal["person", "model"] = "person"
    """Who rated; a judge is calibrated by persons alone."""
    keep_going: bool = False
    """Count what cannot be read in place of stopping at it."""
    seed: int = 42
    """Of the intervals."""
    resamples: int = RESAMPLES
    """Of the bootstrap."""
    command: str = "untwist.recipes.evaluate_blind.read(config)"
    """What starts this run; stands in the report."""


def read(config: ReadBlind) -> tuple[Path, Json]:
    """Read the sheets, and write agreement, means and differences.

    Returns:
        The folder (config.toml, manifest.json, metrics.json, ratings.jsonl, report.md, report.html
        and pictures) and the metrics.

    Raises:
        ConfigError: the run folder is in use.
        DataError: the key or a sheet cannot be read, a rater is there twice, or a cell is wrong and
            `keep_going` is False.
    """
    held = _key(Path(config.made))
    scales: Mapping[str, list[int]] = held["scales"]
    read_back = [_one_sheet(path, scales, list(held["codes"])) for path in config.sheets]
    _no_rater_twice([rater for rater, _ in read_back])
    faults = [f"{rater}: {fault}" for rater, sheet in read_back for fault in sheet.faults]
    if faults and not config.keep_going:
        raise DataError(f"{faults[0]} ({len(faults)} in all): correct the sheet, or keep going")
    inputs = [Path(config.made) / KEY, *map(Path, config.sheets)]
    folder = open_run(config.out, config, config.seed, inputs)
    ratings = [one for _, sheet in read_back for one in sheet.ratings]
    key = {
        code: BlindReply(one["id"], one["system"], "", "", one["group"])
        for code, one in held["codes"].items()
    }
    rng = np.random.default_rng(config.seed)
    found = [
        scale_ratings(scale, values, ratings, key, rng, config.resamples)
        for scale, values in scales.items()
    ]
    shown = [one.scale for one in found if one.withheld is None]
    metrics: Json = {
        "schema": SCHEMA,
        "command": config.command,
        "resamples": config.resamples,
        "kind": config.kind,
        "lang": held["lang"],
        "rubrics": held["rubrics"],
        "state": dict(Counter(one["state"] for one in held["codes"].values())),
        "raters": [
            {"rater": rater, "rated": len(sheet.ratings), "empty": len(sheet.empty),
             "faults": list(sheet.faults)} for rater, sheet in read_back
        ],
        "scales": [one.to_dict() for one in found],
        "seekers": [one.to_dict() for one in _seekers(held, ratings, shown, rng, config)],
    }  # fmt: skip
    folder.write_metrics(metrics)
    rows = (json.dumps(_row(one, held, config.kind), ensure_ascii=False) for one in ratings)
    folder.write_text(RATINGS, "".join(f"{row}\n" for row in rows))
    publish_blind(folder, metrics)
    return folder.path, metrics


def _key(folder: Path) -> Json:
    path = folder / KEY
    try:
        held: Json = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot read {path}: name the folder that holds the key") from error
    except ValueError as error:
        raise DataError(f"{path} is no key: {error}") from error
    if not isinstance(held, dict) or held.get("schema") != KEY_FORM:
        raise DataError(f"{path} is no key of a blind rating ({KEY_FORM})")
    return held


def _one_sheet(
    path: str, scales: Mapping[str, list[int]], codes: list[str]
) -> tuple[str, ReadSheet]:
    """Whose sheet it is, and what it says: the rater's column where there is one, else the name."""
    rows = read_sheet_rows(path)
    header = [cell.strip() for cell in rows[0]] if rows else []
    named = {
        row[header.index("rater")].strip().removeprefix("'")
        for row in rows[1:]
        if "rater" in header and len(row) > header.index("rater")
    } - {""}
    if len(named) > 1:
        raise DataError(f"{path} holds the ratings of {len(named)} raters: give each a file")
    rater = named.pop() if named else Path(path).stem
    try:
        return rater, read_sheet(rows, rater, scales, codes)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def _no_rater_twice(raters: Sequence[str]) -> None:
    twice = [name for name, count in Counter(raters).items() if count > 1]
    if twice:
        raise DataError(f"{twice[0]} is there with two sheets: leave one of them out")


def _seekers(
    held: Json,
    ratings: Sequence[Rating],
    scales: Sequence[str],
    rng: np.random.Generator,
    config: ReadBlind,
) -> list[SeekerCells]:
    """Means by system and group of seekers, on the scales that may be shown."""
    codes: Mapping[str, Json] = held["codes"]
    by_code: dict[str, list[Rating]] = {}
    for one in ratings:
        by_code.setdefault(one.code, []).append(one)

    def mean_of(code: str, scale: str) -> float | None:
        given = [one.scores.get(scale) for one in by_code.get(code, ())]
        return mean_score(given) if sum(v is not None for v in given) > 1 else None

    cells = []
    for system in sorted({one["system"] for one in codes.values()}):
        own = [code for code, one in codes.items() if one["system"] == system]
        scores = {scale: [mean_of(code, scale) for code in own] for scale in scales}
        seekers = [codes[code]["seeker"] for code in own]
        groups = [codes[code]["group"] for code in own]
        cells.append(seeker_cells(system, seekers, scores, groups, rng, config.resamples))
    return cells if scales and any(one["seeker"] for one in codes.values()) else []


def _row(one: Rating, held: Json, kind: str) -> Json:
    about = held["codes"][one.code]
    return {
        "id": about["id"],
        "system": about["system"],
        "group": about["group"],
        "lang": held["lang"],
        "rater": one.rater,
        "kind": kind,
        "scores": dict(one.scores),
        "comment": redact(one.comment),
    }
