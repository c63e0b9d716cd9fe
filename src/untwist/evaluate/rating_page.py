"""A page on which one rater rates blinded replies: one HTML file that needs nothing else.

The page sends nothing anywhere: its own policy forbids every request, and allows its one script by
its hash alone. What the rater saves is a CSV file that `read_sheet` reads.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from itertools import groupby
from typing import Any

from untwist.errors import DataError
from untwist.evaluate.blind import BlindRow
from untwist.evaluate.ratings import NO_SCORE
from untwist.taxonomy import LANGS, Lang


@dataclass(frozen=True, slots=True)
class PageScale:
    """A scale as a rater is told of it.

    Attributes:
        key: its name in files.
        name: what it is called.
        about: what its values mean.
        values: the lowest first.
    """

    key: str
    name: str
    about: str
    values: tuple[int, ...]


def rating_page(
    rows: Sequence[BlindRow], scales: Sequence[PageScale], rater: str, lang: Lang
) -> str:
    """A whole page. Everything given is text: no markup in it has any effect.

    Args:
        rows: of one rater's sheet, in order.
        scales: to rate on.
        rater: for whom the page is.
        lang: of the page's own words.

    Raises:
        DataError: there is nothing to rate, or the language is another.
    """
    if lang not in LANGS:
        raise DataError(f"a page is in one of {', '.join(LANGS)}")
    if not rows or not scales:
        raise DataError("a page needs replies to rate and scales to rate them on")
    words = _words()[lang]
    script = _file("page.js")
    # hashes and codes, so that two pages in one browser do not share what is kept there
    told = json.dumps([rater, [row.code for row in rows], [scale.key for scale in scales]])
    data = {
        "id": hashlib.sha256(told.encode()).hexdigest()[:16],
        "rater": rater,
        "codes": [row.code for row in rows],
        "scales": [scale.key for scale in scales],
        "words": {key: words[key] for key in ("done", "kept", "not_kept", "missing")},
    }
    last = rows[-1].place
    parts = [
        _message(place, last, list(some), scales, words)
        for place, some in groupby(rows, key=lambda row: row.place)
    ]
    return (
        f'<!DOCTYPE html>\n<html lang="{"zh-Hans" if lang == "zh" else lang}">\n<head>\n'
        '<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(script)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(words['title'])}</title>\n<style>{_file('page.css')}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{escape(words['title'])}</h1>\n<p>{escape(words['intro'])}</p>\n"
        f"<p>{escape(words['care'])}</p>\n<noscript><p>{escape(words['no_script'])}</p></noscript>"
        '\n<form autocomplete="off">\n'
        f'<p><label for="rater">{escape(words["rater"])}</label>\n'
        f'<input type="text" id="rater" maxlength="60" value="{escape(rater)}"></p>\n'
        + "\n".join(parts)
        + f'\n<div class="bar"><p id="status" role="status"></p>\n'
        f'<button type="submit">{escape(words["save"])}</button></div>\n</form>\n</main>\n'
        f'<script type="application/json" id="set">{_inert(data)}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def _message(
    place: int,
    last: int,
    rows: Sequence[BlindRow],
    scales: Sequence[PageScale],
    words: Mapping[str, str],
) -> str:
    title = escape(words["message"].format(place=place, of=last))
    said = escape(rows[0].message)
    replies = "\n".join(_reply(row, scales, words) for row in rows)
    return f'<section>\n<h2>{title}</h2>\n<div class="said">{said}</div>\n{replies}\n</section>'


def _reply(row: BlindRow, scales: Sequence[PageScale], words: Mapping[str, str]) -> str:
    fields = "\n".join(_scale(row.code, scale, words["none"]) for scale in scales)
    note = f"{row.code}.comment"
    return (
        f"<article>\n<h3>{escape(words['reply'].format(code=row.code))}</h3>\n"
        f'<div class="answer">{escape(row.reply)}</div>\n{fields}\n'
        f'<p><label for="{note}">{escape(words["comment"])}</label>\n'
        f'<textarea id="{note}" name="{note}" rows="2" maxlength="2000"></textarea></p>\n</article>'
    )


def _scale(code: str, scale: PageScale, none: str) -> str:
    name = f"{code}.{escape(scale.key)}"
    choices = [(str(value), str(value)) for value in scale.values] + [(NO_SCORE, none)]
    radios = "\n".join(
        f'<label><input type="radio" name="{name}" value="{value}">{escape(shown)}</label>'
        for value, shown in choices
    )
    return (
        f"<fieldset>\n<legend>{escape(scale.name)}</legend>\n<p>{escape(scale.about)}</p>\n"
        f"{radios}\n</fieldset>"
    )


def _policy(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def _inert(data: Mapping[str, Any]) -> str:
    """JSON in which nothing can end the element that holds it."""
    raw = json.dumps(data, ensure_ascii=False)
    return raw.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


@cache
def _words() -> Mapping[str, Mapping[str, str]]:
    found: Mapping[str, Mapping[str, str]] = json.loads(_file("words.json"))
    return found


@cache
def _file(name: str) -> str:
    path = files("untwist.evaluate").joinpath("rating", name)
    return path.read_text(encoding="utf-8")
