"""The crisis contract: slots, contacts, order, and no block twice in a row."""

from __future__ import annotations

import pytest

from tests.respond.build import chosen, crisis, danger, heard, said
from untwist import safety
from untwist.respond import ScriptedResponder, open_book
from untwist.respond.pick import occurs
from untwist.taxonomy import Acuity, Distortion, Risk
from untwist.text import LOCALES

MESSAGE = {"en": "I can't keep this up", "zh": "我撑不下去了", "zh-Hant": "我撐不下去了"}


@pytest.mark.parametrize("lang", LOCALES)
@pytest.mark.parametrize("kind", list(Acuity))
def test_the_first_reply_fills_all_six_slots(lang, kind):
    book = open_book(lang)
    text = ScriptedResponder(region="CN").reply(crisis(), danger(MESSAGE[lang], kind), ()).text
    for slot in ("reflect", "question", "near"):
        assert sum(v in text for v in book.crisis.acuity[kind][slot]) == 1, slot
    for slot in ("limits", "stay"):
        assert sum(v in text for v in book.crisis.shared[slot]) == 1, slot
    assert "12356" in text
    assert "110" in text
    assert "120" in text


@pytest.mark.parametrize("lang", LOCALES)
@pytest.mark.parametrize(
    ("kind", "first"),
    [
        (Acuity.ACTION_TAKEN, "120"),
        (Acuity.MEDICAL, "120"),
        (Acuity.IN_DANGER_FROM_OTHER, "110"),
        (Acuity.ACTIVE, "12356"),
    ],
)
def test_the_emergency_number_comes_first_when_it_is_urgent(lang, kind, first):
    text = ScriptedResponder(region="CN").reply(crisis(), danger(MESSAGE[lang], kind), ()).text
    others = {"110", "120", "12356"} - {first}
    assert all(text.index(first) < text.index(other) for other in others)


@pytest.mark.parametrize("lang", LOCALES)
@pytest.mark.parametrize("region", [None, *safety.regions()])
def test_no_part_is_repeated_word_for_word_within_three_turns(lang, region):
    responder, history, replies = ScriptedResponder(region=region), [], []
    for _ in range(8):
        reply = responder.reply(crisis(), danger(MESSAGE[lang], Acuity.ACTIVE), history).text
        for paragraph in reply.split("\n\n"):
            assert not any(paragraph in earlier for earlier in replies[-3:]), paragraph
        replies.append(reply)
        history += said(MESSAGE[lang], reply)


@pytest.mark.parametrize("lang", LOCALES)
def test_after_the_list_of_contacts_comes_help_with_calling(lang):
    responder = ScriptedResponder(region="US")
    first = responder.reply(crisis(), danger(MESSAGE[lang], Acuity.ACTIVE), ()).text
    second = responder.reply(
        crisis(), danger(MESSAGE[lang], Acuity.ACTIVE), said(MESSAGE[lang], first)
    ).text
    barriers = [b.text for b in open_book(lang).crisis.barriers["own"]]
    assert not any(b in first for b in barriers)
    assert any(b in second for b in barriers)
    assert "988" in second


def test_writing_instead_of_calling_is_offered_only_where_the_line_can_be_written_to():
    written = [b.text for b in open_book("en").crisis.barriers["own"] if b.needs == "text"]
    seen = {"US": False, "IE": False}
    for region in seen:
        responder, history = ScriptedResponder(region=region), []
        for _ in range(12):
            reply = responder.reply(crisis(), danger("please", Acuity.ACTIVE), history).text
            seen[region] = seen[region] or any(text in reply for text in written)
            history += said("please", reply)
    assert seen == {"US": True, "IE": False}


def test_the_region_is_told_from_the_message_or_from_an_earlier_one():
    responder = ScriptedResponder()
    now = responder.reply(crisis(), danger("I live in London and I want to die", Acuity.ACTIVE), ())
    earlier = responder.reply(
        crisis(), danger("I want to die", Acuity.ACTIVE), said("I live in London", "Thanks.")
    )
    for reply in (now, earlier):
        assert "116 123" in reply.text
        assert "999" in reply.text


@pytest.mark.parametrize("conversation", [True, False])
def test_soon_after_a_crisis_reply_no_thought_is_worked_on(conversation):
    responder = ScriptedResponder(conversation)
    text = responder.reply(crisis(), danger("I want to die", Acuity.ACTIVE), ()).text
    history = said("I want to die", text)
    for risk in (Risk.NONE, Risk.LOW, Risk.MEDIUM):
        calmer = heard("I'm just stupid", Distortion.LABELING, None, None, risk)
        reply = responder.reply(chosen(Distortion.LABELING), calmer, history)
        assert any(v in reply.text for v in open_book("en").moods.texts["after_crisis"])
        assert ("findahelpline" in reply.text) == (risk is Risk.MEDIUM)
    for turn in range(3):
        history += said(f"fine {turn}", "I'm listening.")
    reply = responder.reply(chosen(Distortion.LABELING), calmer, history)
    assert any(
        v in reply.text for v in open_book("en").distortions[Distortion.LABELING].pool("validation")
    )


@pytest.mark.parametrize("lang", LOCALES)
def test_whoever_answers_where_they_are_gets_the_contacts_of_that_place(lang):
    place = {"en": "I'm in Dublin", "zh": "我在上海", "zh-Hant": "我人在臺北"}[lang]
    number = {"en": "116 123", "zh": "12356", "zh-Hant": "1925"}[lang]
    responder = ScriptedResponder()
    first = responder.reply(crisis(), danger(MESSAGE[lang], Acuity.ACTIVE), ()).text
    for risk in (Risk.LOW, Risk.MEDIUM):
        reply = responder.reply(chosen(), heard(place, risk=risk), said(MESSAGE[lang], first))
        assert number in reply.text


def test_language_is_not_region():
    reply = ScriptedResponder().reply(crisis(), danger("我不想活了", Acuity.ACTIVE), ())
    assert "12356" not in reply.text
    assert "findahelpline.com" in reply.text
    assert open_book("zh").crisis.choose in reply.text


def test_someone_in_danger_themselves_is_not_answered_as_a_third_party():
    own = danger("both", Acuity.PLAN_OR_INTENT)
    other = danger("both", Acuity.ACTIVE, Acuity.THIRD_PARTY)
    book = open_book("en")
    responder = ScriptedResponder()
    assert not any(
        v in responder.reply(crisis(), own, ()).text
        for v in book.crisis.acuity[Acuity.THIRD_PARTY]["near"]
    )
    assert any(
        v in responder.reply(crisis(), other, ()).text
        for v in book.crisis.acuity[Acuity.THIRD_PARTY]["near"]
    )


@pytest.mark.parametrize("lang", LOCALES)
@pytest.mark.parametrize(
    ("acuity", "reasons", "occasion"),
    [
        ((), (), "general"),
        ((Acuity.PASSIVE,), (), "passive"),
        ((Acuity.SELF_INJURY,), (), "self_injury"),
        ((Acuity.THIRD_PARTY,), (), "third_party"),
        ((), ("en-bereavement-01",), "bereavement"),
        ((), ("en-history-01",), "past"),
    ],
)
def test_below_high_risk_the_soft_sentence_fits_the_occasion(lang, acuity, reasons, occasion):
    assessment = heard(MESSAGE[lang], None, None, None, Risk.MEDIUM, acuity, reasons)
    text = ScriptedResponder(region="CN").reply(chosen(), assessment, ()).text
    assert "12356" in text
    assert any(occurs(v, text) for v in open_book(lang).crisis.soft[occasion])
