"""Golden sentences and golden turns: what the product says today, in both languages.

After an intended change: `python tests/golden/update.py`, then read every line that changed.
"""

import json
from pathlib import Path

import pytest

from tests.golden.update import MESSAGES, turn_of
from untwist.data import load_open, near_key
from untwist.engine import detect

HERE = Path(__file__).parent


def _load(name):
    return json.loads((HERE / name).read_text(encoding="utf-8"))


_SENTENCES = [row for lang in ("en", "zh") for row in _load(f"detect_{lang}.json")]


@pytest.mark.parametrize("row", _SENTENCES, ids=lambda r: r["text"][:24])
def test_the_golden_sentence_is_heard_with_its_words(row):
    found = {f.distortion.value: f for f in detect(row["text"]).findings}
    assert row["label"] in found
    finding = found[row["label"]]
    assert row["evidence"] in row["text"][finding.start : finding.end]


def test_there_are_ten_golden_sentences_per_language():
    assert len(_load("detect_en.json")) == len(_load("detect_zh.json")) == 10


def test_no_golden_sentence_was_trained_on():
    trained = {near_key(d.utterances[0].text) for d in load_open()}
    assert [r["text"] for r in _SENTENCES if near_key(r["text"]) in trained] == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_golden_turns_are_what_the_engine_says(lang):
    golden = _load(f"turns_{lang}.json")
    assert [row["message"] for row in golden] == MESSAGES[lang]
    for row in golden:
        assert turn_of(row["message"]) == row["turn"]
