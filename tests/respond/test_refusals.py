"""After a crisis reply: refusals, retractions, other topics, and talks that go on for long."""

from __future__ import annotations

import re

import pytest

from tests.respond.build import chosen, crisis, danger, heard, questions, said
from untwist import safety
from untwist.engine import Engine
from untwist.respond import CRISIS_PARTS, ReplyGuard, ScriptedResponder, open_book
from untwist.respond.pick import occurs
from untwist.schema import Utterance
from untwist.taxonomy import Acuity, Risk
from untwist.text import LOCALES, traditional

HURT = {"en": "I can't keep this up", "zh": "我撑不下去了", "zh-Hant": "我撐不下去了"}
KEPT = 0, 1, 2, 3, 4, 5, 6
"""The obstacles by place: speaking, no use, cost, found out, locked up, a bother, no."""
REFUSALS = {
    "en": (
        ["I can't talk on the phone", "I wouldn't know what to say"],
        ["they'll not help", "I tried calling once and they hung up"],
        ["it costs money", "I have no phone credit"],
        ["they'll tell my parents", "what if my mom finds out"],
        ["they'll put me away", "they will send the police"],
        ["I don't want to bother anyone", "it's not bad enough for that"],
        ["I won't call", "stop giving me numbers"],
    ),
    "zh": (
        ["我不敢打电话", "打过去我不知道说什么"],
        ["打了没人接", "他们帮不了我"],
        ["打电话要钱的吧", "我手机没话费了"],
        ["怕被爸妈知道", "他们会不会告诉学校"],
        ["怕被关起来", "他们会把我送去精神病院"],
        ["不想麻烦别人", "我这个没那么严重"],
        ["不想打电话", "我不需要热线"],
    ),
    "zh-Hant": (
        ["我不敢打電話", "我說不出口"],
        ["打了沒人接", "他們幫不了我"],
        ["打電話要錢的吧", "我手機沒話費了"],
        ["怕被爸媽知道", "他們會不會告訴學校"],
        ["怕被關起來", "他們會把我送去精神病院"],
        ["不想麻煩別人", "我這個沒那麼嚴重"],
        ["不想打電話", "我不需要熱線"],
    ),
}
NO_REFUSALS = [
    "I'm useless", "there's no point", "I tried to kill myself", "nothing helps", "nobody hears me",
    "我真没用", "我试过自杀", "活着有什么用", "没有人在乎我", "我不配活着",
]  # fmt: skip


def talk(responder, locale, *messages, kind=Acuity.ACTIVE):
    """The replies to a message in danger and to what follows it, all at high risk."""
    history, replies = [], []
    for message in (HURT[locale], *messages):
        reply = responder.reply(crisis(), danger(message, kind), history)
        replies.append(reply.text)
        history += said(message, reply.text)
    return replies


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("place", KEPT)
def test_a_refusal_is_heard_and_the_second_one_is_helped_with_what_it_names(locale, place):
    obstacle = open_book(locale).crisis.obstacles[place]
    for region in ("CN", "US", "TW"):
        responder = ScriptedResponder(region=region, locale=locale)
        replies = talk(responder, locale, *REFUSALS[locale][place])
        number = next(r.contact for r in safety.lines(region) if r.kind == "line")
        shown = [p for p in replies[0].split("\n\n") if "\n- " in p]
        assert len(shown) == 1
        assert sum(h in replies[1] for h in obstacle.heard) == 1
        assert sum(b.text in replies[2] for b in obstacle.help) == 1
        for reply in replies[1:]:
            assert "\n- " not in reply
            assert number in reply


@pytest.mark.parametrize("locale", LOCALES)
def test_writing_instead_of_calling_is_said_first_hand_where_the_line_takes_it(locale):
    speaking = open_book(locale).crisis.obstacles[0]
    written = [b.text for b in speaking.help if b.needs == "text"]
    phrase = REFUSALS[locale][0][0]
    found = {}
    for region in ("US", "CN"):
        replies = talk(ScriptedResponder(region=region, locale=locale), locale, *[phrase] * 5)
        found[region] = any(text in reply for text in written for reply in replies)
    assert found == {"US": True, "CN": False}


@pytest.mark.parametrize("locale", LOCALES)
def test_a_line_is_called_free_only_where_the_file_says_so(locale):
    cost = open_book(locale).crisis.obstacles[2]
    free = [b.text for b in cost.help if b.needs == "free"]
    found = {}
    for region in ("TW", "GB", "CN", "US", None):
        responder = ScriptedResponder(region=region, locale=locale)
        replies = talk(responder, locale, *[REFUSALS[locale][2][0]] * 5)
        found[region] = any(text in reply for text in free for reply in replies)
    assert found == {"TW": True, "GB": True, "CN": False, "US": False, None: False}


@pytest.mark.parametrize("message", NO_REFUSALS)
def test_dark_words_are_no_refusal(message):
    locale = "zh" if message > "\u2e80" else "en"
    reply = talk(ScriptedResponder(region="GB"), locale, message)[1]
    heard_ = [h for o in open_book(locale).crisis.obstacles for h in o.heard]
    assert not any(h in reply for h in heard_)


