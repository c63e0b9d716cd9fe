"""Numbers in an answer: ratings from 0 to 100, and the slices of a responsibility pie.

Figures and words are read in both languages: "about eighty", "8 out of 10", "70-80%", "八成",
"百分之六十五", "七八十". What says no number is None, never a guess.
"""

from __future__ import annotations

import re

from untwist.respond.moods import cue_pattern
from untwist.respond.state import Share
from untwist.taxonomy import Lang
from untwist.text import normalize

WHOLE = 100
_FEWEST_WORD = 10
"""Smaller number words than this are more often no rating: "one thing", "two of them"."""
_MOST_SHARES = 12
_LONGEST_FACTOR = 80

_SMALL = re.findall(
    r"\w+",
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen",
)
_UNITS = {word: number for number, word in enumerate(_SMALL)}
_LARGE = re.findall(r"\w+", "twenty thirty forty fifty sixty seventy eighty ninety")
_TENS = {word: number * 10 for number, word in enumerate(_LARGE, start=2)}
_PHRASES = {
    "a hundred": 100, "one hundred": 100, "hundred": 100, "half": 50, "a quarter": 25,
    "three quarters": 75, "a third": 33, "two thirds": 67, "fifty-fifty": 50,
}  # fmt: skip
_LEVELS = {
    "not at all": 0, "hardly": 10, "a little": 20, "a bit": 20, "low": 25, "middle": 50,
    "medium": 50, "high": 75, "mostly": 80, "nearly all": 90, "almost completely": 90,
    "completely": 100, "totally": 100, "fully": 100,
}  # fmt: skip
_LEVELS_HAN = {
    "完全不": 0, "一点不": 0, "一点也不": 0, "几乎不": 10, "一点点": 20, "有一点": 20, "有点": 20,
    "不太": 25, "中等": 50, "大半": 70, "大部分": 80, "很信": 80, "非常": 90, "几乎全": 90,
    "完全": 100, "全信": 100, "百分百": 100,
}  # fmt: skip
_HAN = {"两": 2, **{han: number for number, han in enumerate("零一二三四五六七八九十")}}
_DIGIT = "[零一二两三四五六七八九]"
_FIGURE = r"\d{1,3}(?:\.\d+)?"
_OUT_OF_TEN = re.compile(rf"(?<![\d.])({_FIGURE}) ?(?:/|out of|of|分之) ?10(?!\d)")
_RANGE = re.compile(rf"(?<![\d.])({_FIGURE}) ?%? ?(?:-|~|to|or|到|至) ?({_FIGURE})(?![\d.])")
_PLAIN = re.compile(rf"(?<![\d.])(-?{_FIGURE})(?![\d.])")
_WORDS = re.compile(
    rf"\b(?:({'|'.join(_PHRASES)})|({'|'.join(_TENS)})(?:[ -]({'|'.join(list(_UNITS)[1:10])}))?"
    rf"|({'|'.join(_UNITS)}))\b( out of ten)?"
)
_CHENG = re.compile(rf"({_DIGIT})({_DIGIT})?成({_DIGIT}|半)?")
_TENS_HAN = re.compile(rf"({_DIGIT})?({_DIGIT})?十({_DIGIT})?")
_HUNDRED = re.compile("一?百(?!分)|百分之(?:一)?百|完全相信|全部")
_HALF = re.compile("一半|五五开")
_SPLIT = re.compile(r"[,;，；、。\n]+|\b(?:and|then)\b|\.(?!\d)", re.IGNORECASE)
_CLEAN = re.compile(
    r"\b(?:percent|per cent|about|around|maybe|roughly|is|are|was|gets?|has|would be|of it)\b"
    r"|[%％:：=()（）]|百分之|大概|大约|差不多|占|可能|左右|算",
    re.IGNORECASE,
)


def rating(text: str, lang: Lang) -> int | None:
    """The first number from 0 to 100 in an answer, of a range its middle; None without one."""
    found = _first(normalize(text).text, lang)
    return round(found[0]) if found and 0 <= found[0] <= WHOLE else None


def rated(text: str, lang: Lang) -> int | None:
    """A rating in figures, else in one of the words that the program offers for it.

    "Low", "middle" and "high" are a quarter, a half and three quarters. None without either.
    """
    number = rating(text, lang)
    if number is not None:
        return number
    folded = normalize(text).text
    levels = _LEVELS if lang == "en" else _LEVELS_HAN
    found = [word for word in levels if cue_pattern((word,), lang).search(folded)]
    return levels[max(found, key=len)] if found else None


def shares(text: str, lang: Lang) -> tuple[Share, ...]:
    """The causes in an answer that a number stands beside, in order."""
    found = []
    for piece in _SPLIT.split(text):
        folded = normalize(piece)
        number = _first(folded.text, lang)
        if number is None or not 0 <= number[0] <= WHOLE:
            continue
        value, (start, end) = number[0], folded.span(*number[1:])
        factor = " ".join(_CLEAN.sub(" ", f"{piece[:start]} {piece[end:]}").split())
        if factor:
            found.append(Share(factor[:_LONGEST_FACTOR], value))
    return tuple(found[:_MOST_SHARES])


def _first(text: str, lang: Lang) -> tuple[float, int, int] | None:
    """Its value and where it stands."""
    for pattern, value in ((_OUT_OF_TEN, _tenth), (_RANGE, _middle), (_PLAIN, _plain)):
        if match := pattern.search(text):
            return value(match), match.start(), match.end()
    return _english(text) if lang == "en" else _chinese(text)


def _tenth(match: re.Match[str]) -> float:
    return float(match[1]) * 10


def _middle(match: re.Match[str]) -> float:
    return (float(match[1]) + float(match[2])) / 2


def _plain(match: re.Match[str]) -> float:
    return float(match[1])


def _english(text: str) -> tuple[float, int, int] | None:
    match = _WORDS.search(text)
    if match is None:
        return None
    phrase, tens, unit, small, of_ten = match.groups()
    if phrase:
        value = _PHRASES[phrase]
    elif tens:
        value = _TENS[tens] + _UNITS.get(unit, 0)
    else:
        value = _UNITS[small]
        if not of_ten and 0 < value < _FEWEST_WORD:
            return None
    return float(value * 10 if of_ten else value), match.start(), match.end()


def _chinese(text: str) -> tuple[float, int, int] | None:
    for pattern, value in (
        (_CHENG, _parts_of_ten),
        (_HUNDRED, lambda _: float(WHOLE)),
        (_HALF, lambda _: WHOLE / 2),
        (_TENS_HAN, _tens),
    ):
        if match := pattern.search(text):
            return value(match), match.start(), match.end()
    return None


def _parts_of_ten(match: re.Match[str]) -> float:
    """八成 80, 七八成 75, 八成五 85."""
    first, second, rest = match.groups()
    value = _HAN[first] * 10.0
    if second:
        value = (value + _HAN[second] * 10) / 2
    return value + (5 if rest == "半" else _HAN[rest] if rest else 0)


def _tens(match: re.Match[str]) -> float:
    """八十 80, 七八十 75, 六十五 65."""
    first, second, unit = match.groups()
    value = (_HAN[first] if first else 1) * 10.0
    if second:
        value = (value + _HAN[second] * 10) / 2
    return value + (_HAN[unit] if unit else 0)
