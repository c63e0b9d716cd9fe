"""N-grams: the same wherever a text stands in a batch, and traceable to its characters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from untwist.embed import BITS, extract

_WORDS = 5
"""Place of the single words among the families, after five orders of characters."""
_TEXT = st.text(alphabet="ab c'1我很累,.", max_size=25)


def _of(batch, doc):
    return [
        sorted(zip(g.row[g.doc == doc], g.start[g.doc == doc] - batch.origin[doc], strict=True))
        for g in batch.grams
    ]


@given(st.lists(_TEXT, min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_a_text_has_the_same_ngrams_alone_and_in_a_batch(texts):
    batch = extract(texts)
    for place, text in enumerate(texts):
        alone = [rows for rows in _of(extract([text]), 0) if rows]
        together = [rows for rows in _of(batch, place) if rows]
        assert together == alone


@given(st.lists(_TEXT, min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_rows_fit_the_table_and_documents_never_fall(texts):
    for gram in extract(texts).grams:
        assert (gram.row >= 0).all()
        assert (gram.row < 1 << BITS).all()
        assert (np.diff(gram.doc) >= 0).all()
        assert (gram.end > gram.start).all()


def test_word_ngrams_are_those_a_reader_counts():
    # "i am so tired": 4 words, 3 pairs, 2 triples; the word families come last
    words = [len(g.row) for g in extract(["i am so tired"]).grams][-3:]
    assert words == [4, 3, 2]


def test_han_ngrams_are_of_one_to_three_characters():
    # 4 characters and a border at each end: 4 singles, 4 pairs that begin with Han (the last one
    # ends with the border), 4 triples (the first begins with the border, the last ends with it)
    assert [len(g.row) for g in extract(["我很累了"]).grams][:3] == [4, 4, 4]


def test_equal_words_hash_alike_and_different_words_do_not():
    both, alone = extract(["tired", "tiredd"]).grams[_WORDS], extract(["tired"]).grams[_WORDS]
    assert both.row[0] == alone.row[0]
    assert both.row[0] != both.row[1]


def test_letter_order_matters_in_a_word():
    rows = extract(["was", "saw"]).grams[_WORDS].row
    assert rows[0] != rows[1]


@pytest.mark.parametrize("texts", [["", "a"], ["!!!"], ["我"]])
def test_texts_with_next_to_nothing_are_read(texts):
    assert extract(texts).size == len(texts)
