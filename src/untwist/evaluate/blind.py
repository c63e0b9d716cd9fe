"""Blind rating: replies under codes, in an order of their own for every rater.

Source: the human ratings of both papers (CBT-LLM 5.3, CoPoLLM D), with the systems hidden.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from untwist.errors import DataError

MASK = "[…]"
"""Stands where a reply named its system."""

_LETTER = re.compile(r"[^\W_]")
_JOINT = re.compile(r"(?:\\?[-_.\s])+")
"""What joins the parts of an escaped name."""
_LETTERS = "abcdefghjkmnpqrstuvwxyz"
_DIGITS = "23456789"


@dataclass(frozen=True, slots=True)
class BlindReply:
    """One reply that is to be rated.

    Attributes:
        item: id of the message.
        system: who replied; never shown.
        message: what the person wrote.
        reply: the words to be rated.
        group: messages that are drawn together for intervals.
    """

    item: str
    system: str
    message: str
    reply: str
    group: str


@dataclass(frozen=True, slots=True)
class BlindRow:
    """One reply as a rater sees it.

    Attributes:
        code: tells nothing of the system.
        place: number of the message on this rater's sheet, from 1.
        message: what the person wrote.
        reply: with what names a system masked.
    """

    code: str
    place: int
    message: str
    reply: str


@dataclass(frozen=True, slots=True)
class Blinding:
    """The sheets of all raters, and the key that must not reach them.

    Attributes:
        sheets: by rater; the same codes on every sheet.
        key: by code the reply.
        masked: how many replies named a system.
    """

    sheets: Mapping[str, tuple[BlindRow, ...]]
    key: Mapping[str, BlindReply]
    masked: int


def blinded(
    replies: Sequence[BlindReply],
    raters: Sequence[str],
    rng: np.random.Generator,
    names: Sequence[str] = (),
) -> Blinding:
    """Hide and shuffle.

    The messages come in an order of their own on every sheet; so do the replies to one message,
    which stand together, so that a message is read once.

    Args:
        replies: of at least one system; one reply of a system to a message.
        raters: who will rate; each name once.
        rng: the source of chance.
        names: words that would give a system away, besides the systems' own names.

    Raises:
        DataError: a system replies twice to a message, there is nothing to rate, nobody to rate it,
            or a rater is named twice.
    """
    _check(replies, raters)
    hidden = _hider({*names, *(one.system for one in replies)})
    codes = _codes(len(replies), rng)
    key = {code: replies[at] for code, at in zip(codes, rng.permutation(len(replies)), strict=True)}
    shown = {code: hidden(one.reply) for code, one in key.items()}
    by_item: dict[str, list[str]] = {}
    for code, one in key.items():
        by_item.setdefault(one.item, []).append(code)
    sheets = {rater: _sheet(by_item, key, shown, rng) for rater in raters}
    changed = sum(shown[code] != one.reply for code, one in key.items())
    return Blinding(sheets, key, changed)


def _check(replies: Sequence[BlindReply], raters: Sequence[str]) -> None:
    if not replies or not raters:
        raise DataError("give replies to rate, and somebody to rate them")
    if len(set(raters)) < len(raters):
        raise DataError("a rater is named twice: give each a name of their own")
    seen = set()
    for one in replies:
        if (one.item, one.system) in seen:
            raise DataError(f'{one.system} replies twice to "{one.item}": keep one of them')
        seen.add((one.item, one.system))


def _hider(names: set[str]) -> Callable[[str], str]:
    """Masks whole words, the longest first, whatever their case and what joins their parts."""
    known = sorted(
        (name for name in names if len(name) > 1 and _LETTER.search(name)),
        key=lambda name: -len(name),
    )
    if not known:
        return lambda text: text
    words = "|".join(_JOINT.sub(lambda _: r"[-_.\s]?", re.escape(name)) for name in known)
    pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{words})(?![A-Za-z0-9])", re.IGNORECASE)
    return lambda text: pattern.sub(MASK, text)


def _codes(count: int, rng: np.random.Generator) -> list[str]:
    """Different codes of two letters and some digits, few of all that there could be."""
    places, space = 1, len(_LETTERS) ** 2 * len(_DIGITS)
    while space < 4 * count:
        places, space = places + 1, space * len(_DIGITS)
    return [_code(int(n), places) for n in rng.choice(space, size=count, replace=False)]


def _code(number: int, places: int) -> str:
    tail = ""
    for _ in range(places):
        number, digit = divmod(number, len(_DIGITS))
        tail += _DIGITS[digit]
    first, second = divmod(number, len(_LETTERS))
    return _LETTERS[first] + _LETTERS[second] + tail


def _sheet(
    by_item: Mapping[str, Sequence[str]],
    key: Mapping[str, BlindReply],
    shown: Mapping[str, str],
    rng: np.random.Generator,
) -> tuple[BlindRow, ...]:
    items = list(by_item)
    rows = []
    for place, at in enumerate(rng.permutation(len(items)), 1):
        codes = by_item[items[at]]
        for turn in rng.permutation(len(codes)):
            code = codes[turn]
            rows.append(BlindRow(code, place, key[code].message, shown[code]))
    return tuple(rows)
