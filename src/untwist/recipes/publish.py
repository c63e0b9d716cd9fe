"""One report, three ways: Markdown, a self-contained page, and every picture as PNG and SVG."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec

from untwist.evaluate import Picture, Section, Table, html_page, save, table_markdown
from untwist.recipes.runfolder import MANIFEST, RunFolder
from untwist.taxonomy import Lang

REPORT, PAGE = "report.md", "report.html"
_NO_PICTURES = 'No pictures were drawn: they need the extra "eval" (pip install "untwist[eval]").'


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture to be drawn when there is something to draw with.

    Attributes:
        name: of its files, without an ending.
        caption: what stands below it.
        draw: makes it.
    """

    name: str
    caption: str
    draw: Callable[[], Picture]


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of a report: words, then tables, then pictures of them."""

    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    drawings: tuple[Drawing, ...] = field(default=())


def publish(
    folder: RunFolder,
    title: str,
    chapters: Sequence[Chapter],
    *,
    protocol: str,
    command: str,
    lang: Lang = "en",
) -> tuple[str, ...]:
    """Write report.md, report.html and the pictures into a run folder.

    Without matplotlib there are no pictures, and both reports say so.

    Args:
        folder: open, with its manifest.
        title: of both reports.
        chapters: in order.
        protocol: how the numbers were made.
        command: what made them.
        lang: of the words given.

    Returns:
        The names of the picture files.
    """
    able = find_spec("matplotlib") is not None
    wanted = any(chapter.drawings for chapter in chapters)
    drawn = {
        drawing.name: drawing.draw() for chapter in chapters for drawing in chapter.drawings if able
    }
    names = tuple(name for key, one in drawn.items() for name in save(one, folder.path, key))
    missing = _NO_PICTURES if wanted and not able else ""
    folder.write_text(REPORT, _markdown(title, chapters, drawn, (protocol, command, missing)))
    manifest = json.loads((folder.path / MANIFEST).read_text(encoding="utf-8"))
    sections = [_section(chapter, drawn, missing) for chapter in chapters]
    page = html_page(title, sections, protocol, command, manifest, lang)
    folder.write_text(PAGE, page)
    return names


def _markdown(
    title: str,
    chapters: Sequence[Chapter],
    drawn: Mapping[str, Picture],
    ends: tuple[str, str, str],
) -> str:
    protocol, command, missing = ends
    blocks = [f"# {title}", f"Command: `{command}`", missing]
    for chapter in chapters:
        blocks += [f"## {chapter.title}", *chapter.paragraphs]
        blocks += [table_markdown(table, 3) for table in chapter.tables]
        blocks += [_linked(d, drawn[d.name]) for d in chapter.drawings if d.name in drawn]
    blocks += ["## Protocol", protocol]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _linked(drawing: Drawing, picture: Picture) -> str:
    alt = " ".join(picture.alt.split()).replace("[", "(").replace("]", ")")
    return f"![{alt}]({drawing.name}.svg)\n\n{drawing.caption}"


def _section(chapter: Chapter, drawn: Mapping[str, Picture], missing: str) -> Section:
    words = chapter.paragraphs
    if missing and chapter.drawings:
        words = (*words, missing)
    images = tuple(drawn[d.name].image(d.caption) for d in chapter.drawings if d.name in drawn)
    return Section(chapter.title, words, chapter.tables, images)
