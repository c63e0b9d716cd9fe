"""Text: what is folded, what is kept, and the way back to the text as it was written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from untwist.errors import DataError
from untwist.text import MAX_CHARS, language, normalize, require_text, sentences

_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Ｉ’m ＳＯ tired", "i'm so tired"),
        ("h\u200bope\u00adless", "hopeless"),
        ("noooooo way", "noo way"),
        ("絕望,沒有人懂我", "绝望,没有人懂我"),
        ("ｈоpеless", "hopeless"),  # two Cyrillic letters
        ("naïve café", "naive cafe"),
        ("1000000", "1000000"),  # digits are never shortened
        ("ﬁne…", "fine.."),
        ("a\x00b\ud800c", "abc"),
    ],
)
def test_what_hides_a_word_is_undone(written, folded):
    assert normalize(written).text == folded


@given(_TEXT)
@settings(max_examples=200, deadline=None)
def test_normalising_twice_changes_nothing_more(text):
    once = normalize(text).text
    assert normalize(once).text == once


@given(_TEXT)
@settings(max_examples=200, deadline=None)
def test_every_span_leads_back_into_the_source_in_order(text):
    folded = normalize(text)
    last = 0
    for place in range(len(folded.text)):
        start, end = folded.span(place, place + 1)
        assert last <= start < end <= len(text)
        last = start


def test_a_span_of_the_folded_text_is_the_words_as_they_were_written():
    source = "I\u200b am sooooo ＢＡＤ, really"
    folded = normalize(source)
    at = folded.text.index("bad")
    start, end = folded.span(at, at + 3)
    assert source[start:end] == "ＢＡＤ"


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("I feel lost", "en"),
        ("我很累", "zh"),
        ("我真的 loser 一个", "zh"),
        ("I feel so 丢脸 today at work", "en"),
        ("12345 !!", None),
        ("もうだめだ", None),
        ("힘들어요", None),
    ],
)
def test_the_language_is_told_by_script(text, lang):
    assert language(text) == lang


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("I am 3.5 m. Really?! Yes.", ["I am 3.5 m.", "Really?!", "Yes."]),
        ('He said "no." Then left.', ['He said "no."', "Then left."]),
        ("好的。真的！不是？嗯", ["好的。", "真的！", "不是？", "嗯"]),
        ("“好。”他说。走了", ["“好。”", "他说。", "走了"]),
        ("one\n\ntwo", ["one", "two"]),
        ("   ", []),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text, parts):
    assert [text[a:b] for a, b in sentences(text)] == parts


@given(_TEXT)
@settings(max_examples=200, deadline=None)
def test_sentences_lose_no_visible_character(text):
    kept = "".join(text[a:b] for a, b in sentences(text))
    assert "".join(kept.split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (" \n\t", "empty"),
        ("a\x00b", "NUL character at position 1"),
        ("ab\ud800", "not valid Unicode at position 2"),
        ("x" * (MAX_CHARS + 1), "split it"),
        (None, "NoneType, not a string"),
    ],
)
def test_unreadable_text_is_refused_with_a_reason(text, why):
    with pytest.raises(DataError, match=why):
        require_text(text)


def test_a_text_of_a_million_characters_is_readable():
    text = "我" * MAX_CHARS
    assert require_text(text) is text


def test_what_is_one_word_in_two_spellings_reads_alike():
    assert normalize("我甚麼都做不好").text == normalize("我什么都做不好").text
    # also where characters were taken away
    assert normalize("我甚\u200b麼都做不好").text == normalize("我什么都做不好").text
    assert normalize("甚至").text == "甚至"
