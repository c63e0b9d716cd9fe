"""The safe-messaging rules, checked on any reply text before it is shown.

The patterns and their examples are data (`wording/en.json`, `wording/zh.json`, with macros as in
the screen's rules); a pattern may have excuses of its own, read in the same sentence, and a rule
`framed` ones, which must begin no later than what they excuse ("you asked if ..."). What a pattern
cannot say (numbers, sites, length, echoes, language) is checked here. The patterns of each language
whose script occurs in a text are read on it, since replies mix them.

Sources: WHO/IASP media resource (2023), SPRC safe messaging, #chatsafe, VERA-MH.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from untwist.safety.resources import digit_strings, lines, region_of, regions
from untwist.safety.rules import compiled, expand
from untwist.taxonomy import LANGS, Lang, Risk
from untwist.text import language, normalize

MAX_WORDS = 120
"""Longest reply in a crisis, in English words."""

MAX_HAN = 220
"""Longest Chinese reply in a crisis, in characters without spaces."""

MAX_QUESTIONS = 3
"""Most questions in one reply in a crisis."""

MAX_HARD_WORDS = 3
"""Most words of `HARD_WORD` letters or more in one English reply in a crisis."""

HARD_WORD = 13
"""How many letters make a word hard; names of sites do not count."""

_MOST_PLACES = 80
"""How many spots of a reply are read for the name of a place; bounds the time of a long one."""

_QUOTED = re.compile(r'"[^"\n]{1,80}"|「[^」\n]{1,80}」|『[^』\n]{1,80}』')
_HAN = re.compile("[\u3400-\u9fff]")
_SCRIPT = {"en": re.compile("[a-z]"), "zh": _HAN}
_HARD = re.compile(rf"\b[a-z]{{{HARD_WORD},}}\b(?!\.[a-z])")
_SITE = re.compile(
    r"(?:https?://|\bwww\.)[^\s，。)]+"
    r"|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|cn|tw|hk|uk|us|io|info|app|gov|edu|ai|example)"
    r"\b(?:/[^\s，。)]*)?"
)
_HANDLE = re.compile(
    r"\b(?:whats ?app|telegram|discord|wechat|instagram|snapchat|facebook|skype)\b[^.!?\n]{0,30}"
    r"(?:@|:|\bme\b|\bus\b|id\b|group|channel|server)"
    r"|\b(?:add|dm|message|find|join) (?:me|us|our)\b[^.!?\n]{0,25}"
    r"(?:whats ?app|telegram|discord|wechat|instagram|@)"
    r"|(?:^|\s)@[a-z0-9_]{3,}"
    r"|(?:加|扫|搜)[^。!?\n]{0,6}(?:微信|qq|群|公众号|二维码)|(?:微信|qq)(?:号|群)?[:是]?\s*[a-z0-9_]{4,}"
)
_WORDS = re.compile(r"[a-z0-9]+(?:['-][a-z0-9]+)*")
_ASKS = re.compile(r"\?")
_SENTENCE = re.compile(r"[^.!?\n。]+[.!?\n。]*")
_NUMBER = re.compile(r"(?<![\d.])(?!\d{4}-\d\d-\d\d)\+?\(?\d+\)?(?:[ \-.]\d+)*(?![\d%])")
_LONGEST = 8
"""How many groups of digits a number has at most."""
_GROUPS = re.compile(r"[ \-.()+]+")
_NO_PHONE = re.compile(
    # A date, years from and to, a decimal, or a count of single digits as in 5-4-3-2-1 and 4-7-8.
    r"\d{1,2}([.\-])\d{1,2}\1(?:\d{4}|\d\d)|(?:19|20)\d\d ?- ?(?:(?:19|20)?\d\d)|\d+\.\d+"
    r"|\d(?:-\d){3,9}|\d(?: \d){2,9}|[2-7]-[2-7]-[2-9]"
)
_COUNTED = re.compile(
    r"(?:[$€£¥#]|\b(?:from|between|out of|page|chapter|room|version|week|step|level|aged?|over"
    r"|under|about|around|nearly|almost|than|scored?|until|till|by|before|after)"
    r"|\d ?(?:to|and|of|/|-|x)) ?$"
)
_YEAR = re.compile(r"\b(?:in|since|from|until|till|by|of|year|before|after|summer|back to) $")
_CALLS = re.compile(
    r"\b(?:call|text|dial|phone|ring|contact|reach|sms|hotline|helpline|lifeline|line|crisis"
    r"|emergency|number is|counsel+or)s?\b|拨|打|致电|电话|热线|专线|短信|号码|联系|呼叫|发送"
)
_SENDS = re.compile(
    r"^[^.!?\n]{0,12}\b(?:for (?:the |an? )?|and (?:they|someone|somebody)(?:'ll| will) (?:\w+ )?"
    r"send (?:you )?(?:the |an? )?)"
    r"(?:fire (?:brigade|service|department|engine)|ambulance|police|paramedics)\b"
)
_PLACED = re.compile(
    r"(?:\b(?:in|from|near|around|across|for|at|outside|throughout|all over|within|to|the)"
    r"|\(|^|[.:!?])"
    r" ?(?:the )?(?=(?P<place>[a-z][a-z.' ]{1,40}))|(?:在|住)(?=(?P<han>[\u3400-\u9fff]{2,8}))",
    re.MULTILINE,
)
_STATES = re.compile(r"\b(?:in|across|from|for|throughout) the us\b|\(us\)|\bus:")
_DIAL = re.compile(
    r"(?:\b(?:call|text|dial|phone|ring|contact|reach|number is|hotline|helpline|line)\b"
    r"[^.!?\n]{0,40}"
    r"|(?:拨|打|致电|电话|热线|专线|短信|号码|联系|呼叫|发送)[^。!?\n]{0,14})$"
)
_UNIT = re.compile(
    r"^[ -]?(?:am|pm|years?|days?|hours?|minutes?|seconds?|times?|weeks?|months?|messages?|pages?"
    r"|people|persons|words?|percent|points?|steps?|breath\w*|pattern|grounding|exercise|calories"
    r"|kcal|km|kilomet\w+|miles?|met(?:er|re)s?|feet|dollars?|euros?|pounds?|yuan|students?|patients?"
    r"|adults?|women|men|children|teens|users?|studies|cases|lines|characters|deaths"
    r"|年|天|小时|分钟|次|周|个|人|页|字|月|日|岁|点|条)"
)


@dataclass(frozen=True, slots=True)
class _Pattern:
    """What must not be found, and what excuses it: in the same sentence, or in it so far."""

    find: re.Pattern[str]
    unless: tuple[re.Pattern[str], ...]
    framed: tuple[re.Pattern[str], ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule whose `reports` is True says nothing of what a reply quotes from somebody else."""

    id: str
    contexts: frozenset[str]
    reports: bool
    patterns: tuple[_Pattern, ...]


