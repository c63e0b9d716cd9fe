"""LLaMA-Factory's folder: its data, its entries, its settings, and what it cannot do."""

import json
from dataclasses import fields, replace

import pytest

from untwist.errors import ConfigError, DataError
from untwist.recipes.config import read_config
from untwist.tune import Message, Sample
from untwist.tune.config import (
    DataConfig,
    LoadConfig,
    LoraConfig,
    OptimConfig,
    StepsConfig,
    TuneConfig,
)
from untwist.tune.export import row_of, to_llama_factory
from untwist.tune.presets import preset_file, preset_names

MESSAGES = (Message("system", "Be brief."), Message("user", "我又失败了。"))
TRAIN = [
    Sample("a", "diagnosis", MESSAGES, "labels"),
    Sample("b", "intervention", MESSAGES, "reply\u2028more", augmented=True),
]


def preset(name="copollm"):
    return read_config(TuneConfig, preset_file(name))


def settings(file):
    """The settings of a YAML file, by a reader as strict as YAML 1.1 about numbers."""
    lines = file.read_text(encoding="utf-8").splitlines()
    pairs = [line.split(": ", 1) for line in lines if not line.startswith("#")]
    return {key: json.loads(value) for key, value in pairs}


def export(folder, config=None, held_out=(), **more):
    named = {"name": "mine", "model": "some/model", "template": "qwen3"} | more
    return to_llama_factory(folder, config or preset(), TRAIN, held_out, **named)


def test_each_stream_is_a_data_set_with_its_entry_and_rows_that_end_in_the_target(tmp_path):
    done = export(tmp_path)
    info = json.loads((tmp_path / "dataset_info.json").read_text(encoding="utf-8"))
    assert sorted(info) == ["mine-diagnosis", "mine-intervention"]
    entry = info["mine-intervention"]
    assert entry["formatting"] == "sharegpt"
    assert entry["columns"] == {"messages": "messages"}
    assert entry["tags"]["system_tag"] == "system"
    (line,) = (tmp_path / entry["file_name"]).read_text(encoding="utf-8").splitlines()
    row = json.loads(line)
    assert row == row_of(TRAIN[1])
    assert [m["role"] for m in row["messages"]] == ["system", "user", "assistant"]
    assert row["messages"][-1]["content"] == "reply\u2028more"
    assert (row["id"], row["stream"], row["augmented"]) == ("b", "intervention", True)
    assert done.rows == 2
    assert done.files[-1].name == "mine.yaml"


def test_the_settings_are_those_of_the_preset(tmp_path):
    told = settings(export(tmp_path).files[-1])
    assert told["model_name_or_path"] == "some/model"
    assert told["template"] == "qwen3"
    assert told["dataset"] == "mine-diagnosis,mine-intervention"
    assert (told["mask_history"], told["train_on_prompt"]) == (True, False)
    assert (told["lora_rank"], told["lora_alpha"], told["lora_dropout"]) == (16, 32, 0.05)
    assert told["lora_target"].split(",")[-1] == "down_proj"
    assert (told["quantization_bit"], told["quantization_type"]) == (4, "nf4")
    assert (told["learning_rate"], told["warmup_ratio"]) == (2e-4, 0.03)
    assert told["max_grad_norm"] == 0.3
    assert told["num_train_epochs"] == 3
    assert told["cutoff_len"] == 4096
    assert "eval_dataset" not in told
    assert "warmup_steps" not in told


def test_numbers_are_numbers_in_yaml_too(tmp_path):
    yaml = pytest.importorskip("yaml")
    text = export(tmp_path).files[-1].read_text(encoding="utf-8")
    told = yaml.safe_load(text)
    assert told["adam_epsilon"] == 1e-8
    assert told["learning_rate"] == 2e-4
    assert told == settings(tmp_path / "mine.yaml")


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_can_be_exported(tmp_path, name):
    told = settings(export(tmp_path, preset(name), held_out=TRAIN[:1]).files[-1])
    assert told["eval_dataset"] == "mine-diagnosis-held-out"
    assert told["eval_strategy"] == "epoch"


def test_what_llama_factory_cannot_do_is_said(tmp_path):
    first = export(tmp_path / "a").files[-1].read_text(encoding="utf-8")
    assert "dsco" in first
    second = export(tmp_path / "b", preset("cbt-llm")).files[-1].read_text(encoding="utf-8")
    assert "dsco" not in second


OTHER = {
    "lora": (LoraConfig(rank=3), LoraConfig(alpha=5), LoraConfig(dropout=0.5),
             LoraConfig(targets=("gate_proj",))),
    "load": (LoadConfig(bits=4), LoadConfig(precision="fp16"), LoadConfig(checkpointing=True)),
    "optim": (OptimConfig(name="adamw_8bit"), OptimConfig(learning_rate=1e-3),
              OptimConfig(beta1=0.5), OptimConfig(beta2=0.5), OptimConfig(epsilon=0.1),
              OptimConfig(weight_decay=0.5), OptimConfig(schedule="linear"),
              OptimConfig(warmup_ratio=0.5), OptimConfig(warmup_steps=7), OptimConfig(clip=0.5)),
    "steps": (StepsConfig(batch=3), StepsConfig(accumulation=5), StepsConfig(epochs=9),
              StepsConfig(epochs=0, steps=7), StepsConfig(batching="shuffled"),
              StepsConfig(keep="best"), StepsConfig(log_every=77)),
    "data": (DataConfig(max_length=77),),
}  # fmt: skip


def test_every_key_of_the_training_reaches_the_yaml(tmp_path):
    plain = TuneConfig("a", "b", "c")
    before = settings(export(tmp_path / "plain", plain, TRAIN).files[-1])
    for table, changed in OTHER.items():
        for n, one in enumerate(changed):
            folder = tmp_path / f"{table}-{n}"
            after = settings(export(folder, replace(plain, **{table: one}), TRAIN).files[-1])
            same = {"dataset_dir", "output_dir"}
            assert {k: v for k, v in after.items() if k not in same} != {
                k: v for k, v in before.items() if k not in same
            }, one
    keys = {table: {f.name for f in fields(type(kept[0]))} for table, kept in OTHER.items()}
    assert [len(keys[t]) for t in ("lora", "load", "optim", "steps")] == [
        len(OTHER[t]) for t in ("lora", "load", "optim", "steps")
    ]


def test_nothing_is_overwritten_and_nothing_half_written(tmp_path):
    export(tmp_path)
    with pytest.raises(DataError, match="there already"):
        export(tmp_path)
    with pytest.raises(DataError, match="no sample"):
        to_llama_factory(tmp_path / "b", preset(), [], name="x", model="m", template="t")
    with pytest.raises(ConfigError, match="held out"):
        export(tmp_path / "c", preset("crosslincd-llm"))
    with pytest.raises(ConfigError, match="letters"):
        export(tmp_path / "d", name="a/b")
    assert not (tmp_path / "b").exists()
    assert not (tmp_path / "c").exists()


def test_entries_of_other_data_are_kept(tmp_path):
    (tmp_path / "dataset_info.json").write_text('{"identity": {}}', encoding="utf-8")
    export(tmp_path)
    info = json.loads((tmp_path / "dataset_info.json").read_text(encoding="utf-8"))
    assert "identity" in info
    assert len(info) == 3
