import json
from importlib.resources import files

import pytest

from untwist.safety import help_block, violations
from untwist.safety.wording import direct_questions
from untwist.taxonomy import Risk

DATA = {
    lang: json.loads(
        files("untwist.safety").joinpath(f"wording/{lang}.json").read_text(encoding="utf-8")
    )
    for lang in ("en", "zh")
}
RULES = [(lang, rule) for lang in DATA for rule in DATA[lang]["rules"]]
NAMES = [f"{lang}-{rule['id']}" for lang, rule in RULES]


def split(example):
    user, mark, reply = example.partition(" ## ")
    return (user, reply) if mark else (None, example)


def test_every_rule_is_there_in_both_languages_with_enough_examples():
    for lang in DATA:
        ids = {rule["id"] for rule in DATA[lang]["rules"]}
        assert ids == {f"R{i:02d}" for i in range(1, 25)} - {"R21"}
    assert not [r["id"] for _, r in RULES if len(r["bad"]) < 12 or len(r["good"]) < 6]


@pytest.mark.parametrize(("lang", "rule"), RULES, ids=NAMES)
def test_a_rule_catches_every_bad_example(lang, rule):
    context = Risk(rule["contexts"][-1])
    missed = []
    for example in rule["bad"]:
        user, reply = split(example)
        if rule["id"] not in violations(reply, lang, context, user):
            missed.append(example)
    assert not missed


@pytest.mark.parametrize(("lang", "rule"), RULES, ids=NAMES)
def test_a_rule_lets_every_good_example_pass_in_all_its_contexts(lang, rule):
    blocked = []
    for example in rule["good"]:
        user, reply = split(example)
        for context in rule["contexts"]:
            if rule["id"] in violations(reply, lang, Risk(context), user):
                blocked.append((context, example))
    assert not blocked


@pytest.mark.parametrize("lang", DATA)
def test_good_replies_break_no_rule_at_all(lang):
    broken = {
        reply: found
        for context, replies in DATA[lang]["replies"].items()
        for reply in replies
        if (found := violations(reply, lang, Risk(context)))
    }
    assert not broken


@pytest.mark.parametrize("region", [None, "US", "TW", "GB"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_help_block_itself_breaks_no_rule_in_a_crisis(lang, region):
    assert not violations(help_block(lang, region), lang, Risk.HIGH)


def test_the_wrong_language_is_a_fault_only_when_a_language_is_asked_for():
    assert violations("你好，今天怎么样？", "en", Risk.LOW) == ("L01",)
    assert violations("你好，今天怎么样？", None, Risk.LOW) == ()


def test_more_than_one_question_is_a_fault_only_when_asked():
    text = "What happened? How did it feel?"
    assert violations(text, "en", Risk.LOW) == ()
    assert violations(text, "en", Risk.LOW, one_question=True) == ("Q01",)


def test_a_number_of_another_region_is_a_fault():
    assert "R21" in violations("Please call 988.", "en", Risk.HIGH, "I'm in London")
    assert "R21" not in violations("Please call 116 123.", "en", Risk.HIGH, "I'm in London")
    assert "R21" not in violations("Please call 988.", "en", Risk.HIGH, "I feel awful")


def test_a_disguised_fault_is_caught_too():
    assert "R03" in violations("ＰＲＯＭＩＳＥ　ＭＥ you won't.", "en", Risk.HIGH)
    assert "R03" in violations("答應我，不要做傻事", "zh", Risk.HIGH)


def test_direct_questions_are_counted():
    assert direct_questions("Thank you. Are you thinking about ending your life? Who is near?") == 1
    assert direct_questions("你是在想自杀吗？现在安全吗？") == 2
    assert direct_questions("What happened today?") == 0
