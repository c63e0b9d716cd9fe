"""What kind of message it is, when there is no thought to work on."""

from __future__ import annotations

import re
from functools import cache

from untwist.respond.book import Book, Moods, open_book
from untwist.schema import Assessment
from untwist.taxonomy import Acuity, Lang, Risk
from untwist.text import normalize

DISTRESS = "distress"
LOSS = "loss"
NEUTRAL = "neutral"
NOD = "nod"
BRIEF = frozenset({NOD, "thanks", "unsure", "refuse", "doubt", "program", "greeting"})
"""Moods that leave no room for a thought to work on."""
DARK = frozenset({Acuity.PASSIVE, Acuity.ACTIVE, Acuity.PLAN_OR_INTENT, Acuity.SELF_INJURY})
"""Kinds of danger in which a person speaks of harming themselves."""

_EDGES = " .,;:!?…~-'\"\n\t，。；：！？、"


def occasion_of(assessment: Assessment, book: Book) -> str | None:
    """What is listened to in its own wording; None when the general wording will do.

    Told from the kinds of danger and the reasons of the screen, and a loss from the words as well.
    """
    reasons = " ".join(assessment.reasons)
    spoken = [
        ("third_party", Acuity.THIRD_PARTY in assessment.acuity),
        ("dark", bool(DARK & set(assessment.acuity))),
        (LOSS, "bereavement" in reasons),
        ("past", "history" in reasons),
    ]
    for occasion, holds in spoken:
        if holds and assessment.risk >= Risk.MEDIUM:
            return occasion
    return LOSS if mood(assessment, book) == LOSS else None


def brief(assessment: Assessment, book: Book) -> bool:
    """Whether it is a short answer, a thank-you, a refusal and the like, and not a thought.

    In a conversation such a message is read by its cues: a detector that was made for whole posts
    hears a distortion in "yeah, sort of" now and then.
    """
    text = normalize(assessment.utterance.text).text
    lang = assessment.utterance.lang or book.lang
    short = _size(text, lang) <= open_book(lang, book.folder).moods.short_limit
    return short and mood(assessment, book) in BRIEF


def mood(assessment: Assessment, book: Book) -> str:
    """The mood of a message, by the cues of its own language.

    Without a cue it is "distress" or "neutral". From medium risk on it is always distress. Good
    news and distress in one message are good news, unless a word like "but" turns it round.
    """
    text = normalize(assessment.utterance.text).text
    lang = assessment.utterance.lang or book.lang
    moods = open_book(lang, book.folder).moods
    heard = [name for name in moods.order if _speaks(name, text, moods, lang)]
    if assessment.risk >= Risk.MEDIUM or assessment.acuity:
        return LOSS if LOSS in heard else DISTRESS
    if "good_news" in heard and DISTRESS in heard:
        turned = cue_pattern(moods.contrast, lang).search(text)
        heard.remove("good_news" if turned else DISTRESS)
    if heard:
        return heard[0]
    felt = assessment.findings or assessment.intensity or assessment.risk >= Risk.LOW
    return DISTRESS if felt else NEUTRAL


def cued(cues: tuple[str, ...], lang: Lang, text: str) -> bool:
    """Whether a text in a language has one of these words or phrases."""
    return cue_pattern(cues, lang).search(normalize(text).text) is not None


def _speaks(name: str, text: str, moods: Moods, lang: Lang) -> bool:
    if name in moods.short and _size(text, lang) > moods.short_limit:
        return False
    cues = cue_pattern(moods.cues[name], lang)
    bare = text.strip(_EDGES)
    if name in moods.whole:
        return bool(bare) and not cues.sub("", bare).strip(_EDGES)
    if name in moods.opening:
        return bool(cues.match(bare))
    return bool(cues.search(text))


def _size(text: str, lang: Lang) -> int:
    return len(text.split()) if lang == "en" else len(text)


@cache
def cue_pattern(cues: tuple[str, ...], lang: Lang) -> re.Pattern[str]:
    """Finds any of these words or phrases in normalised text; in English as whole words."""
    longest_first = sorted(cues, key=len, reverse=True)
    either = "|".join(re.escape(normalize(cue).text) for cue in longest_first)
    return re.compile(rf"\b(?:{either})\b" if lang == "en" else either)
