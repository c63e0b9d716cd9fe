"""The report of a blind rating: agreement first, then what the raters' averages say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from untwist.evaluate import (
    TENTATIVE,
    Estimate,
    Interval,
    SeekerCells,
    Table,
    bounds,
    heat_map,
    number,
    seeker_map,
    seeker_table,
)
from untwist.recipes.publish import Chapter, Drawing, publish
from untwist.recipes.runfolder import RunFolder
from untwist.schema import Json

_PROTOCOL = (
    "Raters saw replies under codes, each in an order of their own, with the names of systems "
    "masked. Alpha: Krippendorff's, ordinal, over all raters; Cohen's kappa: mean over pairs of "
    "raters. A reply's score is the mean of its raters, of two or more; a system's the mean of its "
    "replies. Where alpha's interval reaches 0, or fewer than two raters judged the same replies, "
    f"there are no averages; below {TENTATIVE} conclusions are tentative. Differences are of the "
    "same messages. Intervals, 95 %: bootstrap over replies for alpha, over groups of messages for "
    "the rest."
)
_STATE = {
    "given": "Groups of seekers follow the labels that came with the messages.",
    "detected": "Groups of seekers follow what a system's own detector heard, not annotators.",
}


def publish_blind(folder: RunFolder, metrics: Json) -> None:
    """Write report.md, report.html and the pictures.

    Args:
        folder: open, with its manifest.
        metrics: as written.
    """
    who = "people" if metrics["kind"] == "person" else "language models"
    title = f"Blind rating by {len(metrics['raters'])} {who}"
    publish(folder, title, _chapters(metrics), protocol=_PROTOCOL, command=metrics["command"])


def _chapters(metrics: Json) -> list[Chapter]:
    shown = [one for one in metrics["scales"] if one["withheld"] is None]
    chapters = [Chapter("Agreement", _told(metrics), (_raters(metrics), _agreement(metrics)))]
    if not shown:
        words = "No scale has averages that may be shown; the last column says why."
        return [*chapters, Chapter("Averages", (words,))]
    tables = (_means(shown), *_differences(shown))
    chapters.append(Chapter("Averages", (), tables, (_overview(shown),)))
    cells = [cells_of(one) for one in metrics["seekers"]]
    if cells:
        scales = [one["scale"] for one in shown]
        chapters.append(seeker_chapter(cells, scales, [_STATE[s] for s in metrics["state"]]))
    return chapters


def _told(metrics: Json) -> tuple[str, ...]:
    if metrics["kind"] == "person":
        return ()
    return ("The raters were language models: this says nothing of what people would say.",)


def _raters(metrics: Json) -> Table:
    rows = tuple(
        (one["rater"], str(one["rated"]), str(one["empty"]), str(len(one["faults"])))
        for one in metrics["raters"]
    )
    return Table("Raters", ("rater", "replies rated", "left empty", "cells unread"), rows)


def _agreement(metrics: Json) -> Table:
    rows = tuple(
        (
            one["scale"],
            number(one["alpha"]["value"]) + bounds(_ends(one["alpha"]["interval"])),
            number(one["cohen"]),
            str(one["rated"]),
            str(one["unscored"]),
            one["withheld"] or _tentative(one),
        )
        for one in metrics["scales"]
    )
    header = ("scale", "alpha", "Cohen's kappa", "replies rated twice", "unscored", "averages")
    return Table("Agreement of the raters", header, rows)


def _tentative(one: Json) -> str:
    return "shown, tentative" if one["alpha"]["value"] < TENTATIVE else "shown"


def _means(shown: Sequence[Json]) -> Table:
    systems = sorted({system for one in shown for system in one["means"]})
    rows = tuple(
        (system, *(_estimate(one["means"].get(system)) for one in shown)) for system in systems
    )
    note = "Mean with its interval and the number of replies."
    return Table("Means", ("system", *(one["scale"] for one in shown)), rows, note)


def _differences(shown: Sequence[Json]) -> tuple[Table, ...]:
    rows = tuple(
        (
            one["scale"],
            f"{pair['first']} − {pair['second']}",
            number(pair["difference"]["value"]) + bounds(_ends(pair["difference"]["interval"])),
            number(pair["difference"]["p"]),
        )
        for one in shown
        for pair in one["differences"]
        if pair["difference"]
    )
    header = ("scale", "systems", "difference", "p")
    return (Table("Differences on the same messages", header, rows),) if rows else ()


def _overview(shown: Sequence[Json]) -> Drawing:
    systems = sorted({system for one in shown for system in one["means"]})
    grid = [
        [one["means"][system]["value"] if system in one["means"] else None for one in shown]
        for system in systems
    ]
    names = [one["scale"] for one in shown]
    draw = partial(heat_map, grid, systems, names, "Means by system and scale")
    return Drawing("systems", "Mean of the raters' scores, by system and scale.", draw)


def seeker_chapter(
    cells: Sequence[SeekerCells], scales: Sequence[str], words: Sequence[str]
) -> Chapter:
    """Tables and heat maps of every system, seekers by scales.

    Args:
        cells: one for each system.
        scales: in order.
        words: what a reader must know.
    """
    tables = tuple(seeker_table(one, scales, one.system) for one in cells)
    drawings = tuple(
        Drawing(
            f"seekers-{place}",
            f"{one.system}: means by group of seekers and scale.",
            partial(seeker_map, one, scales, one.system),
        )
        for place, one in enumerate(cells, 1)
    )
    return Chapter("Groups of seekers", tuple(words), tables, drawings)


def cells_of(data: Json) -> SeekerCells:
    """Cells as they were written into metrics."""
    return SeekerCells(
        data["system"],
        {
            seeker: {scale: estimate_of(one) for scale, one in row.items()}
            for seeker, row in data["cells"].items()
        },
    )


def estimate_of(data: Mapping[str, object]) -> Estimate:
    """A mean as it was written into metrics."""
    ends = data["interval"]
    interval = Interval(**ends) if isinstance(ends, dict) else None
    return Estimate(data["value"], interval, data["n"])  # type: ignore[arg-type]


def _estimate(data: Json | None) -> str:
    if data is None:
        return number(None)
    return f"{number(data['value'])}{bounds(_ends(data['interval']))} ({data['n']})"


def _ends(interval: Json | None) -> tuple[float, float] | None:
    return (interval["low"], interval["high"]) if interval else None
