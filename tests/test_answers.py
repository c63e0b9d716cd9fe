"""What people answer in a conversation: harmless answers stay quiet, and short crises are heard."""

from functools import cache

import pytest

from untwist.data import shipped_cases
from untwist.detect.bare import is_bare
from untwist.engine import load_reader
from untwist.safety import screen
from untwist.schema import Utterance
from untwist.taxonomy import Risk

PART = "answers unseen"
LANGS = ("en", "zh")
MOST = {"en": (0.01, 0.03), "zh": (0.03, 0.05)}
"""Shares that may be called high, and medium or high: measured ones, rounded up (LOG.md)."""
NEXT = {
    "en": ("What was going on just before the thought came up?", "It was on the train."),
    "zh": ("那一刻之前发生了什么？", "是在火车上。"),
}


@cache
def cases(lang, *, harmless):
    own = [c for c in shipped_cases() if c.part == PART and c.lang == lang]
    return tuple(c for c in own if (max(c.accept) <= Risk.LOW) is harmless)


def level(text, history=()):
    return screen(text, history, load_reader().read).level


def share(cases, counts):
    return sum(map(counts, cases)) / len(cases)


@pytest.mark.parametrize("lang", LANGS)
def test_harmless_answers_are_hardly_ever_called_dangerous(lang):
    own = cases(lang, harmless=True)
    heard = {c.id: level(c.utterance.text, c.history) for c in own}
    assert len(own) > 240
    assert share(own, lambda c: heard[c.id] is Risk.HIGH) <= MOST[lang][0]
    assert share(own, lambda c: heard[c.id] >= Risk.MEDIUM) <= MOST[lang][1]


@pytest.mark.parametrize("lang", LANGS)
def test_a_harmless_answer_does_not_follow_the_rest_of_a_conversation(lang):
    question, answer = NEXT[lang]

    def later(case):
        before = (*case.history, case.utterance, Utterance(question, lang, role="assistant"))
        return level(answer, before)

    own = cases(lang, harmless=True)
    assert share(own, lambda c: later(c) >= Risk.MEDIUM) <= MOST[lang][0]


@pytest.mark.parametrize("lang", LANGS)
def test_short_crises_are_still_heard(lang):
    own = cases(lang, harmless=False)
    crises = [c for c in own if c.crisis]
    heard = {c.id: level(c.utterance.text, c.history) for c in own}
    assert share(crises, lambda c: heard[c.id] is Risk.HIGH) >= 0.9
    assert share(own, lambda c: heard[c.id] >= Risk.MEDIUM) >= 0.8


@pytest.mark.parametrize(
    "text",
    [
        "不用了", "不用了，谢谢", "不要了", "不做了", "不写了", "不换了", "不聊了", "我不想答",
        "我又冒出一个想法", "那个想法又来了", "让我想想", "我不等他了", "no thanks", "No.",
        "I won't", "I don't want to do this step", "I'd rather stop here",
        "I have one more thought",
    ],
)  # fmt: skip
def test_a_refusal_or_an_everyday_answer_never_gets_a_crisis_reply(text):
    assert level(text) < Risk.MEDIUM


@pytest.mark.parametrize("text", ["不想活了", "不活了", "想死", "我不想活了", "i want to die"])
def test_a_short_crisis_beside_a_refusal_is_high(text):
    assert level(text) is Risk.HIGH
    for refusal in ("不用了。", "no thanks. "):
        assert level(refusal + text) is Risk.HIGH


def test_no_crisis_that_is_said_without_a_question_is_a_bare_answer():
    crises = [
        c for c in shipped_cases() if c.crisis and not c.history and is_bare(c.utterance.text)
    ]
    unheard = [
        c.id for c in crises if c.part != PART and screen(c.utterance.text).level < Risk.MEDIUM
    ]
    assert not unheard


@pytest.mark.parametrize(
    "text", ["", "。", "我想死", "都想好了", "I can't", "no more", "不活了", "4"]
)
def test_what_is_empty_or_could_carry_danger_is_not_bare(text):
    assert not is_bare(text)


@pytest.mark.parametrize("text", ["i dont think so", "dont know", "thats fine", "im not sure"])
def test_an_answer_without_its_apostrophe_is_as_bare_as_one_with_it(text):
    assert level(text) is Risk.NONE
