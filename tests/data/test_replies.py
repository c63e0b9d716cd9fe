"""Replies to be scored: rows of both kinds, and what is refused."""

import pytest

from tests.tiny_corpora import write_lines
from untwist.data import read_replies
from untwist.engine import Engine
from untwist.errors import DataError
from untwist.taxonomy import Distortion, Intensity, Risk

ROW = {"id": "m1", "text": "She did not wave.", "reply": "What else could it mean?"}


def read(tmp_path, *rows, **more):
    return list(read_replies(write_lines(tmp_path / "mine.jsonl", rows), **more))


def test_a_row_says_what_is_known_and_nothing_else(tmp_path):
    bare, full = read(
        tmp_path, ROW,
        {**ROW, "system": "other", "group": "g", "labels": ["mind_reading"], "intensity": "mild",
         "risk": "low", "references": ["Hm."],
         "history": [{"role": "assistant", "content": "Tell me."}]},
    )  # fmt: skip
    assert (bare.system, bare.group, bare.lang, bare.state) == ("mine", "m1", "en", "given")
    assert (bare.distortions, bare.intensity, bare.risk, bare.references) == (None, None, None, ())
    assert (full.system, full.group) == ("other", "g")
    assert full.distortions == {Distortion.MIND_READING}
    assert (full.intensity, full.risk, full.references) == (Intensity.MILD, Risk.LOW, ("Hm.",))
    assert [one.text for one in full.said] == ["Tell me.", full.message]


def test_a_reply_that_never_came_is_marked_with_its_reason(tmp_path):
    (row,) = read(tmp_path, {**ROW, "reply": None, "unscored": "timeout"}, system="named")
    assert (row.reply, row.unscored, row.system) == (None, "timeout", "named")


def test_turns_are_read_with_the_state_that_the_detector_heard(tmp_path):
    turn = Engine.default().turn("She did not wave, so she must hate me.")
    (row,) = read(tmp_path, {"id": "t", **turn.to_dict()})
    assert (row.reply, row.state) == (turn.reply.text, "detected")
    assert row.distortions == {finding.distortion for finding in turn.assessment.findings}
    assert row.risk == Risk(turn.assessment.risk)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"reply": None}, "unscored"),
        ({"reply": " "}, "reply"),
        ({"risk": "huge"}, "not a reply"),
        ({"references": "one"}, "no list"),
        ({"text": "12"}, "language"),
        ({"labels": ["no_such"]}, "no_such"),
    ],
)
def test_a_row_that_is_no_reply_is_refused_with_its_line(tmp_path, changes, says):
    with pytest.raises(DataError, match=rf"mine.jsonl:2: .*{says}"):
        read(tmp_path, ROW, {**ROW, **changes})


def test_a_row_without_a_reply_is_refused(tmp_path):
    with pytest.raises(DataError, match='no "reply"'):
        read(tmp_path, {"id": "m", "text": "Hello there."})
