"""What the texts of a conversation must be for earlier turns and messages to be recognised."""

from __future__ import annotations

import pytest

from untwist import safety
from untwist.respond import open_book, open_protocols
from untwist.respond.pick import occurs
from untwist.respond.trace import trace
from untwist.schema import Utterance
from untwist.taxonomy import Risk
from untwist.text import LOCALES, normalize

SLOTS = ("thought", "answer", "new", "sum", "rest", "distortion", "definition")
WORDS = {"en": "she hates being with me", "zh": "她肯定讨厌我", "zh-Hant": "她肯定討厭我"}


def filled(text, locale):
    words = f"「{WORDS[locale]}」" if locale == "zh-Hant" else f"“{WORDS[locale]}”"
    for slot in SLOTS:
        text = text.replace("{" + slot + "}", words)
    return text


@pytest.mark.parametrize("locale", LOCALES)
def test_no_text_of_a_conversation_is_hidden_in_a_text_of_the_book(locale):
    """A turn would be taken for what it is not."""
    book = open_book(locale)
    others = [mark.text for mark in book.marks]
    for group in (book.pace, book.closing, book.conversation, book.moods.texts):
        others += [text for texts in group.values() for text in texts]
    own = [asked.text for asked in open_protocols(locale).asked()]
    assert [(text, other) for text in own for other in others if text in other] == []


@pytest.mark.parametrize("locale", ["zh", "zh-Hant"])
def test_a_chinese_question_does_not_begin_with_the_thought(locale):
    """What is quoted just before it, an answer say, would be taken for the thought."""
    asked = [asked.text for asked in open_protocols(locale).asked()]
    assert [text for text in asked if text.startswith("{thought}")] == []


@pytest.mark.parametrize("locale", ["zh", "zh-Hant"])
def test_the_thought_is_read_back_from_every_chinese_text_that_quotes_it(locale):
    answer = "「我忘了」" if locale == "zh-Hant" else "“我忘了”"
    missed = []
    for asked in open_protocols(locale).asked():
        if "{thought}" in asked.text and "{new}" not in asked.text:
            found = trace(f"{answer}，我记下了。{filled(asked.text, locale)}")
            missed += [asked.text] if found.thought != WORDS[locale] else []
    assert missed == []


@pytest.mark.parametrize("locale", LOCALES)
def test_a_text_with_filled_slots_is_recognised(locale):
    texts = [asked.text for asked in open_protocols(locale).asked()]
    assert [text for text in texts if not occurs(text, filled(text, locale))] == []


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_cues_are_written_as_messages_are_read(locale):
    """In folded text: simplified, small letters, half width."""
    for name, cues in open_protocols(locale).branches.cues.items():
        assert [cue for cue in cues if normalize(cue).text != cue] == [], name


ASKED_FOR_SAFETY = {"worse"}
"""Branches whose questions may be about safety, company for one."""


@pytest.mark.parametrize("locale", LOCALES)
def test_an_answer_to_our_own_question_is_not_heard_as_danger(locale):
    """The screen reads a bare answer with the question before it: no question may mislead it."""
    answers = {"en": ("yes", "no", "a bit", "home"), "zh": ("是的", "没有", "有点", "在家")}
    misled = []
    for asked in open_protocols(locale).asked():
        if asked.branch in ASKED_FOR_SAFETY:
            continue
        said = Utterance(filled(asked.text, locale), role="assistant")
        for answer in answers["en" if locale == "en" else "zh"]:
            if safety.screen(answer, [Utterance(WORDS[locale]), said]).level > Risk.NONE:
                misled.append((answer, asked.text))
    assert misled == []
