"""Two drawings of `evaluate_risk`, made where matplotlib is installed and left out where not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from untwist.schema import Json
from untwist.taxonomy import Risk

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg")
_COLOURS = {"none": "#d9e2ec", "low": "#9fb3c8", "medium": "#f0b429", "high": "#c53030"}
_MARKS = {"sensitivity": ("o", "#c53030"), "specificity": ("s", "#334e68")}
_DPI = 110


def draw(folder: Path, corpora: Json) -> tuple[str, ...]:
    """Write the drawings.

    Args:
        folder: the run folder.
        corpora: the part of the metrics with one entry per corpus.

    Returns:
        The names of the files; none when matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        return ()
    names: list[str] = []
    # equal runs must give equal files: no date, and fixed names within the SVG
    with mpl.rc_context({"svg.hashsalt": "untwist", "svg.fonttype": "none", "font.size": 8}):
        for name, figure in (
            ("rates", _rates(Figure(layout="constrained"), corpora)),
            ("levels", _levels(Figure(layout="constrained"), corpora)),
        ):
            for ending in FORMATS:
                about = {"Date": None} if ending == "svg" else {"Software": None}
                figure.savefig(folder / f"{name}.{ending}", dpi=_DPI, metadata=about)
                names.append(f"{name}.{ending}")
    return tuple(names)


def _rates(figure: Figure, corpora: Json) -> Figure:
    """Sensitivity and specificity by the main reading of each corpus."""
    figure.set_size_inches(9, 1.7 * len(corpora) + 0.6)
    panels = figure.subplots(len(corpora), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (name, corpus) in zip(panels, corpora.items(), strict=True):
        yardstick = corpus["yardsticks"][0]
        rates = [r for r in yardstick["rates"] if not r["reader"].startswith("always")]
        for place, rate in enumerate(rates):
            for key in _MARKS:
                _point(axes, place, rate[key], key)
        axes.set_yticks(range(len(rates)), [_title(r) for r in rates])
        axes.set_ylim(len(rates) - 0.5, -0.5)
        axes.set_xlim(0, 1)
        axes.grid(axis="x", alpha=0.3)
        axes.set_title(f"{name}: {yardstick['name']} (n = {yardstick['n']:,})", loc="left")
    handles = [
        panels[0].plot([], [], mark, color=colour, label=key)[0]
        for key, (mark, colour) in _MARKS.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    return figure


def _title(rate: Json) -> str:
    return f"{rate['reader']}, {rate['cut']}" if rate["cut"] else str(rate["reader"])


def _point(axes: Axes, place: int, share: Json, key: str) -> None:
    if share["value"] is None:
        return
    mark, colour = _MARKS[key]
    low, high = share["interval"]
    y = place + (-0.12 if key == "sensitivity" else 0.12)
    axes.plot([low, high], [y, y], color=colour, linewidth=1)
    axes.plot([share["value"]], [y], mark, color=colour, markersize=4)


def _levels(figure: Figure, corpora: Json) -> Figure:
    """What the screen says of the texts under each label of each corpus."""
    reader = list(next(iter(corpora.values()))["classes"])[-1]
    sizes = [len(corpus["classes"][reader]) for corpus in corpora.values()]
    figure.set_size_inches(9, 0.24 * sum(sizes) + 0.5 * len(sizes) + 0.8)
    panels = figure.subplots(len(sizes), 1, sharex=True, squeeze=False, height_ratios=sizes)[:, 0]
    for axes, (name, corpus) in zip(panels, corpora.items(), strict=True):
        classes = [c for c in corpus["classes"][reader] if c["n"]]
        for place, one in enumerate(classes):
            left = 0.0
            for level in Risk:
                width = one["levels"][level.value] / one["n"]
                axes.barh(place, width, left=left, color=_COLOURS[level.value], height=0.8)
                left += width
        axes.set_yticks(range(len(classes)), [f"{c['class']} ({c['n']:,})" for c in classes])
        axes.set_ylim(len(classes) - 0.5, -0.5)
        axes.set_xlim(0, 1)
        axes.set_title(f"{name}, {reader}", loc="left")
    handles = [
        panels[0].barh(0, 0, color=colour, label=level) for level, colour in _COLOURS.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
    return figure