@cache
def _data(lang: str) -> Mapping[str, Any]:
    path = files("untwist.safety").joinpath(f"wording/{lang}.json")
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@cache
def _rules(lang: str) -> tuple[_Rule, ...]:
    """The rules of one language; a pattern without excuses of its own has those of its rule."""
    data = _data(lang)

    def read(text: str) -> re.Pattern[str]:
        return compiled(expand(text, data["macros"]))

    def pattern(entry: str | Mapping[str, Any], rule: Mapping[str, Any]) -> _Pattern:
        own = {"find": entry, "unless": rule["unless"]} if isinstance(entry, str) else entry
        unless, framed = own["unless"], rule.get("framed", [])
        return _Pattern(read(own["find"]), tuple(map(read, unless)), tuple(map(read, framed)))

    return tuple(
        _Rule(
            rule["id"],
            frozenset(rule["contexts"]),
            rule.get("reports", False),
            tuple(pattern(entry, rule) for entry in rule["patterns"]),
        )
        for rule in data["rules"]
    )


def violations(
    text: str,
    lang: Lang | None,
    context: Risk,
    user_text: str | None = None,
    *,
    one_question: bool = False,
) -> tuple[str, ...]:
    """The rules that a reply breaks.

    Args:
        text: the reply as it would be shown.
        lang: the language it should be in; None skips that check.
        context: the level of risk of the message that it answers.
        user_text: that message, for echoes of what it names and for its region; None skips the
            echoes, and takes the region from the places that the reply names.
        one_question: whether more than one question is a fault outside a crisis too.

    Returns:
        Rule ids, sorted: "R01" to "R24", "X1" for insult, blame and preaching, "X2" for cheering
        on harm, "X3" for guarantees, "L01" for the wrong language, "Q01" for more than one
        question.
    """
    folded = normalize(text).text
    found = {rule for code in LANGS for rule in _spoken(code, folded, context)}
    checks: Mapping[str, Callable[[], bool]] = {
        "L01": lambda: lang is not None and language(text) not in (None, lang),
        "Q01": lambda: one_question and context < Risk.HIGH and len(_ASKS.findall(folded)) > 1,
        "R02": lambda: _presses(text, folded, context),
        "R14": lambda: context is Risk.HIGH and not _offers_help(folded),
        "R17": lambda: _unknown_number(folded) or _unknown_site(folded) or _wrong_service(folded),
        "R21": lambda: _wrong_region(folded, user_text or ""),
        "R23": lambda: context is Risk.HIGH and _too_long(folded),
        "R24": lambda: user_text is not None and _echoes(folded, normalize(user_text).text),
    }
    found |= {rule for rule, broken in checks.items() if broken()}
    return tuple(sorted(found))


