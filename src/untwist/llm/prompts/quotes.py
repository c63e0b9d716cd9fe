"""Where the words that an answer quotes stand in a message."""

from __future__ import annotations

from untwist.text import normalize

_AROUND = "\"'“”‘’「」『』《》…. 。，,;；:："


def locate(quote: str, text: str) -> tuple[int, int] | None:
    """The span of a quotation in a text; None where the text does not hold it.

    Letter for letter first; then without quotation marks and end marks around it; then with width,
    case and accents undone. What is not found is not guessed.
    """
    bare = quote.strip(_AROUND)
    for wanted in (quote, bare):
        if wanted and (at := text.find(wanted)) >= 0:
            return at, at + len(wanted)
    folded, wanted = normalize(text), normalize(bare).text.strip()
    at = folded.text.find(wanted) if wanted else -1
    return None if at < 0 else folded.span(at, at + len(wanted))
