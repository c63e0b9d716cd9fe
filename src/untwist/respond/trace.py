"""What an earlier reply was, told from its text: any of our own texts is recognised.

The texts are found by a short piece of each, so that a long conversation is read in milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from untwist.respond.book import PARTS, kept_in, open_book
from untwist.respond.pick import occurs
from untwist.respond.protocol import open_protocols
from untwist.respond.steps import FRAME, LEADS, WHOLE, Asked
from untwist.taxonomy import CANONICAL, Distortion, Intensity, Lang
from untwist.text import Locale, normalize

REPEATED = frozenset({"unknown", "doubts"})
"""Branches that a step has a wording for as well; the whole reply is named with "_again"."""
_ANCHOR = {"en": 10, "zh": 5, "zh-Hant": 5}
"""Characters by which a text is looked up."""
_SLOT = re.compile(r"\{[^{}]*\}")
_QUOTED = re.compile(r"[“「]([^“”「」]{1,80})[”」]")


@dataclass(frozen=True, slots=True)
class Trace:
    """What a reply tells of where it left the conversation.

    Attributes:
        protocol: of the step that it asks; None when it asks none.
        step: which.
        branch: what it did instead of asking, as in `schema.Step`.
        target: the distortion that it was written for or names.
        thought: the person's words that it quotes as their thought.
        intensity: what it was worded for.
        occasion: what it listens to, and the part of it.
        ours: whether anything in it was recognised.
    """

    protocol: str | None = None
    step: str | None = None
    branch: str | None = None
    target: Distortion | None = None
    thought: str | None = None
    intensity: Intensity | None = None
    occasion: tuple[str, str] | None = None
    ours: bool = False


@dataclass(frozen=True, slots=True)
class _Known:
    """A text, and what it says of a reply that holds it."""

    text: str
    asked: Asked | None = None
    target: Distortion | None = None
    intensity: Intensity | None = None
    occasion: tuple[str, str] | None = None


_Found = tuple[int, _Known, Locale]
"""Where a text begins, the text, and of which locale it is."""


def branch_named(whole: str) -> str:
    """The name of the branch that a whole reply is."""
    return f"{whole}_again" if whole in REPEATED else whole


@lru_cache(maxsize=4096)
def trace(text: str, folder: Path | None = None) -> Trace:
    """What a reply was; a text that is none of ours tells nothing."""
    found: list[_Found] = []
    for locale in kept_in(folder):
        found += [(text.find(_pieces(k.text)[0]), k, locale) for k in _held(text, locale, folder)]
    if not found:
        return Trace()
    asking = [entry for entry in found if entry[1].asked and _asks(entry[1].asked)]
    # of two texts of which one holds the other, the longer was meant; the last one asks
    last = max(asking, key=lambda e: (e[0] + len(e[1].text), len(e[1].text)), default=None)
    asked, locale = (last[1].asked, last[2]) if last else (None, "en")
    return Trace(
        protocol=asked.protocol if asked else None,
        step=asked.step if asked else None,
        branch=_branch(asked, found),
        target=_target(text, asked, found, locale),
        thought=_thought(text, [k for _, k, _ in found]) or (None if asked else _first(text)),
        intensity=next((k.intensity for _, k, _ in found if k.intensity), None),
        occasion=next((k.occasion for _, k, _ in found if k.occasion), None),
        ours=True,
    )


def _asks(asked: Asked) -> bool:
    return asked.branch not in LEADS


def _branch(asked: Asked | None, found: Sequence[_Found]) -> str | None:
    if asked is None or asked.branch is None:
        return None
    whole = asked.protocol is None and asked.branch in WHOLE
    return branch_named(asked.branch) if whole else asked.branch


def _target(
    text: str, asked: Asked | None, found: Sequence[_Found], locale: Locale
) -> Distortion | None:
    """The distortion that is named, else the one that a text was written for."""
    names = asked is not None and (asked.protocol, asked.step) == (FRAME, "name")
    if names and (named := _named(text, "en" if locale == "en" else "zh")) is not None:
        return named
    return next((k.target for _, k, _ in found if k.target), None)


def _named(text: str, lang: Lang) -> Distortion | None:
    """The distortion of which a text has the definition, else the longest name."""
    folded = normalize(text).text
    for known in (Distortion.definition_in, Distortion.name_in):
        fitting = [d for d in CANONICAL if normalize(known(d, lang)).text.strip(" .。") in folded]
        if fitting:
            return max(fitting, key=lambda d: len(known(d, lang)))
    return None


def _thought(text: str, found: Sequence[_Known]) -> str | None:
    """What stands in the slot for the thought."""
    for known in found:
        if "{thought}" not in known.text:
            continue
        before = known.text.partition("{thought}")[0]
        start = text.find(_SLOT.split(before)[-1]) if before else 0
        match = _QUOTED.search(text, max(start, 0))
        if match:
            return match[1]
    return None


def _first(text: str) -> str | None:
    """What a whole reply quotes."""
    match = _QUOTED.search(text)
    return match[1] if match else None


def _held(text: str, locale: Locale, folder: Path | None) -> Iterator[_Known]:
    anchors, short = _index(locale, folder)
    seen: set[str] = set()
    size = _ANCHOR[locale]
    for place in range(len(text) - size + 1):
        for known in anchors.get(text[place : place + size], ()):
            if known.text not in seen and occurs(known.text, text):
                seen.add(known.text)
                yield known
    yield from (known for known in short if known.text in text)


@lru_cache(maxsize=16)
def _index(locale: Locale, folder: Path | None) -> tuple[dict[str, list[_Known]], list[_Known]]:
    """Texts by the beginning of their longest piece; those too short for one apart."""
    anchors: dict[str, list[_Known]] = {}
    short: list[_Known] = []
    for known in _all(locale, folder):
        longest = max(_pieces(known.text), key=len)
        if len(longest) >= _ANCHOR[locale]:
            anchors.setdefault(longest[: _ANCHOR[locale]], []).append(known)
        elif known.asked and "{" not in known.text:
            short.append(known)
    return anchors, short


def _pieces(text: str) -> tuple[str, ...]:
    return tuple(piece for piece in _SLOT.split(text) if piece) or (text,)


def _all(locale: Locale, folder: Path | None) -> Iterator[_Known]:
    protocols, book = open_protocols(locale, folder), open_book(locale, folder)
    yield from (_Known(a.text, a, intensity=a.intensity) for a in protocols.asked())
    for distortion, entry in book.distortions.items():
        yield from (_Known(t, target=distortion) for t in entry.pool(PARTS[0]))
    for name, entry in book.occasions.items():
        for part in PARTS:
            yield from (_Known(t, occasion=(name, part)) for t in entry.pool(part))
    yield from (_Known(t) for t in book.conversation["hold"])