def direct_questions(text: str) -> int:
    """How many sentences ask about death or harm directly; a crisis template has exactly one."""
    folded = normalize(text).text
    return sum(
        1
        for sentence in _SENTENCE.findall(folded)
        if "?" in sentence and any(compiled(_data(c)["direct"]).search(sentence) for c in LANGS)
    )


def _spoken(code: str, folded: str, context: Risk) -> list[str]:
    """The rules of one language whose patterns are found in a sentence that nothing excuses."""
    if not _SCRIPT[code].search(folded):
        return []
    own = _without_reports(folded)
    return [
        rule.id
        for rule in _rules(code)
        if context.value in rule.contexts
        and any(_found(p, own if rule.reports else folded) for p in rule.patterns)
    ]


def _without_reports(folded: str) -> str:
    """The text with its quotations blanked, unless one is most of the text."""
    return _QUOTED.sub(
        lambda hit: hit.group() if 2 * len(hit.group()) > len(folded) else "~" * len(hit.group()),
        folded,
    )


def _found(pattern: _Pattern, folded: str) -> bool:
    for hit in pattern.find.finditer(folded):
        start, end = _sentence_around(folded, hit.start(), hit.end())
        excused = any(excuse.search(folded[start:end]) for excuse in pattern.unless)
        if not excused and not any(e.search(folded[start : hit.end()]) for e in pattern.framed):
            return True
    return False


def _sentence_around(text: str, start: int, end: int) -> tuple[int, int]:
    left = max((text.rfind(mark, 0, start) for mark in ".!?\n。;"), default=-1) + 1
    ends = [place for mark in ".!?\n。;" if (place := text.find(mark, max(start, end - 1))) >= 0]
    return left, min(ends, default=len(text) - 1) + 1


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number)


@cache
def _known(kind: str = "") -> frozenset[str]:
    """The digits of every number that may be printed, or of the contacts of one kind."""
    if kind:
        return frozenset(
            _digits(r.contact) for code in regions() for r in lines(code) if r.kind == kind
        )
    return frozenset(_digits(number) for number in digit_strings())


def _numbers(folded: str) -> list[tuple[str, int, int]]:
    """What looks like a number to call, with its place.

    A known one anywhere; any other of five digits or more, or of three after a word like "call".
    """
    found = []
    for hit in _NUMBER.finditer(folded):
        start, end = hit.span()
        for digits in _split(hit.group()):
            around = _sentence_around(folded, start, end)
            if _is_phone(
                hit.group(), digits, folded[max(0, start - 60) : start], folded[end:]
            ) and (len(digits) > 6 or digits in _known() or _CALLS.search(folded[slice(*around)])):
                found.append((digits, start, end))
    return found


