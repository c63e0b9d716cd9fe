"""Takes out what could tell who someone is, before anything is written down.

Works by pattern (`redact.json`), in English and in both Chinese scripts, so it finds what has a
shape (addresses, numbers, "my name is …") and cannot promise to find more. The numbers and the
address of the help lines stay.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_ROUNDS = 6
_NUMBER = "number"
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_FLAGS = {"i": re.IGNORECASE, "a": re.ASCII}
_DIGITS = re.compile(r"\d")
_WORD = re.compile(r"\S+\s*")
_COUNTRY = re.compile(r"(?:\+|00)\D{0,2}(?:1|33|353|44|49|61|64|65|85[23]|86|886)(?=\D)")
_DAY = re.compile(
    r"(?:1[89]|20)\d\d ?[-./–—] ?(?:(?:1[89]|20)\d\d|\d{1,2} ?[-./] ?\d{1,2})"
    r"|\d{1,2} ?[-./] ?\d{1,2} ?[-./] ?(?:1[89]|20)\d\d"
    r"|(?:(?:1[89]|20)\d\d[ ,]+)+(?:1[89]|20)\d\d"
)
_DECIMAL = re.compile(r"\d{1,2}\.\d+|\d+\.\d{1,2}")
_ROUND = re.compile(r"[1-9]\d{0,3}0{5,}|[1-9]\d{0,2}0{4}")
_ID = re.compile(r"[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{3}[\dXx]")
_SSN = re.compile(r"\d{3}-\d{2}-\d{4}")
_SHORTEST, _PHONE_DIGITS, _CARD_DIGITS = 7, 15, 16
"""The fewest and the most digits of a telephone number; from how many on it is a card's."""


@dataclass(frozen=True, slots=True)
class _Rule:
    id: str
    mark: str
    pattern: re.Pattern[str]


@cache
def _rules() -> tuple[_Rule, ...]:
    raw = json.loads(files("untwist.safety").joinpath("redact.json").read_text(encoding="utf-8"))
    return tuple(
        _Rule(
            entry["id"],
            f"[{entry['mark']}]",
            re.compile(entry["pattern"], sum(_FLAGS[f] for f in entry.get("flags", ""))),
        )
        for entry in raw["rules"]
    )


@cache
def _public() -> tuple[frozenset[str], frozenset[str]]:
    """The digits of every help line, and the addresses among the contacts."""
    raw = json.loads(files("untwist.safety").joinpath("resources.json").read_text(encoding="utf-8"))
    found = [str(entry["contact"]) for entry in raw["entries"]]
    digits = {"".join(_DIGITS.findall(contact)) for contact in found}
    return frozenset(digits - {""}), frozenset(c for c in found if not _DIGITS.search(c))


def redact(text: str) -> str:
    """The text with addresses, numbers, accounts and stated names replaced by marks in brackets.

    Any string can be given; what has been redacted is not changed by redacting it again. Takes time
    linear in the length.
    """
    for _ in range(_ROUNDS):
        before = text
        for rule in _rules():
            text = _without(text, rule)
        if text == before:
            break
    return text


def _without(text: str, rule: _Rule) -> str:
    """The text with what one rule finds replaced; wide letters and digits are read as narrow."""
    view = text if text.isascii() else text.translate(_WIDE)
    parts, last = [], 0
    for found in rule.pattern.finditer(view):
        start, end = found.span("x" if "x" in rule.pattern.groupindex else 0)
        if start < 0:
            continue
        mark = _mark(view[start:end], rule)
        if mark is not None:
            parts += [text[last:start], mark]
            last = end
    return "".join([*parts, text[last:]]) if last else text


def _mark(found: str, rule: _Rule) -> str | None:
    """What stands in its place; None when it stays."""
    if rule.id == _NUMBER:
        return _sorted_out(found)
    digits, addresses = _public()
    if _own(found) in digits or any(address in found.lower() for address in addresses):
        return None
    return rule.mark


def _sorted_out(found: str) -> str | None:
    """A run of digits: help lines, dates and plain amounts stay, the rest is named by its shape."""
    pieces = _pieces(found)
    if not all(known or _many(piece) for known, piece in pieces):
        pieces = [(False, found)]
    if all(known for known, _ in pieces):
        return None
    return "".join(piece if known or _plain(piece) else _named(piece) for known, piece in pieces)


def _pieces(found: str) -> list[tuple[bool, str]]:
    """Help lines and what stands between them, cut at blanks only."""
    lines, _ = _public()
    words = [w for w in _WORD.findall(found) if w]
    pieces: list[tuple[bool, str]] = []
    while words:
        size = next((n for n in range(len(words), 0, -1) if _own("".join(words[:n])) in lines), 0)
        piece, words = "".join(words[: size or 1]), words[size or 1 :]
        if not size and pieces and not pieces[-1][0]:
            piece = pieces.pop()[1] + piece
        pieces.append((bool(size), piece))
    return pieces


def _own(number: str) -> str:
    """Its digits, without the code of a country."""
    return "".join(_DIGITS.findall(_COUNTRY.sub("", number, count=1)))


def _many(piece: str) -> bool:
    return len(_DIGITS.findall(piece)) >= _SHORTEST


def _plain(piece: str) -> bool:
    """Whether it is a day, a span of years, a decimal or a round amount."""
    bare = piece.strip()
    return any(shape.fullmatch(bare) for shape in (_DAY, _DECIMAL, _ROUND))


def _named(piece: str) -> str:
    bare = piece.strip()
    blank = piece[len(piece.rstrip()) :]
    digits = "".join(_DIGITS.findall(bare))
    if _ID.fullmatch(bare) or _SSN.fullmatch(bare):
        return "[ID]" + blank
    if _CARD_DIGITS <= len(digits) <= 19 or _luhn(digits):
        return "[CARD]" + blank
    return ("[PHONE]" if len(digits) <= _PHONE_DIGITS else "[NUMBER]") + blank


def _luhn(digits: str) -> bool:
    """Whether it is as long as a payment card's number and its check digit is right."""
    if not 13 <= len(digits) <= 19:
        return False
    doubled = (int(d) * (1 + place % 2) for place, d in enumerate(reversed(digits)))
    return sum(d - 9 * (d > 9) for d in doubled) % 10 == 0
