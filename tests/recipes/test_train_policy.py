"""The training recipe of policies, on a made-up corpus."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.recipes import tiny_policy
from tests.recipes.tiny import metrics_of, text_of
from untwist.cli.main import cli
from untwist.errors import ConfigError, DataError
from untwist.policy import LearnedPolicy
from untwist.policy.learning import Learning
from untwist.recipes import train_policy
from untwist.recipes.config import build
from untwist.recipes.train_policy import ARTEFACT, STATE, TrainPolicy

SHORT = Learning(episodes=240, environments=8, capacity=400, batch=16, updates=2, hidden=(12,),
                 warm_up=50, epsilon_steps=400, log_every=10)  # fmt: skip


@pytest.fixture
def config(tmp_path, no_pictures):
    source = tiny_policy.write_corpus(tmp_path)
    return TrainPolicy(
        str(tmp_path / "run"), "tiny-policy@1", (source,), encoder_size=64, learning=SHORT,
        save_every=80, parts=("train", "validation"),
    )  # fmt: skip


def weights(folder):
    return (folder / ARTEFACT / "model.safetensors").read_bytes()


def test_a_run_leaves_a_policy_with_card_metrics_and_report(config):
    folder, metrics = train_policy.run(config)
    policy = LearnedPolicy.load(folder / ARTEFACT)
    assert policy.name == "tiny-policy@1"
    assert metrics_of(folder) == metrics
    assert metrics["episodes"] >= 240
    assert metrics["updates"] > 0
    card = " ".join(text_of(folder / ARTEFACT, "README.md").split())
    assert "Nobody that it learnt with is real" in card
    assert "no clinician has reviewed them" in card
    assert "nothing here is held out" in text_of(folder)
    assert not (folder / STATE).exists()


def test_only_the_named_parts_are_learnt_from(config):
    _, metrics = train_policy.run(config)
    rows = tiny_policy.corpus_rows()
    assert metrics["messages"] == sum(row["split"] == "train" for row in rows)
    with pytest.raises(ConfigError, match="test part is for scores"):
        replace(config, parts=("train", "test"))


def test_equal_settings_give_equal_bytes_and_another_seed_does_not(config, tmp_path):
    first, _ = train_policy.run(config)
    again, _ = train_policy.run(replace(config, out=str(tmp_path / "again")))
    other, _ = train_policy.run(replace(config, out=str(tmp_path / "other"), seed=7))
    assert weights(first) == weights(again) != weights(other)


class _Cut(Exception):
    pass


def test_a_run_that_was_cut_goes_on_and_ends_as_if_it_had_not_been(config, tmp_path):
    whole, _ = train_policy.run(replace(config, out=str(tmp_path / "whole")))

    def cut(stage, done, total):
        if done >= 150 and stage.startswith("learning"):
            raise _Cut

    with pytest.raises(_Cut):
        train_policy.run(config, progress=cut)
    assert (tmp_path / "run" / STATE).is_dir()
    with pytest.raises(ConfigError, match="other settings"):
        train_policy.run(replace(config, seed=3))
    seen = []
    folder, _ = train_policy.run(config, progress=lambda stage, done, _: seen.append((stage, done)))
    assert min(done for stage, done in seen if stage.startswith("learning")) > 80
    assert weights(folder) == weights(whole)
    assert metrics_of(folder) == metrics_of(whole)


def test_a_folder_in_use_is_refused(config, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="not empty"):
        train_policy.run(config)


def test_progress_tells_reward_loss_and_epsilon(config):
    seen = set()
    train_policy.run(config, progress=lambda stage, done, total: seen.add(stage))
    assert any(stage.startswith("learning (reward") and "epsilon" in stage for stage in seen)


def test_predicted_labels_want_a_detector_and_are_then_what_is_heard(config):
    heard = replace(config, labels="predicted")
    with pytest.raises(ConfigError, match="give a detector"):
        train_policy.run(heard)
    _, metrics = train_policy.run(heard, tiny_policy.Deaf())
    assert metrics["labels"] == "predicted"
    with pytest.raises(ConfigError, match='labels is "guessed"'):
        replace(config, labels="guessed")


def test_half_precision_is_stored_and_read(config, tmp_path):
    full, _ = train_policy.run(config)
    half, _ = train_policy.run(replace(config, half=True, out=str(tmp_path / "half")))
    assert len(weights(half)) < 0.6 * len(weights(full))
    one, two = (LearnedPolicy.load(f / ARTEFACT).network.flat for f in (full, half))
    assert np.array_equal(two, one.astype(np.float16).astype(np.float32))


def test_a_corpus_without_a_distortion_is_refused_by_its_name(config, tmp_path):
    rows = [row for row in tiny_policy.corpus_rows() if row["labels"] != ["blaming"]]
    source = tiny_policy.write_corpus(tmp_path, rows, "less.jsonl")
    with pytest.raises(DataError, match="the pool has no message"):
        train_policy.run(replace(config, corpora=(source,)))


def test_a_missing_file_and_an_unknown_key_are_refused(config, tmp_path):
    with pytest.raises(DataError):
        train_policy.run(replace(config, corpora=(str(tmp_path / "none.jsonl"),)))
    with pytest.raises(ConfigError, match='unknown key "gama"; did you mean "gamma"'):
        build(TrainPolicy, {"name": "a", "out": "b", "learning": {"gama": 0.5}}, "c.toml")


def test_the_command_trains_and_says_where_scores_come_from(tmp_path, no_pictures):
    from click.testing import CliRunner

    source = tiny_policy.write_corpus(tmp_path)
    file = tmp_path / "policy.toml"
    file.write_text(
        f'name = "mine"\nout = "{(tmp_path / "run").as_posix()}"\ncorpora = ["{source}"]\n'
        'parts = ["train", "validation"]\n'
        "encoder_size = 64\n[learning]\nupdates = 1\nenvironments = 16\n",
        encoding="utf-8",
    )
    said = CliRunner().invoke(
        cli, ["train", "policy", str(file), "--quick", "--seed", "5", "--json"]
    )
    assert said.exit_code == 0, said.output
    shown = json.loads(said.stdout)
    assert shown["episodes"] >= 600
    assert metrics_of(tmp_path / "run")["updates"] == shown["updates"]
    about = LearnedPolicy.load(tmp_path / "run" / ARTEFACT).about
    assert about["seed"] == 5
