"""untwist evaluate crosslincd: what is said, without training."""

import json

import pytest

from tests.recipes.test_crosslincd import fake
from tests.recipes.test_evaluate_matrix import sources
from untwist.recipes import crosslincd, publish


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Two small corpora and a scripted language model; nothing is trained."""
    monkeypatch.setattr(crosslincd, "train_all", fake())
    monkeypatch.setattr(publish, "find_spec", lambda name: None)
    # an answer that cannot be read is asked for twice
    nothing = "no distortion"
    answers = ["Labeling", nothing, "no label of ours", "nor here", "Blaming", nothing]
    script = tmp_path / "answers.jsonl"
    script.write_text("".join(json.dumps(a) + "\n" for a in answers), encoding="utf-8")
    names = ", ".join(f'"{name}"' for name in sources(tmp_path))
    file = tmp_path / "c.toml"
    file.write_text(
        f'corpora = [{names}]\nsplits = ["published"]\nseeds = [1]\nresamples = 20\n'
        f'samplings = ["paper"]\n[[llm]]\nname = "L"\nsplit = "published"\n'
        f'source = "llm:scripted:{script}"\n',
        encoding="utf-8",
    )
    return file


def test_a_language_model_is_asked_for_names_and_its_answers_stand_in_the_table(
    run, config, tmp_path
):
    out = tmp_path / "out"
    done = run("evaluate", "crosslincd", config, "--table", 3, "--teacher", "-", "--out", out)
    assert done.code == 0, done.err
    assert done.out == (out / "report.md").read_text("utf-8") + "\n"
    metrics = json.loads((out / "metrics.json").read_text("utf-8"))
    found = {c["target"]: c for c in metrics["cells"] if c["model"] == "L"}
    # labeling hit, fortune telling missed; then one unscored, blaming hit, fortune telling missed
    assert found["first"]["scores"]["validation"]["micro_f1"]["mean"] == pytest.approx(2 / 3)
    assert found["second"]["unscored"] == [1]
    assert found["second"]["scores"]["validation"]["micro_f1"]["mean"] == pytest.approx(2 / 4)
    # where the run is written and where corpora lie stay out of the command
    assert f"Command: `untwist evaluate crosslincd {config} --table 3 --teacher -`" in done.out


def test_machines_get_the_path_alone(run, config, tmp_path):
    out = tmp_path / "out"
    done = run(
        "evaluate", "crosslincd", config, "--table", 2, "--teacher", "-", "--out", out, "--json"
    )
    assert (done.code, done.out.strip()) == (0, str(out / "metrics.json"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--table", "4", "--teacher", "-"), "Table 4 is about a teacher: name teacher_corpus"),
        (("--table", "6"), "'6' is not one of"),
        (("--table", "2", "--teacher", "-"), "say --accept-licence socialcd"),
        (("--table", "2"), "Or leave the taught models out"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_folder(run, tmp_path, arguments, message):
    done = run("evaluate", "crosslincd", *arguments, "--out", tmp_path / "out")
    assert done.code in {1, 2}
    assert message in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "out").exists()