@pytest.mark.parametrize("locale", LOCALES)
def test_nothing_is_a_refusal_before_anything_was_offered(locale):
    message = REFUSALS[locale][6][0]
    reply = ScriptedResponder(region="CN").reply(crisis(), danger(message, Acuity.ACTIVE), ())
    assert "\n- " in reply.text


@pytest.mark.parametrize("kind", [Acuity.ACTION_TAKEN, Acuity.MEDICAL, Acuity.IN_DANGER_FROM_OTHER])
@pytest.mark.parametrize("locale", LOCALES)
def test_whoever_refuses_in_urgent_danger_is_still_sent_to_the_emergency_number_first(locale, kind):
    responder = ScriptedResponder(region="CN", locale=locale)
    for reply in talk(responder, locale, *REFUSALS[locale][6], kind=kind)[1:]:
        first = "110" if kind is Acuity.IN_DANGER_FROM_OTHER else "120"
        assert reply.index(first) < reply.index("12356")
        heard_ = open_book(locale).crisis.shared["heard_urgent"]
        assert sum(text in reply for text in heard_) == 1


@pytest.mark.parametrize("locale", LOCALES)
def test_a_worried_person_who_will_not_call_is_helped_as_such(locale):
    other = [b.text for b in open_book(locale).crisis.barriers["other"]]
    responder = ScriptedResponder(region="US", locale=locale)
    for reply in talk(responder, locale, *REFUSALS[locale][6], kind=Acuity.THIRD_PARTY)[1:]:
        assert sum(text in reply for text in other) == 1


@pytest.mark.parametrize("locale", LOCALES)
def test_what_has_been_done_to_the_body_stays_first_while_dark_thoughts_go_on(locale):
    responder = ScriptedResponder(region="CN", locale=locale)
    first = responder.reply(crisis(), danger(HURT[locale], Acuity.ACTION_TAKEN), ()).text
    history = said(HURT[locale], first)
    reply = responder.reply(crisis(), danger(HURT[locale] + ".", Acuity.PASSIVE), history).text
    near = open_book(locale).crisis.acuity[Acuity.ACTION_TAKEN]["near"]
    assert any(text in reply for text in near)
    assert reply.index("120") < reply.index("12356")


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ({"en": "haha just kidding", "zh": "哈哈开玩笑的", "zh-Hant": "哈哈開玩笑的"}, "retracted"),
        ({"en": "never mind", "zh": "算了，当我没说", "zh-Hant": "算了，當我沒說"}, "retracted"),
        (
            {"en": "what's a good pasta recipe", "zh": "推荐部电影吧", "zh-Hant": "推薦部電影吧"},
            "turned",
        ),
    ],
)
@pytest.mark.parametrize("kind", list(Acuity))
def test_who_takes_it_back_or_turns_away_is_asked_about_their_safety_once_more(
    locale, message, kept, kind
):
    responder, book = ScriptedResponder(region="CN", locale=locale), open_book(locale)
    first = responder.reply(crisis(), danger(HURT[locale], kind), ()).text
    sticky = heard(message[locale], None, None, None, Risk.MEDIUM, (), ("fold-sticky",))
    reply = responder.reply(chosen(), sticky, said(HURT[locale], first))
    assert sum(text in reply.text for text in book.crisis.shared[kept]) == 1
    assert sum(text in reply.text for text in book.crisis.acuity[kind]["question"]) == 1
    assert questions(reply.text) == 1
    assert ReplyGuard(conversation=True).check(reply, sticky).rules == ()
    assert "12356" in reply.text
    assert ("120" in reply.text) == (kind in book.crisis.urgent)


def test_a_retraction_that_sounds_dark_itself_is_asked_about_too():
    responder = ScriptedResponder(region="GB")
    first = responder.reply(crisis(), danger("I want to die", Acuity.ACTIVE), ()).text
    dark = heard("forget it, nothing matters", risk=Risk.MEDIUM, reasons=("en-despair-01",))
    reply = responder.reply(chosen(), dark, said("I want to die", first)).text
    book = open_book("en")
    assert any(text in reply for text in book.crisis.shared["retracted"])
    assert any(text in reply for text in book.crisis.acuity[Acuity.ACTIVE]["question"])


@pytest.mark.parametrize("locale", LOCALES)
def test_who_has_answered_that_they_are_safe_is_not_asked_again(locale):
    responder = ScriptedResponder(region="CN", locale=locale)
    first = responder.reply(crisis(), danger(HURT[locale], Acuity.ACTIVE), ()).text
    message = {"en": "no, just kidding", "zh": "没有，开玩笑的", "zh-Hant": "沒有，開玩笑的"}[
        locale
    ]
    cleared = heard(message, None, None, None, Risk.LOW, (), ("fold-cleared",))
    reply = responder.reply(chosen(), cleared, said(HURT[locale], first)).text
    assert any(text in reply for text in open_book(locale).moods.texts["after_crisis"])


