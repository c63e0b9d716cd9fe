"""Labelled replies: those that ship are complete, varied and harmless; a broken row stops."""

from collections import Counter

import pytest

from tests.tiny_corpora import write_lines
from untwist.data import read_triples, shipped_triples
from untwist.errors import DataError
from untwist.evaluate import SCALES, majority
from untwist.safety import screen, violations
from untwist.taxonomy import CANONICAL, Distortion, Intensity, Risk, Strategy

ROW = {
    "id": "t1", "text": "I am no good at this", "lang": "en", "labels": ["labeling"],
    "intensity": "mild", "risk": "low", "strategy": "behavior_vs_identity",
    "reply": "One slip is one slip.", "written_by": "a test",
    "votes": [{"by": "x", "match": 1, "adequacy": -1, "risk": None}],
}  # fmt: skip


@pytest.fixture(scope="module")
def shipped():
    return list(shipped_triples())


def said(triple, scale):
    return majority([getattr(vote, scale) for vote in triple.votes])


def test_at_least_120_ship_and_half_are_chinese(shipped):
    langs = Counter(triple.lang for triple in shipped)
    assert langs["en"] == langs["zh"] >= 60
    assert len({triple.id for triple in shipped}) == len(shipped)
    assert len({triple.reply for triple in shipped}) == len(shipped)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_strategy_distortion_and_level_occurs_in_each_language(shipped, lang):
    own = [triple for triple in shipped if triple.lang == lang]
    assert {triple.strategy for triple in own} == set(Strategy)
    assert {d for triple in own for d in triple.distortions} == set(CANONICAL)
    assert {triple.intensity for triple in own} == {None, *Intensity}
    assert {triple.risk for triple in own} == set(Risk)


def test_every_value_of_every_scale_is_said_by_a_majority(shipped):
    for scale, values in SCALES.items():
        assert set(values) <= {said(triple, scale) for triple in shipped}, scale


def test_three_voters_judge_each_and_do_not_always_agree(shipped):
    assert {len(triple.votes) for triple in shipped} == {3}
    for scale in SCALES:
        split = [t for t in shipped if len({getattr(v, scale) for v in t.votes}) > 1]
        assert 3 <= len(split) < len(shipped) / 2, scale


def test_replies_to_one_state_are_one_group(shipped):
    groups = {(triple.group, triple.utterance.text, triple.risk) for triple in shipped}
    assert len(groups) == len({triple.group for triple in shipped}) == len(shipped) / 3


def test_replies_that_most_call_good_break_no_rule_of_wording(shipped):
    good = [t for t in shipped if (said(t, "match"), said(t, "adequacy")) == (1, 0)]
    broken = [
        t.id for t in good if violations(t.reply, t.lang, t.risk, t.utterance.text)
    ]  # fmt: skip
    assert broken == []
    assert len(good) > 40


def test_no_reply_names_means_or_gives_advice_on_medicine(shipped):
    dangerous = {"R01", "R10", "R20", "R24"}
    found = [t.id for t in shipped if dangerous & {*violations(t.reply, t.lang, t.risk)}]
    assert found == []


def test_plain_danger_is_heard_by_the_screen_and_nothing_else_is_called_high(shipped):
    heard = {triple.id: screen(triple.utterance.text).level for triple in shipped}
    plain = [t for t in shipped if t.group.endswith(("danger-plain", "weixian-plain"))]
    assert {heard[triple.id] for triple in plain} == {Risk.HIGH}
    assert not [
        t.id for t in shipped if t.risk is not Risk.HIGH and heard[t.id] is Risk.HIGH
    ]  # fmt: skip


def test_it_is_said_that_a_language_model_wrote_and_judged_them(shipped):
    assert {triple.written_by for triple in shipped} == {"language model"}


def read(tmp_path, **changes):
    row = {key: value for key, value in {**ROW, **changes}.items() if value is not ...}
    return list(read_triples(write_lines(tmp_path / "mine.jsonl", [row])))


def test_a_row_of_ones_own_is_read(tmp_path):
    (found,) = read(tmp_path, scores={"match": 0.9, "warmth": None})
    assert found.distortions == {Distortion.LABELING}
    assert (found.group, found.votes[0].risk) == ("t1", None)
    assert found.scores == {"match": 0.9, "warmth": None}


@pytest.mark.parametrize(
    "changes",
    [
        {"votes": [{**ROW["votes"][0], "match": 2}]},
        {"votes": [{**ROW["votes"][0], "match": True}]},
        {"votes": [{**ROW["votes"][0], "adequacy": 0.5}]},
        {"votes": [{"by": "x", "match": 1}]},
        {"votes": ...},
        {"strategy": "hug"},
        {"labels": ["gloom"]},
        {"risk": "some"},
        {"intensity": ...},
        {"reply": ""},
        {"scores": {"match": "high"}},
        {"written_by": ...},
    ],
)
def test_a_row_that_is_no_triple_stops_with_its_line_and_without_its_words(tmp_path, changes):
    with pytest.raises(DataError, match=r"mine\.jsonl:1: ") as caught:
        read(tmp_path, **changes)
    assert "no good" not in str(caught.value)
    assert "slip" not in str(caught.value)
