"""Which of the five CBT parts a reply shows, by rules that know nothing of any responder.

Source: CBT-LLM, Fig. 3. The cues are data, one file for each language, written from the definition
of the parts. Each part needs a sentence of its own, so that one warm sentence full of cues is not
five parts. What rules can see is the form: whether the words do any good is for people to judge.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from untwist.errors import DataError
from untwist.taxonomy import LANGS, Lang
from untwist.text import normalize, sentences

CBT_PARTS = ("validation", "key_thought", "challenge", "strategy", "encouragement")
"""Empathy, the thought in words, an open question, something to try, encouragement."""

# a blank after a Chinese full stop would join two sentences
_GAP = re.compile(r"(?<=[。！？])[^\S\n]+")
_Patterns = tuple[re.Pattern[str], ...]


@dataclass(frozen=True, slots=True)
class PartCues:
    """How a sentence shows one part.

    Attributes:
        find: one of them must be in the sentence.
        unless: none of them may be.
        needs: of these, too, one must be; none asks for nothing more.
        within: looked for in so many first sentences only; below 0, in so many last ones; 0 looks
            everywhere.
    """

    find: _Patterns
    unless: _Patterns
    needs: _Patterns
    within: int

    def shown(self, folded: Sequence[str]) -> list[int]:
        """The places of the folded sentences of a reply that show the part."""
        places = range(len(folded))
        near = places[self.within :] if self.within < 0 else places[: self.within or None]
        return [place for place in near if self._fits(folded[place])]

    def _fits(self, sentence: str) -> bool:
        return (
            _any(self.find, sentence)
            and not _any(self.unless, sentence)
            and (not self.needs or _any(self.needs, sentence))
        )


def cbt_parts(text: str, lang: Lang) -> tuple[str, ...]:
    """The parts that a reply shows, in the order of `CBT_PARTS`.

    As many parts as can be given a sentence each; where there are fewer sentences than parts to be
    seen in them, the parts that come first in the order have them.

    Args:
        text: a reply.
        lang: its language; Chinese in either script.

    Raises:
        DataError: there are no cues of that language.
    """
    cues = part_cues(lang)
    closed = _GAP.sub("", text)
    folded = [normalize(closed[start:end]).text for start, end in sentences(closed)]
    shown = [cues[part].shown(folded) for part in CBT_PARTS]
    held: dict[int, int] = {}
    for part in range(len(CBT_PARTS)):
        _place(part, shown, held, set())
    return tuple(CBT_PARTS[part] for part in sorted(held.values()))


def part_cues(lang: Lang) -> Mapping[str, PartCues]:
    """The cues of one language by part.

    Raises:
        DataError: there are none.
    """
    if lang not in LANGS:
        raise DataError(f"the five parts are told in {', '.join(LANGS)}")
    return _cues(lang)


@cache
def _cues(lang: Lang) -> Mapping[str, PartCues]:
    file = files("untwist.evaluate").joinpath("parts", f"{lang}.json")
    data = json.loads(file.read_text(encoding="utf-8"))
    return {part: _read(data[part]) for part in CBT_PARTS}


def _read(entry: Mapping[str, Any]) -> PartCues:
    find, unless, needs = (_compiled(entry.get(key, ())) for key in ("find", "unless", "needs"))
    return PartCues(find, unless, needs, entry.get("within", 0))


def _compiled(patterns: Sequence[str]) -> _Patterns:
    return tuple(re.compile(pattern) for pattern in patterns)


def _any(patterns: _Patterns, sentence: str) -> bool:
    return any(pattern.search(sentence) for pattern in patterns)


def _place(
    part: int, shown: Sequence[Sequence[int]], held: dict[int, int], tried: set[int]
) -> bool:
    """Give a part a sentence of its own, moving others where they have another one (Kuhn)."""
    for sentence in shown[part]:
        if sentence in tried:
            continue
        tried.add(sentence)
        if sentence not in held or _place(held[sentence], shown, held, tried):
            held[sentence] = part
            return True
    return False
