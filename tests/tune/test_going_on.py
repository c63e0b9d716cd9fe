"""A run that stopped and went on ends as if it had never stopped; no checkpoint holds a pickle."""

import shutil

import pytest

pytest.importorskip("torch")
pytest.importorskip("trl")

import numpy as np
import torch

from tests.tune.runs import arguments, encoded, losses_of, weights_of
from tests.tune.tiny import model_of, tokenizer_of
from untwist.errors import ArtifactError, ConfigError
from untwist.tune import Objective
from untwist.tune.config import LoraConfig
from untwist.tune.lora import adapt
from untwist.tune.state import chance, load_state, save_state, set_chance
from untwist.tune.trainer import TuneTrainer

pytestmark = [
    pytest.mark.neural,
    # peft asks transformers by a name that transformers has replaced
    pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning"),
]

# 6 steps to an epoch; dropout makes every step depend on the generator
ADAPTER = LoraConfig(rank=4, alpha=8, dropout=0.3)
SETTINGS = {
    "per_device_train_batch_size": 2,
    "gradient_accumulation_steps": 2,
    "max_steps": 14,
    "optim": "adamw_torch",
    "learning_rate": 1e-2,
    "lr_scheduler_type": "cosine",
    "warmup_steps": 3,
    "max_grad_norm": 0.3,
    "save_strategy": "steps",
    "save_steps": 1,
}


def run(folder, resume=None):
    tokenizer = tokenizer_of("qwen2_5")
    trainer = TuneTrainer(
        adapt(model_of(tokenizer), ADAPTER, seed=1),
        arguments(folder, **SETTINGS),
        train=encoded(24),
        tokenizer=tokenizer,
        objective=Objective(),
    )
    trainer.train(resume_from_checkpoint=resume)
    return trainer


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return folder, run(folder)


# in the first epoch, at its end, and in the second and third
@pytest.mark.parametrize("stopped", [1, 6, 9, 13])
def test_a_run_that_goes_on_ends_as_if_it_had_never_stopped(tmp_path, whole, stopped):
    folder, expected = whole
    # what chance did in the meantime must not matter
    torch.rand(7)
    found = run(tmp_path, folder / f"checkpoint-{stopped}")
    assert torch.equal(weights_of(found.model), weights_of(expected.model))
    assert losses_of(found)[stopped:] == losses_of(expected)[stopped:]
    assert losses_of(found, "learning_rate") == losses_of(expected, "learning_rate")


def test_the_checkpoints_are_those_of_different_states(whole):
    folder, _ = whole
    states = {
        (folder / f"checkpoint-{step}" / "training_state.safetensors").read_bytes()
        for step in (1, 6, 9, 13)
    }
    assert len(states) == 4


def test_a_run_of_fewer_processes_cannot_be_gone_on_with(tmp_path, whole):
    folder, _ = whole
    copied = shutil.copytree(folder / "checkpoint-6", tmp_path / "checkpoint-6")
    (copied / "chance-0.json").unlink()
    with pytest.raises(ConfigError, match="go on with as many"):
        run(tmp_path / "new", copied)


def test_no_file_of_a_checkpoint_is_a_pickle(whole):
    folder, _ = whole
    suffixes = {file.suffix for file in folder.rglob("*") if file.is_file()}
    assert suffixes <= {".safetensors", ".json", ".jinja", ".md"}
    assert ".safetensors" in suffixes


def test_a_state_is_read_back_as_it_was(tmp_path):
    tree = {
        "state": {0: {"step": torch.tensor(3.0), "average": torch.rand(2, 3)}, 1: {}},
        "groups": [{"lr": 0.1 + 0.2, "betas": (0.9, 0.999), "names": None, "on": True}],
        "small": torch.arange(4, dtype=torch.uint8),
        "half": torch.rand(3).bfloat16(),
        "keys": np.arange(5, dtype=np.uint32),
    }
    save_state(tmp_path / "new" / "state", tree)
    found = load_state(tmp_path / "new" / "state")
    assert found["state"].keys() == {0, 1}
    assert torch.equal(found["state"][0]["average"], tree["state"][0]["average"])
    assert found["groups"] == tree["groups"]
    assert found["groups"][0]["betas"] == (0.9, 0.999)
    assert (found["small"].dtype, found["half"].dtype) == (torch.uint8, torch.bfloat16)
    assert found["keys"].dtype == np.uint32
    assert (found["keys"] == tree["keys"]).all()


def test_generators_go_on_where_they_were(tmp_path):
    save_state(tmp_path / "chance", chance())
    expected = torch.rand(5), np.random.rand(5)  # noqa: NPY002
    set_chance(load_state(tmp_path / "chance"))
    assert torch.equal(torch.rand(5), expected[0])
    assert (np.random.rand(5) == expected[1]).all()  # noqa: NPY002


def test_a_damaged_state_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(ArtifactError, match="an earlier checkpoint"):
        load_state(tmp_path / "missing")
    save_state(tmp_path / "state", {"a": torch.rand(2)})
    tensors = tmp_path / "state.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:9])
    with pytest.raises(ArtifactError, match="cannot be read"):
        load_state(tmp_path / "state")
    (tmp_path / "state.json").write_text("{", encoding="utf-8")
    with pytest.raises(ArtifactError, match="cannot be read"):
        load_state(tmp_path / "state")
