"""A pipeline against real servers on this machine: misbehaving ones, and a run that is killed."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

import untwist
from tests.generate.scripts import annotation, quick
from tests.servers.misbehaving import BEHAVIOURS, Misbehaving
from untwist.data import load_jsonl

pytestmark = pytest.mark.loopback
BAD = sorted(set(BEHAVIOURS) - {"ok", "stream", "thinking", "silent"})
NAMES = ("kettle", "ladder", "garden", "window", "bottle", "carpet", "pencil", "basket")


def texts(n):
    rng = random.Random(5)
    words = [f"{a}-{b}" for a in NAMES for b in NAMES]
    return [f"m{k:03d}: " + " ".join(rng.sample(words, 12)) for k in range(n)]


@pytest.fixture
def made(tmp_path):
    """A source of so many texts, and the settings of a model behind a server."""

    def make(count, server, **limits):
        rows = [{"id": text[:4], "text": text} for text in texts(count)]
        source = tmp_path / "texts.jsonl"
        source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        told = ", ".join(f"{name} = {value}" for name, value in limits.items())
        models = tmp_path / "models.toml"
        models.write_text(f'[models.m]\nurl = "{server.url}"\nlimits = {{ {told} }}\n', "utf-8")
        return [
            "generate", "annotate", str(source), "--out", str(tmp_path / "run"), "--model", "m",
            "--models", str(models), "--keep-leaks", "--patience", "0",
        ]  # fmt: skip

    return make


def number(body):
    return int(re.findall(r"m(\d{3}):", body["messages"][-1]["content"])[-1])


def test_a_server_that_misbehaves_leaves_only_whole_rows_and_exit_1(made, tmp_path, monkeypatch):
    from click.testing import CliRunner

    from untwist.cli.main import cli

    quick(monkeypatch)
    count = 45
    good = json.dumps(annotation())

    with Misbehaving(
        lambda body, n: BAD[number(body) * 2 // 3 % len(BAD)],
        says=lambda body, n: good if number(body) % 3 == 0 else None,
    ) as server:
        done = CliRunner().invoke(cli, made(count, server, retries=0), prog_name="untwist")
    assert done.exit_code == 1, done.output
    rows = [json.loads(line) for line in (tmp_path / "run/items.jsonl").read_bytes().splitlines()]
    assert [row["id"] for row in rows] == [f"m{k:03d}" for k in range(count) if k % 3 == 0]
    assert len(list(load_jsonl(tmp_path / "run/items.jsonl"))) == len(rows)
    failed = [json.loads(x) for x in (tmp_path / "run/failed.jsonl").read_bytes().splitlines()]
    assert len(failed) == count - len(rows)
    metrics = json.loads((tmp_path / "run/metrics.json").read_text(encoding="utf-8"))
    counted = Counter(row["reason"] for row in failed)
    assert metrics["stages"]["votes"]["failed"] == counted
    assert {"cut", "html", "server", "rate", "endless", "bad_encoding"} <= set(counted)


@pytest.mark.slow
def test_a_command_that_is_killed_again_and_again_makes_every_row_once(made, tmp_path):
    count, at_once, rng = 120, 4, random.Random(7)
    good = json.dumps(annotation())
    with Misbehaving(says=lambda body, n: good, delay=0.02) as server:
        command = [sys.executable, "-m", "untwist", *made(count, server), "--concurrency", "4"]
        kills, code = 0, None
        while code is None:
            before = len(server.bodies)
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            wanted = before + rng.randrange(1, 30)
            while process.poll() is None:
                if kills < 8 and len(server.bodies) >= wanted:
                    os.kill(process.pid, signal.SIGKILL)
                    process.wait()
                    kills += 1
                    break
                time.sleep(0.002)
            else:
                code = process.returncode
        asked = Counter(number(body) for body in server.bodies)
    assert code == 0
    ids = [d.id for d in load_jsonl(tmp_path / "run/items.jsonl")]
    assert ids == [f"m{k:03d}" for k in range(count)]
    assert kills >= 4
    assert sum(asked.values()) - count <= kills * at_once, "only what was on its way is asked again"


@pytest.mark.slow
def test_what_a_real_model_of_random_weights_says_makes_no_row(made, tmp_path):
    pytest.importorskip("torch")
    from tests.servers.tiny_openai import TinyServer, tiny_model

    with TinyServer(tiny_model(tmp_path / "model")) as server:
        command = [sys.executable, "-m", "untwist", *made(3, server), "--max-tokens", "20"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert (tmp_path / "run/items.jsonl").read_text(encoding="utf-8") == ""
    failed = (tmp_path / "run/failed.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(failed) == 3
    assert {json.loads(line)["reason"] for line in failed} <= {"not_json", "cut", "empty", "parse"}


@pytest.mark.slow
def test_ray_makes_the_same_rows(made, tmp_path):
    pytest.importorskip("ray")
    count = 24
    with Misbehaving(says=lambda body, n: json.dumps(annotation())) as server:
        words = [word.replace(f"{tmp_path}/", "") for word in made(count, server)]
        command = [sys.executable, "-m", "untwist", *words, "--engine", "ray", "--workers", "2"]
        source = str(Path(untwist.__file__).parents[1])
        ended = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": source},
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        asked = Counter(number(body) for body in server.bodies)
    assert set(asked.values()) == {1}
    assert len(asked) == count
    ids = [d.id for d in load_jsonl(tmp_path / "run/items.jsonl")]
    assert ids == [f"m{k:03d}" for k in range(count)]
    assert (tmp_path / "run/answers.sqlite").is_file()
