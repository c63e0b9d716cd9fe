"""CrossLinCD's tables with tiny models that are really trained."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.detect import tiny
from tests.recipes.test_crosslincd import cell, micro
from untwist.data import write_jsonl
from untwist.recipes import crosslincd
from untwist.recipes.crosslincd_config import Crosslincd, made_tiny, read
from untwist.schema import Dialogue

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytestmark = pytest.mark.neural

_PARTS = ("train", "train", "train", "validation", "test", "train", "train")


_NAMES = (("first", "tea"), ("second", "bus"), ("k", "rain"))


def corpus(folder, name, subject):
    """The tiny texts under another subject, with parts; a person is in one part alone."""
    rows = [
        Dialogue(
            str(i), name, (replace(e.utterance, text=f"{e.utterance.text} {subject}"),),
            (e.labels,), e.group + name, _PARTS[int(e.group[1:])],
        )
        for i, e in enumerate(tiny.examples())
    ]  # fmt: skip
    write_jsonl(rows, folder / f"{name}.jsonl")
    return str(folder / f"{name}.jsonl")


@pytest.fixture
def config(tmp_path, no_pictures):
    """Table 3 with one order: a multi-task model and a taught one, which learn in seconds."""
    names = (corpus(tmp_path, "first", "tea"), corpus(tmp_path, "second", "bus"))
    made = made_tiny(
        Crosslincd(
            str(tmp_path / "out"), 3, corpora=names, teacher_corpus=corpus(tmp_path, "k", "rain"),
            splits=("published",), seeds=(1, 2, 3), samplings=("round_robin",), resamples=20,
            work=str(tmp_path / "work"),
        )
    )  # fmt: skip
    longer = {
        role: replace(made.settings(role), epochs=12, learning_rate=5e-3, batch=8, dropout=0.0)
        for role in ("single", "multi", "teacher", "student", "aligned")
    }
    return replace(made, **longer)


def stages(told):
    return lambda stage, done, total: told.append(stage)


def test_models_learn_what_can_be_learnt_and_the_teacher_is_trained_once_a_seed(config):
    told = []
    path, metrics = crosslincd.run(config, stages(told))
    taught = [stage for stage in told if "teacher, epoch 1/" in stage]
    assert len({stage.split(" teacher")[0].split("seed ")[1] for stage in taught}) == 3
    for key in ("round_robin", "paper, taught"):
        # one label in three texts each: the best constant answer has 0.5
        assert micro(cell(metrics, key, "first")) > 0.65, key
        assert cell(metrics, key, "first")["in_domain"]
    assert {run["parameters"] for run in metrics["runs"]} == {48_896}
    assert [run["texts"] for run in metrics["runs"]] == [{"first": 30, "second": 30}] * 6
    assert json.loads((path / "metrics.json").read_text("utf-8")) == metrics
    work = list((path.parent / "work").iterdir())
    # what every model and every teacher said, and nothing of what was needed to go on
    assert sorted(f.suffix for f in work) == [".safetensors"] * 9
    assert sum(f.name.endswith("-said.safetensors") for f in work) == 3


def test_what_was_said_is_not_asked_again_and_other_settings_are(config, monkeypatch):
    from untwist.detect import train_encoder

    config = replace(config, seeds=(1, 2))
    _, first = crosslincd.run(config)
    trained = []
    fit = train_encoder.fit_encoder
    monkeypatch.setattr(
        train_encoder, "fit_encoder", lambda *a, **k: trained.append(k["name"]) or fit(*a, **k)
    )
    again, second = crosslincd.run(replace(config, out=config.out + "2"))
    assert second["cells"] == first["cells"]
    assert trained == []
    other = replace(config, out=config.out + "3", seeds=(1,))
    crosslincd.run(replace(other, multi=replace(config.multi, epochs=1)))
    assert len(trained) == 1
    assert (again / "report.md").is_file()


class _Stop(Exception):
    """The power fails."""


def test_a_table_that_was_stopped_goes_on_and_ends_alike(config):
    config = replace(config, seeds=(1,))

    def stop(stage, done, total):
        if "2/2" in stage and "epoch 7/" in stage and "teacher" not in stage:
            raise _Stop

    _, whole = crosslincd.run(replace(config, out=config.out + "w", work=config.work + "w"))
    with pytest.raises(_Stop):
        crosslincd.run(config, stop)
    told = []
    _, resumed = crosslincd.run(config, stages(told))
    assert resumed["cells"] == whole["cells"]
    assert resumed["runs"] == whole["runs"]
    # the first model and the teacher are not trained again, the second one goes on
    assert not [s for s in told if s.startswith("1/2") or "teacher" in s or "epoch 3/" in s]


def test_each_table_runs_by_its_command_and_says_what_it_is(tmp_path, no_pictures):
    from click.testing import CliRunner

    from untwist.cli.main import cli

    first = corpus(tmp_path, "first", "tea")
    (tmp_path / "c.toml").write_text(
        f'corpora = ["{first}", "{corpus(tmp_path, "second", "bus")}"]\n'
        f'aligned_corpus = "{first}"\nsplits = ["published"]\nseeds = [1]\nresamples = 20\n'
        'samplings = ["temperature"]\n',
        encoding="utf-8",
    )
    teacher = corpus(tmp_path, "k", "rain")
    for number in ("2", "3", "4", "5"):
        out = tmp_path / number
        done = CliRunner().invoke(
            cli,
            ["evaluate", "crosslincd", str(tmp_path / "c.toml"), "--table", number, "--tiny",
             "--teacher", teacher, "--out", str(out), "--work",
             str(tmp_path / "work")],
        )  # fmt: skip
        assert done.exit_code == 0, done.output
        assert f"# CrossLinCD Table {number}: " in done.output
        assert "tiny random-weight model: shows that the recipe runs, is no result" in done.output
        config = (out / "config.toml").read_text("utf-8")
        assert "tiny = true" in config
    taken = CliRunner().invoke(
        cli, ["evaluate", "crosslincd", "--table", "2", "--out", str(tmp_path / "2")]
    )
    assert taken.exit_code == 1
    assert "not empty" in taken.output
    assert "Traceback" not in taken.output


def test_equal_seeds_give_equal_tiny_encoders_and_the_caller_keeps_its_chance():
    import torch

    from untwist.recipes.tiny_encoder import tiny_base

    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, other, third = (tiny_base(seed).body.state_dict() for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(one[k], other[k]) for k in one)
    assert any(not torch.equal(one[k], third[k]) for k in one)


_TWO = """
import os, sys
from untwist.recipes import crosslincd
from untwist.recipes.crosslincd_config import made_tiny, read

