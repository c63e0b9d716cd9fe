"""The model that is tuned: adapters, seeds, what cannot be loaded."""

import shutil

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")

import torch

from tests.tune.runs import encoded, losses_of, trained
from tests.tune.tiny import model_of, tokenizer_of
from untwist.errors import ConfigError, ModelError
from untwist.tune.config import LoadConfig, LoraConfig
from untwist.tune.lora import adapt, load_model, load_tokenizer

pytestmark = [
    pytest.mark.neural,
    pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning"),
]


def adapters_of(model):
    return {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}


def test_only_the_adapter_of_the_named_projections_learns():
    model = adapt(model_of(tokenizer_of("qwen2_5")), LoraConfig(rank=4, targets=("q_proj",)), 1)
    learns = adapters_of(model)
    assert len(learns) == 2 * 2
    assert all(".q_proj.lora_" in name for name in learns)
    assert {min(weights.shape) for weights in learns.values()} == {4}


def test_equal_seeds_give_equal_adapters_and_leave_the_generator_as_it_was():
    base, lora = lambda: model_of(tokenizer_of("qwen2_5")), LoraConfig(rank=4)
    torch.manual_seed(9)
    expected = torch.rand(3)
    torch.manual_seed(9)
    first, again, other = (adapters_of(adapt(base(), lora, seed)) for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_an_adapter_notes_the_revision_of_its_model():
    model = model_of(tokenizer_of("qwen2_5"))
    adapted = adapt(model, LoraConfig(), 0, revision="v2")
    assert adapted.peft_config["default"].revision == "v2"


def test_a_projection_that_the_model_lacks_is_refused_with_those_that_it_has():
    with pytest.raises(ConfigError, match=r"no query_key_value; it has .*q_proj"):
        adapt(model_of(tokenizer_of("qwen2_5")), LoraConfig(targets=("query_key_value",)), 1)


@pytest.fixture
def folder(tmp_path):
    tokenizer = tokenizer_of("qwen2_5")
    model_of(tokenizer).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)],
)
def test_weights_are_loaded_in_the_precision_that_was_asked_for(folder, precision, dtype):
    model = load_model(str(folder), LoadConfig(16, precision))
    assert {p.dtype for p in model.parameters()} == {dtype}


def test_four_bits_are_four_bits(folder):
    pytest.importorskip("bitsandbytes")
    model = load_model(str(folder), LoadConfig(4, "bf16"))
    kinds = {type(module).__name__ for module in model.modules()}
    assert "Linear4bit" in kinds
    settings = model.config.quantization_config
    assert (settings.bnb_4bit_quant_type, settings.bnb_4bit_use_double_quant) == ("nf4", True)


def tuned(folder, model, **changes):
    found = trained(
        folder / "run", encoded(8), model=model, learning_rate=0.05, max_steps=6, **changes
    )
    return found, losses_of(found)


def test_a_model_in_four_bits_learns_by_its_adapter_alone(folder):
    pytest.importorskip("bitsandbytes")
    model = adapt(load_model(str(folder), LoadConfig(4, "bf16")), LoraConfig(rank=4), 1)
    frozen = {n: p.detach().clone() for n, p in model.named_parameters() if not p.requires_grad}
    before = adapters_of(model)
    trainer, losses = tuned(folder, model, bf16=True, optim="adamw_torch")
    assert losses[-1] < losses[0] - 0.05
    after = dict(trainer.model.named_parameters())
    assert all(torch.equal(weights, after[name]) for name, weights in frozen.items())
    moved = [not torch.equal(weights, after[name]) for name, weights in before.items()]
    assert all(moved)


def test_activations_computed_again_change_no_step(folder):
    base = LoadConfig(16, "fp32")
    found = [
        tuned(
            folder,
            adapt(load_model(str(folder), base), LoraConfig(rank=4), 1).train(),
            activation_checkpointing=again,
        )[1]
        for again in (False, True)
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-6)


@pytest.mark.parametrize("name", ["ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED"])
def test_four_bits_are_refused_where_the_model_is_shared_out(folder, monkeypatch, name):
    pytest.importorskip("bitsandbytes")
    monkeypatch.setenv(name, "true")
    with pytest.raises(ConfigError, match=r"load\.bits=16"):
        load_model(str(folder), LoadConfig(4, "bf16"))


def test_what_is_not_here_is_not_fetched_and_the_message_says_how(tmp_path):
    for load in (load_tokenizer, lambda name: load_model(name, LoadConfig())):
        with pytest.raises(ModelError, match="only with --download"):
            load(str(tmp_path / "nowhere"))


def test_a_tokenizer_without_a_pad_gets_one(folder):
    tokenizer = tokenizer_of("llama3")
    bare = type(tokenizer)(tokenizer_object=tokenizer.backend_tokenizer, eos_token="<|eot_id|>")
    bare.save_pretrained(folder)
    assert load_tokenizer(str(folder)).pad_token == "<|eot_id|>"


def test_a_folder_without_a_tokenizer_or_with_damaged_weights_is_one_line(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:400])
    with pytest.raises(ModelError, match="SafetensorError"):
        load_model(str(copy), LoadConfig())
    for file in copy.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(ModelError, match=r"cannot be loaded|put its tokenizer\.json"):
        load_tokenizer(str(copy))
