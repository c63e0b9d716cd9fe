"""untwist evaluate replies and blind, as a stranger uses them."""

import json
from pathlib import Path

import pytest

from tests.tiny_corpora import write_lines
from untwist.cli.main import cli
from untwist.recipes import publish

ROWS = [
    {"id": "1", "text": "She did not wave.", "reply": "What else could it mean?"},
    {"id": "2", "text": "I failed again.", "reply": "That sounds hard. What happened?"},
]


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    """An empty folder with two systems' replies, no model, no pictures."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNTWIST_LLM", raising=False)
    monkeypatch.setattr(publish, "find_spec", lambda name: None)
    write_lines(Path("mine.jsonl"), ROWS)
    write_lines(Path("theirs.jsonl"), [{**row, "reply": "Cheer up."} for row in ROWS])


def commands():
    group = cli.get_command(None, "evaluate").commands
    return {"replies": group["replies"], **group["blind"].commands}


@pytest.mark.parametrize("words", [("replies",), ("blind",), ("blind", "make"), ("blind", "read")])
def test_every_command_has_help_with_an_example(run, words):
    shown = run("evaluate", *words, "--help")
    assert shown.code == 0
    assert f"untwist evaluate {words[0]}" in shown.out.partition("Example")[2]


def test_every_option_is_explained():
    options = [
        p for one in commands().values() for p in one.params if p.param_type_name == "option"
    ]
    assert [option.name for option in options if not option.help] == []


def test_replies_of_two_systems_are_scored_into_one_report(run):
    shown = run("evaluate", "replies", "mine.jsonl", "theirs.jsonl", "--out", "r")
    assert shown.code == 0
    assert shown.out.startswith("# Replies of 2 systems")
    assert "Command: `untwist evaluate replies mine.jsonl theirs.jsonl`" in shown.out
    again = run("evaluate", "replies", "mine.jsonl", "--json", "--out", "j")
    assert json.loads(Path(again.out.strip()).read_text(encoding="utf-8"))["systems"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("mine.jsonl", "--templates"), 2, "leave FILE out"),
        (("mine.jsonl", "--judge", "qwen3"), 2, "--judge takes llm:NAME"),
        (("mine.jsonl", "--people", "theirs.jsonl"), 1, "ratings calibrate a judge"),
        (("none.jsonl",), 1, "cannot read none.jsonl"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(run, words, code, says):
    shown = run("evaluate", "replies", *words, "--out", "x")
    assert shown.code == code
    assert says in shown.err
    assert "Traceback" not in shown.err
    assert not Path("x").exists()


def test_a_round_is_made_rated_and_read(run):
    made = run("evaluate", "blind", "make", "mine.jsonl", "theirs.jsonl", "--rater", "ann",
               "--rater", "bo", "--rubric", "answer", "--out", "round")  # fmt: skip
    assert made.code == 0
    assert "4 replies to 2 messages by 2 systems, for 2 raters" in made.out
    assert "Keep round/key.json from the raters." in made.out
    sheets = ["round/raters/ann.csv", "round/raters/bo.xlsx"]
    shown = run("evaluate", "blind", "read", "round", *sheets, "--out", "read")
    assert shown.code == 0
    assert "fewer than two raters judged the same replies" in shown.out
    wrong = run("evaluate", "blind", "read", "read", *sheets, "--out", "again")
    assert (wrong.code, wrong.err.count("\n")) == (1, 1)
    assert "name the folder that holds the key" in wrong.err


def test_a_round_says_what_it_left_out(run):
    write_lines(Path("few.jsonl"), ROWS[:1])
    made = run("evaluate", "blind", "make", "mine.jsonl", "few.jsonl", "--rater", "ann",
               "--out", "round", "--json")  # fmt: skip
    told = json.loads(made.out)
    assert (told["messages"], told["left_out"]["not answered by every system"]) == (1, 1)
