"""Every command on bad input: one clear line, exit 1, nothing lost, never "no risk"."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes import FakeDetector
from untwist.cli.detect import assess
from untwist.data import Failure, Item
from untwist.schema import Utterance
from untwist.taxonomy import Distortion

_COMMANDS = ("detect", "screen", "reply")
_BAD = [
    b"not json",
    b'{"id": "b"}',
    b'{"id": "b", "text": ""}',
    b'{"id": "b", "text": "a\\u0000b"}',
    b'{"id": "b", "text": "\\ud800"}',
    b'{"id": "b", "text": "\xff\xfe"}',
    b'{"id": "b", "text": 5}',
    b'{"id": "b", "text": "x", "lang": "fr"}',
    b'{"id": "b", "text": "x", "history": "y"}',
    b"[1, 2]",
]


@pytest.fixture
def mixed(tmp_path):
    """Good, bad, good."""

    def _mixed(bad):
        file = tmp_path / "in.jsonl"
        good = b'{"id": "a", "text": "I want to die"}\n'
        file.write_bytes(good + bad + b"\n" + good.replace(b'"a"', b'"c"'))
        return file

    return _mixed


def _one_line(err):
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err


@pytest.mark.parametrize("command", _COMMANDS)
@pytest.mark.parametrize("bad", _BAD, ids=range(len(_BAD)))
def test_a_bad_row_stops_the_run_with_file_and_line(run, mixed, command, bad):
    file = mixed(bad)
    shown = run(command, "--input", file)
    assert shown.code == 1
    _one_line(shown.err)
    assert f"{file}:2:" in shown.err
    assert "--keep-going" in shown.err


@pytest.mark.parametrize("command", _COMMANDS)
@pytest.mark.parametrize("bad", _BAD, ids=range(len(_BAD)))
def test_with_keep_going_a_bad_row_is_marked_counted_and_never_called_safe(
    run, mixed, command, bad
):
    shown = run(command, "--input", mixed(bad), "--keep-going")
    assert shown.code == 1
    first, marked, last = (json.loads(line) for line in shown.out.splitlines())
    assert (first["id"], last["id"]) == ("a", "c")
    assert set(marked) == {"id", "line", "error"}
    assert marked["line"] == 2
    assert "1 of 3 items failed" in shown.err


@pytest.mark.parametrize("command", _COMMANDS)
@pytest.mark.parametrize("text", ["", "   ", "a\x00b", "\ud800"])
def test_an_unreadable_text_is_one_line_and_exit_1(run, command, text):
    shown = run(command, text)
    assert shown.code == 1
    _one_line(shown.err)
    assert shown.out == ""


@pytest.mark.parametrize("command", _COMMANDS)
@pytest.mark.slow
def test_a_text_over_the_limit_is_refused_and_one_at_the_limit_is_read(run, command):
    assert run(command, "x " * 500_001).code == 1
    assert run(command, "x " * 500_000).code == 0


@pytest.mark.parametrize("command", [*_COMMANDS, "check"])
def test_a_missing_file_is_named(run, command):
    shown = run(command, "--input", "/nowhere.jsonl")
    assert shown.code == 1
    _one_line(shown.err)
    assert "/nowhere.jsonl" in shown.err


@pytest.mark.parametrize("command", [*_COMMANDS, "check"])
def test_writing_over_the_input_is_refused_before_anything_is_lost(run, mixed, command):
    file = mixed(b'{"id": "b", "text": "x"}')
    before = file.read_bytes()
    shown = run(command, "--input", file, "--output", file)
    assert shown.code == 1
    assert "is the input itself" in shown.err
    assert file.read_bytes() == before


def test_an_output_that_cannot_be_written_is_named(run, tmp_path):
    shown = run("screen", "hello", "--output", tmp_path)
    assert shown.code == 1
    _one_line(shown.err)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("detect", "--detector", "/nowhere", "hi"), "no model folder"),
        (("detect", "--taxonomy", "beck-9", "hi"), "unknown taxonomy"),
        (("reply", "--region", "XX", "hi"), "XX"),
        (("train", "detector", "/nowhere.toml"), "cannot read"),
    ],
)
def test_a_wrong_setting_is_answered_with_what_there_is(run, arguments, why):
    shown = run(*arguments)
    assert shown.code == 1
    _one_line(shown.err)
    assert why in shown.err


def test_a_broken_model_folder_is_one_clear_line(run, tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "config.json").write_text("{", encoding="utf-8")
    shown = run("detect", "--detector", tmp_path / "m", "hi")
    assert shown.code == 1
    _one_line(shown.err)
    assert "not JSON" in shown.err


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('name = "x"\nout = "y"\nsede = 3\n', 'did you mean "seed"'),
        ('name = "x"\nout = "y"\nseed = "3"\n', "must be int"),
        ('name = "x"\n', "out"),
        ("name = ", "not TOML"),
        ('name = "x"\nout = "y"\n[fast]\nfolds = 1\n', "folds must be 0 or 2 to 100"),
        ('name = "x"\nout = "y"\ncorpora = ["nowhere"]\n', "neither a file nor a corpus"),
    ],
)
def test_a_wrong_configuration_says_what_to_mend(run, tmp_path, text, why):
    file = tmp_path / "c.toml"
    file.write_text(text, encoding="utf-8")
    shown = run("train", "detector", file)
    assert shown.code == 1
    _one_line(shown.err)
    assert why in shown.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("detect", "--nonsense"),
        ("detect", "a", "--input", "b"),
        ("check",),
        ("check", "a", "--context", "huge"),
    ],
)
def test_wrong_usage_ends_with_2(run, arguments):
    assert run(*arguments).code == 2


def test_a_responder_that_is_not_there_is_named_in_one_line(run):
    done = run("reply", "--responder", "oracle", "hi")
    assert (done.code, done.out) == (1, "")
    assert done.err == 'Error: there is no responder "oracle": give scripted or llm:NAME\n'


@pytest.mark.parametrize(
    "row", [b'{"text": "hi", "context": "huge"}', b'{"context": "low"}', b"nope"]
)
def test_check_marks_rows_that_it_cannot_read(run, tmp_path, row):
    file = tmp_path / "in.jsonl"
    file.write_bytes(row + b"\n")
    assert run("check", "--input", file).code == 1
    shown = run("check", "--input", file, "--keep-going")
    assert shown.code == 1
    assert "error" in json.loads(shown.out)


@pytest.mark.parametrize("command", ["detect", "screen", "reply", "check"])
def test_the_name_of_a_file_is_not_read_as_a_message(run, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("posts.jsonl").write_text('{"text": "I want to die"}\n', encoding="utf-8")
    shown = run(command, "posts.jsonl")
    assert shown.code == 2
    assert "posts.jsonl is a file: say --input posts.jsonl" in shown.err
    assert shown.out == ""
    # a message of one long word or of several is no name
    assert run(command, "a" * 5_000).code in (0, 1)


@pytest.mark.parametrize("command", [*_COMMANDS, "check"])
def test_a_message_without_quotes_is_not_read_word_by_word(run, command):
    shown = run(command, "I", "want", "to", "die")
    assert shown.code == 2
    assert "put the whole message in quotes" in shown.err
    assert "die" not in shown.err


def test_several_quoted_messages_are_several_rows(run):
    assert len(run("screen", "I want to die", "good morning", "早").out.splitlines()) == 3


@pytest.mark.parametrize("command", _COMMANDS)
def test_a_link_to_the_input_is_the_input(run, mixed, tmp_path, command):
    file = mixed(b'{"id": "b", "text": "x"}')
    before = file.read_bytes()
    link = tmp_path / "link.jsonl"
    link.hardlink_to(file)
    assert run(command, "--input", file, "--output", link).code == 1
    assert file.read_bytes() == before


@pytest.mark.parametrize("command", [*_COMMANDS, "check"])
def test_a_missing_input_leaves_no_output_behind(run, tmp_path, command):
    target = tmp_path / "out.jsonl"
    shown = run(command, "--input", tmp_path / "none.jsonl", "--output", target)
    assert shown.code == 1
    assert "--keep-going" not in shown.err
    assert not target.exists()


def test_an_input_without_rows_is_said_to_be_so(run, tmp_path):
    file = tmp_path / "in.jsonl"
    file.write_text("\n\n", encoding="utf-8")
    shown = run("screen", "--input", file)
    assert shown.code == 0
    assert "holds no rows" in shown.err


def test_an_interrupted_run_says_that_its_output_is_incomplete(run, tmp_path, monkeypatch):
    from untwist.cli import screen as command

    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"text": "one"}\n{"text": "stop"}\n', encoding="utf-8")
    real = command.screen

    def interrupted(text, history, second):
        if text == "stop":
            raise KeyboardInterrupt
        return real(text, history, second)

    monkeypatch.setattr(command, "screen", interrupted)
    shown = run("screen", "--input", source, "--output", target)
    assert shown.code == 1
    assert "holds the first 1 rows only" in shown.err


def _assessed(texts, fails_on):
    """Answers of a detector that reads its whole batch before it gives the first answer."""

    class ReadsAhead(FakeDetector):
        def detect_many(self, utterances):
            yield from list(super().detect_many(utterances))

    rows = [Item(str(n), Utterance(text), (), n) for n, text in enumerate(texts, 1)]
    detector = ReadsAhead({"loser": Distortion.LABELING}, fails_on)
    return [answer for answer in assess(detector, rows, keep_going=True)]


def test_a_failure_in_a_batch_is_marked_on_its_own_row_and_on_no_other():
    texts = ["loser", "same", "bad", "same", "loser"]
    answers = _assessed(texts, "bad")
    assert [isinstance(a, Failure) for a in answers] == [t == "bad" for t in texts]
    assert answers[2].line == 3
    assert [a.utterance.text for a in answers if not isinstance(a, Failure)] == [
        t for t in texts if t != "bad"
    ]


@pytest.mark.slow
def test_invalid_utf8_in_an_argument_or_a_pipe_is_one_clear_line():
    command = [sys.executable, "-m", "untwist", "screen"]
    argument = subprocess.run([*command, b"a\xff"], capture_output=True, check=False)
    pipe = subprocess.run(command, input=b"a\xff", capture_output=True, check=False)
    for done in (argument, pipe):
        assert done.returncode == 1
        _one_line(done.stderr.decode())
        assert done.stdout == b""


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_traceback(tmp_path):
    file = tmp_path / "in.jsonl"
    file.write_text('{"text": "hello"}\n' * 20_000, encoding="utf-8")
    command = f"{sys.executable} -m untwist screen --input {file} | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, check=False)
    assert b"Traceback" not in done.stderr
    assert done.stdout.count(b"\n") == 1
