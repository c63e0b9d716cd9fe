"""Pictures as values: a drawing with the words for those who cannot see it, as equal bytes.

Equal values give equal files with one version of matplotlib: no date is written, names within the
SVG are fixed, and a user's own matplotlib settings have no say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from untwist.errors import DataError, MissingExtra
from untwist.evaluate.page import Image

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")
"""Told apart by the colour-blind (Okabe and Ito 2008)."""
INK, QUIET = "#222222", "#8a8a8a"
_DPI = 150
_STYLE: dict[str, object] = {
    "svg.hashsalt": "untwist",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.edgecolor": QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing and its description.

    Attributes:
        figure: the drawing.
        alt: what it shows, numbers included, in one paragraph.
    """

    figure: Figure
    alt: str

    def svg(self) -> bytes:
        """As SVG, its words kept as text."""
        return self._drawn("svg")

    def png(self) -> bytes:
        """As PNG, 150 dots per inch."""
        return self._drawn("png")

    def image(self, caption: str) -> Image:
        """For a page: the SVG under a caption."""
        return Image(self.svg(), "image/svg+xml", self.alt, caption)

    def _drawn(self, kind: Literal["svg", "png"]) -> bytes:
        about = {"Date": None} if kind == "svg" else {"Software": None}
        out = BytesIO()
        with style():
            self.figure.savefig(out, format=kind, dpi=_DPI, metadata=about)
        return out.getvalue()


def save(picture: Picture, folder: Path | str, name: str) -> tuple[str, str]:
    """Write a picture twice, as PNG and as SVG.

    Args:
        picture: any.
        folder: where to; it must be there.
        name: of the files, without an ending.

    Returns:
        The names of the two files.
    """
    names = (f"{name}.png", f"{name}.svg")
    for file, data in zip(names, (picture.png(), picture.svg()), strict=True):
        (Path(folder) / file).write_bytes(data)
    return names


def require_some(items: Sized) -> None:
    """Check that there is something to draw.

    Raises:
        DataError: there is not.
    """
    if not len(items):
        raise DataError("there is nothing to draw: give at least one")


def sentence(title: str) -> str:
    """A title as a sentence within a description; empty for none."""
    return f"{title}. " if title else ""


@contextmanager
def canvas(width: float, height: float) -> Iterator[Figure]:
    """An empty drawing in the style of all pictures, to be drawn on within the context.

    Args:
        width: in inches.
        height: in inches.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    with style():
        from matplotlib.figure import Figure

        yield Figure(figsize=(width, height), layout="constrained")


@contextmanager
def style() -> Iterator[None]:
    """The settings of all pictures; those before come back afterwards.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise MissingExtra("pictures", "eval") from error
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)  # type: ignore[arg-type]
        yield
