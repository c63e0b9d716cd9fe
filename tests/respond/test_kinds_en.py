"""What a short English message is, when the program has asked something."""

import pytest

from untwist.respond.answers import kind_of
from untwist.respond.protocol import open_protocols

SITUATION = open_protocols("en").frame.step("settle")
BRANCHES = open_protocols("en").branches


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("whatever", "refuses"),
        ("fuck off", "refuses"),
        ("shut up", "refuses"),
        ("whatever I try at work, it goes wrong in front of everybody", "answer"),
        ("I can't stop crying", "worse"),
        ("what model are you", "question_to_program"),
        ("Is this some kind of chatbot trick?", "question_to_program"),
        ("just tell me what to do", "question_to_program"),
        ("I talked to a chatbot at the bank for an hour and then gave up", "answer"),
    ],
)
def test_a_short_message_is_heard_as_what_it_is(text, kind):
    assert kind_of(text, "en", SITUATION) == kind


@pytest.mark.parametrize("text", BRANCHES.texts["question_to_program"].all())
def test_whoever_asks_what_they_talk_to_is_told_that_it_is_a_program(text):
    assert any(word in text for word in ("program", "software"))


@pytest.mark.parametrize("text", open_protocols("zh").branches.texts["question_to_program"].all())
def test_so_is_whoever_asks_in_chinese(text):
    assert any(word in text for word in ("程序", "软件", "不是人"))
