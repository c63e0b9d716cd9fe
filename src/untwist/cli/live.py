"""A reply that is shown while it is made, and taken back where it must be."""

from __future__ import annotations

from collections.abc import Callable, Generator

from untwist.schema import Turn

Show = Callable[[str], None]


def followed(stream: Generator[str, None, Turn], show: Show | None) -> tuple[Turn, str]:
    """The turn at the end of a stream, and what of it was shown on the way.

    Args:
        stream: as `Engine.stream` gives it.
        show: prints a piece; None shows nothing before the end.
    """
    shown = ""
    while True:
        try:
            piece = next(stream)
        except StopIteration as ended:
            turn: Turn = ended.value
            return turn, shown
        if show is not None:
            show(piece)
            shown += piece


def rest_of(text: str, shown: str) -> str | None:
    """What of a reply is still to be shown; None where what was shown is not its beginning."""
    return text[len(shown) :] if text.startswith(shown) else None
