"""The pictures of the results: a value in, a picture with its description out.

Numbers of a table, drawn: what is not known is said in words and never drawn as 0. Labels carry
their English names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from untwist.errors import DataError
from untwist.evaluate.bootstrap import METRIC_NAMES
from untwist.evaluate.calibrate import Bin
from untwist.evaluate.pictures import (
    COLOURS,
    INK,
    QUIET,
    Picture,
    canvas,
    require_some,
    sentence,
)
from untwist.evaluate.report import DetectionReport
from untwist.taxonomy import Distortion

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HATCHES = ("", "//", "..", "xx", "\\\\", "--", "oo", "||")
_BLUE, _ORANGE = COLOURS[0], COLOURS[1]


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One line of a forest plot.

    Attributes:
        name: what was scored.
        value: its score; None when not known.
        interval: of the score; None when not known.
        floor: the score of the best constant answer on the same rows; None for no mark.
    """

    name: str
    value: float | None
    interval: tuple[float, float] | None
    floor: float | None


def forest_rows(
    reports: Sequence[DetectionReport], metric: str = "micro_f1"
) -> tuple[ForestRow, ...]:
    """One row per report, named by corpus and part, its floor the best constant set.

    Args:
        reports: any.
        metric: one of `METRICS`.
    """
    return tuple(
        ForestRow(
            f"{r.corpus}, {r.part}",
            r.metrics()[metric],
            (found.low, found.high) if (found := r.intervals[metric]) else None,
            r.baselines[0].metrics()[metric],
        )
        for r in reports
    )


def forest(
    rows: Sequence[ForestRow], title: str = "", axis: str = METRIC_NAMES["micro_f1"]
) -> Picture:
    """Scores as points with their intervals, floors as bars across.

    Args:
        rows: from the top down.
        title: of the picture.
        axis: what the score is; scores are 0 to 1.

    Raises:
        DataError: there is no row.
        MissingExtra: matplotlib is not installed.
    """
    require_some(rows)
    with canvas(7.0, 0.34 * len(rows) + 1.3) as figure:
        axes = figure.subplots()
        for place, row in enumerate(rows):
            _forest_row(axes, place, row)
        (point,) = axes.plot([], [], "o", color=_BLUE, label="score, 95 % interval")
        (floor,) = axes.plot([], [], "|", color=_ORANGE, ms=11, mew=2.5, label="best constant")
        axes.set_xlim(0, 1)
        axes.set_xlabel(axis)
        _names(axes, [row.name for row in rows])
        axes.set_title(title)
        figure.legend(handles=[point, floor], loc="outside lower center", ncols=2)
    said = "; ".join(f"{row.name}: {_said(row)}" for row in rows)
    return Picture(figure, f"Forest plot of {axis}. {sentence(title)}{said}.")


def _forest_row(axes: Axes, place: int, row: ForestRow) -> None:
    if row.interval:
        axes.plot(row.interval, [place, place], color=_BLUE, linewidth=1.6)
    if row.floor is not None:
        axes.plot([row.floor], [place], "|", color=_ORANGE, ms=13, mew=2.5)
    if row.value is None:
        axes.text(0.01, place, "not known", va="center", color=QUIET)
    else:
        axes.plot([row.value], [place], "o", color=_BLUE, ms=5.5)
        right = row.interval[1] if row.interval else row.value
        near = right > 0.88
        x = (row.interval[0] if row.interval else row.value) - 0.015 if near else right + 0.015
        side = "right" if near else "left"
        axes.text(x, place, f"{row.value:.3f}", va="center", ha=side, fontsize=8, color=INK)


def _said(row: ForestRow) -> str:
    if row.value is None:
        return "not known"
    ends = f", interval {row.interval[0]:.3f} to {row.interval[1]:.3f}" if row.interval else ""
    floor = "" if row.floor is None else f", best constant {row.floor:.3f}"
    return f"{row.value:.3f}{ends}{floor}"


def class_bars(report: DetectionReport) -> Picture:
    """F1 of each class as bars, with its support; classes without a gold label say so.

    Raises:
        DataError: the report has no class.
        MissingExtra: matplotlib is not installed.
    """
    require_some(report.labels)
    names = [
        f"{_english(label)} ({one.support})"
        for label, one in zip(report.labels, report.scores.classes, strict=True)
    ]
    values = [one.f1 for one in report.scores.classes]
    words = ["no gold label" if one.cells else "not carried" for one in report.scores.classes]
    title = f"{report.corpus}, {report.part}: F1 by class (support)"
    with canvas(7.0, 0.28 * len(names) + 0.9) as figure:
        axes = figure.subplots()
        for place, (value, word) in enumerate(zip(values, words, strict=True)):
            axes.barh(place, value or 0.0, color=_BLUE, height=0.7)
            shown, colour = (word, QUIET) if value is None else (f"{value:.3f}", INK)
            axes.text((value or 0.0) + 0.01, place, shown, va="center", fontsize=8, color=colour)
        axes.set_xlim(0, 1.08)
        axes.set_xticks(np.linspace(0, 1, 6))
        axes.set_xlabel("F1")
        _names(axes, names)
        axes.set_title(title)
    said = (
        f"{name}: {word if value is None else f'{value:.3f}'}"
        for name, value, word in zip(names, values, words, strict=True)
    )
    return Picture(figure, f"Bar chart. {title}. {'; '.join(said)}.")


