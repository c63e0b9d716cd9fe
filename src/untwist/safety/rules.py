"""The screen's rules as values: read from data, indexed by anchor words, compiled when needed.

A file has `macros` (pieces of patterns), `scopes` (contexts that cancel a rule), `rules` (each
heard by a `pattern` behind its `anchors`, or by plain `phrases`), `combinations` (families that
mean more together), `questions` (direct safety questions of the assistant), `answers` (what a reply
to one looks like), `disguises`, and `stand_ins` (words for the marks in made-up cases). Patterns
are read over normalised text.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from untwist.taxonomy import Acuity, Lang, Risk
from untwist.text import normalize

Where = Literal["before", "lead", "after", "clause", "sentence", "message"]

LANGUAGES = ("en", "zh")
"""The rule files, in the order in which they are read."""

_MACRO = re.compile(r"\{([a-z_]+)\}")
_MARK = re.compile(r"\{(M[123]|W[12](?:ing)?)\}")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
_INFLECTED = 3


@dataclass(frozen=True, slots=True)
class Scope:
    """A context in which a rule does not speak.

    Attributes:
        where: which part of the text is read: before or after the match in its clause, its sentence
            up to the match (lead), the whole clause, the whole sentence, or the message.
        pattern: what makes the context.
        unless: what undoes it anywhere in the message; empty when nothing does.
    """

    where: Where
    pattern: str
    unless: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the screen.

    Attributes:
        id: language, family and number, as in "en-plan-03".
        family: the family of messages it is for.
        level: what it says of the message.
        acuity: which kinds of danger it names.
        anchors: literal strings, one of which must occur for the rule to be tried.
        pattern: what must be found.
        scopes: the contexts that cancel it.
        fires: texts on which it must speak.
        quiet: texts on which it must not.
    """

    id: str
    family: str
    level: Risk
    acuity: tuple[Acuity, ...]
    anchors: tuple[str, ...]
    pattern: str
    scopes: tuple[Scope, ...]
    fires: tuple[str, ...]
    quiet: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Combination:
    """Families that mean more together than apart.

    Attributes:
        id: its name among the reasons.
        families: all of these must have spoken.
        level: what they say together.
        acuity: which kinds of danger they name together.
    """

    id: str
    families: frozenset[str]
    level: Risk
    acuity: tuple[Acuity, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A direct safety question of the assistant.

    Attributes:
        id: its name among the reasons.
        pattern: how it is put.
        danger: the answer that speaks of danger, "yes" or "no".
        acuity: what a dangerous answer means.
        level: how far a dangerous answer raises the message.
        fires: texts that are the question.
        quiet: texts that are not.
    """

    id: str
    pattern: str
    danger: Literal["yes", "no"]
    acuity: tuple[Acuity, ...]
    level: Risk
    fires: tuple[str, ...]
    quiet: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Anchor:
    """A literal that makes rules worth trying.

    Attributes:
        text: what must occur.
        places: places in the rulebook of the rules that it is for.
    """

    text: str
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rules of all languages, with the index that finds those worth trying.

    Attributes:
        rules: in file order.
        keys: from a Latin word, or one or two other characters, to the anchors with it.
        combinations: in file order.
        questions: in file order.
        answers: patterns of whole replies: "yes", "no", "clear" (plainly not in danger) and
            "unsure" (a hedge, silence, a joke, another topic).
        pictures: emoji that stand for words, by language.
        starred: words that are written with stars for letters.
        misspelt: common slips of the pen, to the words they stand for.
        pieces: one of the words into which words written without blanks are taken apart.
        run: words written without blanks.
    """

    rules: tuple[Rule, ...]
    keys: Mapping[str, tuple[Anchor, ...]]
    combinations: tuple[Combination, ...]
    questions: tuple[Question, ...]
    answers: Mapping[str, tuple[str, ...]]
    pictures: Mapping[str, Mapping[str, str]]
    starred: tuple[str, ...]
    misspelt: Mapping[str, str]
    pieces: re.Pattern[str]
    run: re.Pattern[str]


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, compiled once; ASCII, so that a Latin word ends beside a Han character."""
    return re.compile(pattern, re.ASCII | re.DOTALL | re.MULTILINE)


@cache
def rulebook() -> Rulebook:
    """The rules that ship, read once."""
    raw = [_raw(lang) for lang in LANGUAGES]
    rules = tuple(rule for book in raw for rule in _rules(book))
    words = sorted((w for book in raw for w in book["disguises"]["pieces"]), key=len, reverse=True)
    pieces = "|".join(words)
    return Rulebook(
        rules,
        _index(rules),
        tuple(_combination(entry) for book in raw for entry in book["combinations"]),
        tuple(_question(entry, book["macros"]) for book in raw for entry in book["questions"]),
        {
            kind: tuple(expand(book["answers"][kind], book["macros"]) for book in raw)
            for kind in ("yes", "no", "clear", "unsure")
        },
        {lang: book["disguises"]["pictures"] for lang, book in zip(LANGUAGES, raw, strict=True)},
        tuple(word for book in raw for word in book["disguises"]["words"]),
        {slip: word for book in raw for slip, word in book["disguises"]["misspelt"].items()},
        compiled(pieces),
        compiled(f"(?:{pieces}){{3,}}"),
    )


def stand_in(text: str, lang: Lang) -> str:
    """A made-up text with its marks for means and ways (`{M1}`, `{W2}` ...) filled.

    Cases and tests name none; the words come from the rules, and equal texts are filled alike.
    """

    def word(found: re.Match[str]) -> str:
        known = _stand_ins(lang)[found.group(1)]
        return known[zlib.crc32(f"{text}{found.group()}".encode()) % len(known)]

    return _MARK.sub(word, text)


@cache
def _stand_ins(lang: Lang) -> Mapping[str, Sequence[str]]:
    found: Mapping[str, Sequence[str]] = _raw(lang)["stand_ins"]
    return found


def _raw(lang: str) -> dict[str, Any]:
    path = files("untwist.safety").joinpath(f"rules/{lang}.json")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def expand(pattern: str, macros: Mapping[str, str]) -> str:
    """The pattern with each `{name}` replaced by the macro of that name, however deep."""
    while _MACRO.search(pattern):
        pattern = _MACRO.sub(lambda found: macros[found.group(1)], pattern)
    return pattern


def _rules(book: Mapping[str, Any]) -> Iterable[Rule]:
    macros = book["macros"]
    scopes = {
        name: Scope(
            entry["where"],
            expand(entry["pattern"], macros),
            expand(entry.get("unless", ""), macros),
        )
        for name, entry in book["scopes"].items()
    }
    for entry in book["rules"]:
        anchors, pattern = _heard_by(entry)
        yield Rule(
            entry["id"],
            entry["family"],
            Risk(entry["level"]),
            tuple(Acuity(name) for name in entry["acuity"]),
            anchors,
            expand(pattern, macros),
            tuple(
                scopes.get(name) or Scope("clause", expand(name, macros)) for name in entry["not"]
            ),
            tuple(entry["fires"]),
            tuple(entry["quiet"]),
        )


def _heard_by(entry: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    """The anchors and the pattern of a rule; one made of plain `phrases` needs neither."""
    if "phrases" not in entry:
        return tuple(entry["anchors"]), entry["pattern"]
    phrases = [normalize(phrase).text for phrase in entry["phrases"]]
    either = "|".join(rf"(?<![a-z0-9']){re.escape(phrase)}(?![a-z0-9])" for phrase in phrases)
    return tuple(phrases), f"(?:{either})"


def _combination(entry: Mapping[str, Any]) -> Combination:
    acuity = tuple(Acuity(name) for name in entry["acuity"])
    return Combination(entry["id"], frozenset(entry["families"]), Risk(entry["level"]), acuity)


def _question(entry: Mapping[str, Any], macros: Mapping[str, str]) -> Question:
    return Question(
        entry["id"],
        expand(entry["pattern"], macros),
        entry["danger"],
        tuple(Acuity(name) for name in entry["acuity"]),
        Risk(entry.get("level", "high")),
        tuple(entry["fires"]),
        tuple(entry["quiet"]),
    )


def _index(rules: Iterable[Rule]) -> dict[str, tuple[Anchor, ...]]:
    places: dict[str, list[int]] = {}
    for place, rule in enumerate(rules):
        for anchor in dict.fromkeys(rule.anchors):
            places.setdefault(anchor, []).append(place)
    found: dict[str, list[Anchor]] = {}
    for text, at in places.items():
        for key in _keys(text):
            found.setdefault(key, []).append(Anchor(text, tuple(at)))
    return {key: tuple(anchors) for key, anchors in found.items()}


def _keys(anchor: str) -> tuple[str, ...]:
    """What is looked up: the longest Latin word, inflected if alone, else two characters."""
    words = _WORD.findall(anchor)
    if not words:
        return (anchor[:2],)
    word = max(words, key=len)
    if word != anchor or len(word) < _INFLECTED:
        return (word,)
    stem = word[:-1] if word.endswith("e") else word
    return (word, f"{word}s", f"{stem}ed", f"{stem}ing")
