"""Makes the two fonts of printed pages, small enough to ship, from libre ones.

`python docs/fonts.py DROID DEJAVU` writes `serve/web/fonts/cjk.ttf` and `latin.ttf`. DROID is
`DroidSansFallbackFull.ttf` (Debian: fonts-droid-fallback, Apache-2.0), DEJAVU is `DejaVuSans.ttf`
(Debian: fonts-dejavu-core, Bitstream Vera licence). All 20,902 characters of the block of common
Chinese characters stay, so that names with rare characters show too; hints, layout tables and
other scripts go. It takes fontTools, which comes with the extra "serve".
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from fontTools import subset

FONTS = Path(__file__).parents[1] / "src/untwist/serve/web/fonts"
CJK = ((0x2E80, 0x3130), (0x4E00, 0xA000), (0xFE30, 0xFE50), (0xFF00, 0xFFF0))
LATIN = ((0x20, 0x530), (0x1E00, 0x1F00), (0x2000, 0x2070), (0x20A0, 0x20C0), (0x2100, 0x2200))
SIGNS = (0x25A1, 0x2605, 0x2610, 0x2611, 0x2639, 0x263A, 0x2665, 0x2713, 0xFFFD)
_OWN_NAMES = (1, 3, 4, 6, 16)


def make(source: Path, target: Path, name: str, kept: Iterable[int]) -> None:
    """Write the part of a font that has these characters, under a name of its own."""
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.recalc_timestamp = False
    options.notdef_outline = True
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.drop_tables += ["FFTM", "GDEF", "GPOS", "GSUB", "gasp", "kern", "vhea", "vmtx"]
    font = subset.load_font(str(source), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=kept)
    cutter.subset(font)
    for record in font["name"].names:
        if record.nameID in _OWN_NAMES:
            record.string = name.replace(" ", "") if record.nameID == 6 else name
    subset.save_font(font, str(target), options)


def main(droid: str, dejavu: str) -> None:
    """Write both."""
    FONTS.mkdir(exist_ok=True)
    make(Path(droid), FONTS / "cjk.ttf", "untwist CJK", _spread(CJK))
    make(Path(dejavu), FONTS / "latin.ttf", "untwist Latin", [*_spread(LATIN), *SIGNS])


def _spread(ranges: Iterable[tuple[int, int]]) -> list[int]:
    return [code for first, after in ranges for code in range(first, after)]


if __name__ == "__main__":
    main(*sys.argv[1:])