path, out, work = sys.argv[1:]
config = made_tiny(read(path, table=3, out=out, work=work))
_, metrics = crosslincd.run(config)
assert bool(metrics) == (os.environ["RANK"] == "0")
"""


@pytest.mark.slow
def test_two_processes_make_the_table_that_one_makes(tmp_path, no_pictures):
    first, second, teacher = (corpus(tmp_path, n, w) for n, w in _NAMES)
    file = tmp_path / "c.toml"
    file.write_text(
        f'corpora = ["{first}", "{second}"]\nteacher_corpus = "{teacher}"\nseeds = [1, 2]\n'
        'splits = ["published"]\nresamples = 20\nsamplings = ["paper"]\n[encoder]\ndropout = 0.0\n',
        encoding="utf-8",
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {
        "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
        "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2] / "src"),
    }  # fmt: skip
    command = [sys.executable, "-c", _TWO, str(file), str(tmp_path / "two"), str(tmp_path / "w")]
    started = [
        subprocess.Popen(command, env=os.environ | own | {"RANK": str(k), "LOCAL_RANK": str(k)})
        for k in range(2)
    ]
    assert [one.wait(timeout=240) for one in started] == [0, 0]
    alone = made_tiny(read(file, table=3, out=str(tmp_path / "one"), work=str(tmp_path / "v")))
    _, metrics = crosslincd.run(alone)
    together = json.loads((tmp_path / "two" / "metrics.json").read_text("utf-8"))
    for one, two in zip(metrics["runs"], together["runs"], strict=True):
        assert two["loss"] == pytest.approx(one["loss"], abs=1e-5)
        assert two["texts"] == one["texts"]
