"""Samples: read back as written, and refused when they are none."""

import json

import pytest

from untwist.errors import DataError
from untwist.tune import STREAMS, Message, Sample, read_samples, write_samples

SYSTEM, ASKED = Message("system", "Be brief."), Message("user", "I always fail.")
ANSWERED, AGAIN = Message("assistant", "What happened?"), Message("user", "Nothing new.")


def sample(**changes):
    values = {"id": "a", "stream": "plain", "messages": (SYSTEM, ASKED), "target": "I see."}
    return Sample(**(values | changes))


def test_samples_are_read_back_as_they_were_written(tmp_path):
    file = tmp_path / "new" / "samples.jsonl"
    written = [
        sample(id=f"{n}", stream=stream, target="一\u2028二\n。", augmented=n % 2 == 0)
        for n, stream in enumerate(STREAMS)
    ]
    assert write_samples(file, written) == len(written)
    assert list(read_samples(file)) == written
    assert len(file.read_text(encoding="utf-8").splitlines()) == len(written)


def test_a_sample_knows_its_system_message_and_its_turns():
    whole = sample(messages=(SYSTEM, ASKED, ANSWERED, AGAIN))
    assert (whole.system, whole.turns) == (SYSTEM, (ASKED, ANSWERED, AGAIN))
    plain = sample(messages=(ANSWERED, AGAIN))
    assert (plain.system, plain.turns) == (None, (ANSWERED, AGAIN))


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ((), "not the user's"),
        ((SYSTEM,), "not the user's"),
        ((ASKED, ANSWERED), "not the user's"),
        ((ASKED, AGAIN), "message 2 is the user's out of turn"),
        ((ASKED, SYSTEM, AGAIN), "message 2 is the system's out of turn"),
        ((SYSTEM, SYSTEM, AGAIN), "message 1 is the system's out of turn"),
    ],
)
def test_messages_out_of_turn_are_refused(messages, says):
    with pytest.raises(DataError, match=says):
        sample(messages=messages)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"stream": "reply"}, 'stream is "reply"'),
        ({"target": "  "}, "target is empty"),
        ({"id": ""}, "id is empty"),
    ],
)
def test_a_sample_without_stream_target_or_id_is_refused(changes, says):
    with pytest.raises(DataError, match=says):
        sample(**changes)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"stream": None}, "stream is NoneType"),
        ({"augmented": "no"}, "augmented is str, not bool"),
        ({"messages": [{"role": "user"}]}, "role and content"),
        ({"messages": [{"role": "bot", "content": "hi"}]}, 'role is "bot"'),
        ({"extra": 1}, "unknown: extra"),
    ],
)
def test_a_line_that_is_no_sample_is_refused_with_its_place_and_without_its_text(
    tmp_path, change, says
):
    file = tmp_path / "samples.jsonl"
    rows = [sample().to_dict(), sample(id="b").to_dict() | change]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(DataError, match=says) as caught:
        list(read_samples(file))
    assert str(caught.value).startswith(f"{file}:2: ")
    assert "always fail" not in str(caught.value)


def test_a_line_that_lacks_a_column_is_refused(tmp_path):
    file = tmp_path / "samples.jsonl"
    row = sample().to_dict()
    del row["stream"]
    file.write_text(json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="missing: stream; unknown: none"):
        list(read_samples(file))


def test_two_samples_of_one_id_are_refused(tmp_path):
    file = tmp_path / "samples.jsonl"
    write_samples(file, [sample(), sample()])
    with pytest.raises(DataError, match=":2: the id is that of an earlier line"):
        list(read_samples(file))
