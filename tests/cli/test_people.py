import json
from xml.etree import ElementTree

import pytest

from tests.recipes.people_scenario import FakeServer, annotate, answers, corpus
from untwist.cli import people as cli
from untwist.recipes import evaluate_agreement

URL, TOKEN = "http://127.0.0.1:9", "UNTWIST_LABEL_STUDIO_TOKEN"


@pytest.fixture
def server(monkeypatch):
    one = FakeServer()
    monkeypatch.setattr(cli, "Server", lambda url, token: one)
    monkeypatch.setenv(TOKEN, "secret")
    monkeypatch.setenv("UNTWIST_LABEL_STUDIO_URL", URL)
    return one


@pytest.fixture
def round_folder(run, server, tmp_path):
    """A round of three annotators, through the commands."""
    assert run("people", "push", corpus(tmp_path), "--copies", 3).code == 0
    for who, project in enumerate((1, 2, 3)):
        annotate(server, project, who + 1, lambda data, who=who: answers(data["text"], who))
    assert run("people", "pull", 1, 2, 3, "--out", tmp_path / "round").code == 0
    return tmp_path / "round"


@pytest.mark.parametrize("name", ["config", "push", "pull", "gate", "majority", "queue"])
def test_every_command_shows_an_example(run, name):
    text = run("people", name, "--help").out
    assert f"untwist people {name}" in text
    assert "Example" in text


@pytest.mark.parametrize("page", ["turns", "chains", "triples"])
def test_config_prints_a_page(run, page):
    shown = run("people", "config", "--page", page, "--lang", "zh")
    assert shown.code == 0
    assert ElementTree.fromstring(shown.out).tag == "View"


def test_push_says_what_it_did_as_lines_and_as_json(run, server, tmp_path):
    shown = run("people", "push", corpus(tmp_path), "--copies", 2)
    assert "projects: 1: 8; 2: 8" in shown.out
    again = run("people", "push", tmp_path / "mine.jsonl", "--project", 1, "--json")
    assert json.loads(again.out) == {
        "redacted": 0,
        "left_out": {"labels, which annotators do not see": 6},
        "refused": 0,
        "projects": {"1": 0},
        "there_already": 8,
    }


def test_push_to_a_folder_calls_no_server(run, tmp_path):
    shown = run("people", "push", corpus(tmp_path), "--to", tmp_path / "out", "--first", 3)
    assert shown.code == 0
    assert len(json.loads((tmp_path / "out" / "tasks.json").read_text(encoding="utf-8"))) == 3
    assert "<View>" in (tmp_path / "out" / "page.xml").read_text(encoding="utf-8")
    again = run("people", "push", tmp_path / "mine.jsonl", "--to", tmp_path / "out")
    assert again.code == 1
    assert "there already" in again.err


def test_a_server_and_a_token_must_be_named(run, monkeypatch, tmp_path):
    monkeypatch.delenv(TOKEN, raising=False)
    monkeypatch.delenv("UNTWIST_LABEL_STUDIO_URL", raising=False)
    source = corpus(tmp_path)
    assert "--url" in run("people", "push", source).err
    shown = run("people", "pull", 1, "--out", tmp_path / "r", "--url", URL)
    assert shown.code == 2
    assert TOKEN in shown.err


def test_an_export_by_hand_is_read_like_a_project(run, server, round_folder, tmp_path):
    files = []
    for project in (1, 2, 3):
        files.append(tmp_path / f"export-{project}.json")
        files[-1].write_text(json.dumps(server.export(project)), encoding="utf-8")
    shown = run("people", "pull", *files, "--out", tmp_path / "other", "--json")
    assert json.loads(shown.out)["annotators"] == {"1": 8, "2": 8, "3": 8}
    kept, other = (folder / "answers.jsonl" for folder in (round_folder, tmp_path / "other"))
    assert kept.read_text(encoding="utf-8") == other.read_text(encoding="utf-8")


def test_what_cannot_be_read_is_counted_and_listed(run, server, tmp_path):
    run("people", "push", corpus(tmp_path))
    annotate(server, 1, 1, lambda data: answers(data["text"], 0))
    server.projects[1]["tasks"][2]["annotations"][0]["was_cancelled"] = True
    shown = run("people", "pull", 1, "--out", tmp_path / "r", "--show-refused")
    assert shown.code == 0
    assert "1 rows refused" in shown.err
    assert "projects 1:3: annotation 1: skipped by its annotator" in shown.err


def test_a_gate_that_is_shut_ends_with_one_and_says_why(run, round_folder):
    shown = run("people", "gate", round_folder, "--like", "copollm")
    assert shown.code == 1
    assert "The gate is shut." in shown.out
    assert "8 of 100 items judged by all" in shown.out
    assert "how common a label is" in shown.out


def test_a_gate_that_is_open_ends_with_zero(run, round_folder, tmp_path):
    options = ["--like", "copollm", "--items", 8, "--at-least", 0.2, "--on", "labels"]
    shown = run("people", "gate", round_folder, *options, "--json", "--out", tmp_path / "report")
    found = json.loads(shown.out)
    assert (shown.code, found["open"], found["obstacles"]) == (0, True, [])
    assert found["gate"]["annotators"] == 3
    assert str(tmp_path) not in found["command"].replace(str(round_folder), "")
    assert (tmp_path / "report" / "report.md").is_file()


def test_majority_writes_what_was_agreed_and_queue_the_rest(run, round_folder, tmp_path):
    shown = run("people", "majority", round_folder, "--out", tmp_path / "agreed.jsonl", "--json")
    counts = json.loads(shown.out)
    assert (counts["agreed"], counts["disputed"], counts["rows"]) == (6, 2, 5)
    queued = run("people", "queue", round_folder, "--out", tmp_path / "queue")
    assert "disputes: labels: 1; high_risk: 1" in queued.out
    pushed = run("people", "push", tmp_path / "queue", "--queue", "--title", "Senior")
    assert "projects: " in pushed.out
    page = (tmp_path / "queue" / "page.xml").read_text(encoding="utf-8")
    assert "$said" in page


def test_a_queue_with_nothing_in_it_writes_nothing(run, server, tmp_path):
    run("people", "push", corpus(tmp_path))
    for by in (1, 2):
        annotate(server, 1, by, lambda data: answers(data["text"], 1))
    run("people", "pull", 1, "--out", tmp_path / "round")
    shown = run("people", "queue", tmp_path / "round", "--out", tmp_path / "queue", "--json")
    assert json.loads(shown.out)["folder"] is None
    assert not (tmp_path / "queue").exists()


def test_the_answers_of_one_annotator_are_a_labelling_for_evaluate_agreement(round_folder):
    rows = (round_folder / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    mine = round_folder / "mine.jsonl"
    mine.write_text("\n".join(r for r in rows if json.loads(r)["by"] == "1"), encoding="utf-8")
    assert len(evaluate_agreement._read(str(mine))) == 8


@pytest.mark.parametrize(
    "arguments",
    [
        ("gate", "nowhere"),
        ("gate", "nowhere", "--at-least", "2"),
        ("majority", "nowhere", "--out", "x.jsonl"),
        ("pull", "nowhere.json", "--out", "x"),
        ("push", "nowhere.jsonl", "--page", "chains", "--to", "x"),
        ("push", "nowhere", "--queue", "--to", "x"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing_behind(run, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    shown = run("people", *arguments)
    assert shown.code == 1
    assert len(shown.err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
