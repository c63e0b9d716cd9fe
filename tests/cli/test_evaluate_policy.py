"""untwist evaluate policy and logged, as a stranger uses them."""

import json
from pathlib import Path

import pytest
from click import Option

from tests.recipes.tiny_policy import constant, corpus_rows, write_corpus
from untwist.cli.main import cli
from untwist.data import LoggedTurn, write_logged
from untwist.engine import DEFAULT_DETECTOR
from untwist.recipes import publish
from untwist.schema import Assessment, Utterance
from untwist.taxonomy import Risk, Strategy

QUICK = (
    "--corpora", "own.jsonl", "--detector", "none", "--seekers", "10", "--resamples", "4",
    "--dialogues", "0", "--out", "p",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    """An empty folder with one corpus, nothing set, no pictures."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNTWIST_CORPORA", raising=False)
    monkeypatch.delenv("UNTWIST_ACCEPT_LICENCE", raising=False)
    monkeypatch.setattr(publish, "find_spec", lambda name: None)
    write_corpus(tmp_path)


def write_log():
    heard = Assessment(Utterance("Made up", "en"), (), None, Risk.NONE, (), (), "gold")
    turns = [
        LoggedTurn(name, 0, heard, Strategy.EMPATHIC_VALIDATION, 0.5, reward, True)
        for name, reward in (("a", 1.0), ("b", 2.0))
    ]
    write_logged("log.jsonl", turns)


@pytest.mark.parametrize("name", ["policy", "logged", "judge"])
def test_each_command_has_help_with_an_example_and_explains_every_option(run, name):
    shown = run("evaluate", name, "--help")
    assert shown.code == 0
    assert f"untwist evaluate {name}" in shown.out.split("Examples:")[1]
    command = cli.get_command(None, "evaluate").commands[name]
    assert all(one.help for one in command.params if isinstance(one, Option))


def test_the_matrix_is_scored_without_any_learned_policy(run):
    shown = run("evaluate", "policy", *QUICK)
    assert shown.code == 0
    assert shown.out.startswith("# Policies: matrix@1")
    assert "report.html" in shown.err
    metrics = json.loads(Path("p/metrics.json").read_text(encoding="utf-8"))
    assert metrics["command"].startswith("untwist evaluate policy --corpora own.jsonl")
    assert "--out" not in metrics["command"]
    assert metrics["detector"] is None


def test_a_learned_policy_is_scored_by_its_folder(run):
    constant(Path("mine"), "mine@1", A0=1.0)
    shown = run("evaluate", "policy", "mine", *QUICK, "--json")
    assert shown.out == str(Path("p/metrics.json")) + "\n"
    metrics = json.loads(Path("p/metrics.json").read_text(encoding="utf-8"))
    assert metrics["systems"][0] == {"name": "mine@1", "runs": 1, "learnt": True}
    assert "mine" in metrics["command"].split()


def test_the_policy_that_ships_is_scored_by_name(run):
    shown = run("evaluate", "policy", "learned", *QUICK, "--json")
    assert shown.code == 0
    metrics = json.loads(Path("p/metrics.json").read_text(encoding="utf-8"))
    assert metrics["systems"][0] == {"name": "policy-v1", "runs": 1, "learnt": True}
    manifest = json.loads(Path("p/manifest.json").read_text(encoding="utf-8"))
    assert list(manifest["inputs"]) == ["own.jsonl"]


def test_the_shipped_detector_gives_the_predicted_labels(run):
    shown = run("evaluate", "policy", *QUICK, "--detector", "fast", "--json")
    assert shown.code == 0
    metrics = json.loads(Path("p/metrics.json").read_text(encoding="utf-8"))
    assert metrics["detector"] == DEFAULT_DETECTOR
    assert {one["labels"] for one in metrics["lines"]} == {"gold", "predicted"}


def test_a_log_is_judged(run):
    write_log()
    shown = run("evaluate", "logged", "log.jsonl", "--resamples", "4", "--out", "l")
    assert shown.code == 0
    assert "always-validate@1" in shown.out
    metrics = json.loads(Path("l/metrics.json").read_text(encoding="utf-8"))
    assert metrics["off_policy"][0]["estimates"]["values"]["wis"] == 1.5


def test_refused_rows_are_said_on_stderr(run):
    bad = {**corpus_rows()[0], "id": "bad", "labels": ["gloom"]}
    write_corpus(Path(), [*corpus_rows(), bad])
    shown = run("evaluate", "policy", *QUICK, "--json")
    assert shown.code == 0
    assert "1 rows refused" in shown.err


@pytest.mark.parametrize(
    ("asked", "code", "why"),
    [
        (("policy", *QUICK, "--corpora", ","), 2, "--corpora names none"),
        (("policy", *QUICK, "--corpora", "nowhere.jsonl"), 1, "no file nowhere.jsonl"),
        (("policy", *QUICK, "--part", "validation"), 1, "below high risk: add at least one"),
        (("policy", "nowhere", *QUICK), 1, "nowhere"),
        (("policy", *QUICK, "--gamma", "2"), 2, "2"),
        (("logged", "nowhere.jsonl", "--out", "p"), 1, "cannot read nowhere.jsonl"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_folder(run, asked, code, why):
    shown = run("evaluate", *asked)
    assert shown.code == code
    assert why in shown.err.splitlines()[-1]
    assert "Traceback" not in shown.err
    assert not Path("p").exists()


def test_a_judge_is_calibrated_on_the_triples_that_ship(run):
    shown = run("evaluate", "judge", "--out", "j")
    assert shown.code == 0
    assert shown.out.startswith("# Judge: rules")
    metrics = json.loads(Path("j/metrics.json").read_text(encoding="utf-8"))
    assert metrics["command"] == "untwist evaluate judge"


def test_scores_for_a_triple_that_is_not_there_are_one_line(run):
    Path("mine.jsonl").write_text('{"id": "x", "scores": {}}\n', encoding="utf-8")
    shown = run("evaluate", "judge", "--scores", "mine.jsonl", "--out", "j")
    assert shown.code == 1
    assert "mine.jsonl:1: give each triple's id once" in shown.err
    assert not Path("j").exists()
