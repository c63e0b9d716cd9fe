"""Scores against references: real where the library is there, "not run" where anything lacks."""

import json
import sys
from types import ModuleType

import numpy as np
import pytest

from untwist.errors import DataError
from untwist.evaluate import ScoreModels, reference_scores

SAID = ["the cat sat on the mat today", "we can look at it together"]
TOLD = [["the cat sat on the mat today"], ["let us look at it", "we can look at it together"]]


def scores(replies=SAID, references=TOLD, lang="en", models=None):
    return {one.name: one for one in reference_scores(replies, references, lang, models, 20)}


def test_bleu_and_chrf_say_how_they_count():
    pytest.importorskip("sacrebleu")
    found = scores()
    assert found["BLEU"].value == pytest.approx(100)
    assert found["chrF"].value == pytest.approx(100)
    assert "tok:13a" in found["BLEU"].how
    assert "version:" in found["BLEU"].how
    low, high = found["BLEU"].interval.low, found["BLEU"].interval.high
    assert json.loads(json.dumps(found["BLEU"].to_dict()))["interval"]["low"] == low <= high
    zh = scores(["今天天气很好我们走走"], [["今天天气很好我们去吧"]], "zh")["BLEU"]
    assert "tok:zh" in zh.how
    assert 0 < zh.value < 100
    assert zh.interval is None


def test_the_best_of_several_references_counts():
    pytest.importorskip("sacrebleu")
    far = [[TOLD[0][0]], [TOLD[1][0]]]
    assert scores(references=far)["BLEU"].value < scores()["BLEU"].value


def test_meteor_without_synonyms_has_a_name_of_its_own():
    pytest.importorskip("nltk")
    found = scores()
    assert found["METEOR without synonyms"].value > 0.9
    assert found["METEOR"].value is None or "WordNet" in found["METEOR"].how
    assert scores(["好的"], [["好的"]], "zh")["METEOR"].how.startswith("not run: its synonyms")


def test_without_libraries_and_models_nothing_stands_in_for_a_score(monkeypatch):
    for name in ("sacrebleu.metrics", "nltk", "bert_score", "bleurt.score"):
        monkeypatch.setitem(sys.modules, name, None)
    found = scores()
    assert [one.value for one in found.values()] == [None] * 6
    assert all(one.how.startswith("not run: ") for one in found.values())
    assert "untwist[eval]" in found["BLEU"].how
    assert "--bertscore DIR" in found["BERTScore"].how


def test_a_model_that_is_named_must_be_there_and_so_must_its_library(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "bert_score", None)
    gone = scores(models=ScoreModels(bertscore=str(tmp_path / "none")))["BERTScore"]
    assert "is no folder" in gone.how
    bare = scores(models=ScoreModels(bertscore=str(tmp_path)))["BERTScore"]
    assert "pip install bert-score" in bare.how


def test_the_learned_scores_ask_their_library_for_every_reference(monkeypatch, tmp_path):
    asked = {}
    bert, bleurt, inner = (ModuleType(n) for n in ("bert_score", "bleurt", "bleurt.score"))

    def score(said, told, **options):
        asked["bert"] = (said, told, options)
        return None, None, np.array([0.5, 0.7])

    class Scorer:
        def __init__(self, folder):
            asked["folder"] = folder

        def score(self, references, candidates):
            asked["bleurt"] = list(zip(candidates, references, strict=True))
            return [0.2, 0.9, 0.4]

    bert.score, inner.BleurtScorer = score, Scorer
    for module in (bert, bleurt, inner):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    found = scores(models=ScoreModels(str(tmp_path), 5, str(tmp_path)))
    assert found["BERTScore"].value == pytest.approx(0.6)
    assert asked["bert"][1] == TOLD
    assert asked["bert"][2]["num_layers"] == 5
    # one reference of the first reply, the better of two of the second
    assert found["BLEURT"].value == pytest.approx((0.2 + 0.9) / 2)
    assert asked["bleurt"][2] == (SAID[1], TOLD[1][1])


def test_a_reply_without_a_reference_is_refused():
    with pytest.raises(DataError, match="at least one reference"):
        reference_scores(["a", "b"], [["a"], []], "en")
