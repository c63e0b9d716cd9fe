"""A preset from the sources to a run folder, on a tiny model: every step of it is real."""

import json
from dataclasses import replace

import pytest

pytest.importorskip("torch")
pytest.importorskip("trl")

from tests.recipes.test_llm_samples import turns
from tests.recipes.tiny_llm import SETTINGS, base_model, labelled, triads, written
from untwist.errors import ConfigError, DataError, ModelError
from untwist.llm import open_model
from untwist.recipes import train_llm
from untwist.recipes.runfolder import CONFIG
from untwist.recipes.train_llm import ADAPTER, CHECKPOINTS, TrainLlm, quick, read_preset, run
from untwist.safety import find_claims
from untwist.tune.presets import preset_names

pytestmark = pytest.mark.neural


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return base_model(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """A file of the kind that each preset wants."""
    folder = tmp_path_factory.mktemp("rows")
    sheet = {"opening": "a", "items": [], "closing": "b"}
    chain = [
        {"role": "user", "content": "She hates me.", "labels": [], "lang": "en"},
        {"role": "assistant", "content": "A thought.\nno distortion", "lang": "en"},
    ]
    return {
        "dialogues": written(folder / "d.jsonl", [turns(f"d{n}") for n in range(3)]),
        "labels": labelled(folder / "l.jsonl"),
        "chains": written(folder / "c.jsonl", [{"id": "c", "messages": chain}]),
        "triads": triads(folder / "t.jsonl"),
        "worksheets": written(
            folder / "w.jsonl", [{"id": "w", "text": "I lost it.", "worksheet": sheet}]
        ),
    }


def config(base, source, out, name="cbt-llm", *changes, **more):
    tune = read_preset(name, [*SETTINGS, *changes])
    return TrainLlm(str(out), base, (source,), tune, **more)


def weights(folder, adapter=ADAPTER):
    return (folder / adapter / "adapter_model.safetensors").read_bytes()


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_runs_from_its_data_to_an_adapter_with_a_card(base, rows, tmp_path, name):
    source = rows[read_preset(name).data.kind]
    folder, metrics = run(config(base, source, tmp_path / "run", name))
    made = metrics["models"]["model"]
    assert made["steps"] == 4
    assert made["lengths"]["train"]["refused"] == 0
    assert made["losses"]["last"] is not None
    assert {p.name for p in folder.iterdir()} == {
        ADAPTER, CONFIG, "manifest.json", "metrics.json",
    }  # fmt: skip
    card = (folder / ADAPTER / "README.md").read_text(encoding="utf-8")
    assert card.startswith(f"---\nbase_model: {json.dumps(base)}\nlibrary_name: peft\n")
    assert find_claims(card) == ()
    assert not list(folder.rglob("*.bin")) + list(folder.rglob("*.p*t"))
    adapter = json.loads((folder / ADAPTER / "adapter_config.json").read_text(encoding="utf-8"))
    assert adapter["r"] == read_preset(name).lora.rank
    assert set(adapter["target_modules"]) == set(read_preset(name).lora.targets)


def test_equal_runs_give_equal_weights_and_another_seed_gives_others(base, rows, tmp_path):
    def made(out, *changes):
        return weights(run(config(base, rows["triads"], tmp_path / out, "cbt-llm", *changes))[0])

    first = made("a")
    assert made("b") == first
    assert made("c", "seed=7") != first


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("copollm", "loss.kind=sample_mean"),
        ("copollm", "loss.diagnosis=3.0"),
        ("copollm", "loss.intervention=3.0"),
        ("cbt-llm", "steps.batching=shuffled"),
        ("cbt-llm", "data.system=Be brief."),
    ],
)
def test_keys_that_no_library_is_told_change_the_weights(base, rows, tmp_path, name, change):
    source = rows[read_preset(name).data.kind]
    plain = run(config(base, source, tmp_path / "a", name))[0]
    other = run(config(base, source, tmp_path / "b", name, change))[0]
    assert weights(plain) != weights(other)


def test_a_loss_of_two_streams_is_refused_where_the_data_has_one(base, tmp_path):
    whole = turns("d0")
    plain = [{k: v for k, v in said.items() if k != "strategy"} for said in whole["messages"]]
    source = written(tmp_path / "d.jsonl", [{**whole, "messages": plain}])
    settings = config(base, source, tmp_path / "run", "copollm")
    with pytest.raises(ConfigError, match=r"nothing belongs to intervention \(left out: 2 × repl"):
        run(settings)
    one = config(base, source, tmp_path / "run", "copollm", "loss.kind=token_mean")
    assert run(one)[1]["models"]["model"]["train"]["streams"] == {"diagnosis": 2}
    left_out = config(base, source, tmp_path / "b", "copollm", "data.ablation=no_diagnosis")
    with pytest.raises(ConfigError, match="would be no ablation"):
        run(left_out)


