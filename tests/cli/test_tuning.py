"""untwist train llm, tune merge and tune export: one line for every mistake, data on stdout."""

import json
from importlib.util import find_spec

import pytest

from tests.recipes.test_llm_samples import turns
from tests.recipes.tiny_llm import SETTINGS, base_model, triads, written
from untwist.tune import preset_names

HAS_TORCH = bool(find_spec("torch") and find_spec("transformers"))


@pytest.fixture
def dialogues(tmp_path):
    return written(tmp_path / "d.jsonl", [turns(f"d{n}") for n in range(3)])


def tuned(preset, source, out, *more):
    changes = [word for one in SETTINGS for word in ("--set", one)]
    return ("train", "llm", preset, "--data", source, "--out", out, *changes, *more)


def test_the_help_names_every_preset(run):
    shown = run("train", "llm", "--help").out
    assert all(name in shown for name in preset_names())


@pytest.mark.parametrize(
    ("preset", "more", "words"),
    [
        ("copolm", (), 'did you mean "copollm"'),
        ("copollm", ("--set", "lora.rnk=8"), 'did you mean "rank"'),
        ("copollm", ("--set", "loss.kind=dsc"), '"dsco"'),
        ("cbt-llm", ("--set", "data.ablation=pipeline"), "one stream"),
    ],
)
def test_a_mistake_in_the_settings_is_one_line_before_anything_is_read(
    run, tmp_path, preset, more, words
):
    done = run(*tuned(preset, "none.jsonl", tmp_path / "run", "--model", "none", *more))
    assert done.code == 1
    assert words in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(HAS_TORCH, reason="the extra is installed")
def test_without_the_extra_the_line_says_what_to_install(run, dialogues, tmp_path):
    for command in (
        tuned("copollm", dialogues, tmp_path / "run", "--model", "none"),
        ("tune", "merge", tmp_path, tmp_path / "out"),
    ):
        done = run(*command)
        assert done.code == 1
        assert 'pip install "untwist[finetune]"' in done.err


def test_a_run_is_handed_to_llama_factory(run, dialogues, tmp_path):
    out = tmp_path / "factory"
    export = ("tune", "export", "copollm", "--model", str(tmp_path / "none"), "--template", "qwen3",
              "--data", dialogues, "--out", out)  # fmt: skip
    done = run(*export, "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert told["rows"] == 12
    assert told["cut"] is False
    assert [file.split("/")[-1] for file in told["files"]] == [
        "copollm-diagnosis.jsonl", "copollm-intervention.jsonl", "dataset_info.json",
        "copollm.yaml",
    ]  # fmt: skip
    again = run(*export)
    assert (again.code, "there already" in again.err) == (1, True)
    second = run(*export, "--name", "second")
    assert second.code == 0
    assert "no history was cut" in second.err
    assert "dsco" in second.err
    pipeline = run(*export, "--name", "third", "--set", "data.ablation=pipeline")
    assert (pipeline.code, "two models" in pipeline.err) == (1, True)


@pytest.mark.neural
@pytest.mark.skipif(not HAS_TORCH, reason="the extra is not installed")
def test_the_metrics_alone_are_on_stdout_and_a_quick_run_says_so(run, tmp_path):
    base = base_model(tmp_path / "base")
    rows = triads(tmp_path / "t.jsonl")
    done = run(*tuned("cbt-llm", rows, tmp_path / "run", "--model", base, "--json"))
    assert done.code == 0, done.err
    metrics = json.loads(done.out)
    assert metrics["models"]["model"]["steps"] == 4
    quick = run(*tuned("cbt-llm", rows, tmp_path / "quick", "--model", base, "--quick"))
    assert "next to nothing" in quick.err
    assert "8 samples" in quick.out
    card = (tmp_path / "run" / "adapter" / "README.md").read_text(encoding="utf-8")
    assert "untwist train llm cbt-llm" in card


@pytest.mark.neural
@pytest.mark.skipif(not HAS_TORCH, reason="the extra is not installed")
def test_an_export_cuts_histories_by_the_models_own_tokenizer(run, dialogues, tmp_path):
    base = base_model(tmp_path / "base")
    sizes = {}
    for length in (1500, 4096):
        out = tmp_path / str(length)
        done = run("tune", "export", "copollm", "--model", base, "--template", "qwen",
                   "--data", dialogues, "--out", out, "--json",
                   "--set", f"data.max_length={length}")  # fmt: skip
        assert json.loads(done.out)["cut"] is True
        sizes[length] = (out / "copollm-diagnosis.jsonl").stat().st_size
    assert sizes[1500] < sizes[4096]
