"""A stream that is let out sentence by sentence, each only when all so far has passed the guard.

    pieces -> whole sentences -> everything so far, read again -> let out, or closed for good

A sentence counts as whole when the next one has begun; the last one waits for the end of the
answer. What a model thinks before it answers is never let out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from untwist.text import sentences

Read = Callable[[str, bool], tuple[str, ...]]
"""Hears all so far, and whether it is the whole answer; gives the rules that are broken."""

MAX_CHARS = 4_000
"""Longest answer that is read, thoughts included; a longer one is closed, whatever it says."""
TOO_LONG = "G03"
CUT_THOUGHT = "model:cut"

_THOUGHTS = (("<think>", "</think>"), ("<thinking>", "</thinking>"))
_BEGINS = tuple(begins for begins, _ in _THOUGHTS)
_FEWEST = 40
"""Least width of a beginning to be judged alone: less, or a mere quotation, tells too little."""
_QUOTED = re.compile(r"“[^”]*”|\"[^\"\n]*\"|「[^」]*」")
_CLOSING = "\"'”’」』）)]"
"""Marks that still belong to the sentence before them."""


@dataclass
class Gate:
    """One answer on its way out.

    Attributes:
        read: what is asked about every beginning that would be let out.
        rules: why it was closed; empty while it is open.
        text: what was let out so far.
    """

    read: Read
    rules: tuple[str, ...] = ()
    text: str = ""
    _came: str = field(default="", repr=False)

    def feed(self, piece: str) -> str:
        """What may be shown now, after one more piece; "" while nothing new may."""
        if self.rules:
            return ""
        self._came += piece
        if len(self._came) > MAX_CHARS:
            self.rules = (TOO_LONG,)
            return ""
        said = _spoken(self._came)
        spans = sentences(said or "")
        if said is None or len(spans) < 2:
            return ""
        begins = spans[-1][0]
        if begins <= len(self.text) or said[begins] in _CLOSING or _width(said[:begins]) < _FEWEST:
            return ""
        return self._let_out(said[:begins], whole=False)

    def end(self) -> str:
        """What may be shown of the rest, when the answer is whole."""
        if self.rules:
            return ""
        said = _spoken(self._came)
        if said is None and self._came.lstrip().startswith(_BEGINS):
            self.rules = (CUT_THOUGHT,)
            return ""
        return self._let_out((self._came if said is None else said).strip(), whole=True)

    def _let_out(self, said: str, *, whole: bool) -> str:
        self.rules = self.read(said, whole)
        if self.rules:
            return ""
        fresh, self.text = said[len(self.text) :], said
        return fresh


def _width(text: str) -> int:
    """How much of a text is not quoted, a Han character counting two."""
    return sum(1 if char.isascii() else 2 for char in _QUOTED.sub("", text))


def _spoken(came: str) -> str | None:
    """What came, without the thoughts before it; None while it may still be a thought."""
    said = came.lstrip()
    for begins, ends in _THOUGHTS:
        if said.startswith(begins):
            _, done, rest = said.partition(ends)
            return rest.lstrip() if done else None
        if begins.startswith(said):
            return None
    return said
