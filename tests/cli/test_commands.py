"""Every command on good input: what it prints, what it writes, how it ends."""

import json
import subprocess
import sys

import pytest

from untwist import __version__
from untwist.cli import chat
from untwist.cli.main import _COMMANDS
from untwist.engine import Engine
from untwist.schema import Turn

SENTENCE = "If I fail this exam my whole life is over"


def _rows(text):
    return [json.loads(line) for line in text.splitlines()]


def test_the_version_is_the_packages(run):
    assert run("--version").out == f"untwist, version {__version__}\n"


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_command_explains_itself_with_an_example(run, command):
    shown = run(command, "--help")
    assert shown.code == 0
    groups = {"train": "train detector --help", "evaluate": "evaluate detector --help"}
    text = run(*groups[command].split()).out if command in groups else shown.out
    assert f"untwist {command}" in text
    assert "Example" in text


def test_detect_names_the_distortion_and_quotes_the_evidence(run):
    shown = run("detect", SENTENCE)
    assert shown.code == 0
    assert "magnification" in shown.out
    assert "my whole life is over" in shown.out


def test_detect_never_tells_anyone_that_their_risk_is_low(run):
    for text in (SENTENCE, "I had soup", "我今天吃了面"):
        assert "risk" not in run("detect", text).out.lower()


def test_detect_shows_where_help_is_when_there_is_danger(run):
    assert "findahelpline.com" in run("detect", "I want to die").out


def test_detect_speaks_the_language_of_the_message(run):
    assert "强度" in run("detect", "我就是个废物，什么都做不好").out
    assert run("detect", "今天吃了面").out == "没有听出认知扭曲。\n"


def test_detect_json_has_the_documented_keys(run):
    (row,) = _rows(run("detect", "--json", SENTENCE).out)
    assert set(row) == {
        "id", "lang", "findings", "intensity", "risk", "acuity", "detector", "taxonomy"
    }  # fmt: skip
    found = next(f for f in row["findings"] if f["distortion"] == "magnification")
    assert set(found) == {"distortion", "score", "start", "end"}
    assert "over" in SENTENCE[found["start"] : found["end"]]


def test_detect_in_another_taxonomy_uses_its_labels_once_each(run):
    (row,) = _rows(run("detect", "--json", "--taxonomy", "beck-8", SENTENCE).out)
    labels = [f["distortion"] for f in row["findings"]]
    assert "灾难化" in labels
    assert len(set(labels)) == len(labels)
    assert row["taxonomy"] == "beck-8@1"


