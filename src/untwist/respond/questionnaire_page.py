"""A sum of PHQ-9 or GAD-7 in words, and the words around the questions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from untwist.respond.book import scripts_of
from untwist.respond.instrument import MOST
from untwist.respond.page import page
from untwist.respond.questionnaire import Score, open_questionnaire
from untwist.safety import help_block
from untwist.text import Locale

_SLOTS: Mapping[str, set[str]] = {
    "again": {"low", "high"},
    "sum": {"total", "most"},
    "between": {"low", "high", "most", "left"},
    "bands": {"bands"},
    "estimate": {"estimate"},
    "difficulty": {"choice"},
    "left": {"places"},
    "left_many": {"places"},
}
_PLAIN = ("notice", "how", "stopped", "or", "comma", "meaning", "counts", "unasked", "stay")


@cache
def questionnaire_words(locale: Locale) -> Mapping[str, str]:
    """What is said around the questions, by name; some with slots.

    Raises:
        ArtifactError: the file is absent or is not JSON.
        DataError: the file lacks a text, or one has a slot that nothing fills.
    """
    root = page(scripts_of(None) / locale / "questionnaires" / "words.json")
    return {name: root.at(name).text(_SLOTS.get(name, set())) for name in (*_SLOTS, *_PLAIN)}


def score_text(score: Score, locale: Locale, region: str | None = None) -> str:
    """The sum in words, what it means, and who made the questions.

    Where the question about death and self-harm has an answer above 0, no band is named: a low sum
    must not make it smaller. `safety_turn` answers it, and comes first. Where it was left out, the
    text says who to turn to: what was left out is not known, and not 0.

    Raises:
        ConfigError: the region is unknown.
    """
    form, words = open_questionnaire(score.instrument, locale), questionnaire_words(locale)
    shown = [form.title, _sum(score, words)]
    if score.opens_safety:
        return "\n".join([*shown, words["counts"], form.source])
    if score.estimate is not None:
        shown.append(words["estimate"].format(estimate=score.estimate))
    names = words["or"].join(form.bands[band.name] for band in score.bands)
    shown.append(words["bands"].format(bands=names))
    if score.difficulty is not None:
        choice = form.difficulty_choices[score.difficulty]
        shown.append(words["difficulty"].format(choice=choice))
    shown.append(words["meaning"])
    if score.leaves_safety_open:
        shown += [words["unasked"], help_block(locale, region)]
    return "\n".join([*shown, form.source])


def _sum(score: Score, words: Mapping[str, str]) -> str:
    most = MOST * len(score.answers)
    if score.total is not None:
        return words["sum"].format(total=score.total, most=most)
    low, high = score.span
    places = words["comma"].join(str(place) for place in score.missing)
    left = words["left_many" if len(score.missing) > 1 else "left"].format(places=places)
    return words["between"].format(low=low, high=high, most=most, left=left)
