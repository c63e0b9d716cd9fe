"""Two processes on the CPU (gloo) make the steps of one: equal losses, equal weights."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("trl")

import numpy as np

from tests.tune.one_process import STEP, run
from tests.tune.runs import weights_of
from untwist.tune import launcher

pytestmark = [pytest.mark.neural, pytest.mark.slow, pytest.mark.loopback]

ROOT = Path(__file__).parents[2]


def two_processes(folder, batch, accumulation):
    file = folder / "ddp.yaml"
    file.write_text(launcher("ddp"), encoding="utf-8")
    command = [
        sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(file),
        "--main_process_port", "0",
        str(ROOT / "tests/tune/one_process.py"), str(folder), str(batch), str(accumulation),
    ]  # fmt: skip
    paths = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads((folder / "told.json").read_text(encoding="utf-8"))
    return told, np.load(folder / "weights.npy")


@pytest.mark.parametrize(("batch", "accumulation"), [(4, 1), (2, 2)])
def test_two_processes_make_the_steps_of_one(tmp_path, batch, accumulation):
    trainer, expected = run(tmp_path / "one", STEP, 1)
    (tmp_path / "two").mkdir()
    told, weights = two_processes(tmp_path / "two", batch, accumulation)
    assert told.pop("processes") == 2
    assert len(told["loss"]) == len(expected["loss"]) == 8
    for key, value in expected.items():
        assert told[key] == pytest.approx(value, rel=1e-6), key
    assert np.abs(weights - weights_of(trainer.model).numpy()).max() < 1e-6


def test_every_process_keeps_its_own_state_of_chance(tmp_path):
    two_processes(tmp_path, 4, 1)
    names = {file.name for file in (tmp_path / "checkpoint-4").iterdir()}
    assert {"chance-0.json", "chance-1.json", "training_state.safetensors"} <= names
    assert not [name for name in names if name.endswith((".pt", ".pth", ".bin"))]