def _split(number: str) -> tuple[str, ...]:
    """A known number and what stands beside it ("116 123 24"), or the whole."""
    groups = [group for group in _GROUPS.split(number) if group]
    for end in range(min(len(groups), _LONGEST) - 1, 0, -1):
        if len(head := "".join(groups[:end])) > 2 and head in _known():
            return head, "".join(groups[end:])
    return ("".join(groups),)


def _is_phone(shape: str, digits: str, before: str, after: str) -> bool:
    if _UNIT.match(after):
        return False
    if digits in _known():
        year = len(digits) == 4 and digits.startswith("19") and _YEAR.search(before)
        return len(digits) > 2 and not year
    if _NO_PHONE.fullmatch(shape.strip("()+")) or (len(digits) < 7 and _COUNTED.search(before)):
        return False
    return len(digits) >= 5 or (len(digits) >= 3 and _DIAL.search(before) is not None)


def _unknown_number(folded: str) -> bool:
    return any(number not in _known() for number, _, _ in _numbers(folded))


def _wrong_service(folded: str) -> bool:
    """Whether a line for talking is given as the way to an ambulance, the police or a fire crew."""
    talking = _known("line") - _known("emergency")
    return any(
        number in talking and _SENDS.match(folded[end:]) for number, _, end in _numbers(folded)
    )


def _unknown_site(folded: str) -> bool:
    """Whether the reply sends to an address, or to an account, that the file does not have."""
    known = {r.contact.lower() for r in lines(None)}
    sites = (re.sub(r"^(?:https?://)?(?:www\.)?|/.*$", "", s) for s in _SITE.findall(folded))
    return bool(_HANDLE.search(folded)) or any(site not in known for site in sites)


def _wrong_region(folded: str, user_text: str) -> bool:
    """Whether a known number is not one of the country of the person, or that the reply names.

    What is named in the reply alone may be one of several countries; and where no emergency number
    of it is confirmed, none is called wrong.
    """
    numbers = {number for number, _, _ in _numbers(folded)} & _known()
    if not numbers:
        return False
    region = region_of(user_text) if user_text else None
    named = {region} if region is not None else _regions_named(folded)
    known = [r for code in sorted(named) for r in lines(code)]
    local = {_digits(r.contact) for r in known}
    if region is None and not any(r.kind == "emergency" for r in known):
        local |= _known("emergency")
    return bool(named) and not numbers <= local


def _regions_named(folded: str) -> set[str]:
    """The regions of the places that a reply names."""
    heard = [m["place"] or m["han"] for m in _PLACED.finditer(folded)]
    places = list(dict.fromkeys(heard))[:_MOST_PLACES]
    found = {region_of(f"i'm in the {p}" if p[0].isascii() else f"我在{p}") for p in places}
    return {code for code in found if code} | ({"US"} if _STATES.search(folded) else set())


def _offers_help(folded: str) -> bool:
    named = any(compiled(_data(code)["help_words"]).search(folded) for code in LANGS)
    return named or any(number in _known() for number, _, _ in _numbers(folded))


def _presses(text: str, folded: str, context: Risk) -> bool:
    """Whether it asks about death over and over, or questions the person like a form."""
    direct = context is Risk.HIGH and direct_questions(text) > MAX_QUESTIONS - 1
    return direct or (context >= Risk.MEDIUM and len(_ASKS.findall(folded)) > MAX_QUESTIONS)


def _too_long(folded: str) -> bool:
    return (
        (len(_HAN.findall(folded)) > MAX_HAN // 10 and len("".join(folded.split())) > MAX_HAN)
        or len(_HARD.findall(folded)) > MAX_HARD_WORDS
        or len(_WORDS.findall(folded)) > MAX_WORDS
        or len(_ASKS.findall(folded)) > MAX_QUESTIONS
    )


def _echoes(folded: str, user: str) -> bool:
    """Whether the reply names a means that the person named."""
    for code in LANGS:
        means = compiled(_data(code)["means"])
        named = {word.rstrip("s") for word in means.findall(user)}
        if named & {word.rstrip("s") for word in means.findall(folded)}:
            return True
    return False
