"""Every text that ships, read by the guard and by a few plain rules of tone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

import pytest

from tests.respond.build import chosen, crisis, danger, heard, questions
from untwist import safety
from untwist.respond import CRISIS_PARTS, PARTS, Book, ReplyGuard, ScriptedResponder, open_book
from untwist.schema import Utterance
from untwist.taxonomy import CANONICAL, LANGS, Acuity, Distortion, Intensity, Lang, Risk, Strategy

ORDINARY = [s for s in Strategy if s is not Strategy.CRISIS_INTERVENTION]
INTENSITIES = [None, *Intensity]
REGIONS = [None, "HK", *safety.regions()]
USER = {"en": "It went wrong again today", "zh": "今天又没弄好"}
THOUGHT = {"en": "she hates being with me", "zh": "她肯定讨厌我"}
MOST = {"en": 120, "zh": 220}


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
    for barriers in book.crisis.barriers.values():
        yield from (barrier.text for barrier in barriers)
    for texts in book.crisis.soft.values():
        yield from texts


def soft(book: Book) -> Iterator[str]:
    for texts in book.crisis.soft.values():
        yield from (text.replace("{help}", book.crisis.help_unknown) for text in texts)


def fill(text: str, lang: Lang) -> str:
    return text.replace("{thought}", f"“{THOUGHT[lang]}”")


def size(text: str, lang: Lang) -> int:
    return len(text.split()) if lang == "en" else len("".join(text.split()))


@pytest.mark.parametrize("lang", LANGS)
def test_every_shipped_text_passes_the_guard(lang):
    guard = ReplyGuard(conversation=True)
    broken = {
        text: verdict.rules
        for text in shipped(open_book(lang))
        if not (verdict := guard.check_text(fill(text, lang), Risk.NONE, lang)).passed
    }
    assert broken == {}


@pytest.mark.parametrize("lang", LANGS)
def test_every_text_for_worry_and_dark_thoughts_passes_the_guard_at_medium_risk(lang):
    book, guard = open_book(lang), ReplyGuard(conversation=True)
    texts = [mark.text for mark in book.marks if mark.occasion] + list(soft(book))
    assert [t for t in texts if not guard.check_text(t, Risk.MEDIUM, lang).passed] == []


@pytest.mark.parametrize("lang", LANGS)
def test_every_single_reply_passes_the_guard_and_asks_one_question(lang):
    guard, responder = ReplyGuard(conversation=True), ScriptedResponder()
    targets = [None, *CANONICAL]
    for strategy, target, intensity, mark in product(ORDINARY, targets, INTENSITIES, ".!"):
        assessment = heard(USER[lang] + mark, target, None, intensity)
        if target is None and strategy is Strategy.EMPATHIC_VALIDATION:
            assessment = heard(USER[lang] + mark, None, None, Intensity.MILD, Risk.LOW)
        reply = responder.reply(chosen(target, strategy), assessment, ())
        assert guard.check(reply, assessment).rules == (), reply.text
        assert questions(reply.text) == 1, reply.text
        assert reply.parts == PARTS
        assert size(reply.text, lang) <= (150 if lang == "en" else 260), reply.text


@pytest.mark.parametrize("lang", LANGS)
def test_every_crisis_reply_keeps_the_contract(lang):
    guard = ReplyGuard()
    for kind, region in product([(), *((a,) for a in Acuity)], REGIONS):
        responder, history = ScriptedResponder(region=region), []
        for turn in range(5):
            assessment = danger(USER[lang] + "." * turn, *kind)
            reply = responder.reply(crisis(), assessment, history)
            assert guard.check(reply, assessment).rules == (), reply.text
            assert reply.parts == CRISIS_PARTS
            assert questions(reply.text) == 1, reply.text
            assert size(reply.text, lang) <= MOST[lang], reply.text
            assert "AI" in reply.text or "program" in reply.text or "程序" in reply.text
            history += [assessment.utterance, Utterance(reply.text, role="assistant")]


@pytest.mark.parametrize("lang", LANGS)
def test_no_validation_breaks_a_rule_together_with_a_quoting_thought(lang):
    guard, broken = ReplyGuard(), []
    for entry in open_book(lang).distortions.values():
        for first, second in product(entry.pool("validation"), entry.pool("key_thought")):
            text = fill("\n".join([first, second]) if lang == "en" else first + second, lang)
            if not guard.check_text(text, Risk.NONE, lang).passed:
                broken.append(text)
    assert broken == []


@pytest.mark.parametrize("lang", LANGS)
def test_no_two_neighbouring_crisis_texts_break_a_rule_together(lang):
    crisis_ = open_book(lang).crisis
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
        broken += [p for p in pairs if safety.violations("\n\n".join(p), lang, Risk.MEDIUM)]
    assert broken == []


@pytest.mark.parametrize("lang", LANGS)
def test_every_reply_with_help_offered_softly_passes_the_guard(lang):
    guard = ReplyGuard(conversation=True)
    kinds = [(), (Acuity.PASSIVE,), (Acuity.SELF_INJURY,), (Acuity.THIRD_PARTY,)]
    for acuity, region, reason, mark in product(
        kinds, REGIONS, ("x-bereavement-01", "x-history-01", "x"), ".!,;"
    ):
        assessment = heard(USER[lang] + mark, None, None, None, Risk.MEDIUM, acuity, (reason,))
        reply = ScriptedResponder(region=region).reply(chosen(), assessment, ())
        assert guard.check(reply, assessment).rules == (), reply.text
        assert reply.parts == (*PARTS, "help")


@pytest.mark.parametrize("lang", LANGS)
def test_texts_hold_no_digits_no_exclamations_and_no_names_of_labels(lang):
    book = open_book(lang)
    names = [d.name_in("en") for d in Distortion if d is not Distortion.LABELING]
    for text in [*shipped(book), *crisis_texts(book)]:
        assert not re.search(r"[0-9０-９!！]", text), text
        assert not any(name in text for name in names), text


@pytest.mark.parametrize("lang", LANGS)
def test_no_text_promises_cheers_or_lectures(lang):
    banned = {
        "en": r"\b(?:always|never) (?:give up|forget)|\b(?:promise|guarantee|don't worry|cheer up"
        r"|calm down|look on the bright side|think positive|stay strong|everything will|get over"
        r"|at the end of the day|you need to|you must|you should|you have to|others have it worse"
        r"|just think|i understand how you feel|i know how you feel)\b",
        "zh": "加油|别担心|别想太多|想开点|看开|坚强|一切都会|会好起来|正能量|你应该|你必须"
        "|你要学会|保证|感同身受|我懂你|振作|积极一点|往好处想",
    }[lang]
    book = open_book(lang)
    for text in [*shipped(book), *crisis_texts(book)]:
        assert not re.search(banned, text, re.IGNORECASE), text


@pytest.mark.parametrize("lang", LANGS)
def test_a_validation_does_not_open_like_the_sentence_that_follows_it(lang):
    opening = {"en": "sounds", "zh": "听起来"}[lang]
    marks = [m for m in open_book(lang).marks if m.part == "validation"]
    assert [m.text for m in marks if opening in m.text] == []


@pytest.mark.parametrize("lang", LANGS)
def test_no_text_of_a_strategy_occurs_inside_a_text_of_the_conversation(lang):
    book = open_book(lang)
    common = [t for texts in book.conversation.values() for t in texts]
    common += [t for texts in book.moods.texts.values() for t in texts]
    marks = [mark.text for mark in book.marks]
    assert len(marks) == len(set(marks))
    assert [m for m in marks if any(m in t for t in common)] == []


def test_both_languages_have_the_same_number_of_variants_everywhere():
    english, chinese = (open_book(lang) for lang in LANGS)
    assert [(m.target, m.strategy, m.part) for m in english.marks] == [
        (m.target, m.strategy, m.part) for m in chinese.marks
    ]
    for kind, slots in english.crisis.acuity.items():
        assert {k: len(v) for k, v in slots.items()} == {
            k: len(v) for k, v in chinese.crisis.acuity[kind].items()
        }


@pytest.mark.parametrize("lang", LANGS)
def test_no_clinician_has_reviewed_the_crisis_texts_yet(lang):
    assert open_book(lang).crisis.reviewed_by is None


@pytest.mark.parametrize("lang", LANGS)
def test_every_direct_question_is_one_that_the_safety_floor_recognises(lang):
    yes, no = {"en": ("yes", "no"), "zh": ("是的", "不")}[lang]
    missed = []
    book = open_book(lang)
    asked = {kind.value: slots["question"] for kind, slots in book.crisis.acuity.items()}
    asked["dark"] = book.occasions["dark"].pool("challenge")
    for kind, questions_ in asked.items():
        for question in questions_:
            history = [Utterance(USER[lang]), Utterance(question, role="assistant")]
            levels = {safety.screen(answer, history).level for answer in (yes, no)}
            if Risk.HIGH not in levels:
                missed.append((kind, question))
    assert missed == []
