"""The safe-messaging rules, checked on any reply text before it is shown.

The patterns and their examples are data (`wording/en.json`, `wording/zh.json`, with macros as in
the screen's rules); a pattern may have excuses of its own, read in the same sentence. What a
pattern cannot say (numbers, sites, length, echoes, language) is checked here. The patterns of each
language whose script occurs in a text are read on it, since replies mix them.

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

from untwist.safety.resources import digit_strings, lines, region_of
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
_DIAL = re.compile(
    r"(?:\b(?:call|text|dial|phone|ring|contact|reach|number is|hotline|helpline|line)\b"
    r"[^.!?\n]{0,40}"
    r"|(?:拨|打|致电|电话|热线|专线|短信|号码|联系|呼叫|发送)[^。!?\n]{0,14})$"
)
_UNIT = re.compile(
    r"^ ?(?:am|pm|years?|days?|hours?|minutes?|times?|weeks?|months?|messages?|pages?|people|words?"
    r"|percent|points?"
    r"|年|天|小时|分钟|次|周|个|人|页|字|月|日|岁|点|条)"
)


@dataclass(frozen=True, slots=True)
class _Pattern:
    """What must not be found, and what excuses it in the same sentence."""

    find: re.Pattern[str]
    unless: tuple[re.Pattern[str], ...]


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

    def pattern(entry: str | Mapping[str, Any], unless: list[str]) -> _Pattern:
        if isinstance(entry, str):
            return _Pattern(read(entry), tuple(map(read, unless)))
        return _Pattern(read(entry["find"]), tuple(map(read, entry["unless"])))

    return tuple(
        _Rule(
            rule["id"],
            frozenset(rule["contexts"]),
            rule.get("reports", False),
            tuple(pattern(entry, rule["unless"]) for entry in rule["patterns"]),
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
        user_text: that message, for echoes of what it names and for its region; None skips both.
        one_question: whether more than one question is a fault outside a crisis too.

    Returns:
        Rule ids, sorted: "R01" to "R24", "L01" for the wrong language, "Q01" for more than one
        question.
    """
    folded = normalize(text).text
    found = {rule for code in LANGS for rule in _spoken(code, folded, context)}
    checks: Mapping[str, Callable[[], bool]] = {
        "L01": lambda: lang is not None and language(text) not in (None, lang),
        "Q01": lambda: one_question and context < Risk.HIGH and len(_ASKS.findall(folded)) > 1,
        "R02": lambda: context is Risk.HIGH and direct_questions(text) > MAX_QUESTIONS - 1,
        "R14": lambda: context is Risk.HIGH and not _offers_help(folded),
        "R17": lambda: _unknown_number(folded) or _unknown_site(folded),
        "R21": lambda: user_text is not None and _wrong_region(folded, user_text),
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
        if not any(excuse.search(folded[start:end]) for excuse in pattern.unless):
            return True
    return False


def _sentence_around(text: str, start: int, end: int) -> tuple[int, int]:
    left = max((text.rfind(mark, 0, start) for mark in ".!?\n。;"), default=-1) + 1
    ends = [place for mark in ".!?\n。;" if (place := text.find(mark, max(start, end - 1))) >= 0]
    return left, min(ends, default=len(text) - 1) + 1


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number)


def _numbers(folded: str) -> list[str]:
    """What looks like a number to call: five digits or more, or three after a word like "call"."""
    found = []
    for hit in _NUMBER.finditer(folded):
        digits = _digits(hit.group())
        dialled = len(digits) >= 3 and _DIAL.search(folded[max(0, hit.start() - 60) : hit.start()])
        if (len(digits) >= 5 or dialled) and not _UNIT.match(folded[hit.end() :]):
            found.append(digits)
    return found


def _unknown_number(folded: str) -> bool:
    known = {_digits(number) for number in digit_strings()}
    return any(number not in known for number in _numbers(folded))


def _unknown_site(folded: str) -> bool:
    """Whether the reply sends to an address, or to an account, that the file does not have."""
    known = {r.contact.lower() for r in lines(None)}
    sites = (re.sub(r"^(?:https?://)?(?:www\.)?|/.*$", "", s) for s in _SITE.findall(folded))
    return bool(_HANDLE.search(folded)) or any(site not in known for site in sites)


def _wrong_region(folded: str, user_text: str) -> bool:
    region = region_of(user_text)
    if region is None:
        return False
    local = {_digits(r.contact) for r in lines(region)} | {""}
    known = {_digits(number) for number in digit_strings()}
    return any(number in known and number not in local for number in _numbers(folded))


def _offers_help(folded: str) -> bool:
    known = {_digits(number) for number in digit_strings()}
    named = any(compiled(_data(code)["help_words"]).search(folded) for code in LANGS)
    return named or any(number in known for number in _numbers(folded))


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
