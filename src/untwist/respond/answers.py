"""What a message is, when the program has asked something: an answer, or something else.

The cues are data: `branches.json` for what leads aside, `answers.json` for the small words of an
answer. They are read in the language of the message. What is long enough to say something is an
answer, whatever small words it begins with.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

from untwist import safety
from untwist.errors import DataError
from untwist.respond.book import kept_in, scripts_of
from untwist.respond.moods import cue_pattern
from untwist.respond.page import Texts, page
from untwist.respond.protocol import Branches, ProtocolStep, open_protocols
from untwist.respond.ratings import rating
from untwist.respond.state import Kind
from untwist.taxonomy import Lang
from untwist.text import Locale, normalize

_SMALL = ("disagrees", "another", "goes_on", "newer")
_SUMMARY = ("thought", "belief", "emotion", "balanced", "small_step", "bare")
_SUMMARY_SLOTS = {
    "thought": {"thought"},
    "belief": {"before", "after"},
    "emotion": {"before", "after"},
    "balanced": {"answer"},
    "small_step": {"answer"},
}
_READ = 2000
"""Characters of a message that cues are looked for in."""
_EDGES = " .,;:!?…~-'\"()\n\t，。；：！？、（）"


@dataclass(frozen=True, slots=True)
class _Limit:
    """How much a message may say, in words or Chinese characters, and still be what a cue says.

    Attributes:
        size: of the whole message.
        rest: of what is left without the cue and small words; None does not look.
        opens: whether the cue must open the message.
    """

    size: tuple[int, int]
    rest: tuple[int, int] | None
    opens: bool = False


_LIMITS: dict[str, _Limit] = {
    "stop": _Limit((10, 16), (1, 2)),
    "question_to_program": _Limit((12, 20), None),
    "worse": _Limit((16, 28), None),
    "another": _Limit((12, 18), (4, 5)),
    "goes_on": _Limit((8, 12), (3, 4), opens=True),
    "newer": _Limit((10, 14), (3, 4)),
    "unknown": _Limit((10, 16), (2, 3)),
    "agrees": _Limit((6, 8), (1, 0), opens=True),
    "disagrees": _Limit((5, 8), (1, 0), opens=True),
    "refuses": _Limit((12, 20), (3, 7)),
    "doubts": _Limit((14, 24), None),
    "thanks": _Limit((9, 14), (4, 6)),
    "new_thought": _Limit((60, 90), None),
}
_ORDER = tuple(_LIMITS)
_CHOICES = frozenset({"another", "goes_on", "newer"})
"""Said only to a choice that the program has left to the person."""


@dataclass(frozen=True, slots=True)
class SmallWords:
    """The small words of answers, and the lines of a summary.

    Attributes:
        cues: words and phrases by kind.
        fillers: words that add nothing.
        summary: wordings of each line.
    """

    cues: Mapping[str, Texts]
    fillers: Texts
    summary: Mapping[str, Texts]


@cache
def open_answers(locale: Locale, folder: Path | None = None) -> SmallWords:
    """The small words of one locale, checked.

    Args:
        locale: which language and characters; a folder without Traditional Chinese answers in
            Simplified.
        folder: holds one folder per locale; None means the texts that ship with the package.

    Raises:
        ArtifactError: the file is absent or is not JSON.
        DataError: the file lacks a text.
    """
    if locale == "zh-Hant" and locale not in kept_in(folder):
        locale = "zh"
    root = page(scripts_of(folder) / locale / "answers.json")
    summary = root.at("summary")
    lines = {name: summary.at(name).texts(_SUMMARY_SLOTS.get(name, set()), 3) for name in _SUMMARY}
    for name, texts in lines.items():
        if any("?" in text or "？" in text for text in texts):
            raise DataError(f"{root.where} > summary > {name}: a summary asks nothing")
    return SmallWords(
        {name: root.at(name).texts(set()) for name in _SMALL},
        root.at("fillers").texts(set()),
        lines,
    )


def kind_of(
    text: str,
    lang: Lang,
    asked: ProtocolStep | None,
    *,
    choosing: bool = False,
    folder: Path | None = None,
) -> Kind:
    """What a message is.

    Args:
        text: the message.
        lang: its language.
        asked: the step that it may answer; None when nothing was asked.
        choosing: whether the last reply left a choice to the person.
        folder: of the scripts; None means those that ship.
    """
    folded = normalize(text[:_READ]).text.strip(_EDGES)
    if not folded:
        return "unknown"
    if (
        asked is not None
        and asked.takes in ("percent", "shares")
        and rating(folded, lang) is not None
    ):
        return "answer"
    branches = open_protocols(lang, folder).branches
    small = open_answers(lang, folder)
    for kind in _ORDER:
        if kind in _CHOICES and not choosing:
            continue
        if _is(kind, folded, lang, branches, small):
            return cast(Kind, kind)
    yes_no = choosing or (asked is not None and asked.takes == "yes_no")
    if yes_no:
        return _opening(folded, lang, branches, small)
    return "answer"


def _opening(folded: str, lang: Lang, branches: Branches, small: SmallWords) -> Kind:
    """A longer yes or no, told by how it begins."""
    for kind, cues in (("disagrees", small.cues["disagrees"]), ("agrees", branches.cues["agrees"])):
        if cue_pattern(cues, lang).match(folded):
            return cast(Kind, kind)
    return "answer"


def _is(kind: str, folded: str, lang: Lang, branches: Branches, small: SmallWords) -> bool:
    if kind == "question_to_program" and safety.asks_if_person(folded):
        return True
    limit, place = _LIMITS[kind], 0 if lang == "en" else 1
    if _size(folded, lang) > limit.size[place]:
        return False
    texts = small.cues.get(kind) or branches.cues[kind]
    if kind == "refuses":
        texts = tuple(cue for cue in texts if cue not in small.cues["disagrees"])
    cues = cue_pattern(texts, lang)
    if not (cues.match(folded) if limit.opens else cues.search(folded)):
        return False
    if limit.rest is None:
        return True
    rest = cue_pattern(small.fillers, lang).sub(" ", cues.sub(" ", folded))
    return _size(re.sub(r"[^\w]+", " ", rest), lang) <= limit.rest[place]


def _size(text: str, lang: Lang) -> int:
    return len(text.split()) if lang == "en" else len("".join(text.split()))
