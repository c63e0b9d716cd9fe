"""What is let out of a stream, and what never is."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from untwist.data import read_drafts
from untwist.respond import ReplyGuard
from untwist.respond.stream import MAX_CHARS, Gate
from untwist.taxonomy import LANGS, Risk

DRAFTS = Path(__file__).parent / "drafts"
GUARD = ReplyGuard.for_generated()
GOOD = {
    "en": "You waited all evening for her message. Nothing came, and the thought was there.",
    "zh": "你等了一整晚她的消息，到十点还是没有来。那个念头就在那时候冒了出来。",
}


def gate(lang="en"):
    return Gate(lambda text, _: GUARD.check_text(text, Risk.LOW, lang).rules)


def sent(pieces, lang="en"):
    one = gate(lang)
    shown = [one.feed(piece) for piece in pieces]
    shown.append(one.end())
    return one, [text for text in shown if text]


def cuts(text):
    """In one piece, by character, by word, and in two at every tenth place."""
    yield [text]
    yield list(text)
    yield re.findall(r"\S+\s*|\s+", text)
    for place in range(1, len(text), 10):
        yield [text[:place], text[place:]]


@pytest.mark.parametrize("lang", LANGS)
def test_a_good_answer_comes_out_whole_however_it_is_cut(lang):
    for pieces in cuts(GOOD[lang]):
        one, shown = sent(pieces, lang)
        assert one.rules == ()
        assert "".join(shown) == one.text == GOOD[lang]


def test_a_sentence_comes_out_when_the_next_one_has_begun():
    one = gate()
    assert one.feed("You waited all evening for her message.") == ""
    assert one.feed(" ") == ""
    assert one.feed("Noth") == "You waited all evening for her message. "
    assert one.feed("ing came. What then") == "Nothing came. "
    assert one.end() == "What then"


def _broken(lang):
    """Every tenth broken draft, after a good sentence so that something has come out before it."""
    drafts = [d for d in read_drafts(DRAFTS / f"{lang}.jsonl") if d.rule and d.part != "last"]
    return [d for d in drafts if d.rule not in ("G02", "G04", "G05")][::10]


@pytest.mark.parametrize("lang", LANGS)
def test_a_broken_sentence_never_comes_out_wherever_it_is_cut(lang):
    for draft in _broken(lang):
        text = f"{GOOD[lang]} {draft.text}" if lang == "en" else GOOD[lang] + draft.text
        ends = [sent(pieces, lang) for pieces in (list(text), [text], [text[:70], text[70:]])]
        for one, shown in ends:
            assert one.rules != (), draft.id
            assert GUARD.check_text("".join(shown) or GOOD[lang], Risk.LOW, lang).passed
            assert draft.text not in "".join(shown)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=40), st.sampled_from(LANGS))
def test_where_a_stream_is_cut_changes_nothing_of_what_is_said(sizes, lang):
    text = GOOD[lang] + ("I promise it ends well." if lang == "en" else "我保证一切都会好。")
    pieces, place = [], 0
    for size in sizes:
        pieces.append(text[place : place + size])
        place += size
    one, shown = sent([*pieces, text[place:]], lang)
    assert one.rules
    assert GOOD[lang].startswith("".join(shown))


def test_the_second_question_is_not_let_out():
    one, shown = sent(
        list("What did she say to you on that long evening? And what did you answer?")
    )
    assert one.rules == ("G04",)
    assert shown == ["What did she say to you on that long evening? "]


@pytest.mark.parametrize("mark", ["think", "thinking"])
def test_thoughts_of_a_model_are_never_let_out(mark):
    text = f"<{mark}>She is low. Say I promise.</{mark}>\n\n{GOOD['en']}"
    for pieces in cuts(text):
        one, shown = sent(pieces)
        assert one.rules == ()
        assert "".join(shown) == GOOD["en"]


def test_an_answer_that_never_stops_thinking_is_none():
    one, shown = sent(["<think>", "She is low. ", "What should be said?"])
    assert one.rules == ("model:cut",)
    assert shown == []


def test_an_answer_without_end_is_closed_and_what_comes_after_is_not_heard():
    asked = []
    one = Gate(lambda text, _: asked.append(text) or ())
    for _ in range(MAX_CHARS):
        one.feed("and ")
    assert one.rules == ("G03",)
    assert one.feed("You waited all evening for her message. ") == one.end() == ""
    assert asked == []


@pytest.mark.parametrize("text", ["", " \n", "\u200b"])
def test_an_empty_answer_is_no_reply(text):
    one, shown = sent([text])
    assert one.rules == ("G01",)
    assert shown == []


def test_a_quotation_mark_belongs_to_the_sentence_before_it():
    text = "“很遗憾，这一次我们选择了另外一位候选人。”你从里面读到了什么？"
    for pieces in cuts(text):
        _, shown = sent(pieces, "zh")
        assert "".join(shown) == text
        assert not any(piece.startswith("”") for piece in shown)


def test_each_sentence_is_read_once_with_all_before_it():
    read = []
    one = Gate(lambda text, whole: read.append((text, whole)) or ())
    first, second, third = "a " * 20 + "one. ", "b two. ", "c three?"
    for char in first + second + third:
        one.feed(char)
    one.end()
    assert read == [(first, False), (first + second, False), (first + second + third, True)]