def reliability_diagram(bins: Sequence[Bin], title: str = "") -> Picture:
    """How often a label is gold, by the probability it was given, above how many there are.

    Args:
        bins: of `reliability`; empty ones are left out.
        title: of the picture.

    Raises:
        DataError: no bin has a cell.
        MissingExtra: matplotlib is not installed.
    """
    filled = [b for b in bins if b.mean_probability is not None and b.interval is not None]
    require_some(filled)
    with canvas(4.6, 5.0) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        upper.plot([0, 1], [0, 1], "--", color=QUIET, linewidth=1, label="perfectly calibrated")
        for one in filled:
            upper.plot([one.mean_probability] * 2, one.interval, color=_BLUE, linewidth=1.4)
        said = [one.mean_probability for one in filled]
        upper.plot(said, [one.share_of_gold for one in filled], "o", color=_BLUE, ms=5)
        upper.set(xlim=(0, 1), ylim=(-0.03, 1.03), ylabel="share of gold labels")
        upper.grid(visible=True)
        upper.legend(loc="upper left")
        widths = [one.high - one.low for one in filled]
        lower.bar(
            [one.low for one in filled],
            [one.n for one in filled],
            widths,
            align="edge",
            color=COLOURS[5],
            edgecolor=INK,
            linewidth=0.4,
        )
        lower.set(yscale="log", xlabel="probability given", ylabel="cells")
        lower.set_ylim(bottom=0.8)
        lower.tick_params(which="minor", labelleft=False)
        upper.set_title(title)
    points = "; ".join(
        f"{one.mean_probability:.2f} given, {one.share_of_gold:.2f} gold (n = {one.n})"
        for one in filled
    )
    return Picture(figure, f"Reliability diagram. {sentence(title)}{points}.")


def label_distribution(
    counts: Mapping[str, Mapping[str, int]], title: str = "Labels by corpus"
) -> Picture:
    """Each label's share of all labels of its corpus, in percent, corpora side by side.

    Args:
        counts: by corpus, then by label: how many texts carry it; a label that a corpus cannot
            carry is left out of its counts.
        title: of the picture.

    Raises:
        DataError: there is no corpus, more than eight, or one without labels.
        MissingExtra: matplotlib is not installed.
    """
    require_some(counts)
    if len(counts) > len(COLOURS) or not all(sum(one.values()) > 0 for one in counts.values()):
        raise DataError(f"give at most {len(COLOURS)} corpora, each with labels")
    labels = list(dict.fromkeys(label for one in counts.values() for label in one))
    shares = {
        corpus: {label: 100 * n / sum(one.values()) for label, n in one.items()}
        for corpus, one in counts.items()
    }
    with canvas(7.0, (0.14 * len(counts) + 0.16) * len(labels) + 1.3) as figure:
        axes = figure.subplots()
        for rank, (corpus, share) in enumerate(shares.items()):
            name = f"{corpus} ({sum(counts[corpus].values()):,} labels)"
            _corpus_bars(axes, labels, share, name, (rank, len(shares)))
        axes.set_xlabel("% of the labels of the corpus")
        _names(axes, [_english(label) for label in labels])
        axes.set_title(title)
        figure.legend(loc="outside lower center", ncols=min(3, len(counts)))
    said = (
        f"{corpus}: "
        + ", ".join(
            f"{_english(k)} {f'{share[k]:.1f} %' if k in share else 'not carried'}" for k in labels
        )
        for corpus, share in shares.items()
    )
    return Picture(figure, f"Bar chart. {sentence(title)}{'; '.join(said)}.")


def _corpus_bars(
    axes: Axes, labels: Sequence[str], share: Mapping[str, float], name: str, rank: tuple[int, int]
) -> None:
    """The bars of one corpus, which is the `rank[0]`-th of `rank[1]` at every label."""
    height = 0.8 / rank[1]
    places = {label: place - 0.4 + height * (rank[0] + 0.5) for place, label in enumerate(labels)}
    axes.barh(
        [places[label] for label in share],
        list(share.values()),
        height,
        color=COLOURS[rank[0]],
        hatch=_HATCHES[rank[0]],
        edgecolor="#ffffff",
        linewidth=0.3,
        label=name,
    )
    for label in labels:
        if label not in share:
            axes.text(0.1, places[label], "not carried", va="center", fontsize=6, color=QUIET)


def _names(axes: Axes, names: Sequence[str]) -> None:
    """Rows from the top down, with their names and lines to follow across."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)


def _english(label: str) -> str:
    known = {distortion.value: distortion for distortion in Distortion}
    return known[label].name_in("en") if label in known else label
