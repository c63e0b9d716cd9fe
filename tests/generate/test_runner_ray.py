"""On Ray a run makes what it makes alone; its pieces work without Ray."""

import asyncio
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from untwist.errors import ConfigError, ModelError
from untwist.generate import Item
from untwist.generate.remote import _told, _Worker
from untwist.generate.work import Outcome, attempted

SCRIPT = Path(__file__).with_name("ray_run.py")


class Job:
    """Work that fails as it is told."""

    opened = 0

    def __init__(self, error):
        self.error = error

    def open(self):
        type(self).opened += 1

        async def work(item):
            raise self.error

        return work


def test_a_worker_opens_its_job_once_and_makes_values_of_what_goes_wrong():
    worker = _Worker(Job(ModelError("late", reason="timeout")))
    found = [asyncio.run(worker.attempt(Item("i", {}))) for _ in range(2)]
    assert [_told(one).reason for one in found] == ["timeout", "timeout"]
    assert Job.opened == 1
    stopped = asyncio.run(attempted(Job(ModelError("x", reason="budget")).open(), Item("i", {})))
    assert stopped == Outcome("stopped", "budget", "x")


def test_a_wrong_setting_comes_back_as_what_it_is():
    worker = _Worker(Job(ConfigError("no such model")))
    with pytest.raises(ConfigError, match="no such model"):
        _told(asyncio.run(worker.attempt(Item("i", {}))))


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")
def test_a_real_local_ray_makes_the_same_rows(tmp_path):
    rows = {}
    inherited = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    for engine in ("local", "ray"):
        # Ray keeps a token in the home folder, and its sockets need a short path
        with tempfile.TemporaryDirectory(prefix="ray") as folder:
            own = {"HOME": folder, "RAY_TMPDIR": folder, "PYTHONPATH": _paths(inherited)}
            target = tmp_path / engine
            target.mkdir()
            done = subprocess.run(
                [sys.executable, str(SCRIPT), engine, str(target)],
                env=inherited | own, capture_output=True, text=True, check=False,
            )  # fmt: skip
        assert done.returncode == 1, done.stderr
        assert "37 done, 3 failed (timeout 3)" in done.stderr
        rows[engine] = (target / "out.jsonl").read_bytes()
    assert rows["local"] == rows["ray"]
    assert rows["ray"].count(b"\n") == 37


def _paths(environment):
    """The workers of Ray have to find the job's module too."""
    return os.pathsep.join(filter(None, [str(SCRIPT.parent), environment.get("PYTHONPATH")]))
