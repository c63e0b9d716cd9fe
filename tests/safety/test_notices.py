import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest

from untwist.errors import ConfigError
from untwist.safety import (
    Audience,
    Notice,
    Settings,
    Visit,
    ask_a_lawyer,
    asks_if_person,
    chat_is_off,
    digit_strings,
    due,
    find_claims,
    seen,
    violations,
)
from untwist.taxonomy import Risk
from untwist.text import LOCALES

FILE = json.loads(files("untwist.safety").joinpath("notices.json").read_text(encoding="utf-8"))
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
S, AWAY, ASKED, R, B, NY = (
    Notice.START, Notice.AWAY, Notice.ASKED, Notice.REMINDER, Notice.BREAK, Notice.NEW_YORK
)  # fmt: skip
ADULT, MINOR, UNKNOWN = Audience.ADULT, Audience.MINOR, Audience.UNKNOWN


def ago(minutes):
    return None if minutes is None else NOW - timedelta(minutes=minutes)


def visit(started=0, seen_=None, notice=None, pause=None):
    return Visit(ago(started), ago(seen_), ago(notice), ago(pause))


DAY = 24 * 60
TABLE = [
    # (started, last seen, last notice, last break) in minutes before now
    ("first visit", (0, None, None, None), ADULT, {}, False, (S,)),
    ("first visit of a minor", (0, None, None, None), MINOR, {}, False, (S,)),
    ("just told", (1, 1, 1, None), ADULT, {}, False, ()),
    ("119 minutes", (1, 1, 119, None), ADULT, {}, False, ()),
    ("120 minutes", (1, 1, 120, None), ADULT, {}, False, (R,)),
    ("120 minutes, age unknown", (1, 1, 120, None), UNKNOWN, {}, False, (R,)),
    ("a minor at 59", (1, 1, 59, None), MINOR, {}, False, ()),
    ("a minor at 60", (1, 1, 60, None), MINOR, {}, False, (R,)),
    ("an operator's 30", (1, 1, 30, None), ADULT, {"every": 30}, False, (R,)),
    ("an operator's 180", (1, 1, 179, None), MINOR, {"every": 180}, False, ()),
    ("asked", (1, 1, 1, None), ADULT, {}, True, (ASKED,)),
    ("asked when a reminder is due", (1, 1, 120, None), ADULT, {}, True, (ASKED,)),
    ("asked at once", (0, None, None, None), ADULT, {}, True, (S, ASKED)),
    ("almost 7 days away", (0, 7 * DAY - 1, 60, None), ADULT, {}, False, ()),
    ("7 days away", (0, 7 * DAY, 7 * DAY, None), ADULT, {}, False, (AWAY,)),
    ("a month away", (0, 30 * DAY, 30 * DAY, None), MINOR, {}, False, (AWAY,)),
    ("back after one night", (0, 600, 600, None), ADULT, {}, False, (R,)),
    ("119 minutes of use", (119, 1, 10, None), ADULT, {}, False, ()),
    ("2 hours of use", (120, 1, 10, None), ADULT, {}, False, (B,)),
    ("2 hours of a minor", (120, 1, 10, None), MINOR, {}, False, (B,)),
    ("a break 119 minutes ago", (300, 1, 10, 119), ADULT, {}, False, ()),
    ("a break 2 hours ago", (300, 1, 10, 120), ADULT, {}, False, (B,)),
    ("an operator's break", (45, 1, 10, None), ADULT, {"pause_after": 45}, False, (B,)),
    ("3 hours at most", (180, 1, 10, None), MINOR, {"pause_after": 180}, False, (B,)),
    ("both at once", (120, 1, 120, None), ADULT, {}, False, (R, B)),
    ("New York, start", (0, None, None, None), ADULT, {"new_york": True}, False, (S, NY)),
    ("New York, between", (1, 1, 60, None), ADULT, {"new_york": True}, False, ()),
    ("New York, reminder", (1, 1, 120, None), ADULT, {"new_york": True}, False, (R, NY)),
    (
        "New York, 3 hours at most", (1, 1, 180, None), ADULT,
        {"new_york": True, "every": 180}, False, (R, NY),
    ),
    ("the clock went back", (-5, -5, -5, None), ADULT, {}, False, (AWAY,)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("times", "audience", "settings", "asked", "wanted"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_the_notices_that_are_due(times, audience, settings, asked, wanted):
    assert due(visit(*times), NOW, audience, Settings(**settings), asked=asked) == wanted


def test_a_minor_who_stays_gets_a_reminder_every_hour_and_a_break_every_second():
    state, given = Visit(NOW), []
    for minute in range(0, 361, 5):
        now = NOW + timedelta(minutes=minute)
        found = due(state, now, MINOR)
        given += [(minute, notice) for notice in found]
        state = seen(state, now, found)
    assert [m for m, n in given if n in (S, R)] == [0, 60, 120, 180, 240, 300, 360]
    assert [m for m, n in given if n is B] == [120, 240, 360]


def test_half_an_hour_away_is_a_break_of_its_own():
    state = Visit(NOW, NOW, NOW)
    later = NOW + timedelta(minutes=110)
    rested = seen(replace(state, last_seen=later - timedelta(minutes=31)), later)
    assert rested.started == later
    worked = seen(replace(state, last_seen=later - timedelta(minutes=29)), later)
    assert worked.started == NOW


def test_a_break_alone_does_not_count_as_saying_that_this_is_a_program():
    state = Visit(ago(130), ago(1), ago(100), None)
    after = seen(state, NOW, (B,))
    assert after.last_notice == ago(100)
    assert after.last_break == NOW


@pytest.mark.parametrize("field", ["every", "pause_after"])
@pytest.mark.parametrize("minutes", [0, -1, 181])
def test_reminders_cannot_be_switched_off(field, minutes):
    with pytest.raises(ConfigError, match="1 to 180"):
        Settings(**{field: minutes})


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ConfigError, match="aware"):
        Visit(datetime(2026, 1, 1))  # noqa: DTZ001


def test_no_region_is_switched_off_by_itself():
    assert not any(chat_is_off(code, Settings()) for code in (None, "US-IL", "US-NV", "US"))
    assert set(ask_a_lawyer()) == {"US-IL", "US-NV"}


def test_a_region_that_the_operator_switched_off_is_off_with_its_parts():
    settings = Settings(chat_off=frozenset({"US-IL", "GB"}))
    assert chat_is_off("us-il", settings)
    assert chat_is_off("GB", settings)
    assert chat_is_off("GB-SCT", settings)
    assert not chat_is_off("US", settings)
    assert not chat_is_off("US-NV", settings)
    assert not chat_is_off(None, settings)
    with pytest.raises(ConfigError, match="codes such as"):
        Settings(chat_off=frozenset({"Illinois"}))


def test_no_role_is_played_for_a_minor():
    assert (MINOR.role_play, ADULT.role_play, UNKNOWN.role_play) == (False, True, True)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("notice", Notice)
def test_every_notice_is_there_for_everyone_and_breaks_no_rule(notice, locale):
    for audience in Audience:
        text = notice.said(locale, audience)
        assert find_claims(text) == ()
        assert not any(number in text for number in digit_strings())
        lang = "en" if locale == "en" else "zh"
        if notice is not NY:
            assert violations(text, lang, Risk.LOW) == ()


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("notice", [S, AWAY, ASKED, R])
def test_every_notice_of_what_this_is_says_program_and_ai(notice, locale):
    for audience in Audience:
        text = notice.said(locale, audience)
        assert "AI" in text
        assert {"en": "program", "zh": "程序", "zh-Hant": "程式"}[locale] in text


@pytest.mark.parametrize("locale", LOCALES)
def test_a_minor_is_pointed_to_an_adult_and_reminded_at_a_break(locale):
    adult = {"en": "adult you trust", "zh": "信任的大人", "zh-Hant": "信任的大人"}[locale]
    for notice in (S, AWAY, ASKED, R):
        assert adult in notice.said(locale, MINOR)
        assert adult not in notice.said(locale, ADULT)
    assert "AI" in B.said(locale, MINOR)


@pytest.mark.parametrize("locale", LOCALES)
def test_the_notice_for_new_york_is_in_capitals(locale):
    line = NY.said(locale).splitlines()[-1]
    assert line == line.upper()
    assert "NOT COMMUNICATING WITH A HUMAN" in line


def test_traditional_texts_hold_no_simplified_characters():
    opencc = pytest.importorskip("opencc")
    to_traditional = opencc.OpenCC("s2tw")
    changed = {
        kind: texts["zh-Hant"]
        for kind, texts in FILE["texts"].items()
        if to_traditional.convert(texts["zh-Hant"]) != texts["zh-Hant"]
    }
    assert changed == {}


@pytest.mark.parametrize(
    "text",
    [
        "Are you a bot?", "are you a real person", "r u real?", "are you human",
        "Am I talking to a person or a bot?", "you're a bot right?", "is this an AI?",
        "is there a real person behind this", "are you even real", "Are you an actual human being?",
        "wait, are you a robot", "is anyone there?", "who am I talking to?", "what are you?",
        "who are you", "I wonder if you are a bot", "tell me if you're human",
        "so you're just a program?", "human or bot?", "are you chatgpt", "Be honest, are you AI",
        "am i speaking with someone real?", "is this automated?", "ａｒｅ ｙｏｕ ａ ｂｏｔ？",
        "are you just some kind of computer program or what", "I'm scared. Are you a real person?",
        "你是机器人吗", "你是真人吗？", "你是AI吗", "你到底是人还是机器", "妳是真人嗎",
        "你是不是机器人", "对面是真人吗", "我在跟机器人说话吗", "跟我聊天的是人吗", "有真人吗",
        "你是谁？", "是真人还是AI", "您是人工智能么", "你是chatgpt吧", "這是機器人嗎",
        "我是在和真人聊天吗", "你是人吗", "屏幕那头是人吗", "你该不会是个程序吧",
    ],
)  # fmt: skip
def test_who_asks_whether_this_is_a_person_is_heard(text):
    assert asks_if_person(text)


@pytest.mark.parametrize(
    "text",
    [
        "I feel like a robot", "My boss treats me like a machine", "He asked me are you a bot",
        "she said are you even human", "Are you kidding me", "are you really sure",
        "I met a real person at last", "Is this person real, or is he lying to me?",
        "I am a real person", "am I even real?", "am i a robot? I feel nothing",
        "I wrote a bot for work", "my computer died", "people ask are you human",
        "I don't talk to real people any more", "how real is this pain",
        "what are you doing tonight", "what are you talking about", "who are you to judge me",
        "is there someone I can call?", "I can't tell if he is real", "Are you alone?",
        "we are human after all", "Is this a person I should trust?", "", "?",
        "我觉得自己像机器人", "他说我是机器人", "我不是人", "你是好人", "你是什么意思",
        "老板问我你是机器人吗", "没有人懂我", "我是不是一个人", "他是真人吗，还是骗我",
        "我妈说你是人吗", "人工智能会取代我吗", "我跟人聊天就紧张", "身边有真人朋友就好了",
        "我在和人说话的时候脸红",
    ],
)  # fmt: skip
def test_what_only_sounds_like_that_question_is_not_taken_for_it(text):
    assert not asks_if_person(text)
