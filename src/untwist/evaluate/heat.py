"""The picture of a grid: scores from corpus to corpus, or texts that two corpora share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from untwist.errors import DataError
from untwist.evaluate.pictures import INK, QUIET, Picture, canvas, require_some, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage


def heat_map(
    matrix: Sequence[Sequence[float | None]],
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
    format: str = ".2f",
    missing: str = "–",
) -> Picture:
    """A grid of numbers, each written in its cell; what is not known is hatched.

    Args:
        matrix: one sequence per row; None where not known.
        rows: their names.
        columns: their names.
        title: of the picture.
        format: how a number is written, as in Python's `format`.
        missing: what stands in a cell that is not known.

    Raises:
        DataError: the grid is empty or has not the form that the names say.
        MissingExtra: matplotlib is not installed.
    """
    require_some(rows)
    require_some(columns)
    if [len(row) for row in matrix] != [len(columns)] * len(rows):
        raise DataError(f"a heat map needs {len(rows)} rows of {len(columns)} numbers")
    grid = np.array([[np.nan if v is None else v for v in row] for row in matrix], float)
    with canvas(0.75 * len(columns) + 2.6, 0.42 * len(rows) + 1.7) as figure:
        axes = figure.subplots()
        top = float(np.nanmax(grid)) if not np.isnan(grid).all() else 1.0
        axes.patch.set(hatch="///", edgecolor=QUIET, facecolor="#ffffff")
        image = axes.imshow(grid, cmap="cividis", vmin=0, vmax=top or 1.0, aspect="auto")
        for (y, x), value in np.ndenumerate(grid):
            _heat_cell(
                axes, image, (x, y), value, missing if np.isnan(value) else f"{value:{format}}"
            )
        axes.set_xticks(range(len(columns)), list(columns), rotation=35, ha="right")
        axes.set_yticks(range(len(rows)), list(rows))
        axes.tick_params(length=0)
        axes.set_title(title)
    # a dash says nothing when it is read aloud
    absent = missing if missing.strip("–-") else "not known"
    said = (
        f"{row}: "
        + ", ".join(
            f"{column} {absent if v is None else f'{v:{format}}'}"
            for column, v in zip(columns, values, strict=True)
        )
        for row, values in zip(rows, matrix, strict=True)
    )
    return Picture(figure, f"Heat map. {sentence(title)}{'; '.join(said)}.")


def _heat_cell(
    axes: Axes, image: AxesImage, place: tuple[int, int], value: float, text: str
) -> None:
    if np.isnan(value):
        plate = {"facecolor": "#ffffff", "edgecolor": "none", "pad": 1.5}
        axes.text(*place, text, ha="center", va="center", color=INK, bbox=plate)
        return
    red, green, blue, _ = image.to_rgba(np.array([value]))[0]
    light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    ink = "#000000" if light > 0.45 else "#ffffff"
    axes.text(*place, text, ha="center", va="center", color=ink)
