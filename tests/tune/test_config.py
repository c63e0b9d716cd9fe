"""Presets as files: the papers' numbers, no contradiction, and no key without an effect."""

from dataclasses import fields, replace

import pytest

from untwist.errors import ConfigError
from untwist.recipes.config import build, read_config
from untwist.tune.config import (
    DataConfig,
    LoadConfig,
    LoraConfig,
    LossConfig,
    OptimConfig,
    StepsConfig,
    TuneConfig,
)
from untwist.tune.plan import (
    dtype_of,
    lora_arguments,
    quantization_arguments,
    training_arguments,
)
from untwist.tune.presets import preset_file, preset_names

SEVEN = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def preset(name):
    return read_config(TuneConfig, preset_file(name))


def told(config):
    """Everything that libraries are told of a configuration."""
    return {
        "training": training_arguments(config),
        "lora": lora_arguments(config.lora),
        "quantization": quantization_arguments(config.load),
        "dtype": dtype_of(config.load),
    }


def test_copollm_has_the_numbers_of_its_paper():
    config = preset("copollm")
    assert (config.loss.kind, config.loss.diagnosis, config.loss.intervention) == ("dsco", 1, 1)
    assert (config.lora.rank, config.lora.alpha, config.lora.dropout) == (16, 32, 0.05)
    assert config.lora.targets == SEVEN
    assert quantization_arguments(config.load)["bnb_4bit_quant_type"] == "nf4"
    arguments = training_arguments(config)
    assert arguments["learning_rate"] == 2e-4
    assert arguments["lr_scheduler_type"] == "cosine"
    assert arguments["warmup_steps"] == 0.03
    assert arguments["max_grad_norm"] == 0.3
    assert arguments["per_device_train_batch_size"] == 4
    assert arguments["num_train_epochs"] == 3
    assert arguments["max_steps"] == -1
    assert [arguments[f"adam_{k}"] for k in ("beta1", "beta2", "epsilon")] == [0.9, 0.999, 1e-8]


def test_cbt_llm_has_the_numbers_of_its_paper():
    config = preset("cbt-llm")
    assert (config.data.kind, config.data.validation) == ("triads", 0.1)
    arguments = training_arguments(config)
    assert arguments["learning_rate"] == 5e-5
    assert arguments["lr_scheduler_type"] == "cosine"
    assert arguments["gradient_accumulation_steps"] == 4
    assert arguments["num_train_epochs"] == 3
    assert (arguments["fp16"], arguments["bf16"]) == (True, False)
    assert quantization_arguments(config.load) is None


def test_cbtllama_has_the_numbers_of_its_paper():
    config = preset("cbtllama")
    assert (config.lora.rank, config.lora.alpha) == (16, 16)
    assert config.lora.targets == SEVEN[:4]
    assert config.data.max_length == 2048
    arguments = training_arguments(config)
    assert arguments["per_device_train_batch_size"] == 2
    assert arguments["gradient_accumulation_steps"] == 4
    assert arguments["learning_rate"] == 2e-4
    assert arguments["lr_scheduler_type"] == "linear"
    assert arguments["optim"] == "adamw_8bit"
    assert arguments["warmup_steps"] == 5
    assert arguments["num_train_epochs"] == 5
    assert arguments["gradient_checkpointing"] is True


@pytest.mark.parametrize("name", [n for n in preset_names() if n.startswith("crosslincd")])
def test_the_presets_of_crosslincd_have_the_numbers_of_its_paper(name):
    config = preset(name)
    arguments = training_arguments(config)
    assert arguments["per_device_train_batch_size"] == 8
    assert arguments["num_train_epochs"] == 5
    assert arguments["learning_rate"] == 1e-5
    assert arguments["lr_scheduler_type"] == "cosine"
    assert arguments["load_best_model_at_end"] is True
    assert config.data.max_length == 1500


def test_the_four_models_of_crosslincd_have_a_preset_each():
    bases = {preset(n).base.split("/")[1].split("-")[0].casefold() for n in preset_names()}
    assert {"meta", "glm", "qwen2.5"} <= bases
    assert preset("crosslincd-chains").data.kind == "chains"


def test_an_unknown_preset_and_an_unknown_key_name_the_nearest(tmp_path):
    with pytest.raises(ConfigError, match='did you mean "copollm"'):
        preset_file("copolm")
    mine = tmp_path / "mine.toml"
    mine.write_text('about="a"\nsource="b"\nbase="c"\n[lora]\nrnak = 8\n', encoding="utf-8")
    with pytest.raises(ConfigError, match='unknown key "rnak"; did you mean "rank"'):
        read_config(TuneConfig, preset_file(str(mine)))


