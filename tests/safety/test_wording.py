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
        assert ids == {f"R{i:02d}" for i in range(1, 25)} - {"R21"} | {"X1", "X2", "X3"}
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


@pytest.mark.parametrize(
    "text",
    [
        "You're in Manchester, so please call 988.",
        "In Dublin you can dial 110 for the police.",
        "In the US, 116 123 answers day and night.",
        "For someone in Boston, the emergency number is 999.",
        "Hangzhou: call 1925.",
        "如果你在伦敦，可以打 12356。",
    ],
)
def test_a_number_of_another_country_than_the_one_that_the_reply_names_is_a_fault(text):
    assert "R21" in violations(text, None, Risk.HIGH)
    assert "R21" in violations(text, None, Risk.HIGH, "I feel awful")


@pytest.mark.parametrize(
    "text",
    [
        "In the UK, 116 123 is free, and 999 is for danger.",
        "In the US call 988; in Canada call 9-8-8; in the UK call 116 123.",
        "In Taiwan, 1925 is free; for danger it's 119 or 110.",
        "Please call 988, or 116 123.",
        "You moved to Boston in 1995, you said.",
        "如果你在北京，可以打 12356。",
    ],
)
def test_numbers_of_the_countries_that_a_reply_names_are_no_fault(text):
    assert "R21" not in violations(text, None, Risk.HIGH)


@pytest.mark.parametrize(
    "text",
    [
        "Name five things you see: 5-4-3-2-1.",
        "Breathe in the 4-7-8 pattern, or call it a day.",
        "Your worry went from 80 to 50 on a scale of 0 to 100.",
        "Text a friend, and rate the fear from 0 to 100.",
        "In 1995 the town had 12000 people.",
        "The first session was on 20.11.2026 and the course ran 2019-2021.",
        "Samaritans are on 116 123 24 hours a day.",
        "Call me in 120 minutes, she said.",
    ],
)
def test_scales_times_dates_and_counts_are_no_telephone_numbers(text):
    assert "R17" not in violations(text, "en", Risk.LOW)


@pytest.mark.parametrize(
    "text",
    [
        "Call or text 989.",
        "Call 0800 555 000.",
        "Text HELP to 70707.",
        "The crisis line is 116 124.",
        "Reach them on 1-800-555-0123.",
        "Call 116 123 and they will send an ambulance.",
        "Dial 12356 for the fire brigade.",
    ],
)
def test_an_unknown_number_or_one_for_another_service_is_a_fault(text):
    assert "R17" in violations(text, "en", Risk.HIGH)


@pytest.mark.parametrize(
    "text",
    [
        "988 answers calls all night.",
        "In danger it's 999.",
        "Please call the emergency number where you are.",
        "A crisis line can listen.",
        "Go to someone near you.",
    ],
)
def test_a_number_a_line_or_a_person_near_is_help_offered(text):
    assert "R14" not in violations(text, "en", Risk.HIGH)


def test_a_row_of_questions_is_a_fault_where_there_may_be_danger():
    text = "Are you hurt? Are you drinking? Who is there? What did you eat? Do you sleep?"
    assert "R02" in violations(text, "en", Risk.MEDIUM)
    assert "R02" not in violations(text, "en", Risk.LOW)


def test_a_disguised_fault_is_caught_too():
    assert "R03" in violations("ＰＲＯＭＩＳＥ　ＭＥ you won't.", "en", Risk.HIGH)
    assert "R03" in violations("答應我，不要做傻事", "zh", Risk.HIGH)


def test_direct_questions_are_counted():
    assert direct_questions("Thank you. Are you thinking about ending your life? Who is near?") == 1
    assert direct_questions("你是在想自杀吗？现在安全吗？") == 2
    assert direct_questions("What happened today?") == 0
