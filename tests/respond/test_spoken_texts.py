"""Every text of protocols, frame and branches, read by the guard and by rules of tone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest

from untwist import safety
from untwist.respond import ReplyGuard, open_protocols
from untwist.respond.protocol import ENDS, LEADS, WHOLE, Protocols, ProtocolStep
from untwist.taxonomy import CANONICAL, Intensity, Risk, Strategy
from untwist.text import LOCALES, Locale, normalize

STRATEGIES = [s for s in Strategy if s is not Strategy.CRISIS_INTERVENTION]
LONGEST = {"en": 60, "zh": 110, "zh-Hant": 110}
"""Words, or characters, of a turn."""
THOUGHTS = {
    "en": "“she hates being with me”",
    "zh": "“她肯定讨厌我”",
    "zh-Hant": "「她肯定討厭我」",
}
BANNED = {
    "en": r"\b(?:always|never) (?:give up|forget)|\b(?:promise|guarantee|don't worry|cheer up"
    r"|calm down|look on the bright side|think positive|stay strong|everything will|get over"
    r"|you've got this|you need to|you must|you should|you have to|others have it worse"
    r"|just think|i hear you|i (?:understand|know) how you feel|be grateful|well done|good job)\b",
    "zh": "加油|别担心|别想太多|想开点|看开|坚强|一切都会|会好起来|正能量|你应该|你必须"
    "|你要学会|保证|感同身受|我懂你|振作|积极一点|往好处想|您",
}


@cache
def protocols(locale: Locale) -> Protocols:
    return open_protocols(locale)


def steps(locale: Locale) -> Iterator[tuple[str, ProtocolStep]]:
    found = protocols(locale)
    for protocol in (found.frame, *found.own.values()):
        yield from ((f"{protocol.name}.{step.id}", step) for step in protocol.steps)


def lists(locale: Locale) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every list of variants, with the place where it stands."""
    for place, step in steps(locale):
        for name in ("ask", "reflect", "unknown", "doubts"):
            variants = getattr(step, name)
            for which in (None, *variants.own):
                yield f"{place}.{name}.{which.value if which else 'any'}", variants.of(which)
    for name, variants in protocols(locale).branches.texts.items():
        yield f"branches.{name}", variants.any


def spoken(locale: Locale) -> dict[str, str]:
    """Every text once, with its place."""
    return {text: place for place, texts in lists(locale) for text in texts}


def filled(text: str, locale: Locale) -> str:
    distortion, lang = CANONICAL[4], "en" if locale == "en" else "zh"
    slots = {
        **dict.fromkeys(("thought", "answer", "new"), THOUGHTS[locale]),
        "distortion": distortion.name_in(lang),
        "definition": distortion.definition_in(lang),
        "sum": "80",
        "rest": "20",
    }
    for slot, value in slots.items():
        text = text.replace(f"{{{slot}}}", value)
    return text


def size(text: str, locale: Locale) -> int:
    return len(text.split()) if locale == "en" else len("".join(text.split()))


@pytest.mark.parametrize("context", [Risk.NONE, Risk.MEDIUM])
@pytest.mark.parametrize("locale", ["en", "zh", pytest.param("zh-Hant", marks=pytest.mark.slow)])
def test_every_text_passes_the_guard(locale, context):
    guard = ReplyGuard(conversation=True)
    broken = {}
    for text, place in spoken(locale).items():
        verdict = guard.check_text(filled(text, locale), context, locale[:2])
        if not verdict.passed:
            broken[place] = (verdict.rules, text)
    assert broken == {}


@pytest.mark.parametrize("locale", LOCALES)
def test_no_text_makes_a_claim_or_holds_a_digit_or_an_exclamation(locale):
    for text in spoken(locale):
        assert safety.find_claims(text) == (), text
        assert not re.search(r"[0-9０-９!！]", text), text


@pytest.mark.parametrize("locale", LOCALES)
def test_no_text_cheers_up_commands_or_sounds_like_a_stock_phrase(locale):
    for text in spoken(locale):
        assert not re.search(BANNED[locale[:2]], normalize(text).text, re.IGNORECASE), text


