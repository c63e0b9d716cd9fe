"""Counts of replies: by hand where they are few, against nltk's BLEU where they are many."""

import json
import time

import numpy as np
import pytest

from untwist.errors import DataError
from untwist.evaluate import (
    distinct,
    question_count,
    reply_counts,
    reply_tokens,
    self_bleu,
    variety,
)


def rng():
    return np.random.default_rng(7)


def words(*texts, lang="en"):
    return [reply_tokens(text, lang) for text in texts]


def test_tokens_are_words_and_of_chinese_characters():
    assert reply_tokens("Don't wait — it’s 10 o'clock!", "en") == (
        "don't", "wait", "it’s", "10", "o'clock",
    )  # fmt: skip
    assert reply_tokens("他说 OK，10分。", "zh") == ("他", "说", "ok", "10", "分")


def test_distinct_n_is_the_share_of_different_ngrams():
    texts = words("a b a b", "a b")
    assert distinct(texts, 1) == pytest.approx(2 / 6)
    # a b, b a, a b; a b
    assert distinct(texts, 2) == pytest.approx(2 / 4)
    assert distinct(words("a"), 2) is None


def test_replies_that_are_all_the_same_have_self_bleu_one_and_strangers_nought():
    assert self_bleu(words(*["one two three four five"] * 3)) == pytest.approx(1)
    assert self_bleu(words("a b c d e", "f g h i j")) == 0
    assert self_bleu(words("a b c d")) is None


def test_self_bleu_is_that_of_nltk():
    bleu = pytest.importorskip("nltk.translate.bleu_score")
    chance = np.random.default_rng(3)
    texts = [
        tuple(chance.choice(list("abcdefg"), size=chance.integers(1, 12)).tolist())
        for _ in range(40)
    ]
    smooth = bleu.SmoothingFunction().method1
    each = [
        bleu.sentence_bleu(
            [list(t) for k, t in enumerate(texts) if k != at], list(one), smoothing_function=smooth
        )
        for at, one in enumerate(texts)
    ]
    assert self_bleu(texts) == pytest.approx(sum(each) / len(each), abs=1e-9)


def test_self_bleu_of_many_replies_takes_time_by_their_number_and_not_its_square():
    chance = np.random.default_rng(1)
    texts = [tuple(map(str, chance.integers(500, size=40))) for _ in range(3_000)]
    self_bleu(texts[:10])
    start = time.process_time()
    self_bleu(texts)
    # the square, 9 million pairs, takes many minutes
    assert time.process_time() - start < 20


def test_variety_is_measured_on_equally_many():
    texts = [f"reply number {n} says this" for n in range(50)]
    few, all_ = variety(texts, "en", 10, rng()), variety(texts, "en", 99, rng())
    assert (few.size, few.draws, all_.size, all_.draws) == (10, 5, 50, 1)
    # three of four words are shared by all: the share of different words falls as replies are added
    assert few.distinct_1 > all_.distinct_1
    assert variety(texts, "en", 10, rng()) == few


def test_variety_of_one_reply_is_refused():
    with pytest.raises(DataError, match="two replies or more"):
        variety(["alone"], "en", 10, rng())


def test_marks_in_a_row_are_one_question():
    assert question_count("Really?! What? 真的？？") == 3
    assert question_count("No.") == 0


def test_counts_are_those_by_hand():
    texts = ["What happened? Why?", "What happened?", "What happened?"]
    found = reply_counts(texts, "en", [["R01"], [], ["R01", "Q01"]], ["a", "a", "b"], rng(), 50)
    assert (found.n, found.longest) == (3, 3)
    assert found.one_question.hits == 2
    assert found.questions.value == pytest.approx(4 / 3)
    assert found.length.value == pytest.approx((3 + 2 + 2) / 3)
    assert found.repeated.hits == 2
    assert (found.broken.hits, found.rules) == (2, {"Q01": 1, "R01": 2})
    assert found.parts["challenge"].hits == 3
    assert found.all_parts.hits == 0
    assert json.loads(json.dumps(found.to_dict()))["parts"]["challenge"]["hits"] == 3


def test_no_reply_has_no_score():
    found = reply_counts([], "zh", [], [], rng())
    assert found.all_parts.value is None
    assert found.length.value is None


def test_counts_need_rules_and_groups_for_every_reply():
    with pytest.raises(DataError, match="for each reply"):
        reply_counts(["a"], "en", [], ["g"], rng())