CONTRADICTIONS = [
    (StepsConfig, {"epochs": 3, "steps": 120}, "epochs or steps"),
    (StepsConfig, {"epochs": 0}, "epochs or steps"),
    (StepsConfig, {"batching": "packed"}, "batching"),
    (StepsConfig, {"keep": "first"}, "keep"),
    (StepsConfig, {"batch": 0}, "batch"),
    (OptimConfig, {"warmup_ratio": 0.1, "warmup_steps": 5}, "keep one"),
    (OptimConfig, {"schedule": "cosin"}, "cosine"),
    (OptimConfig, {"name": "sgd"}, "optimizer"),
    (OptimConfig, {"learning_rate": 0.0}, "learning_rate"),
    (OptimConfig, {"beta2": 1.0}, "beta"),
    (LoadConfig, {"bits": 8}, "4 or 16"),
    (LoadConfig, {"bits": 4, "precision": "fp32"}, "precision"),
    (LoadConfig, {"precision": "fp8"}, "precision"),
    (LoraConfig, {"targets": ["q_proj", "q_proj"]}, "targets"),
    (LoraConfig, {"rank": 0}, "rank"),
    (LossConfig, {"kind": "token_mean", "diagnosis": 2.0}, "weights"),
    (LossConfig, {"kind": "dsco", "diagnosis": 0.0}, "ablation"),
    (DataConfig, {"kind": "triads", "ablation": "no_diagnosis"}, "one stream"),
    (DataConfig, {"kind": "labels", "system": "x"}, "triads"),
    (DataConfig, {"kind": "labels", "taxonomy": "beck-8"}, "taxonomy"),
    (DataConfig, {"validation": 1.0}, "validation"),
    (DataConfig, {"max_length": 1}, "max_length"),
]


@pytest.mark.parametrize(("kind", "values", "words"), CONTRADICTIONS)
def test_what_contradicts_itself_is_refused(kind, values, words):
    with pytest.raises(ConfigError, match=words):
        build(kind, values, "mine.toml")


def test_settings_of_different_tables_that_contradict_each_other_are_refused():
    plain = preset("cbt-llm")
    with pytest.raises(ConfigError, match="two streams"):
        replace(plain, loss=LossConfig("dsco"))


OTHER = {
    "rank": 3,
    "alpha": 5,
    "dropout": 0.25,
    "targets": ("gate_proj",),
    "bits": 4,
    "precision": "fp16",
    "checkpointing": True,
    "learning_rate": 3e-3,
    "beta1": 0.5,
    "beta2": 0.75,
    "epsilon": 1e-3,
    "weight_decay": 0.5,
    "schedule": "constant",
    "warmup_ratio": 0.5,
    "warmup_steps": 7,
    "clip": 0.125,
    "batch": 3,
    "accumulation": 5,
    "epochs": 9,
    "log_every": 77,
}


@pytest.mark.parametrize("table", ["lora", "load", "optim", "steps"])
def test_every_key_of_a_table_changes_what_libraries_are_told(table):
    config = TuneConfig("a", "b", "c", data=DataConfig(validation=0.5))
    own = getattr(config, table)
    for key in [f.name for f in fields(own)]:
        if key in ELSEWHERE:
            continue
        changed = {"name": "adamw_8bit", "keep": "best"} | OTHER
        values = {key: changed[key]} if key != "steps" else {"steps": 11, "epochs": 0}
        other = replace(config, **{table: replace(own, **values)})
        assert told(other) != told(config), key


ELSEWHERE = {"batching"}
"""Keys of those tables whose effect tests/recipes/test_train_llm.py shows on the data."""


def test_a_number_of_steps_stands_in_the_place_of_epochs():
    config = TuneConfig("a", "b", "c", steps=StepsConfig(epochs=0, steps=11))
    assert training_arguments(config)["max_steps"] == 11


def test_the_seed_is_told():
    config = TuneConfig("a", "b", "c")
    assert told(replace(config, seed=7)) != told(config)


def test_a_constant_rate_with_a_warm_up_still_warms_up():
    optim = OptimConfig(schedule="constant", warmup_steps=3)
    config = TuneConfig("a", "b", "c", optim=optim)
    assert training_arguments(config)["lr_scheduler_type"] == "constant_with_warmup"


@pytest.mark.parametrize("ablation", ["no_diagnosis", "no_intervention", "pipeline"])
def test_weights_of_two_streams_are_refused_where_each_model_has_one(ablation):
    data = DataConfig("dialogues", ablation)
    with pytest.raises(ConfigError, match=f"{ablation} leaves each model one"):
        TuneConfig("a", "b", "c", data=data, loss=LossConfig("dsco", diagnosis=2.0))
    assert TuneConfig("a", "b", "c", data=data, loss=LossConfig("dsco")).data.ablation == ablation