@pytest.mark.parametrize("locale", LOCALES)
def test_questions_are_asked_one_at_a_time_and_only_where_they_belong(locale):
    for place, texts in lists(locale):
        first, name, *rest = place.split(".")
        kind = name if first == "branches" else rest[0]
        for text in texts:
            asked = len(re.findall(r"[?？]", text))
            if kind in ("reflect", *LEADS, *ENDS):
                assert asked == 0, text
            elif first == "branches":
                assert asked <= 1, text
            else:
                assert asked == 1, text


@pytest.mark.parametrize("locale", LOCALES)
def test_a_reflection_and_the_next_question_make_a_short_turn(locale):
    longest = {
        name: max(size(filled(text, locale), locale) for _, step in steps(locale)
                  for text in getattr(step, name).all())
        for name in ("ask", "reflect", "unknown", "doubts")
    }  # fmt: skip
    assert longest["reflect"] + longest["ask"] <= LONGEST[locale]
    assert max(longest["unknown"], longest["doubts"]) <= LONGEST[locale]
    for name in WHOLE:
        texts = protocols(locale).branches.texts[name].all()
        assert max(size(filled(t, locale), locale) for t in texts) <= LONGEST[locale], name


def opening(text: str, locale: Locale) -> str:
    return " ".join(text.lower().split()[:2]) if locale == "en" else text[:2]


@pytest.mark.parametrize("locale", LOCALES)
def test_at_most_a_third_of_a_list_begins_alike(locale):
    alike = {}
    for place, texts in lists(locale):
        found, times = Counter(opening(text, locale) for text in texts).most_common(1)[0]
        if times > max(1, len(texts) / 3):
            alike[place] = (found, times, len(texts))
    assert alike == {}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_occurs_once_so_that_an_earlier_turn_is_recognised(locale):
    times = Counter(text for _, texts in lists(locale) for text in texts)
    assert [text for text, n in times.items() if n > 1] == []
    asked = [one.text for one in protocols(locale).asked()]
    assert len(asked) == len(set(asked))
    assert [(a, b) for a in asked for b in asked if a != b and a in b] == []


def test_both_languages_ask_the_same_steps_for_the_same_fields():
    shape = {
        locale: {place: (s.field, s.takes, s.optional, s.intensity) for place, s in steps(locale)}
        for locale in LOCALES
    }
    assert shape["en"] == shape["zh"] == shape["zh-Hant"]
    names = {locale: list(found.own) for locale in LOCALES if (found := protocols(locale))}
    assert names["en"] == names["zh"]


def test_every_strategy_has_a_protocol_with_the_fields_that_make_it_what_it_is():
    wanted = {
        Strategy.EMPATHIC_VALIDATION: {"heaviest", "coping"},
        Strategy.FINDING_THE_GRAY: {"low_end", "high_end", "rating", "between"},
        Strategy.EXAMINE_EVIDENCE: {"evidence_for", "evidence_against", "exceptions"},
        Strategy.REALITY_TESTING: {
            "facts", "assumptions", "prediction", "plan", "outcome", "learning",
        },
        Strategy.DECATASTROPHIZING: {"worst", "best", "likely", "coping"},
        Strategy.COST_BENEFIT: {"rule", "benefits", "costs", "flexible_rule"},
        Strategy.REATTRIBUTION: {"causes", "factors"},
        Strategy.BEHAVIOR_VS_IDENTITY: {"act", "person", "other_sides"},
        Strategy.FEELINGS_VS_FACTS: {"what_feeling_says", "without_feeling"},
    }  # fmt: skip
    assert set(wanted) == set(STRATEGIES)
    for strategy, needed in wanted.items():
        fields = {step.field for step in protocols("en").of(strategy, None).steps}
        assert needed <= fields, strategy


def test_ratings_of_thought_and_feeling_are_never_a_gate():
    frame = protocols("en").frame
    for name in ("belief", "emotion", "belief_after", "emotion_after"):
        assert frame.step(name).optional


@pytest.mark.parametrize("locale", LOCALES)
def test_a_severe_thought_is_settled_in_smaller_words(locale):
    settle = protocols(locale).frame.step("settle").ask
    assert set(settle.own) >= {Intensity.MILD, Intensity.SEVERE}
    assert not set(settle.of(Intensity.SEVERE)) & set(settle.any)
