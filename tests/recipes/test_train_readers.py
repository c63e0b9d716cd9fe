"""Training and scoring the second readers of risk and of drafts, on tiny made-up files."""

import json
from dataclasses import replace

import pytest

from untwist.data import load_open, open_dialogues
from untwist.detect import DraftReader, RiskReader
from untwist.errors import ConfigError, DataError
from untwist.recipes import evaluate_guard, train_drafts, train_risk
from untwist.recipes.config import build
from untwist.taxonomy import Risk

CONFIG = train_risk.TrainRisk("out", "tiny", open_every=50)
RISK = {"steps": 10, "folds": 2, "min_texts": 1}


def _lines(path, rows):
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
    return str(path)


def _cases(tmp_path):
    rows = []
    for i in range(24):
        base = {"family": "f", "writer": f"w{i % 4}", "part": "train"}
        high = {"accept": ["high"], "crisis": True, "acuity": ["passive"]}
        calm = {"accept": ["none"], "crisis": False, "acuity": []}
        rows += [
            {"id": f"a{i}", "text": f"zorbing all day at place {i}", **base, **high},
            {"id": f"b{i}", "text": f"knitting all day at place {i}", **base, **calm},
            {"id": f"c{i}", "text": f"hidden words {i}", **base, **high, "part": "blind"},
        ]
    return _lines(tmp_path / "cases.jsonl", rows)


def _drafts(tmp_path):
    rows = []
    for i in range(24):
        base = {"context": "low", "writer": f"w{i % 4}", "part": "train"}
        bad = {"good": False, "rule": "X1"}
        good = {"good": True, "rule": ""}
        rows += [
            {"id": f"a{i}", "text": f"What a flumpish thing to say, number {i}.", **base, **bad},
            {"id": f"b{i}", "text": f"That sounds like a long day, number {i}.", **base, **good},
        ]
    return _lines(tmp_path / "drafts.jsonl", rows)


def test_a_risk_reader_is_trained_from_the_train_part_alone(tmp_path):
    values = {
        "out": str(tmp_path / "run"), "name": "tiny-risk", "cases": [_cases(tmp_path)],
        "open_every": 0, "risk": RISK,
    }  # fmt: skip
    folder, metrics = train_risk.run(build(train_risk.TrainRisk, values, "here"))
    assert (metrics["texts"], metrics["writers"], metrics["crises"]) == (48, 4, 24)
    reader = RiskReader.load(folder / train_risk.ARTEFACT)
    assert reader.name == "tiny-risk"
    card = (folder / train_risk.ARTEFACT / "README.md").read_text(encoding="utf-8")
    assert "no clinician has\nreviewed them" in card


@pytest.mark.slow
def test_texts_of_the_open_corpus_come_from_the_rounds_that_are_named():
    round_of = {d.utterances[0].text: "12"[d.id[3].isalpha()] for d in load_open()}
    read = {
        rounds: {round_of[e.text] for e in train_risk._texts(replace(CONFIG, open_rounds=rounds))}
        for rounds in ((1,), (2,), (1, 2))
    }
    assert read == {(1,): {"1"}, (2,): {"2"}, (1, 2): {"1", "2"}}
    assert list(train_risk._texts(replace(CONFIG, open_every=0))) == []


def test_turns_of_dialogues_are_lessons_that_set_no_cut_and_none_is_of_the_test_part():
    turns = list(train_risk._turns(replace(CONFIG, dialogues=True)))
    tested = {f"open-{d.group or d.id}" for d in open_dialogues.load() if d.split == "test"}
    assert len(turns) > 1000
    assert all(e.seen and not e.case for e in turns)
    assert not tested & {e.group for e in turns}
    assert list(train_risk._turns(CONFIG)) == []


def test_a_draft_reader_is_trained_and_scored(tmp_path):
    path = _drafts(tmp_path)
    values = {
        "out": str(tmp_path / "run"), "name": "tiny-drafts", "drafts": [path],
        "scripted_every": 0, "drafting": RISK,
    }  # fmt: skip
    folder, metrics = train_drafts.run(build(train_drafts.TrainDrafts, values, "here"))
    assert (metrics["texts"], metrics["broken"], metrics["scripted"]) == (48, 24, 0)
    reader = DraftReader.load(folder / train_drafts.ARTEFACT)
    assert reader.stops("What a flumpish thing to say.", Risk.LOW)
    assert not reader.stops("That sounds like a long day.", Risk.LOW)
    config = evaluate_guard.EvaluateGuard(str(tmp_path / "scores"), (path,))
    _, scores = evaluate_guard.run(config, reader.stops)
    patterns, both = scores["tables"]
    assert (patterns["broken stopped"]["hits"], both["broken stopped"]["hits"]) == (0, 24)
    assert both["good stopped"]["hits"] == 0


def test_our_own_replies_are_lessons_too(tmp_path):
    values = {
        "out": str(tmp_path / "run"), "name": "tiny", "drafts": [_drafts(tmp_path)],
        "scripted_every": 1500, "drafting": RISK,
    }  # fmt: skip
    _, metrics = train_drafts.run(build(train_drafts.TrainDrafts, values, "here"))
    assert metrics["scripted"] >= 9


@pytest.mark.parametrize("recipe", [train_risk.TrainRisk, train_drafts.TrainDrafts])
def test_an_unknown_key_is_refused(recipe, tmp_path):
    with pytest.raises(ConfigError, match="nonsense"):
        build(recipe, {"out": "x", "name": "y", "nonsense": 1}, "here")


def test_a_row_that_is_no_draft_stops_the_run_with_its_line(tmp_path):
    file = _lines(tmp_path / "d.jsonl", [{"id": "a", "text": "x"}])
    with pytest.raises(DataError, match=r"d\.jsonl:1:"):
        evaluate_guard.run(evaluate_guard.EvaluateGuard(str(tmp_path / "o"), (file,)), None)
