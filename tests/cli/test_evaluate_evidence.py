"""untwist evaluate evidence, as a stranger uses it."""

import json
from pathlib import Path

import pytest

from tests.tiny_corpora import write_lines
from untwist.cli.main import cli
from untwist.recipes import publish

ROWS = [
    {"id": "1", "text": "I am a complete failure", "labels": ["labeling"], "split": "test",
     "evidence": [{"distortion": "labeling", "start": 0, "end": 23}]},
    {"id": "2", "text": "We had soup", "labels": [], "split": "test"},
    {"id": "3", "text": "We had bread", "labels": [], "split": "train"},
]  # fmt: skip


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    """An empty folder with one file, nothing set, no pictures."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNTWIST_CORPORA", raising=False)
    monkeypatch.delenv("UNTWIST_ACCEPT_LICENCE", raising=False)
    monkeypatch.setattr(publish, "find_spec", lambda name: None)
    write_lines(Path("mine.jsonl"), ROWS)


def test_the_command_has_help_with_an_example_and_explains_every_option(run):
    shown = run("evaluate", "evidence", "--help")
    assert shown.code == 0
    assert "untwist evaluate evidence --out" in shown.out
    command = cli.get_command(None, "evaluate").commands["evidence"]
    assert all(option.help for option in command.params)


def test_the_shipped_detector_is_scored_on_a_file_of_ones_own(run):
    shown = run("evaluate", "evidence", "--corpora", "mine.jsonl", "--out", "e")
    assert shown.code == 0
    assert shown.out.startswith("# Evidence: detector-fast-v2")
    assert "report.html" in shown.err
    metrics = json.loads(Path("e/metrics.json").read_text(encoding="utf-8"))
    assert metrics["command"] == "untwist evaluate evidence --corpora mine.jsonl"
    assert metrics["trained_on"] == ["open:train", "open:validation"]
    assert metrics["lines"][0]["counts"]["gold_spans"] == 1


def test_json_prints_the_path_alone(run):
    shown = run("evaluate", "evidence", "--corpora", "mine.jsonl", "--out", "e", "--json")
    assert shown.out == str(Path("e/metrics.json")) + "\n"


def test_refused_rows_are_said_on_stderr(run):
    bad = {"id": "4", "text": "Tea", "labels": [], "split": "test", "evidence": "all of it"}
    write_lines(Path("mine.jsonl"), [*ROWS, bad])
    shown = run("evaluate", "evidence", "--corpora", "mine.jsonl", "--out", "e", "--json")
    assert shown.code == 0
    assert "1 rows refused" in shown.err


@pytest.mark.parametrize(
    ("asked", "code", "why"),
    [
        (("--corpora", ","), 2, "--corpora names none"),
        (("--corpora", "nowhere.jsonl"), 1, "no file nowhere.jsonl"),
        (("--corpora", "mine.jsonl", "--trained-on", "mine:most"), 1, "one of its parts"),
        (("--corpora", "bare.jsonl"), 1, "bare has no evidence spans"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_folder(run, asked, code, why):
    write_lines(Path("bare.jsonl"), ROWS[1:])
    shown = run("evaluate", "evidence", *asked, "--out", "e")
    assert shown.code == code
    assert why in shown.err.splitlines()[-1]
    assert "Traceback" not in shown.err
    assert not Path("e").exists()
