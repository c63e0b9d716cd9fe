"""The locale of answers, as the commands take it."""

import pytest

from untwist.text import traditional


@pytest.mark.parametrize(("locale", "told"), [("en", None), ("zh", False), ("zh-Hant", True)])
def test_reply_and_chat_answer_in_the_locale_that_is_set(run, locale, told):
    assert traditional(run("reply", "--locale", locale, "I feel so alone").out) is told
    shown = run("chat", "--locale", locale, stdin="I feel so alone\n/help\n/quit\n")
    assert traditional(shown.out) is told


def test_without_a_locale_traditional_characters_are_answered_in_kind(run):
    assert traditional(run("reply", "--region", "TW", "我覺得好累，不想活了").out) is True
    shown = run("chat", stdin="我覺得好累\n嗯\n/help\n/quit\n").out.split("/help", 2)[-1]
    assert traditional(shown) is True


def test_an_unknown_locale_is_refused(run):
    assert run("reply", "--locale", "fr", "hello").code != 0
