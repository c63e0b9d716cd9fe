"""Where the words that an answer quotes stand in a message."""

from __future__ import annotations

import re

from untwist.text import normalize

_AROUND = "\"'“”‘’「」『』《》…. 。，,；;：:"
_LATIN = "A-Za-z\u00c0-\u024f\u0300-\u036f\u1e00-\u1effＡ-Ｚａ-ｚ"
_WORD = re.compile(f"[{_LATIN}\\d]+(?:['’][{_LATIN}]+)*")


def locate(quote: str, text: str) -> tuple[int, int] | None:
    """The span of a quotation in a text; None where the text does not hold it.

    Letter for letter first; then without quotation marks and end marks around it; then with width,
    case and accents undone. In Latin script a quotation begins and ends where words do: "all" does
    not stand in "shall", nor "I can" in "I can't". Of several places the first is given: the words
    are the same at each, and all who quote them mean one place. What is not found is not guessed.
    """
    bare = quote.strip(_AROUND)
    for wanted in (quote, bare):
        if (at := _first(wanted, text)) is not None:
            return at, at + len(wanted)
    folded, wanted = normalize(text), normalize(bare).text.strip()
    at = _first(wanted, folded.text)
    return None if at is None else folded.span(at, at + len(wanted))


def _first(wanted: str, text: str) -> int | None:
    """The first place at which it cuts no word."""
    at = text.find(wanted) if wanted else -1
    if at < 0:
        return None
    inside = {place for word in _WORD.finditer(text) for place in range(*word.span())[1:]}
    while at >= 0:
        if inside.isdisjoint((at, at + len(wanted))):
            return at
        at = text.find(wanted, at + 1)
    return None
