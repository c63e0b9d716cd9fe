"""Long texts are read window by window: whole sentences, up to a length.

A linear model that averages over a long letter loses the one sentence that matters.
"""

from __future__ import annotations

from untwist.text import sentences


def windows(text: str, longest: int) -> list[tuple[int, int]]:
    """Spans of at most `longest` characters that together cover every sentence.

    Neighbouring sentences share a window while they fit; a sentence that is longer alone is cut.
    """
    if len(text) <= longest:
        return [(0, len(text))]
    spans: list[tuple[int, int]] = []
    for start, end in sentences(text):
        if spans and end - spans[-1][0] <= longest:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.extend((i, min(i + longest, end)) for i in range(start, end, longest))
    return spans or [(0, longest)]
