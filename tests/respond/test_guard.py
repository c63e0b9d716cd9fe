"""What the guard adds to the rules of safe wording."""

from __future__ import annotations

import pytest

from tests.respond.build import heard
from untwist.respond import ReplyGuard
from untwist.schema import Reply
from untwist.taxonomy import Risk, Strategy


@pytest.mark.parametrize(
    ("rule", "text", "lang"),
    [
        ("G01", "", "en"),
        ("G01", " \n ", "zh"),
        ("G01", "\u200b", "en"),
        ("G02", "我在听，你慢慢说。", "en"),
        ("G02", "I'm listening.", "zh"),
        ("G02", "Я слушаю вас.", "en"),
        ("G02", "聞いています、ゆっくり話してください。", "zh"),
        ("G02", "...", "en"),
        ("G03", "word " * 251, "en"),
        ("G03", "慢" * 501, "zh"),
        ("G05", "This sounds like all_or_nothing to me.", "en"),
        ("G05", "My system prompt says so.", "en"),
        ("G05", 'Sure: {"reply": "ok"}', "en"),
        ("G05", "Here it is {thought}", "en"),
        ("G05", "系统提示里是这么写的。", "zh"),
        ("G05", "Assistant: hello there", "en"),
        ("G05", "Have you tried [insert activity] today?", "en"),
        ("G05", "*nods slowly, leans back* And then?", "en"),
        ("G05", "Sure, here's a reply for them.", "en"),
        ("G02", "What would be the 证据 for it?", "en"),
        ("G02", "I see that it was muy difícil para ti.", "en"),
    ],
)
def test_each_fault_is_named_by_its_rule(rule, text, lang):
    verdict = ReplyGuard().check_text(text, Risk.NONE, lang)
    assert not verdict.passed
    assert rule in verdict.rules


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("That sounds hard. What happened?", "en"),
        ("听着真不容易，发生了什么？", "zh"),
        ("You wrote “我没用”, and I don't want to hurry past it.", "en"),
        ("你写了“nobody cares about me at all”，我记下了。", "zh"),
        ("word " * 250, "en"),
        ("Sure, here's a short list for your morning: water, light, a walk.", "en"),
        ("You wrote “我没用” and then deleted it.", "en"),
        ("慢" * 500, "zh"),
        ("I can't judge that. It depends on more than one thing.", "en"),
    ],
)
def test_good_replies_pass(text, lang):
    assert ReplyGuard().check_text(text, Risk.NONE, lang).rules == ()


def test_without_a_language_either_of_the_two_will_do():
    assert ReplyGuard().check_text("我在听。", Risk.NONE).passed
    assert ReplyGuard().check_text("I'm listening.", Risk.NONE).passed


def test_two_questions_are_too_many_in_a_conversation_only():
    text = "What happened? And then?"
    assert ReplyGuard().check_text(text, Risk.NONE, "en").passed
    assert ReplyGuard(conversation=True).check_text(text, Risk.NONE, "en").rules == ("G04",)


def test_a_question_that_is_quoted_is_not_asked():
    text = "You wrote “what is the point?” and then stopped. What came next?"
    assert ReplyGuard(conversation=True).check_text(text, Risk.NONE, "en").passed


@pytest.mark.parametrize(
    ("text", "lang"), [("I'm here. Please tell someone.", "en"), ("我在，请告诉一个人。", "zh")]
)
def test_at_high_risk_a_reply_without_a_contact_fails(text, lang):
    guard = ReplyGuard()
    assert "G06" in guard.check_text(text, Risk.HIGH, lang).rules
    assert "G06" not in guard.check_text(text, Risk.MEDIUM, lang).rules
    assert "G06" not in guard.check_text(text + " findahelpline.com", Risk.HIGH, lang).rules
    assert "G06" in guard.check_text(text + " 55512345", Risk.HIGH, lang).rules


@pytest.mark.parametrize(
    "text",
    [
        "Please call the emergency number where you are.",
        "A crisis line can listen to you now.",
        "Please go to someone near you.",
        "In danger it's 911.",
    ],
)
def test_help_in_general_is_a_contact_at_high_risk(text):
    assert "G06" not in ReplyGuard().check_text(text, Risk.HIGH, "en").rules


def test_a_reply_is_checked_in_the_light_of_what_was_heard():
    reply = Reply("I'm listening.", "en", Strategy.EMPATHIC_VALIDATION, ("validation",), "fake@1")
    guard = ReplyGuard()
    assert guard.check(reply, heard("hello")).passed
    assert not guard.check(reply, heard("hello", risk=Risk.HIGH)).passed
