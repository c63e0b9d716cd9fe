import os
import sys

import numpy as np
import pytest

from untwist.data import Reading, load_source
from untwist.errors import DataError, MissingExtra
from untwist.evaluate import scores, tune_threshold
from untwist.recipes.ngrams import NgramModel
from untwist.recipes.rows import rows_of

TEXTS = ["aaaa aa", "aaa aaa", "aa aaaa", "bbbb bb", "bbb bbb", "bb bbbb"]
GOLD = np.array([[True, False, False, True]] * 3 + [[False, True, False, True]] * 3)


def test_a_label_is_likelier_in_texts_like_those_that_have_it():
    said = NgramModel().fit(TEXTS, GOLD).probabilities(["aaaa", "bbbb", "aabb"])
    assert said.shape == (3, 4)
    assert said[0, 0] > said[2, 0] > said[1, 0]
    assert said[1, 1] > said[2, 1] > said[0, 1]
    assert ((said >= 0) & (said <= 1)).all()


def test_a_label_that_no_text_has_is_0_and_one_that_all_have_is_1():
    said = NgramModel().fit(TEXTS, GOLD).probabilities(["aaaa", "cccc"])
    assert said[:, 2].tolist() == [0, 0]
    assert said[:, 3].tolist() == [1, 1]


def test_equal_texts_give_equal_models():
    one, other = (NgramModel().fit(TEXTS, GOLD).probabilities(["ab", "ba"]) for _ in range(2))
    assert (one == other).all()


def test_no_text_to_read_gives_no_row():
    assert NgramModel().fit(TEXTS, GOLD).probabilities([]).shape == (0, 4)


@pytest.mark.parametrize("gold", [np.zeros((6, 4), bool), np.ones((6, 4), bool)])
def test_labels_that_all_texts_or_none_have_are_nothing_to_learn(gold):
    with pytest.raises(DataError, match="nothing to learn"):
        NgramModel().fit(TEXTS, gold)


def test_no_text_and_texts_without_a_common_character_are_nothing_to_learn():
    with pytest.raises(DataError, match="nothing to learn"):
        NgramModel().fit([], np.zeros((0, 4), bool))
    with pytest.raises(DataError, match="no two texts share a character"):
        NgramModel().fit(["ab", "cd"], GOLD[[0, 3]])


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.feature_extraction.text", None)
    with pytest.raises(MissingExtra, match="eval"):
        NgramModel().fit(TEXTS, GOLD)


# Micro-F1 on the test part of the published split, threshold from validation.
PUBLISHED = {
    "socialcd": (0.64, 0.67),
    "reframing": (0.36, 0.47),
    "therapist-part": (0.33, 0.42),
    "therapist-whole": (0.20, 0.26),
}


@pytest.mark.corpora
@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_fixed_model_reaches_what_was_measured_before_on_the_published_split(name):
    folder = os.environ.get("UNTWIST_CORPORA")
    if not folder:
        pytest.skip("UNTWIST_CORPORA does not name the folder of the public corpora")
    rows = rows_of(name, load_source(name, Reading(folder, (name,))).dialogues)
    parts = rows.parts["published"]
    train, validation, test = (
        np.flatnonzero(parts == part) for part in ("train", "validation", "test")
    )
    texts = [utterance.text for utterance in rows.utterances]
    model = NgramModel().fit([texts[p] for p in train], rows.gold[train])
    tuned, given = (model.probabilities([texts[p] for p in at]) for at in (validation, test))
    threshold = tune_threshold(rows.gold[validation], tuned, rows.mask[validation])
    low, high = PUBLISHED[name]
    found = scores(rows.gold[test], given >= threshold, rows.mask[test]).micro_f1
    assert low <= found <= high
