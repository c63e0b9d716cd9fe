"""A picture of a comparison: each score's difference with its interval, beside the line of none."""

from __future__ import annotations

from untwist.evaluate.bootstrap import METRIC_NAMES
from untwist.evaluate.comparison import Comparison
from untwist.evaluate.pictures import COLOURS, INK, QUIET, Picture, canvas, require_some, sentence


def difference_plot(comparison: Comparison) -> Picture:
    """First minus second for each score that is known, with its 95 % interval.

    Raises:
        DataError: no difference is known.
        MissingExtra: matplotlib is not installed.
    """
    known = {METRIC_NAMES[name]: d for name, d in comparison.differences.items() if d}
    require_some(known)
    title = f"{comparison.first} minus {comparison.second}: {comparison.corpus}, {comparison.part}"
    with canvas(7.0, 0.34 * len(known) + 1.0) as figure:
        axes = figure.subplots()
        axes.axvline(0, color=QUIET, linewidth=1)
        for place, one in enumerate(known.values()):
            ends = (one.interval.low, one.interval.high)
            axes.plot(ends, [place, place], color=COLOURS[0], linewidth=1.6)
            axes.plot([one.value], [place], "o", color=COLOURS[0], ms=5.5)
            axes.text(ends[1], place, f"  {one.value:+.3f}", va="center", fontsize=8, color=INK)
        axes.set_yticks(range(len(known)), list(known))
        axes.set_ylim(len(known) - 0.5, -0.5)
        axes.margins(x=0.15)
        axes.grid(axis="x")
        axes.set_title(title)
        said = "; ".join(
            f"{name} {d.value:+.3f}, interval {d.interval.low:+.3f} to {d.interval.high:+.3f}"
            for name, d in known.items()
        )
    return Picture(figure, f"{sentence(f'Differences. {title}')}{said}.")
