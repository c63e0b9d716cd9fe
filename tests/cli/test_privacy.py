"""What a person wrote stands in no error, no log, no run folder and no file of counts."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from untwist.cli.chat import Talk
from untwist.cli.watch import Watch
from untwist.engine import Engine, load_detector
from untwist.errors import DataError, ModelError, ParseError, SafetyError
from untwist.safety import Audience, read_referrals
from untwist.schema import Turn

CANARY = "zanzibarella quux"
MESSAGE = f"My name is Anna, 13800138000, {CANARY}, I want to die"
COMMANDS = ("detect", "screen", "reply", "check")


def _clean(*texts):
    for text in texts:
        assert not any(part in text for part in ("zanzibar", "quux", "13800138000", "Anna"))


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "row",
    [
        {"id": "a", "text": MESSAGE, "lang": "fr"}, {"id": "a", "text": MESSAGE + "\x00"},
        {"id": "a", "text": MESSAGE + "\ud800"}, {"id": [MESSAGE], "text": "x"},
        {"id": "a", "text": [MESSAGE]}, {"id": "a", "text": MESSAGE, "history": MESSAGE},
        {"id": "a", "text": "x", "history": [MESSAGE]},
        {"id": "a", "text": "x", "history": [{"role": MESSAGE, "content": "x"}]},
        {"id": "a", "text": "x", "history": [{"role": "user", "content": {"x": MESSAGE}}]},
        {"id": "a", "message": MESSAGE}, [MESSAGE], MESSAGE,
    ],
    ids=range(12),
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_told_without_its_words(run, tmp_path, command, row):
    file = tmp_path / "in.jsonl"
    file.write_text(json.dumps(row) + "\n", encoding="utf-8")
    shown = run(command, "--input", file)
    if shown.code:
        _clean(shown.err, shown.out)
    else:
        assert command == "check"
    marked = run(command, "--input", file, "--keep-going")
    if marked.code:
        _clean(marked.err, marked.out)


def test_a_line_that_is_no_json_is_told_without_its_words(run, tmp_path):
    file = tmp_path / "in.jsonl"
    for raw in (MESSAGE.encode(), b'{"text": "' + MESSAGE.encode(), b"\xff" + MESSAGE.encode()):
        file.write_bytes(raw + b"\n")
        for command in COMMANDS:
            _clean(run(command, "--input", file).err)


@pytest.mark.parametrize(
    "arguments",
    [(MESSAGE,), ("chat", MESSAGE), ("doctor", MESSAGE), ("screen", *MESSAGE.split()),
     ("protocol", MESSAGE), ("detect", "zanzibarella", "quux")],
)  # fmt: skip
def test_a_message_in_the_wrong_place_is_not_repeated(run, arguments):
    shown = run(*arguments)
    assert shown.code
    if arguments[0] != "screen":
        _clean(shown.err, shown.out)


class Failing:
    """A detector of somebody else, whose errors hold what it read."""

    name = "failing@1"

    def __init__(self, error):
        self.error = error

    def detect(self, utterance, history=()):
        raise self.error


@pytest.mark.parametrize(
    "error",
    [
        ValueError(f"cannot parse {MESSAGE!r}"), KeyError(MESSAGE), RuntimeError(MESSAGE),
        ParseError(f"no JSON in {MESSAGE}", raw=MESSAGE), UnicodeError(MESSAGE),
    ],
)  # fmt: skip
def test_an_error_inside_a_turn_is_told_without_the_message(error):
    with pytest.raises(SafetyError) as caught:
        Engine(Failing(error)).turn(MESSAGE)
    _clean(str(caught.value))
    assert type(error).__name__ in str(caught.value)
    assert "findahelpline.com" in str(caught.value)


def test_an_error_that_says_what_to_do_keeps_its_words():
    with pytest.raises(SafetyError, match="the model is gone"):
        Engine(Failing(ModelError("the model is gone"))).turn("hello")


def test_a_record_that_is_no_turn_is_refused_without_its_words():
    data = Engine(load_detector()).turn(MESSAGE).to_dict()
    for key in ("assessment", "choice", "reply", "verdict"):
        broken = {k: v for k, v in data.items() if k != key}
        with pytest.raises(DataError) as caught:
            Turn.from_dict(broken)
        _clean(str(caught.value))


@pytest.mark.slow
def test_a_run_folder_holds_no_words_of_a_message(run, tmp_path):
    cases = tmp_path / "cases.jsonl"
    row = {"id": "a", "family": "f", "text": MESSAGE, "accept": ["high"], "crisis": True}
    cases.write_text(json.dumps({**row, "acuity": []}) + "\n", encoding="utf-8")
    out = tmp_path / "out"
    assert run("evaluate", "screen", "--out", out, cases).code == 0
    written = [file for file in out.rglob("*") if file.is_file()]
    assert written
    for file in written:
        _clean(file.read_text(encoding="utf-8"))


def test_a_conversation_leaves_no_file_behind(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("chat", stdin=f"{MESSAGE}\n/why\n\x00{MESSAGE}\n/quit\n")
    assert list(tmp_path.rglob("*")) == []


def test_a_conversation_is_counted_only_where_the_operator_says_and_without_words(run, tmp_path):
    file = tmp_path / "c.json"
    text = f"{MESSAGE}\nI had soup\n/help\n我在台湾，我想死\n/quit\n"
    assert run("chat", "--counters", file, stdin=text).code == 0
    raw = file.read_text(encoding="utf-8")
    _clean(raw)
    counts = read_referrals(file)
    assert {(c.region, c.lang) for c in counts.cells} >= {("*", "en"), ("TW", "zh")}
    assert [p.name for p in tmp_path.iterdir()] == ["c.json"]


def test_ordinary_talk_and_help_on_request_are_not_counted(run, tmp_path):
    file = tmp_path / "c.json"
    assert run("chat", "--counters", file, stdin="I had soup\n/help\n/why\n/quit\n").code == 0
    assert not file.exists()


def test_a_file_of_counts_that_is_broken_stops_the_chat_before_it_begins(run, tmp_path):
    file = tmp_path / "c.json"
    file.write_text("{}", encoding="utf-8")
    shown = run("chat", "--counters", file, stdin="hello\n")
    assert shown.code == 1
    assert "c.json" in shown.err


def test_a_count_that_cannot_be_written_does_not_end_the_talk(tmp_path, capsys):
    said = []
    watch = Watch(counters=str(tmp_path / "gone" / "c.json"))
    talk = Talk(Engine.default(conversation=True), said.append, watch=watch)
    assert talk.hear("I want to die")
    assert "findahelpline.com" in said[0]
    assert "not counted" in capsys.readouterr().err


def test_notices_come_while_someone_talks():
    said, now = [], datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    times = iter([now, now, now, now + timedelta(minutes=59), now + timedelta(minutes=60)])
    watch = Watch(Audience.MINOR, clock=lambda: next(times))
    assert "adult you trust" in watch.opening(["en"])[0]
    talk = Talk(Engine.default(conversation=True), said.append, watch=watch)
    for line in ("I had soup", "I had tea", "I had cake"):
        talk.hear(line)
    assert ["A reminder" in text for text in said] == [False, False, False, True]


@pytest.mark.parametrize(
    ("line", "answer"), [("are you a bot?", "computer program"), ("你是真人吗？", "电脑程序")]
)
def test_who_asks_is_told_at_once_that_this_is_a_program(run, line, answer):
    shown = run("chat", "--locale", "zh" if "你" in line else "en", stdin=f"{line}\n/quit\n").out
    last = shown.rsplit("\n\n", 2)[0]
    assert "AI" in last.split("\n\n")[-1]
    assert answer in last.split("\n\n")[-1]


def test_the_notice_for_new_york_is_shown_where_the_operator_asks_for_it(run):
    capitals = "NOT COMMUNICATING WITH A HUMAN"
    assert capitals in run("chat", "--new-york", stdin="/quit\n").out
    assert capitals not in run("chat", stdin="/quit\n").out


def test_the_report_adds_up_files_and_hides_small_counts(run, tmp_path):
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    for file in files:
        for _ in range(3):
            run("chat", "--region", "US", "--counters", file, stdin="I want to die\n/quit\n")
    one, both = run("referrals", files[0]), run("referrals", *files)
    assert "| US | en | <5 |" in one.out
    assert "| US | en | 6 |" in both.out
    assert ",US,en,6" in run("referrals", *files, "--format", "csv").out
    assert json.loads(run("referrals", *files, "--format", "json").out)["counts"][0]["count"] == 6
    assert "US" not in run("referrals", *files, "--year", "2001").out
    assert run("referrals", tmp_path / "none.json").code == 1


def test_check_finds_claims_in_files_and_folders(run, tmp_path):
    page = tmp_path / "docs" / "page.md"
    page.parent.mkdir()
    page.write_text("It makes no diagnosis.\n\nIt cures you. 治愈你。\n", encoding="utf-8")
    shown = run("check", "--claims", tmp_path)
    assert shown.code == 1
    assert [line.split(": ")[:2] for line in shown.out.splitlines()] == [
        [f"{page}:3", "cures"], [f"{page}:3", "治愈"]
    ]  # fmt: skip
    (row, _) = [json.loads(x) for x in run("check", "--claims", "--json", page).out.splitlines()]
    assert set(row) == {"file", "line", "phrase", "rule", "why"}
    page.write_text("It makes no diagnosis.\n", encoding="utf-8")
    clean = run("check", "--claims", page)
    assert (clean.code, clean.out) == (0, "")
    assert run("check", "--claims").code == 2
    assert run("check", "--claims", tmp_path / "none").code == 1


def test_the_protocol_is_printed_written_and_given_as_json(run, tmp_path):
    page = run("protocol").out
    assert page.startswith("# Crisis protocol\n")
    assert run("protocol", "--lang", "zh").out.startswith("# 危机处理规程\n")
    file = tmp_path / "p.md"
    assert run("protocol", "--output", file).out == ""
    assert file.read_text(encoding="utf-8") == page
    assert json.loads(run("protocol", "--json").out)["sha256"] in page
    assert run("protocol", "--output", tmp_path).code == 1


def test_the_protocol_is_the_same_in_every_process(run):
    command = [sys.executable, "-m", "untwist", "protocol", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8")
    assert done.stdout == run("protocol", "--json").out
