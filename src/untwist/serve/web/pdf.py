"""A worksheet on one sheet of paper: the type shrinks until it fits, and every character shows.

Both fonts are embedded, so that a page with Chinese characters looks the same on any machine. A
character that neither font has, such as an emoji, is shown as a box. What does not fit on one sheet
in the smallest type goes on on the next one: nothing is cut.
The library is imported with the first sheet: it takes 28 MB, and many servers never print.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Literal

from untwist.respond import SafetySteps, Worksheet, open_labels
from untwist.safety import help_block
from untwist.serve.web.shown import day, rows_of
from untwist.text import Locale

if TYPE_CHECKING:
    from fpdf import FPDF

Paper = Literal["A4", "Letter"]
PAPERS: tuple[Paper, ...] = ("A4", "Letter")
_LETTER = ("US", "CA", "MX", "PH")
_MARGIN = 18.0
_BODY, _LEAST, _STEP = 11.0, 6.5, 0.5
_LEADING = 1.35
_LANGUAGES = {"en": "en", "zh": "zh-Hans", "zh-Hant": "zh-Hant"}
_POINT = 25.4 / 72
_INK, _SOFT = (35, 48, 44), (85, 98, 93)


@dataclass(frozen=True, slots=True)
class _Block:
    """Words in one size.

    Attributes:
        text: what is said.
        size: in parts of the size of the body.
        soft: whether it is said in the background.
        before: space above it, in lines of the body.
    """

    text: str
    size: float = 1.0
    soft: bool = False
    before: float = 0.0


def paper_for(region: str | None) -> Paper:
    """The paper that is usual somewhere."""
    return "Letter" if region in _LETTER else "A4"


def worksheet_pdf(
    sheet: Worksheet, locale: Locale, paper: Paper, at: float, region: str | None = None
) -> bytes:
    """A worksheet as a PDF file.

    Args:
        sheet: what was filled in; what was left out is left out.
        locale: of the headings.
        paper: its size.
        at: when it was changed last, in seconds since 1970.
        region: whose lines of help stand under the steps for hard hours.
    """
    blocks = _blocks(sheet, locale, at, region)
    page = _page(paper, locale, open_labels(locale).sheets[sheet.kind].name)
    size = _BODY
    room = page.h - 2 * _MARGIN
    while size > _LEAST and _height(page, blocks, size) > room:
        size -= _STEP
    for block in blocks:
        _put(page, block, size, measure=False)
    return bytes(page.output())


def _blocks(sheet: Worksheet, locale: Locale, at: float, region: str | None) -> list[_Block]:
    labels = open_labels(locale)
    found = [_Block(labels.sheets[sheet.kind].name, 1.5), _Block(day(at), 0.85, soft=True)]
    for row in rows_of(sheet, locale):
        found += [_Block(row.label, 0.85, soft=True, before=0.7), _Block(row.text)]
    if sheet.empty:
        found.append(_Block(labels.words["empty"], before=0.7))
    if isinstance(sheet, SafetySteps):
        found.append(_Block(labels.words["help"], 0.85, soft=True, before=0.7))
        found.append(_Block(help_block(locale, region)))
    return [*found, _Block(labels.words["made"], 0.75, soft=True, before=1.0)]


def _page(paper: Paper, locale: Locale, title: str) -> FPDF:
    from fpdf import FPDF

    page = FPDF(format=paper)
    folder = files("untwist.serve.web").joinpath("fonts")
    for name in ("latin", "cjk"):
        with as_file(folder.joinpath(f"{name}.ttf")) as file:
            page.add_font(name, "", file)
    page.set_fallback_fonts(["cjk"])
    page.set_margins(_MARGIN, _MARGIN)
    page.set_auto_page_break(True, _MARGIN)
    page.set_lang(_LANGUAGES[locale])
    page.set_title(title)
    page.set_producer("untwist")
    page.add_page()
    return page


def _height(page: FPDF, blocks: list[_Block], size: float) -> float:
    return sum(_put(page, block, size, measure=True) for block in blocks)


def _put(page: FPDF, block: _Block, size: float, *, measure: bool) -> float:
    """Write a block, or only say how high it would be, in millimetres."""
    from fpdf.enums import WrapMode

    page.set_font("latin", size=size * block.size)
    page.set_text_color(*(_SOFT if block.soft else _INK))
    line = size * block.size * _LEADING * _POINT
    gap = size * _LEADING * _POINT * block.before
    text = _showable(page, block.text)
    if not measure:
        page.set_y(page.get_y() + gap)
    high = page.multi_cell(
        0,
        line,
        text,
        align="L",
        wrapmode=WrapMode.CHAR if _chinese(text) else WrapMode.WORD,
        new_x="LMARGIN",
        new_y="NEXT",
        dry_run=measure,
        output="HEIGHT",
    )
    assert isinstance(high, float)
    return gap + high


def _chinese(text: str) -> bool:
    """Whether lines may end between any two characters."""
    return sum(ch >= "\u2e80" for ch in text) * 3 > len(text)


def _showable(page: FPDF, text: str) -> str:
    """A text with a box for what no font has; no word of it comes into a log as a warning."""
    from fpdf.fonts import TTFFont

    known = [font.cmap for font in page.fonts.values() if isinstance(font, TTFFont)]

    def shown(ch: str) -> str:
        if ch in "\n\t":
            return "\n" if ch == "\n" else "    "
        category = unicodedata.category(ch)
        if category in ("Cc", "Cf"):  # controls, joiners, and what turns the direction of a line
            return ""
        if any(ord(ch) in font for font in known):
            return ch
        return "" if category in ("Mn", "Me") else "□"

    return "".join(shown(ch) for ch in unicodedata.normalize("NFC", text))