def test_a_run_that_failed_before_its_first_checkpoint_can_be_named_again(base, rows, tmp_path):
    out = tmp_path / "run"
    with pytest.raises(ConfigError, match="W_pack"):
        run(config(base, rows["triads"], out, "cbt-llm", 'lora.targets=["W_pack"]'))
    folder, _ = run(config(base, rows["triads"], out, "cbt-llm"))
    assert (folder / ADAPTER).is_dir()


class Stopped(Exception):
    """Somebody pulled the plug."""


def test_a_run_that_was_stopped_goes_on_and_ends_as_if_it_had_not(base, rows, tmp_path):
    epochs = ("steps.steps=0", "steps.epochs=4")
    whole, _ = run(config(base, rows["triads"], tmp_path / "whole", "cbt-llm", *epochs))
    cut = config(base, rows["triads"], tmp_path / "cut", "cbt-llm", *epochs)

    def stop(stage, done, total):
        if stage.startswith("tuning") and done == 3:
            raise Stopped

    with pytest.raises(Stopped):
        run(cut, stop)
    (saved,) = (tmp_path / "cut" / CHECKPOINTS).glob("*/checkpoint-*")
    # one that was cut off while it was written
    (saved.parent / "checkpoint-99").mkdir()
    other = replace(cut, name="another")
    with pytest.raises(ConfigError, match="other settings"):
        run(other)
    seen = []
    folder, _ = run(cut, lambda *told: seen.append(told))
    assert weights(folder) == weights(whole)
    assert min(done for stage, done, _ in seen if stage.startswith("tuning")) > 1
    assert not (folder / CHECKPOINTS).exists()
    with pytest.raises(ConfigError, match="not empty"):
        run(cut)


def test_a_pipeline_leaves_an_adapter_for_each_stream(base, rows, tmp_path):
    settings = config(base, rows["dialogues"], tmp_path / "run", "copollm",
                      "data.ablation=pipeline", "loss.kind=token_mean")  # fmt: skip
    folder, metrics = run(settings)
    assert {made["adapter"] for made in metrics["models"].values()} == {
        "adapter-diagnosis", "adapter-intervention",
    }  # fmt: skip
    assert weights(folder, "adapter-diagnosis") != weights(folder, "adapter-intervention")


def test_the_best_epoch_is_kept_and_needs_rows_that_are_held_out(base, rows, tmp_path):
    best = ("steps.keep=best", "steps.steps=0", "steps.epochs=2", "data.validation=0.3")
    settings = config(base, rows["labels"], tmp_path / "run", "crosslincd-llm", *best)
    _, metrics = run(settings)
    made = metrics["models"]["model"]
    assert made["held_out"]["samples"] >= 2
    assert made["losses"]["held out"] > 0
    none = config(base, rows["labels"], tmp_path / "b", "crosslincd-llm", "steps.keep=best")
    with pytest.raises(ConfigError, match="held out"):
        run(none)


def test_a_target_is_never_cut_the_run_stops_or_the_sample_is_counted(base, tmp_path):
    long = [{"id": "a", "instruction": "Why?", "output": "so " * 200}]
    short = [{"id": "b", "instruction": "Why?", "output": "So."}]
    file = written(tmp_path / "t.jsonl", long + short)
    stops = config(base, file, tmp_path / "a", "cbt-llm", "data.max_length=64")
    with pytest.raises(DataError, match="t:a: the target alone is too long"):
        run(stops)
    counts = replace(stops, out=str(tmp_path / "b"), refuse=True)
    _, metrics = run(counts)
    assert metrics["models"]["model"]["lengths"]["train"]["refused"] == 1
    assert metrics["models"]["model"]["lengths"]["train"]["samples"] == 1


def test_what_this_machine_or_this_model_cannot_do_is_one_line(base, rows, tmp_path):
    import torch

    out = tmp_path / "run"
    if not torch.cuda.is_available():
        half = config(base, rows["triads"], out, "cbt-llm", "load.precision=fp16")
        with pytest.raises(ConfigError, match="fp16 needs a GPU"):
            run(half)
    lacking = config(base, rows["triads"], out, "cbt-llm", 'lora.targets=["W_pack"]')
    with pytest.raises(ConfigError, match=r"no W_pack; it has .*q_proj"):
        run(lacking)
    with pytest.raises(ModelError, match="cannot be loaded"):
        run(config(str(tmp_path / "none"), rows["triads"], tmp_path / "c"))


def test_the_adapter_answers_through_the_room_of_language_models(base, rows, tmp_path):
    folder, _ = run(quick(config(base, rows["triads"], tmp_path / "run")))
    model = open_model(f"local:{folder / ADAPTER}")
    assert model.chat([{"role": "user", "content": "Why?"}], max_tokens=4, keep_cut=True)


def test_the_card_says_what_was_learned_and_what_was_not_measured(base, rows, tmp_path):
    noted = config(base, rows["dialogues"], tmp_path / "run", "copollm", notes=("Random weights.",))
    folder, _ = run(noted)
    card = (folder / ADAPTER / train_llm.CARD).read_text(encoding="utf-8")
    assert "**Random weights.**" in card
    assert "| `diagnosis` stream | 6 | 0 |" in card
    assert "held out not measured" in card
    assert "`rank` `16`" in card
