"""Messages with the conversation before them."""

import pytest

from tests.recipes.tiny_policy import Deaf, load, write_corpus
from untwist.errors import DataError
from untwist.recipes.policy_rows import policy_rows
from untwist.taxonomy import Distortion, Intensity, Risk, Strategy

CALM = {"labels": [], "risk": "none", "lang": "en"}
SAD = {"labels": ["labeling"], "intensity": "severe", "risk": "low", "lang": "en"}


def said(text, **labels):
    return {"role": "user", "content": text, **labels}


def answered(text, **labels):
    return {"role": "assistant", "content": text, "lang": "en", **labels}


DIALOGUE = {
    "id": "d1",
    "split": "test",
    "messages": [
        said("I am no good at all", **SAD),
        answered("That sounds heavy", strategy="empathic_validation"),
        said("Nobody stays with me", **{**SAD, "intensity": "mild"}),
        answered("One deed is no person", strategy="behavior_vs_identity"),
        said("Perhaps you are right", **CALM),
    ],
}


def rows_of(tmp_path, *rows, parts=("test",)):
    return policy_rows(load(write_corpus(tmp_path, rows)), parts)


def test_a_message_knows_what_was_said_and_done_before_it(tmp_path):
    first, second, third = rows_of(tmp_path, DIALOGUE).rows
    assert (first.used, first.earlier) == ((), ())
    assert second.used == (Strategy.EMPATHIC_VALIDATION,)
    assert third.used == (Strategy.EMPATHIC_VALIDATION, Strategy.BEHAVIOR_VS_IDENTITY)
    assert third.earlier == (0, 1)
    assert [u.text for u in second.history] == ["I am no good at all", "That sounds heavy"]
    assert len({one.group for one in (first, second, third)}) == 1


def test_the_response_to_a_strategy_is_how_much_lighter_the_next_message_is(tmp_path):
    found = rows_of(tmp_path, DIALOGUE)
    sessions = found.sessions(found.gold())
    # burden is half (intensity + 1)/3, half risk/3: severe, low 3/6 + 1/6; mild, low 1/6 + 1/6
    assert [one.turn for one in sessions] == [0, 1, 2]
    assert [one.response for one in sessions] == [
        None,
        pytest.approx(4 / 6 - 2 / 6),
        pytest.approx(2 / 6),
    ]


def test_sessions_are_made_of_what_was_heard_not_of_what_is_true(tmp_path):
    found = rows_of(tmp_path, DIALOGUE)
    assert [one.response for one in found.sessions(found.heard(Deaf()))] == [None, 0, 0]


def test_gold_assessments_carry_the_labels(tmp_path):
    first = rows_of(tmp_path, DIALOGUE).gold()[0]
    assert [f.distortion for f in first.findings] == [Distortion.LABELING]
    assert (first.intensity, first.risk) == (Intensity.SEVERE, Risk.LOW)


def test_states_follow_the_labels(tmp_path):
    found = rows_of(tmp_path, DIALOGUE).states()
    assert found.labels.sum(axis=1).tolist() == [1, 1, 0]
    assert found.intensity.tolist() == [Intensity.SEVERE.rank, Intensity.MILD.rank, -1]
    assert not found.high.any()


def test_messages_without_the_labels_that_are_needed_are_counted_and_left_out(tmp_path):
    whole = {"id": "w", "split": "test", "text": "We bought some apples", **CALM}
    bare = [
        {"id": "n1", "split": "test", "text": "Something with no risk at all", "labels": []},
        {"id": "n2", "split": "test", "text": "Nothing said of strength",
         "labels": ["labeling"], "risk": "low"},
    ]  # fmt: skip
    found = rows_of(tmp_path, whole, *bare)
    assert (len(found.rows), found.left_out) == (1, 2)


def test_a_strategy_after_a_message_that_was_left_out_is_not_counted(tmp_path):
    unlabelled = said("Hm", lang="en")
    messages = [unlabelled, answered("Go on", strategy="cost_benefit"), *DIALOGUE["messages"]]
    found = rows_of(tmp_path, {**DIALOGUE, "messages": messages})
    assert found.left_out == 1
    assert [len(one.used) for one in found.rows] == [0, 1, 2]
    assert found.sessions(found.gold())[0].turn == 0


def test_only_the_parts_asked_for_are_read(tmp_path):
    other = {"id": "t", "split": "train", "text": "The tram was late this morning", **CALM}
    assert len(rows_of(tmp_path, DIALOGUE, other, parts=("train",)).rows) == 1
    assert len(rows_of(tmp_path, DIALOGUE, other, parts=("train", "test")).rows) == 4


def test_a_part_without_any_message_stops(tmp_path):
    with pytest.raises(DataError, match="no message of train has labels"):
        rows_of(tmp_path, DIALOGUE, parts=("train",))
