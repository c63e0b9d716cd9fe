"""Evidence spans through a redaction: they keep to their own words, or go."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from untwist.generate.gate import redacted
from untwist.safety import redact
from untwist.schema import Dialogue, Finding, Labels, Utterance
from untwist.taxonomy import CANONICAL, Distortion

ONE = Distortion.OVERGENERALIZATION


def moved(text, *spans):
    """The text after redaction, and what stands in its spans."""
    evidence = tuple(Finding(ONE, 1.0, start, end) for start, end in spans)
    labels = Labels(frozenset({ONE}), frozenset(CANONICAL), evidence=evidence)
    after = redacted(Dialogue("1", "own", (Utterance(text, id="1"),), (labels,), "1"))
    (utterance,), (kept,) = after.utterances, after.labels
    return utterance.text, [(span.start, span.end) for span in kept.evidence]


def test_a_span_inside_what_was_taken_out_does_not_move_to_an_equal_word():
    text = "Write nobody@example.com, because nobody likes me"
    after, spans = moved(text, (6, 12), (34, 40))
    assert "nobody@" not in after
    assert [after[slice(*span)] for span in spans] == ["nobody"]
    assert spans == [(after.index("nobody"), after.index("nobody") + 6)]


def test_words_that_stand_twice_keep_their_own_place():
    text = "My number is 555-123-4567 and I fail. I fail always"
    first, second = text.index("I fail"), text.rindex("I fail")
    after, spans = moved(text, (first, first + 6), (second, second + 6))
    assert spans == [
        (after.index("I fail"), after.index("I fail") + 6),
        (after.rindex("I fail"), after.rindex("I fail") + 6),
    ]


def test_a_span_without_a_place_stays():
    text = "Write to nobody@example.com"
    labels = Labels(frozenset({ONE}), frozenset(CANONICAL), evidence=(Finding(ONE, 1.0),))
    dialogue = Dialogue("1", "own", (Utterance(text, id="1"),), (labels,), "1")
    assert redacted(dialogue).labels[0].evidence == (Finding(ONE, 1.0),)


@pytest.mark.parametrize("cut", [(0, 8), (4, 30)])
def test_a_span_that_reaches_into_what_was_taken_out_goes(cut):
    assert moved("I a@example.org fail, I fail again", cut)[1] == []


PIECES = ("nobody", "me", "I fail", "nobody@example.org", "me@example.org", "555-123-4567", "我")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=7))
def test_a_word_that_was_left_never_moves_to_another_of_its_kind(words):
    text = " , ".join(words)
    places, at = [], 0
    for word in words:
        places.append((at, at + len(word)))
        at += len(word) + 3
    after_words = redact(text).split(" , ")
    for nth, (word, place) in enumerate(zip(words, places, strict=True)):
        after, spans = moved(text, place)
        if spans == [] or after == text:
            continue
        begin = len(" , ".join(after_words[:nth])) + (3 if nth else 0)
        assert spans == [(begin, begin + len(word))]
        assert after_words[nth] == word
