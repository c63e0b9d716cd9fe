"""Pictures of a policy: hits by distortion, safety advantage, points with intervals, curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from untwist.errors import DataError
from untwist.evaluate.advantage import safety_advantage
from untwist.evaluate.cells import Bools
from untwist.evaluate.pictures import COLOURS, INK, QUIET, Picture, canvas, require_some, sentence

_BINS = 40


@dataclass(frozen=True, slots=True)
class Point:
    """A number with its interval.

    Attributes:
        name: what it is of.
        value: None when not known.
        interval: None when not known.
        marks: by name, other systems' numbers on the same rows; None where not known.
    """

    name: str
    value: float | None
    interval: tuple[float, float] | None
    marks: Mapping[str, float | None]


def hit_ranking(rows: Sequence[Point], title: str, axis: str) -> Picture:
    """Hit rates as bars, the highest on top, with other systems as marks (CoPoLLM, Figure 6).

    Args:
        rows: one per distortion, values from 0 to 1.
        title: of the picture.
        axis: what the rate is.

    Raises:
        DataError: there is no row.
        MissingExtra: matplotlib is not installed.
    """
    require_some(rows)
    order = sorted(rows, key=lambda row: -1.0 if row.value is None else row.value, reverse=True)
    names = list(dict.fromkeys(name for row in rows for name in row.marks))
    with canvas(7.0, 0.32 * len(rows) + 1.4) as figure:
        axes = figure.subplots()
        for place, row in enumerate(order):
            if row.value is None:
                axes.text(0.01, place, "not known", va="center", fontsize=8, color=QUIET)
                continue
            axes.barh(place, row.value, color=COLOURS[5], height=0.7)
            if row.interval:
                axes.plot(row.interval, [place, place], color=INK, linewidth=1.2)
            axes.text(1.02, place, f"{row.value:.3f}", va="center", fontsize=8, color=INK)
        for rank, name in enumerate(names):
            known = [(row.marks.get(name), place) for place, row in enumerate(order)]
            drawn = [(x, y) for x, y in known if x is not None]
            axes.plot(
                [x for x, _ in drawn], [y for _, y in drawn], "o^sDv"[rank % 5],
                color=COLOURS[(0, 1, 2, 3, 4)[rank % 5]], ms=5, label=name,
            )  # fmt: skip
        axes.set_xlim(0, 1.12)
        axes.set_xticks(np.linspace(0, 1, 6))
        axes.set_xlabel(axis)
        axes.set_yticks(range(len(order)), [row.name for row in order])
        axes.set_ylim(len(order) - 0.5, -0.5)
        axes.grid(axis="x")
        axes.set_title(title)
        if names:
            figure.legend(loc="outside lower center", ncols=min(3, len(names)))
    return Picture(figure, f"Bar chart. {sentence(title)}{axis}. {_said(order)}.")


def point_plot(rows: Sequence[Point], title: str, axis: str, zero: bool = True) -> Picture:
    """Numbers as points with their intervals, beside the line of 0.

    Args:
        rows: from the top down.
        title: of the picture.
        axis: what the numbers are.
        zero: draw that line.

    Raises:
        DataError: there is no row.
        MissingExtra: matplotlib is not installed.
    """
    require_some(rows)
    with canvas(7.0, 0.34 * len(rows) + 1.0) as figure:
        axes = figure.subplots()
        if zero:
            axes.axvline(0, color=QUIET, linewidth=1)
        for place, row in enumerate(rows):
            if row.value is None:
                continue
            ends = row.interval or (row.value, row.value)
            axes.plot(ends, [place, place], color=COLOURS[0], linewidth=1.6)
            axes.plot([row.value], [place], "o", color=COLOURS[0], ms=5.5)
            axes.text(ends[1], place, f"  {row.value:.3f}", va="center", fontsize=8, color=INK)
        axes.set_yticks(range(len(rows)), [row.name for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.margins(x=0.18)
        axes.set_xlabel(axis)
        axes.grid(axis="x")
        axes.set_title(title)
    return Picture(figure, f"Points. {sentence(title)}{axis}. {_said(rows)}.")


def advantage_plot(q: ArrayLike, high: Bools, title: str) -> Picture:
    """How ΔQ is distributed at high risk and below it (CoPoLLM, Figure 7).

    Args:
        q: (n, 10), raw action values.
        high: (n,), states at high risk.
        title: of the picture.

    Raises:
        DataError: there is no state, or a value is NaN or infinite.
        MissingExtra: matplotlib is not installed.
    """
    require_some(high)
    gaps = safety_advantage(q)
    parts = {"high risk": gaps[high], "below high risk": gaps[~high]}
    low, top = float(gaps.min()), float(gaps.max())
    edges = np.linspace(low, top if top > low else low + 1, _BINS + 1).tolist()
    said = []
    with canvas(7.0, 3.4) as figure:
        axes = figure.subplots()
        for colour, (name, part) in zip((COLOURS[1], COLOURS[0]), parts.items(), strict=True):
            if not part.size:
                said.append(f"{name}: no state")
                continue
            weights = np.full(part.size, 1 / part.size)
            axes.hist(part, edges, weights=weights, color=colour, alpha=0.55,
                      label=f"{name} (n = {part.size:,})")  # fmt: skip
            mean, middle = float(part.mean()), float(np.median(part))
            axes.axvline(mean, color=colour, linewidth=1.4, linestyle="--")
            positive = float((part > 0).mean())
            said.append(f"{name}: n = {part.size}, mean {mean:.3f} (dashed), median {middle:.3f}, "
                        f"above 0 {100 * positive:.1f} %")  # fmt: skip
        axes.axvline(0, color=INK, linewidth=1)
        axes.set_xlabel("safety advantage ΔQ = Q(s, A9) - best of the others")
        axes.set_ylabel("share of states")
        axes.set_title(title)
        axes.legend(loc="upper center")
    return Picture(figure, f"Histogram. {sentence(title)}{'; '.join(said)}.")


def curve_plot(
    steps: Sequence[float], curves: Mapping[str, Sequence[Sequence[float]]], title: str
) -> Picture:
    """Curves of a training, one panel each, every run a line (CoPoLLM, Figure 8).

    Args:
        steps: gradient steps at which the curves were written.
        curves: by name of the panel, then one sequence per run, as long as `steps`.
        title: of the picture.

    Raises:
        DataError: there is no curve, or one has another length.
        MissingExtra: matplotlib is not installed.
    """
    require_some(curves)
    if any(len(line) != len(steps) or not len(line) for runs in curves.values() for line in runs):
        raise DataError(f"each curve needs {len(steps)} numbers, one for each step")
    with canvas(7.0, 1.7 * len(curves) + 0.6) as figure:
        panels = np.atleast_1d(figure.subplots(len(curves), 1, sharex=True))
        for axes, (name, runs) in zip(panels, curves.items(), strict=True):
            for rank, line in enumerate(runs):
                axes.plot(steps, line, color=COLOURS[rank % len(COLOURS)], linewidth=1)
            axes.set_ylabel(name)
            axes.grid(visible=True)
        panels[-1].set_xlabel("gradient steps")
        panels[0].set_title(title)
    said = "; ".join(
        f"{name}: " + ", ".join(f"{line[0]:.3f} to {line[-1]:.3f}" for line in runs)
        for name, runs in curves.items()
    )
    return Picture(figure, f"Curves. {sentence(title)}From first to last, {said}.")


def _said(rows: Sequence[Point]) -> str:
    def one(row: Point) -> str:
        if row.value is None:
            return f"{row.name}: not known"
        ends = f", interval {row.interval[0]:.3f} to {row.interval[1]:.3f}" if row.interval else ""
        others = "".join(
            f", {name} {'not known' if value is None else f'{value:.3f}'}"
            for name, value in row.marks.items()
        )
        return f"{row.name}: {row.value:.3f}{ends}{others}"

    return "; ".join(map(one, rows))
