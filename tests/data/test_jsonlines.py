import dataclasses
import io
import json
import sys
import tracemalloc

import pytest

from untwist.data import Failure, Item, jsonlines, read_items
from untwist.errors import DataError
from untwist.text import MAX_CHARS


def write(tmp_path, *lines):
    file = tmp_path / "in.jsonl"
    file.write_bytes(b"\n".join(lines) + b"\n")
    return file


def items(tmp_path, *lines):
    return list(read_items(write(tmp_path, *lines), keep_going=True))


def test_a_full_row_is_read_with_its_history(tmp_path):
    row = {
        "id": "x",
        "text": "好的",
        "lang": "zh",
        "history": [{"role": "assistant", "content": "你好"}, {"role": "user", "content": "嗯"}],
    }
    (item,) = items(tmp_path, json.dumps(row).encode())
    assert isinstance(item, Item)
    assert (item.id, item.utterance.text, item.utterance.lang) == ("x", "好的", "zh")
    assert item.utterance.id == "x"
    assert [(u.role, u.text) for u in item.history] == [("assistant", "你好"), ("user", "嗯")]


def test_ids_are_kept_as_strings_and_default_to_the_line_number(tmp_path):
    got = items(
        tmp_path, b'{"id": 7, "text": "a"}', b"", b'{"text": "b"}', b'{"id": "07", "text": "c"}'
    )
    assert [i.id for i in got] == ["7", "3", "07"]


def test_a_byte_order_mark_crlf_and_blank_lines_are_accepted(tmp_path):
    got = items(tmp_path, b'\xef\xbb\xbf{"text": "a"}\r', b"\r", b"  \t", b'{"text": "b"}\r')
    assert [(i.id, i.utterance.text) for i in got] == [("1", "a"), ("4", "b")]


def test_unicode_line_separators_inside_a_text_do_not_end_the_line(tmp_path):
    text = "one\u2028two\u0085three"
    (item,) = items(tmp_path, json.dumps({"text": text}, ensure_ascii=False).encode())
    assert item.utterance.text == text


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{oops", "not JSON"),
        (b"[1]", "a JSON list where an object"),
        (b"null", "a JSON NoneType where an object"),
        (b'{"text": "\xff"}', "not UTF-8 at byte 11"),
        (b'{"text": "\xed\xa0\x80"}', "not UTF-8"),
        (b'{"text": "a\x00b"}', "NUL byte at byte 12"),
        (rb'{"text": "a\u0000b"}', "NUL character"),
        (rb'{"text": "a\ud800b"}', "not valid Unicode"),
        (b'{"id": "x"}', 'no "text"'),
        (b'{"text": 5}', "text is int"),
        (b'{"text": ""}', "text is empty"),
        (b'{"text": "a", "lang": "de"}', 'lang is "de"'),
        (b'{"text": "a", "lang": 5}', "lang is int"),
        (b'{"text": "a", "id": true}', "id is bool"),
        (b'{"text": "a", "id": []}', "id is list"),
        (rb'{"text": "a", "id": "\ud800"}', "id is not valid Unicode"),
        (b'{"text": "a", "history": "b"}', "history is no list"),
        (b'{"text": "a", "history": [5]}', "history entry 1 is int"),
        (
            b'{"text": "a", "history": [{"role": "system", "content": "b"}]}',
            "history entry 1: role",
        ),
        (b'{"text": "a", "history": [{"role": "user"}]}', "history entry 1: content"),
        (b'{"text": "a", "history": [{"role": "user", "content": " "}]}', "content is empty"),
        (b'{"text": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"id": ' + b"9" * 5_000 + b', "text": "a"}', "too many digits"),
    ],
)
def test_an_unreadable_line_is_a_failure_in_its_place_and_the_rest_goes_on(tmp_path, line, message):
    first, failure, last = items(tmp_path, b'{"text": "a"}', line, b'{"text": "c"}')
    assert (first.id, last.id) == ("1", "3")
    assert isinstance(failure, Failure)
    assert failure.line == 2
    assert message in failure.message
    with pytest.raises(DataError, match=r"in\.jsonl:2: "):
        list(read_items(tmp_path / "in.jsonl"))


def test_a_failure_keeps_the_rows_own_id_when_it_could_be_read(tmp_path):
    (failure,) = items(tmp_path, b'{"id": "mine", "text": ""}')
    assert failure.id == "mine"
    with pytest.raises(dataclasses.FrozenInstanceError):
        failure.id = "other"


def test_failure_messages_never_quote_the_text(tmp_path):
    secret = "geheim"
    lines = [
        f'{{"text": "{secret}", }}',
        f'{{"text": "{secret}\\ud800"}}',
        f'{{"text": ["{secret}"]}}',
    ]
    for failure in items(tmp_path, *(line.encode() for line in lines)):
        assert secret not in failure.message


def test_items_before_the_bad_line_come_out_before_the_error(tmp_path):
    stream = read_items(write(tmp_path, b'{"text": "a"}', b"{"))
    assert next(stream).id == "1"
    with pytest.raises(DataError):
        next(stream)


def test_a_line_longer_than_the_limit_is_skipped_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(jsonlines, "MAX_LINE", 64)
    long = b'{"text": "' + b"a" * 500 + b'"}'
    got = items(tmp_path, long, b'{"text": "b"}')
    assert isinstance(got[0], Failure)
    assert "longer than 64 bytes" in got[0].message
    assert (got[1].id, len(got)) == ("2", 2)


def test_the_longest_text_with_history_fits_a_line():
    assert jsonlines.MAX_LINE > 2 * 12 * MAX_CHARS


def test_standard_input_is_read_for_a_dash(monkeypatch):
    raw = io.BytesIO(b'{"text": "a"}\n{"text": "b"}')
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(raw, encoding="utf-8"))
    assert [i.utterance.text for i in read_items("-")] == ["a", "b"]
    assert not raw.closed


def test_a_missing_file_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match=r"cannot read .*nowhere"):
        list(read_items(tmp_path / "nowhere.jsonl"))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_rows(tmp_path):
    file = tmp_path / "big.jsonl"
    file.write_text('{"text": "' + "ab " * 300 + '"}\n' * 1, encoding="utf-8")
    line = file.read_bytes()
    file.write_bytes(line * 4_000)
    tracemalloc.start()
    count = sum(1 for _ in read_items(file))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 4_000
    assert peak < 1_000_000 < file.stat().st_size
