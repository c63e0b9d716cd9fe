import json

import pytest

from tests.tiny_corpora import write_lines
from untwist.data import Refusals, load_jsonl, load_open
from untwist.errors import DataError
from untwist.taxonomy import CANONICAL, Acuity, Distortion, Intensity, Risk

D = Distortion
GOOD = {
    "id": "a1",
    "text": "I failed once, I always fail.",
    "labels": [D.OVERGENERALIZATION.value],
    "intensity": "moderate",
    "risk": "low",
    "acuity": [],
    "evidence": [{"distortion": D.OVERGENERALIZATION.value, "start": 15, "end": 28}],
}


def load_one(tmp_path, **changes):
    (dialogue,) = load_jsonl(write_lines(tmp_path / "x.jsonl", [GOOD | changes]))
    return dialogue


def test_a_whole_row_becomes_a_dialogue_of_one(tmp_path):
    dialogue = load_one(tmp_path, risk="high", acuity=["passive"])
    labels = dialogue.labels[0]
    assert labels.distortions == {D.OVERGENERALIZATION}
    assert (labels.intensity, labels.risk) == (Intensity.MODERATE, Risk.HIGH)
    assert labels.acuity == (Acuity.PASSIVE,)
    assert labels.carried == set(CANONICAL)
    span = labels.evidence[0]
    assert dialogue.utterances[0].text[span.start : span.end] == "I always fail"
    assert (dialogue.group, dialogue.split) == ("jsonl:a1", None)


def test_the_persona_is_the_group_unless_a_group_is_named(tmp_path):
    assert load_one(tmp_path, persona={"id": "p7", "age": 30}).group == "p7"
    assert load_one(tmp_path, persona={"id": "p7"}, group="g1").group == "g1"


def test_null_labels_mean_not_annotated_and_an_empty_list_means_no_distortion(tmp_path):
    bare = {"intensity": None, "risk": None, "evidence": None}
    assert load_one(tmp_path, labels=None, **bare).labels == (None,)
    assert load_one(tmp_path, labels=[], **bare).labels[0].distortions == frozenset()
    risky = load_one(tmp_path, labels=None, **(bare | {"risk": "low"})).labels[0]
    assert risky.distortions is None
    assert risky.risk is Risk.LOW


def test_labels_may_be_names_and_aliases_in_either_language(tmp_path):
    labels = [D.LABELING.name_in("zh"), D.BLAMING.name_in("en")]
    found = load_one(tmp_path, labels=labels, evidence=None).labels[0].distortions
    assert found == {D.LABELING, D.BLAMING}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"text": None}, 'no "text"'),
        ({"text": "  "}, "text is empty"),
        ({"lang": "fr"}, 'lang is "fr"'),
        ({"labels": ["gloom"]}, "did you mean"),
        ({"labels": "labeling"}, "labels is no list of strings"),
        ({"labels": [], "evidence": []}, "an intensity without a distortion"),
        ({"intensity": "huge"}, "give one of mild, moderate, severe"),
        ({"risk": 3}, "give one of none, low, medium, high"),
        ({"acuity": ["bored"]}, "acuity is unknown"),
        ({"id": 1.5}, "id is float"),
        ({"group": 5}, "group is int"),
        ({"persona": "p1"}, "persona is no object"),
        ({"evidence": [{"distortion": D.BLAMING.value, "start": 0, "end": 3}]}, "not among"),
        ({"evidence": [GOOD["evidence"][0] | {"end": 99}]}, "not within the text's 29 characters"),
        ({"evidence": [GOOD["evidence"][0] | {"start": True}]}, "not within"),
        ({"evidence": [GOOD["evidence"][0] | {"start": 28}]}, "not within"),
        ({"evidence": {"start": 1}}, "evidence is no list"),
        ({"evidence": [{"start": 0, "end": 1}]}, "evidence without a distortion"),
    ],
)
def test_a_row_that_breaks_the_format_is_refused_with_its_reason(tmp_path, changes, reason):
    file = write_lines(tmp_path / "x.jsonl", [GOOD | {"id": "ok"}, GOOD | changes])
    refusals = Refusals()
    assert [d.id for d in load_jsonl(file, refusals)] == ["ok"]
    (refusal,) = refusals
    assert refusal.line == 2
    assert reason in refusal.reason


def test_unreadable_lines_and_repeated_ids_are_refused_too(tmp_path):
    file = tmp_path / "x.jsonl"
    good = json.dumps(GOOD)
    file.write_text(f"{good}\n{{broken\n{good}\n", encoding="utf-8")
    refusals = Refusals()
    assert len(list(load_jsonl(file, refusals))) == 1
    assert [r.line for r in refusals] == [2, 3]
    with pytest.raises(DataError, match=r"x\.jsonl:2: not JSON"):
        list(load_jsonl(file))


def test_a_label_that_the_corpus_cannot_carry_is_refused(tmp_path):
    file = write_lines(tmp_path / "x.jsonl", [GOOD])
    with pytest.raises(DataError, match="not among those the corpus can carry"):
        list(load_jsonl(file, carried=frozenset({D.LABELING})))


def test_the_open_corpus_is_english_then_chinese_grouped_by_persona(tmp_path):
    row = GOOD | {"persona": {"id": "en-01"}, "register": "chat"}
    write_lines(tmp_path / "open/en.jsonl", [row])
    zh = {"id": "z1", "text": "今天天气不错", "labels": [], "persona": {"id": "zh-01"}}
    write_lines(tmp_path / "open/zh.jsonl", [zh])
    english, chinese = load_open(tmp_path)
    assert (english.corpus, english.group) == ("open", "en-01")
    assert (chinese.utterances[0].lang, chinese.group) == ("zh", "zh-01")


def test_a_missing_file_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match="no file"):
        list(load_jsonl(tmp_path))
