"""untwist generate: what a person sees, exit codes, estimates, and going on; models are scripts."""

import json

import pytest

from tests.generate.scripts import annotation, quick
from untwist.data import load_jsonl

TEXTS = ("I should never be late, not once", "We repotted the tomatoes this afternoon")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """What takes time is tested elsewhere."""
    quick(monkeypatch)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "texts.jsonl"
    rows = [json.dumps({"id": str(n), "text": text}) for n, text in enumerate(TEXTS)]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def script(tmp_path, *answers, name="answers"):
    path = tmp_path / f"{name}.jsonl"
    lines = [a if isinstance(a, dict) and "error" in a else json.dumps(a) for a in answers]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return f"scripted:{path}"


def annotate(run, tmp_path, source, model, *more):
    return run(
        "generate", "annotate", source, "--out", tmp_path / "run", "--model", model,
        "--concurrency", 1, "--keep-leaks", *more,
    )  # fmt: skip


def test_a_run_says_how_many_rows_it_wrote_and_exits_0(run, tmp_path, source):
    done = annotate(run, tmp_path, source, script(tmp_path, annotation(), annotation()))
    assert done.code == 0, done.err
    assert "2 rows written" in done.out
    assert len(list(load_jsonl(tmp_path / "run" / "items.jsonl"))) == 2
    settings = (tmp_path / "run" / "config.toml").read_text(encoding="utf-8")
    assert "untwist generate annotate" in settings


def test_a_failed_item_is_one_line_and_exit_1(run, tmp_path, source):
    model = script(tmp_path, {"error": "timeout"}, annotation())
    done = annotate(run, tmp_path, source, model)
    assert done.code == 1
    assert "1 rows written; votes: 1 done, 1 failed (timeout 1)" in done.out
    assert "Traceback" not in done.err
    assert "failed.jsonl" in done.err


def test_the_same_command_goes_on_and_tries_again_what_is_named(run, tmp_path, source):
    annotate(run, tmp_path, source, script(tmp_path, {"error": "timeout"}, annotation()))
    # the file of answers changes its words, not its name: it is the same model
    model = script(tmp_path, annotation())
    again = annotate(run, tmp_path, source, model)
    assert again.code == 1, "without --again a failed item stays failed"
    from untwist.recipes.generate_settings import _named

    _named.cache_clear()
    mended = annotate(run, tmp_path, source, model, "--again", "timeout")
    assert mended.code == 0, mended.err
    assert len(list(load_jsonl(tmp_path / "run" / "items.jsonl"))) == 2


def test_an_estimate_asks_nothing_and_writes_nothing(run, tmp_path, source):
    done = annotate(run, tmp_path, source, script(tmp_path), "--estimate", "--prices", 1, 2)
    assert done.code == 0, done.err
    assert "2 items, 2 questions" in done.out
    assert "cost at most" in done.out
    assert not (tmp_path / "run").exists()


def test_an_estimate_needs_no_server(run, tmp_path, source, monkeypatch):
    monkeypatch.delenv("UNTWIST_LLM_URL", raising=False)
    done = annotate(run, tmp_path, source, "big", "--model", "small", "--estimate")
    assert done.code == 0, done.err
    assert "2 items, 4 questions" in done.out


def test_an_estimate_for_machines_is_json(run, tmp_path, source):
    done = annotate(run, tmp_path, source, script(tmp_path), "--estimate", "--json", "--sift")
    (sift, votes) = json.loads(done.out)
    assert (sift["stage"], sift["questions"], votes["items"]) == ("sift", 2, 2)
    assert votes["prompt_tokens"] > 100
    assert votes["cost"] is None


def test_the_limit_takes_the_first_sources_alone(run, tmp_path, source):
    done = annotate(run, tmp_path, source, script(tmp_path, annotation()), "--limit", 1, "--json")
    told = json.loads(done.out)
    assert (done.code, told["written"], told["ok"]) == (0, 1, True)


def test_answers_can_be_kept_for_another_run(run, tmp_path, source):
    model, kept = script(tmp_path, annotation(), annotation()), tmp_path / "kept.sqlite"
    annotate(run, tmp_path, source, model, "--cache", kept)
    other = tmp_path / "other"
    other.mkdir()
    again = annotate(run, other, source, model, "--cache", kept, "--json")
    assert again.code == 0, again.err
    calls = json.loads(again.out)["calls"]
    assert (calls["asked"], calls["cached"]) == (0, 2)


def test_a_model_that_nobody_described_is_one_line(run, tmp_path, source, monkeypatch):
    monkeypatch.delenv("UNTWIST_LLM_URL", raising=False)
    done = annotate(run, tmp_path, source, "big")
    assert done.code == 1
    assert done.err.startswith('Error: nothing says where the model "big" is')
    assert not (tmp_path / "run").exists()


def test_a_folder_with_other_things_in_it_is_left_alone(run, tmp_path, source):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").write_text("mine", encoding="utf-8")
    done = annotate(run, tmp_path, source, script(tmp_path, annotation()))
    assert done.code == 1
    assert "is not empty" in done.err


@pytest.mark.parametrize("name", ["annotate", "scenarios", "cbtqa", "chains", "enhance"])
def test_every_pipeline_has_help_with_an_example(run, name):
    done = run("generate", name, "--help")
    assert done.code == 0
    assert f"untwist generate {name}" in done.out.split("Example")[-1]


def test_scenarios_need_no_input_but_a_number(run, tmp_path):
    done = run(
        "generate", "scenarios", "--number", 3, "--lang", "zh", "--out", tmp_path / "run",
        "--model", script(tmp_path), "--estimate",
    )  # fmt: skip
    assert "events: 3 items, 6 questions" in done.out


def test_answers_to_questions_are_asked_for_beside_the_answers_that_are_kept(run, tmp_path):
    posts = tmp_path / "posts.jsonl"
    row = {"id": "q1", "question": "Why am I like this?", "description": "I missed one bus today."}
    posts.write_text(json.dumps(row) + "\n", encoding="utf-8")
    model = script(tmp_path, {"error": "timeout"})
    done = run("generate", "cbtqa", posts, "--out", tmp_path / "qa", "--model", model)
    assert done.code == 1
    assert "1 failed (timeout 1)" in done.out, done.err
    assert {"answers.sqlite", "exchanges.sqlite"} <= {f.name for f in (tmp_path / "qa").iterdir()}
