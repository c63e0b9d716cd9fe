"""A page of results: one HTML file that needs nothing else, on screen, in the dark and on paper.

No script, no font, no picture from elsewhere: the page's own policy forbids every request.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

from untwist.errors import DataError
from untwist.evaluate.tables import Table
from untwist.taxonomy import LANGS, Lang

_WORDS: Mapping[Lang, Mapping[str, str]] = {
    "en": {"protocol": "Protocol", "command": "Command", "manifest": "What ran"},
    "zh": {"protocol": "评测方法", "command": "命令", "manifest": "运行记录"},
}
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_CSS = """
:root { color-scheme: light dark; --ink: #1c1c1c; --paper: #ffffff; --line: #c9c9c9;
  --quiet: #595959; --shade: #f3f3f3; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececec; --paper: #16181b; --line: #4a4d52; --quiet: #b3b3b3; --shade: #22252a; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 72rem; color: var(--ink);
  background: var(--paper); font: 16px/1.5 system-ui, "PingFang SC", "Microsoft YaHei",
  "Noto Sans CJK SC", sans-serif; }
h1, h2 { line-height: 1.25; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
p { max-width: 46rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0 .25rem; font-size: .875rem;
  font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
thead th { background: var(--shade); }
tbody th { font-weight: 500; }
.note, figcaption { color: var(--quiet); font-size: .875rem; }
figure { margin: 1.5rem 0; break-inside: avoid; }
img { max-width: 100%; height: auto; background: #ffffff; }
pre { padding: .75rem; background: var(--shade); white-space: pre-wrap; overflow-wrap: anywhere;
  font-size: .8125rem; }
@media print {
  :root { --ink: #000000; --paper: #ffffff; --line: #999999; --quiet: #333333; --shade: #ffffff; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  .scroll { overflow: visible; }
  table { font-size: 8pt; }
  thead { display: table-header-group; }
  tr { break-inside: avoid; }
  h2, caption { break-after: avoid; }
}
"""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture for a page.

    Attributes:
        data: the file.
        media: what kind of file it is.
        alt: what the picture shows, for those who cannot see it; never empty.
        caption: stands below it.

    Raises:
        DataError: there is no description.
    """

    data: bytes
    media: Literal["image/svg+xml", "image/png"]
    alt: str
    caption: str

    def __post_init__(self) -> None:
        if not self.alt.strip():
            raise DataError("a picture needs words that say what it shows")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page, in the order of its fields.

    Attributes:
        title: its heading.
        paragraphs: plain text.
        tables: each under its title.
        images: each above its caption.
    """

    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    images: tuple[Image, ...] = ()


def html_page(
    title: str,
    sections: Sequence[Section],
    protocol: str,
    command: str,
    manifest: Mapping[str, Any],
    lang: Lang = "en",
) -> str:
    """A whole page. Everything given is text: no markup in it has any effect.

    Args:
        title: of the page.
        sections: in order.
        protocol: how the numbers were made.
        command: what made them.
        manifest: what ran, as JSON values.
        lang: language of the text given, "en" or "zh"; the page's own words follow it.

    Raises:
        DataError: the language is another, or the manifest is no JSON or holds NaN.
    """
    if lang not in LANGS:
        raise DataError(f"a page is in one of {', '.join(LANGS)}")
    words = _WORDS[lang]
    try:
        ran = json.dumps(manifest, ensure_ascii=False, indent=1, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DataError(f"the manifest of a page is no JSON: {error}") from error
    body = [
        f"<h1>{escape(title)}</h1>",
        *(_section(section) for section in sections),
        f"<section>\n<h2>{words['protocol']}</h2>\n<p>{escape(protocol)}</p>\n</section>",
        f"<section>\n<h2>{words['command']}</h2>\n{_code(command)}\n</section>",
        f"<section>\n<h2>{words['manifest']}</h2>\n{_code(ran)}\n</section>",
    ]
    head = (
        '<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_CSS}</style>"
    )
    tag = "zh-Hans" if lang == "zh" else lang
    return (
        f'<!DOCTYPE html>\n<html lang="{tag}">\n<head>\n{head}\n</head>\n'
        "<body>\n<main>\n" + "\n".join(body) + "\n</main>\n</body>\n</html>\n"
    )


def _section(section: Section) -> str:
    parts = [
        f"<h2>{escape(section.title)}</h2>",
        *(f"<p>{escape(text)}</p>" for text in section.paragraphs),
        *(_table(table) for table in section.tables),
        *(_figure(image) for image in section.images),
    ]
    return "<section>\n" + "\n".join(parts) + "\n</section>"


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.header)
    rows = "\n".join(f"<tr>{_row(row)}</tr>" for row in table.rows)
    note = f'\n<p class="note">{escape(table.note)}</p>' if table.note else ""
    # a wide table scrolls by itself, and by keyboard too
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(table.title)}">\n'
        f"<table>\n<caption>{escape(table.title)}</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n</div>{note}"
    )


def _row(cells: Sequence[str]) -> str:
    rest = "".join(f"<td>{escape(cell)}</td>" for cell in cells[1:])
    return f'<th scope="row">{escape(cells[0])}</th>{rest}' if cells else ""


def _figure(image: Image) -> str:
    data = base64.b64encode(image.data).decode("ascii")
    return (
        f'<figure>\n<img src="data:{image.media};base64,{data}" alt="{escape(image.alt)}">\n'
        f"<figcaption>{escape(image.caption)}</figcaption>\n</figure>"
    )


def _code(text: str) -> str:
    return f"<pre><code>{escape(text)}</code></pre>"
