"""Every text that ships, read by the guard and by a few plain rules of tone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

import pytest

from tests.respond.build import chosen, crisis, danger, heard, questions, said
from untwist import safety
from untwist.respond import CRISIS_PARTS, PARTS, Book, ReplyGuard, ScriptedResponder, open_book
from untwist.respond.contacts import Contacts
from untwist.respond.voice import Voice
from untwist.schema import Utterance
from untwist.taxonomy import CANONICAL, Acuity, Distortion, Intensity, Risk, Strategy
from untwist.text import LOCALES, Locale, normalize

ORDINARY = [s for s in Strategy if s is not Strategy.CRISIS_INTERVENTION]
INTENSITIES = [None, *Intensity]
REGIONS = [None, "HK", *safety.regions()]
USER = {"en": "It went wrong again today", "zh": "今天又没弄好", "zh-Hant": "今天又沒弄好"}
THOUGHT = {"en": "she hates being with me", "zh": "她肯定讨厌我", "zh-Hant": "她肯定討厭我"}
MOST = {"en": 120, "zh": 220, "zh-Hant": 220}


def shipped(book: Book) -> Iterator[str]:
    yield from (mark.text for mark in book.marks if mark.occasion in (None, "loss"))
    for group in (book.pace, book.closing, book.conversation, book.moods.texts):
        for texts in group.values():
            yield from texts


def crisis_texts(book: Book) -> Iterator[str]:
    for slots in book.crisis.acuity.values():
        for texts in slots.values():
            yield from texts
    for texts in book.crisis.shared.values():
        yield from texts
    for texts in book.crisis.reflect.values():
        yield from texts
    for barriers in (*book.crisis.barriers.values(), *(o.help for o in book.crisis.obstacles)):
        yield from (barrier.text for barrier in barriers)
    for obstacle in book.crisis.obstacles:
        yield from obstacle.heard
    for texts in book.crisis.soft.values():
        yield from texts


def soft(book: Book) -> Iterator[str]:
    for texts in book.crisis.soft.values():
        yield from (text.replace("{help}", book.crisis.help_unknown) for text in texts)


def fill(text: str, locale: Locale) -> str:
    return text.replace("{thought}", f"“{THOUGHT[locale]}”")


def size(text: str, locale: Locale) -> int:
    return len(text.split()) if locale == "en" else len("".join(text.split()))


@pytest.mark.parametrize("locale", LOCALES)
def test_every_shipped_text_passes_the_guard(locale):
    guard = ReplyGuard(conversation=True)
    broken = {
        text: verdict.rules
        for text in shipped(open_book(locale))
        if not (verdict := guard.check_text(fill(text, locale), Risk.NONE, locale[:2])).passed
    }
    assert broken == {}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_for_worry_and_dark_thoughts_passes_the_guard_at_medium_risk(locale):
    book, guard = open_book(locale), ReplyGuard(conversation=True)
    texts = [mark.text for mark in book.marks if mark.occasion] + list(soft(book))
    assert [t for t in texts if not guard.check_text(t, Risk.MEDIUM, locale[:2]).passed] == []


@pytest.mark.parametrize(
    ("locale", "marks"),
    [
        *((locale, ".") for locale in ("en", "zh")),
        *(pytest.param(locale, ".!", marks=pytest.mark.slow) for locale in LOCALES),
    ],
)
@pytest.mark.slow
def test_every_single_reply_passes_the_guard_and_asks_one_question(locale, marks):
    guard, responder = ReplyGuard(conversation=True), ScriptedResponder()
    targets = [None, *CANONICAL]
    for strategy, target, intensity, mark in product(ORDINARY, targets, INTENSITIES, marks):
        assessment = heard(USER[locale] + mark, target, None, intensity)
        if target is None and strategy is Strategy.EMPATHIC_VALIDATION:
            assessment = heard(USER[locale] + mark, None, None, Intensity.MILD, Risk.LOW)
        reply = responder.reply(chosen(target, strategy), assessment, ())
        assert guard.check(reply, assessment).rules == (), reply.text
        assert questions(reply.text) == 1, reply.text
        assert reply.parts == PARTS
        assert size(reply.text, locale) <= (150 if locale == "en" else 260), reply.text


@pytest.mark.parametrize(
    ("locale", "regions"),
    [
        *((locale, REGIONS[:3]) for locale in ("en", "zh")),
        *(pytest.param(locale, REGIONS, marks=pytest.mark.slow) for locale in LOCALES),
    ],
)
def test_every_crisis_reply_keeps_the_contract(locale, regions):
    guard = ReplyGuard()
    for kind, region in product([(), *((a,) for a in Acuity)], regions):
        responder, history = ScriptedResponder(region=region), []
        for turn in range(5):
            assessment = danger(USER[locale] + "." * turn, *kind)
            reply = responder.reply(crisis(), assessment, history)
            assert guard.check(reply, assessment).rules == (), reply.text
            assert reply.parts == CRISIS_PARTS
            assert questions(reply.text) == 1, reply.text
            assert size(reply.text, locale) <= MOST[locale], reply.text
            assert (
                "AI" in reply.text
                or "program" in reply.text
                or "程序" in reply.text
                or "程式" in reply.text
            )
            history += [assessment.utterance, Utterance(reply.text, role="assistant")]


def crisis_replies(monkeypatch, locale, kind, chosen_texts, regions):
    """Crisis replies with these texts of the kind, by place, and the shared ones in turn."""
    turn: dict[str, int] = {}
    monkeypatch.setattr(
        "untwist.respond.voice.pick",
        lambda tiers, seed, _: (tier := next(iter(tiers)))[turn[seed.split("\n")[-1]] % len(tier)],
    )
    for (i, j, k), region in product(chosen_texts, regions):
        turn.update(
            reflect=i, question=j, near=k, lead=i + j, limits=j + k + i // 2, stay=k + 2 * i
        )
        turn.update(barrier=i + k, reminder=i + j + k)
        responder, assessment = ScriptedResponder(region=region), danger(USER[locale], kind)
        first = responder.reply(crisis(), assessment, ())
        yield assessment, first
        yield assessment, responder.reply(crisis(), assessment, said(USER[locale], first.text))


def keeps_the_contract(assessment, reply, locale):
    broken = ReplyGuard().check(reply, assessment).rules
    return not broken and questions(reply.text) == 1 and size(reply.text, locale) <= MOST[locale]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", list(Acuity))
def test_every_pair_of_the_texts_of_a_kind_keeps_the_contract(monkeypatch, locale, kind):
    region = REGIONS[list(Acuity).index(kind) % len(REGIONS)]
    pairs = [(i, j, (i + j) % 4) for i, j in product(range(4), repeat=2)]
    for assessment, reply in crisis_replies(monkeypatch, locale, kind, pairs, [region]):
        assert keeps_the_contract(assessment, reply, locale), reply.text


@pytest.mark.slow
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", list(Acuity))
def test_every_combination_keeps_the_contract_in_every_region(monkeypatch, locale, kind):
    every = product(range(4), repeat=3)
    for assessment, reply in crisis_replies(monkeypatch, locale, kind, every, REGIONS):
        assert keeps_the_contract(assessment, reply, locale), reply.text


@pytest.mark.parametrize("locale", LOCALES)
def test_the_longest_texts_together_stay_within_the_limit(locale):
    """Of the first reply and of one to a refusal, in the region with the longest names."""
    book = open_book(locale)
    texts = book.crisis

    def longest(found):
        return max(size(text, locale) for text in found)

    shared = sum(longest(texts.shared[slot]) for slot in ("limits", "stay"))
    heard_ = longest([h for o in texts.obstacles for h in o.heard])
    helped = longest([b.text for o in texts.obstacles for b in o.help])
    helped = max(helped, *(longest([b.text for b in bs]) for bs in texts.barriers.values()))
    for region in REGIONS:
        voices = [Contacts(Voice(book, seed, (), None), region, None) for seed in "abcdefghijkl"]
        block = size(voices[0].block(urgent=True), locale)
        reminder = longest([v.reminder(urgent=u) for v in voices for u in (True, False)])
        for slots in texts.acuity.values():
            own = longest(slots["question"]) + longest(slots["near"]) + shared
            lead = longest([*texts.shared["lead"], *texts.shared["lead_urgent"]])
            first = max(longest(slots["reflect"]), longest(texts.reflect["past"])) + own
            assert first + lead + block <= MOST[locale], region
            assert heard_ + own + helped + reminder <= MOST[locale], region


@pytest.mark.parametrize("locale", LOCALES)
def test_no_validation_breaks_a_rule_together_with_a_quoting_thought(locale):
    guard, broken = ReplyGuard(), []
    for entry in open_book(locale).distortions.values():
        for first, second in product(entry.pool("validation"), entry.pool("key_thought")):
            text = fill("\n".join([first, second]) if locale == "en" else first + second, locale)
            if not guard.check_text(text, Risk.NONE, locale[:2]).passed:
                broken.append(text)
    assert broken == []


@pytest.mark.slow
@pytest.mark.parametrize("locale", LOCALES)
def test_no_two_neighbouring_crisis_texts_break_a_rule_together(locale):
    crisis_ = open_book(locale).crisis
    leads = [*crisis_.shared["lead"], *crisis_.shared["lead_urgent"]]
    advice = [barrier.text for barriers in crisis_.barriers.values() for barrier in barriers]
    broken = []
    for slots in crisis_.acuity.values():
        pairs = [
            *product(slots["reflect"], slots["question"]),
            *product(slots["question"], [*leads, *advice]),
            *product(slots["question"], crisis_.shared["limits"]),
            *product(slots["near"], slots["question"]),
            *product(slots["near"], crisis_.shared["limits"]),
        ]
        broken += [p for p in pairs if safety.violations("\n\n".join(p), locale[:2], Risk.MEDIUM)]
    assert broken == []


@pytest.mark.slow
@pytest.mark.parametrize("locale", LOCALES)
def test_every_reply_with_help_offered_softly_passes_the_guard(locale):
    guard = ReplyGuard(conversation=True)
    kinds = [(), (Acuity.PASSIVE,), (Acuity.SELF_INJURY,), (Acuity.THIRD_PARTY,)]
    for acuity, region, reason, mark in product(
        kinds, REGIONS, ("x-bereavement-01", "x-history-01", "x"), ".!,;"
    ):
        assessment = heard(USER[locale] + mark, None, None, None, Risk.MEDIUM, acuity, (reason,))
        reply = ScriptedResponder(region=region).reply(chosen(), assessment, ())
        assert guard.check(reply, assessment).rules == (), reply.text
        assert reply.parts == (*PARTS, "help")


@pytest.mark.parametrize("locale", LOCALES)
def test_texts_hold_no_digits_no_exclamations_and_no_names_of_labels(locale):
    book = open_book(locale)
    names = [d.name_in("en") for d in Distortion if d is not Distortion.LABELING]
    for text in [*shipped(book), *crisis_texts(book)]:
        assert not re.search(r"[0-9０-９!！]", text), text
        assert not any(name in text for name in names), text


@pytest.mark.parametrize("locale", LOCALES)
def test_no_text_promises_cheers_or_lectures(locale):
    banned = {
        "en": r"\b(?:always|never) (?:give up|forget)|\b(?:promise|guarantee|don't worry|cheer up"
        r"|calm down|look on the bright side|think positive|stay strong|everything will|get over"
        r"|at the end of the day|you need to|you must|you should|you have to|others have it worse"
        r"|just think|i understand how you feel|i know how you feel)\b",
        "zh": "加油|别担心|别想太多|想开点|看开|坚强|一切都会|会好起来|正能量|你应该|你必须"
        "|你要学会|保证|感同身受|我懂你|振作|积极一点|往好处想",
    }[locale[:2]]
    book = open_book(locale)
    for text in [*shipped(book), *crisis_texts(book)]:
        assert not re.search(banned, normalize(text).text, re.IGNORECASE), text


@pytest.mark.parametrize("locale", LOCALES)
def test_a_validation_does_not_open_like_the_sentence_that_follows_it(locale):
    opening = {"en": "sounds", "zh": "听起来", "zh-Hant": "聽起來"}[locale]
    marks = [m for m in open_book(locale).marks if m.part == "validation"]
    assert [m.text for m in marks if opening in m.text] == []


@pytest.mark.parametrize("locale", LOCALES)
def test_no_text_of_a_strategy_occurs_inside_a_text_of_the_conversation(locale):
    book = open_book(locale)
    common = [t for texts in book.conversation.values() for t in texts]
    common += [t for texts in book.moods.texts.values() for t in texts]
    marks = [mark.text for mark in book.marks]
    assert len(marks) == len(set(marks))
    assert [m for m in marks if any(m in t for t in common)] == []


def test_both_languages_have_the_same_number_of_variants_everywhere():
    english, chinese = open_book("en"), open_book("zh")
    assert [(m.target, m.strategy, m.part) for m in english.marks] == [
        (m.target, m.strategy, m.part) for m in chinese.marks
    ]
    for kind, slots in english.crisis.acuity.items():
        assert {k: len(v) for k, v in slots.items()} == {
            k: len(v) for k, v in chinese.crisis.acuity[kind].items()
        }


@pytest.mark.parametrize("locale", LOCALES)
def test_no_clinician_has_reviewed_the_crisis_texts_yet(locale):
    assert open_book(locale).crisis.reviewed_by is None


@pytest.mark.parametrize("locale", LOCALES)
def test_every_direct_question_is_one_that_the_safety_floor_recognises(locale):
    yes, no = {"en": ("yes", "no"), "zh": ("是的", "不")}[locale[:2]]
    missed = []
    book = open_book(locale)
    asked = {kind.value: slots["question"] for kind, slots in book.crisis.acuity.items()}
    asked["dark"] = book.occasions["dark"].pool("challenge")
    for kind, questions_ in asked.items():
        for question in questions_:
            history = [Utterance(USER[locale]), Utterance(question, role="assistant")]
            levels = {safety.screen(answer, history).level for answer in (yes, no)}
            if Risk.HIGH not in levels:
                missed.append((kind, question))
    assert missed == []