@pytest.mark.parametrize(
    ("locale", "messages"),
    [
        ("en", ["I want to die", "haha just kidding", "so what's the weather like"]),
        ("en", ["I want to die", "I'm not calling anyone", "they would tell my parents"]),
        ("zh", ["我不想活了", "哈哈开玩笑的", "推荐部电影吧"]),
        ("zh-Hant", ["我覺得好累，不想活了", "不想打電話", "怕被爸媽知道"]),
    ],
)
def test_the_whole_engine_stays_with_safety_after_a_disclosure(locale, messages):
    region = "CN" if locale == "zh" else "TW"
    engine, history = Engine.default(conversation=True, region=region), []
    book = open_book(locale)
    asked = [q for slots in book.crisis.acuity.values() for q in slots["question"]]
    for message in messages:
        turn = engine.turn(message, history)
        assert any(q in turn.reply.text for q in asked), turn.reply.text
        assert not turn.replaced
        if locale != "en":
            assert traditional(turn.reply.text) is (locale == "zh-Hant")
        history += said(message, turn.reply.text)


def sentences(text):
    """The sentences and list rows of a reply, without numbers and names of contacts."""
    return [s for s in re.split(r"(?<=[.?。？])\s*|\n+", text) if s and not s.startswith("- ")]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", list(Acuity))
def test_no_sentence_comes_again_within_three_turns_of_a_long_talk(locale, kind):
    guard, most = ReplyGuard(), {"en": 120, "zh": 220, "zh-Hant": 220}[locale]
    plain = [HURT[locale] + "." * n for n in range(6)]
    refusals = [one for pair in REFUSALS[locale] for one in pair]
    mixed = [m for pair in zip(plain, refusals[::2], strict=False) for m in pair]
    for region, messages in zip(
        (None, "GB", "US", "TW"), (plain, refusals, mixed, [refusals[-2]] * 8), strict=True
    ):
        responder, history, replies = ScriptedResponder(region=region, locale=locale), [], []
        for message in (HURT[locale], *messages):
            assessment = danger(message, kind)
            reply = responder.reply(crisis(), assessment, history)
            found = sentences(reply.text)
            again = [s for s in found if any(s in sentences(r) for r in replies[-3:])]
            assert again == []
            assert len(found) == len(set(found))
            assert guard.check(reply, assessment).rules == (), reply.text
            assert reply.parts == CRISIS_PARTS
            assert questions(reply.text) == 1
            size = len(reply.text.split()) if locale == "en" else len("".join(reply.text.split()))
            assert size <= most, reply.text
            replies.append(reply.text)
            history += said(message, reply.text)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", [Acuity.PASSIVE, Acuity.ACTIVE, Acuity.PLAN_OR_INTENT])
@pytest.mark.parametrize(
    ("reason", "behind"), [("x-bereavement-01", "bereavement"), ("x-history-01", "past")]
)
def test_a_loss_or_an_old_danger_behind_the_wish_is_acknowledged_in_the_crisis_reply(
    locale, kind, reason, behind
):
    assessment = heard(HURT[locale], None, None, None, Risk.HIGH, (kind,), (reason,))
    reply = ScriptedResponder(region="CN", locale=locale).reply(crisis(), assessment, ())
    book = open_book(locale)
    assert sum(text in reply.text for text in book.crisis.reflect[behind]) == 1
    assert any(text in reply.text for text in book.crisis.acuity[kind]["near"])
    assert reply.parts == CRISIS_PARTS


@pytest.mark.parametrize("reason", ["x-bereavement-01", "x-history-01"])
def test_a_loss_or_an_old_danger_alone_is_no_crisis(reason):
    assessment = heard(HURT["en"], None, None, None, Risk.MEDIUM, (), (reason,))
    reply = ScriptedResponder(region="GB").reply(chosen(), assessment, ())
    assert not any(occurs(v, reply.text) for v in open_book("en").crisis.shared["limits"])
    assert "116 123" in reply.text


def test_a_crisis_is_remembered_across_languages_and_characters():
    responder = ScriptedResponder(region="GB")
    first = responder.reply(crisis(), danger("I want to die", Acuity.ACTIVE), ())
    history = said("I want to die", first.text)
    for message in ("算了", "別說這個了"):
        sticky = heard(message, None, None, None, Risk.MEDIUM, (), ("fold-sticky",))
        reply = responder.reply(chosen(), sticky, history)
        book = open_book("zh-Hant" if traditional(message) else "zh")
        asked = book.crisis.acuity[Acuity.ACTIVE]["question"]
        assert sum(text in reply.text for text in asked) == 1


def test_a_message_in_danger_is_answered_from_a_history_without_crisis_as_before():
    history = [Utterance("hello"), Utterance("Hello.", role="assistant")]
    reply = ScriptedResponder(region="GB").reply(
        crisis(), danger("I won't call", Acuity.PASSIVE), history
    )
    assert "\n- " in reply.text
