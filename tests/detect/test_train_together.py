"""Two processes train the model that one trains alone."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from safetensors.torch import load_file  # noqa: E402

from tests.detect import train_together  # noqa: E402
from untwist.detect.processes import world  # noqa: E402
from untwist.errors import ConfigError  # noqa: E402

pytestmark = [pytest.mark.neural, pytest.mark.slow]
ROOT = Path(__file__).parents[2]


def _free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _started(out, changes):
    """Two processes, as `torchrun` and `accelerate launch` start them."""
    port = str(_free_port())
    for rank in ("0", "1"):
        own = {
            "RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": port, "OMP_NUM_THREADS": "1", "PYTHONPATH": f"{ROOT}/src",
        }  # fmt: skip
        command = [sys.executable, "-m", "tests.detect.train_together", str(out), changes]
        yield subprocess.Popen(command, cwd=ROOT, env={**os.environ, **own})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"heads": "per_corpus"},
        # seven texts on two processes in three parts, and single texts at the end of an epoch
        {"batch": 7, "accumulation": 3, "clip": 0.5},
        {"objective": "one", "intensity": False, "gradient_checkpointing": True},
    ],
    ids=lambda changes: "-".join(changes) or "plain",
)
def test_two_processes_train_the_same_model_as_one(tmp_path, changes):
    ran = list(_started(tmp_path, json.dumps(changes)))
    assert [one.wait(timeout=240) for one in ran] == [0, 0]
    alone = train_together.train(changes)
    epochs = json.loads((tmp_path / "epochs.json").read_text("utf-8"))
    for ours, theirs in zip(alone.epochs, epochs, strict=True):
        assert theirs["loss"] == pytest.approx(ours["loss"], abs=1e-6)
        assert theirs["score"] == pytest.approx(ours["score"], abs=1e-6)
    weights = load_file(tmp_path / "weights.safetensors")
    for name, tensor in alone.detector.network.state_dict().items():
        assert torch.allclose(weights[name], tensor, atol=2e-4, rtol=0), name


@pytest.mark.parametrize("name", ["ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED"])
def test_a_launcher_that_would_shard_the_model_is_refused(monkeypatch, name):
    monkeypatch.setenv(name, "true")
    with pytest.raises(ConfigError, match=name), world("cpu"):
        pass
