"""A picture of span scores: for each corpus, every system as a point with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from untwist.errors import DataError
from untwist.evaluate.pictures import COLOURS, QUIET, Picture, canvas, require_some, sentence
from untwist.evaluate.spans import SPAN_METRICS, SpanScores

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")


def span_plot(
    lines: Mapping[str, Mapping[str, SpanScores]], metric: str = "mean_f1", title: str = ""
) -> Picture:
    """One score of every system on every line, with 95 % intervals.

    Args:
        lines: by name of the line, then by name of the system; from the top down.
        metric: one of `SPAN_METRICS`.
        title: of the picture.

    Raises:
        DataError: there is no line, or a line has more than eight systems or none.
        MissingExtra: matplotlib is not installed.
    """
    require_some(lines)
    systems = list(dict.fromkeys(name for line in lines.values() for name in line))
    if not 0 < len(systems) <= len(COLOURS):
        raise DataError(f"give 1 to {len(COLOURS)} systems, not {len(systems)}")
    with canvas(7.0, (0.13 * len(systems) + 0.25) * len(lines) + 1.4) as figure:
        axes = figure.subplots()
        for place, line in enumerate(lines.values()):
            for rank, system in enumerate(systems):
                if system in line:
                    height = place + 0.7 * ((rank + 0.5) / len(systems) - 0.5)
                    _point(axes, height, rank, line[system], metric)
        for rank, system in enumerate(systems):
            axes.plot([], [], _MARKS[rank], color=COLOURS[rank], ms=5, label=system)
        axes.set_xlim(0, 1)
        axes.set_xlabel(SPAN_METRICS[metric])
        axes.set_yticks(range(len(lines)), list(lines))
        axes.set_ylim(len(lines) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        axes.set_title(title)
        figure.legend(loc="outside lower center", ncols=min(3, len(systems)))
    said = "; ".join(
        f"{name}: " + ", ".join(f"{system} {_said(one, metric)}" for system, one in line.items())
        for name, line in lines.items()
    )
    return Picture(figure, f"Points. {sentence(title)}{SPAN_METRICS[metric]}. {said}.")


def _point(axes: Axes, height: float, rank: int, scores: SpanScores, metric: str) -> None:
    value, interval = scores.values[metric], scores.intervals[metric]
    if interval:
        ends = (interval.low, interval.high)
        axes.plot(ends, [height, height], color=COLOURS[rank], linewidth=1.3)
    if value is None:
        axes.text(0.01, height, "not known", va="center", fontsize=6, color=QUIET)
    else:
        axes.plot([value], [height], _MARKS[rank], color=COLOURS[rank], ms=5)


def _said(scores: SpanScores, metric: str) -> str:
    value, interval = scores.values[metric], scores.intervals[metric]
    if value is None:
        return "not known"
    ends = f" (interval {interval.low:.3f} to {interval.high:.3f})" if interval else ""
    return f"{value:.3f}{ends}"