def test_rows_go_in_and_come_out_in_order_with_their_ids(run, tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    texts = [SENTENCE, "I had soup", "我就是个废物"] * 400
    source.write_text(
        "".join(json.dumps({"id": f"x{i}", "text": t}) + "\n" for i, t in enumerate(texts)),
        encoding="utf-8",
    )
    assert run("detect", "--input", source, "--output", target).code == 0
    rows = _rows(target.read_text(encoding="utf-8"))
    assert [r["id"] for r in rows] == [f"x{i}" for i in range(1200)]
    assert rows[0]["findings"] == rows[1197]["findings"]


def test_a_history_reaches_the_screen_in_every_command(run, tmp_path):
    source = tmp_path / "in.jsonl"
    row = {
        "id": "a",
        "text": "yes",
        "history": [{"role": "assistant", "content": "Are you thinking about ending your life?"}],
    }
    source.write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert _rows(run("detect", "--input", source).out)[0]["risk"] == "high"
    assert _rows(run("screen", "--input", source).out)[0]["level"] == "high"
    turn = _rows(run("reply", "--input", source).out)[0]
    assert turn["choice"]["strategy"] == "crisis_intervention"


def test_screen_prints_level_acuity_and_rules(run):
    (row,) = _rows(run("screen", "I want to die").out)
    assert set(row) == {"id", "level", "acuity", "reasons"}
    assert row["level"] == "high"
    assert row["reasons"]


def test_reply_prints_the_reply_or_the_whole_turn(run):
    text = run("reply", SENTENCE).out
    (row,) = _rows(run("reply", "--json", SENTENCE).out)
    assert row["reply"]["text"] == text.strip()
    assert Turn.from_dict(row).verdict.passed


def test_reply_in_a_region_shows_the_lines_of_that_region(run):
    assert "988" in run("reply", "--region", "US", "I want to die").out
    assert "12356" in run("reply", "--region", "CN", "我想自杀").out


def test_check_fails_a_diagnosis_and_passes_a_plain_reply(run, tmp_path):
    source = tmp_path / "in.jsonl"
    rows = [
        {"id": "bad", "text": "You clearly have depression.", "context": "low"},
        {"id": "good", "text": "That sounds hard. What happened then?", "context": "low"},
    ]
    source.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    bad, good = _rows(run("check", "--input", source).out)
    assert bad["verdict"] == "fail"
    assert "R10" in bad["rules"]
    assert good == {"id": "good", "verdict": "pass", "rules": []}


def test_doctor_finds_nothing_wrong_with_a_good_installation(run):
    shown = run("doctor", "--json")
    assert shown.code == 0, shown.out
    states = {row["check"]: row["state"] for row in _rows(shown.out)}
    assert (
        states["detector"] == states["safety screen"] == states["reply"] == states["policy"] == "ok"
    )
    assert "fail" not in states.values()


def test_chat_answers_explains_itself_and_says_goodbye(run):
    shown = run("chat", stdin=f"{SENTENCE}\n/why\n/help\n/nonsense\n/quit\n")
    assert shown.code == 0
    assert "not a person" in shown.out
    assert "不是真人" in shown.out
    assert "strategy: " in shown.out
    assert "no such command" in shown.out
    assert shown.out.rstrip().endswith("Nothing was stored.")


def test_chat_says_what_else_was_allowed_and_what_the_choice_hangs_on():
    said = []
    talk = chat.Talk(Engine.default(conversation=True), said.append)
    talk.hear(SENTENCE)
    talk.hear("/why")
    assert "Also allowed, in this order: " in said[-1]
    assert "say nothing about you" in said[-1]
    for line in ("She thinks I am a burden.", "Everyone leaves me in the end."):
        talk.hear(line)
        talk.hear("/why")
        assert ("first message" in said[-1]) != ("makes no difference" in said[-1])
    other = [t for t in talk.turns if t.choice.strategy is not t.reply.strategy]
    assert ("goes on with what it had begun" in said[-1]) == (talk.turns[-1] in other)


def test_chat_and_reply_choose_by_the_policy_that_is_named(run, tmp_path):
    rows = {}
    for name in ("matrix", "learned"):
        shown = run("reply", "--policy", name, "--json", SENTENCE)
        rows[name] = json.loads(shown.out)["choice"]["policy"]
    assert rows == {"matrix": "matrix@1", "learned": "policy-v1"}
    assert "no model folder" in run("chat", "--policy", str(tmp_path / "none"), stdin="").err


def test_chat_follows_the_language_of_the_writer(run):
    shown = run("chat", stdin="我就是个废物\n/why\n/quit\n")
    assert "做法：" in shown.out
    assert "保重" in shown.out


def test_chat_shows_help_lines_at_high_risk_and_goes_on(run):
    shown = run("chat", "--region", "GB", stdin="I want to die\nno\n/quit\n")
    assert "116 123" in shown.out
    assert shown.out.count("\n\n") > 3


def test_chat_ends_politely_when_the_input_ends(run):
    assert run("chat", stdin="hello\n").code == 0


def test_chat_says_why_only_after_something_was_said():
    said = []
    talk = chat.Talk(Engine.default(conversation=True), said.append)
    assert talk.hear("/why")
    assert said == ["Nothing has been said yet."]
    assert not talk.hear("/quit")


def test_chat_shows_the_help_block_when_something_fails():
    class Broken:
        region = None

        def stream(self, message, history, earlier):
            raise chat.SafetyError("no reply could be made.\nfindahelpline.com")

    said = []
    talk = chat.Talk(Broken(), said.append)
    assert talk.hear("hello")
    assert "findahelpline.com" in said[0]
    assert talk.history == []


def test_train_quick_leaves_a_usable_model_and_its_record(run, tmp_path):
    texts = tmp_path / "texts.jsonl"
    rows = [
        {"id": str(i), "text": f"{noun} was late, {thought}", "labels": labels, "group": noun}
        for i, (noun, thought, labels) in enumerate(
            (noun, thought, labels)
            for noun in ("tea", "bus", "bike", "talk", "shop", "film")
            for thought, labels in (("I am a total loser", ["labeling"]), ("so I waited", []))
        )
    ]
    texts.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    config = tmp_path / "c.toml"
    config.write_text(
        f'name = "mine-v1"\nout = "{tmp_path / "run"}"\ncorpora = ["{texts}"]\n', encoding="utf-8"
    )
    shown = run("train", "detector", config, "--quick", "--json")
    assert shown.code == 0, shown.err
    assert json.loads(shown.out)["texts"] > 0
    assert {f.name for f in (tmp_path / "run").iterdir()} == {
        "config.toml", "manifest.json", "metrics.json", "detector"
    }  # fmt: skip
    row = _rows(run("detect", "--json", "--detector", tmp_path / "run/detector", "hi").out)[0]
    assert row["detector"] == "mine-v1"
    again = run("train", "detector", config, "--quick")
    assert again.code == 1
    assert "not empty" in again.err


def test_detect_shows_what_another_label_set_cannot_carry(run):
    text = "It rained, so the picnic will surely be a flop, I just know it"
    (row,) = _rows(run("detect", "--json", "--taxonomy", "beck-8", text).out)
    (plain,) = _rows(run("detect", "--json", text).out)
    if "fortune_telling" in {f["distortion"] for f in plain["findings"]}:
        assert "fortune_telling" in row["not_representable"]
        assert "[not in beck-8@1]" in run("detect", "--taxonomy", "beck-8", text).out
        (merged,) = _rows(run("detect", "--json", "--merge", "--taxonomy", "beck-8", text).out)
        assert "灾难化" in {f["distortion"] for f in merged["findings"]}
    else:
        pytest.fail("the sample no longer carries what the label set lacks: choose another")


def test_chat_keeps_its_language_when_a_message_has_no_words(run):
    shown = run("chat", stdin="我很难过\n……\n123\n/quit\n").out.split("/help", 2)[-1]
    assert "What" not in shown
    assert "How" not in shown


@pytest.mark.slow
def test_chat_answers_the_readable_rest_of_a_broken_line():
    command = [sys.executable, "-m", "untwist", "chat", "--region", "GB"]
    line = b"I want to \xff die\n/quit\n"
    shown = subprocess.run(command, input=line, capture_output=True, check=True)
    assert b"116 123" in shown.stdout
    assert b"Error" not in shown.stdout + shown.stderr


def test_chat_shows_help_when_a_line_cannot_be_read_at_all():
    said = []
    talk = chat.Talk(Engine.default(conversation=True, region="GB"), said.append)
    assert talk.hear("x" * 1_000_001)
    assert "could not be read" in said[0]
    assert "116 123" in said[0]
    assert talk.history == []


def test_chat_help_shows_the_lines_of_the_region():
    said = []
    chat.Talk(Engine.default(conversation=True, region="GB"), said.append).hear("/help")
    assert "116 123" in said[0]


def test_chat_says_why_safety_came_first():
    said = []
    talk = chat.Talk(Engine.default(conversation=True), said.append)
    talk.hear("I want to die")
    talk.hear("/why")
    assert "safety comes first" in said[1]


def test_chat_understands_the_name_of_a_country_as_an_answer(run):
    shown = run("chat", stdin="I want to die\nUnited States\n/quit\n")
    assert "988" in shown.out


@pytest.mark.parametrize("word", ["exit", "quit", "/exit"])
def test_chat_can_be_left_without_knowing_the_command(run, word):
    assert run("chat", stdin=f"{word}\nI am still here\n").out.count("Take care.") == 1


def test_the_notice_of_the_chat_fits_a_terminal_of_eighty_columns(run):
    lines = run("chat", stdin="/quit\n").out.splitlines()
    # a Han character takes two columns
    assert max(sum(2 if ch > "\u2e80" else 1 for ch in line) for line in lines) <= 80
