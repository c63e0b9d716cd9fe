"""What a generated draft may not say besides: it has a scripted reply behind it, so doubt stops it.

The wording rules name what is wrong. A model can be wrong in ways that nobody named, so here the
few things are named that a turn of a conversation needs, and much of the rest is a fault: "I" in
any but a program's few uses, a future told as fact, an order, a number that is no rating. Rules
and their examples are data (`strict/en.json`, `strict/zh.json`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from untwist.safety import digit_strings
from untwist.taxonomy import LANGS, Lang
from untwist.text import normalize, sentences

MAX_WORDS = 90
"""Longest English turn; the prompt asks for no more."""
MAX_HAN = 160
"""Longest Chinese turn, in characters without spaces."""

_MACRO = re.compile(r"\{([a-z_]+)\}")
_QUOTED = re.compile(
    r'"[^"\n]{1,120}"|「[^」\n]{1,120}」|『[^』\n]{1,120}』|(?<![\w\'])\'[^\n]{1,60}?\'(?![\w\'])'
)
_SCRIPT: Mapping[str, re.Pattern[str]] = {
    "en": re.compile("[a-z]"),
    "zh": re.compile("[\u3400-\u9fff]"),
}
_BESIDE = 6
"""Fewest characters beside what is quoted; with fewer the quotation marks are a disguise."""
_BROKEN = re.compile(r"\ufffd|([^\W\d_])\1{5,}")
"""Characters that could not be read, or one letter many times."""
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_MOST = 100
"""Largest rating."""
_PIECE = {"en": re.compile(r"[a-z]+(?:'[a-z]+)?"), "zh": re.compile("[\u3400-\u9fff]")}
_FEWEST_PIECES = {"en": 5, "zh": 9}
"""Fewer words, or characters, say nothing about a language."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule about a sentence.

    Attributes:
        id: of the rule.
        find: what must not be found.
        unless: what excuses it anywhere in the sentence.
        asked: a question is excused.
        framed: so is what is told as somebody's words or thought, or as a mere possibility.
        bad: sentences that it stops.
        good: sentences that it lets pass.
    """

    id: str
    find: re.Pattern[str]
    unless: re.Pattern[str] | None
    asked: bool
    framed: bool
    bad: tuple[str, ...]
    good: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StrictBook:
    """The rules of one language.

    Attributes:
        faults: about single sentences.
        frame: marks words or thoughts of somebody, and possibilities.
        own: the words by which a speaker means itself.
        may: the uses of them that a program has.
        counted: what stands around a number that is a claim, a score or an order.
        common: the words, or characters, that every text in the language is full of.
        least: the smallest share of them.
    """

    faults: tuple[Fault, ...]
    frame: re.Pattern[str]
    own: re.Pattern[str]
    may: re.Pattern[str]
    counted: re.Pattern[str]
    common: frozenset[str]
    least: float


@cache
def strict_book(lang: Lang) -> StrictBook:
    """The rules of a language, read and compiled once."""
    path = files("untwist.respond").joinpath(f"strict/{lang}.json")
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    macros = data["macros"]

    def either(patterns: Sequence[str]) -> re.Pattern[str]:
        return re.compile(_joined(patterns, macros), re.ASCII | re.MULTILINE)

    def fault(entry: Mapping[str, Any]) -> Fault:
        return Fault(
            entry["id"],
            either(entry["find"]),
            either(entry["unless"]) if entry.get("unless") else None,
            entry.get("asked", False),
            entry.get("framed", False),
            tuple(entry["bad"]),
            tuple(entry["good"]),
        )

    return StrictBook(
        tuple(fault(entry) for entry in data["rules"]),
        either(data["frame"]),
        either(data["own"]),
        either(data["may"]),
        either(data["counted"]),
        frozenset(data["common"].split()),
        data["least"],
    )


def _joined(patterns: Sequence[str], macros: Mapping[str, str]) -> str:
    return "|".join(f"(?:{_expanded(one, macros)})" for one in patterns)


def _expanded(pattern: str, macros: Mapping[str, str]) -> str:
    while _MACRO.search(pattern):
        pattern = _MACRO.sub(lambda found: macros[found.group(1)], pattern)
    return pattern


def strict_faults(text: str, lang: Lang | None, user_text: str = "") -> tuple[str, ...]:
    """The rules that a draft of one conversation turn breaks, each once, in the order found.

    Args:
        text: the draft, or its beginning up to the end of a sentence.
        lang: the language it should be in; None takes both.
        user_text: what the person wrote; numbers in it may be said again.
    """
    folded = normalize(text).text
    found = list[str]()
    for code in LANGS:
        if _SCRIPT[code].search(folded):
            found += _of_sentences(folded, strict_book(code))
    found += _of_whole(text, folded, lang)
    found += ["G09"] * _counts(folded, lang or "en", user_text)
    return tuple(dict.fromkeys(found))


def _of_sentences(folded: str, book: StrictBook) -> Iterator[str]:
    plain = unquoted(folded)
    for start, end in sentences(folded):
        sentence, spoken = folded[start:end], plain[start:end]
        yield from (one.id for one in book.faults if _breaks(one, sentence, book))
        if book.own.search(book.may.sub(" ", spoken)):
            yield "G08"


def _breaks(fault: Fault, sentence: str, book: StrictBook) -> bool:
    if not fault.find.search(sentence):
        return False
    if fault.asked and sentence.rstrip("\"')」』").endswith("?"):
        return False
    if fault.framed and book.frame.search(sentence):
        return False
    return fault.unless is None or not fault.unless.search(sentence)


def unquoted(folded: str) -> str:
    """A text of the same length with its quotations blanked, unless little stands beside them."""
    plain = _QUOTED.sub(lambda hit: " " * len(hit.group()), folded)
    return plain if len("".join(plain.split())) >= _BESIDE else folded


def _of_whole(text: str, folded: str, lang: Lang | None) -> Iterator[str]:
    if _BROKEN.search(text) or (lang and _is_noise(folded, lang)):
        yield "G02"
    if len(_PIECE["en"].findall(folded)) > MAX_WORDS or len(_han(folded)) > MAX_HAN:
        yield "G03"


def _han(folded: str) -> list[str]:
    return _PIECE["zh"].findall(folded)


def _is_noise(folded: str, lang: Lang) -> bool:
    """Whether it has too few of the common words of its language, or the same over and over."""
    book, pieces = strict_book(lang), _PIECE[lang].findall(unquoted(folded))
    if len(pieces) < _FEWEST_PIECES[lang]:
        return False
    common = sum(piece in book.common for piece in pieces)
    return common < book.least * len(pieces) or 3 * len(set(pieces)) < len(pieces)


def _counts(folded: str, lang: Lang, user_text: str) -> bool:
    """Whether a number may not be said.

    It may be a whole one up to a hundred that claims nothing and orders nothing, as a rating is,
    one of the person's, or one of the resource file.
    """
    counted = strict_book(lang).counted
    known = digit_strings() | frozenset(_NUMBER.findall(normalize(user_text).text))
    for start, end in sentences(folded):
        sentence = folded[start:end]
        fresh = [number for number in _NUMBER.findall(sentence) if number not in known]
        if fresh and (counted.search(sentence) or not all(map(_small, fresh))):
            return True
    return False


def _small(number: str) -> bool:
    return number.isdigit() and int(number) <= _MOST
