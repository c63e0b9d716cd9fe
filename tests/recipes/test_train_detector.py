"""The training recipe, and the shipped detector made again."""

from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest

from untwist.artifacts import shipped
from untwist.detect import FastConfig
from untwist.errors import ConfigError
from untwist.recipes import config, train_detector
from untwist.recipes.train_detector import TrainDetector

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def settings():
    return config.read_config(TrainDetector, ROOT / "runs" / "detector_fast_v2.toml")


@pytest.mark.slow
def test_the_shipped_detector_is_made_again_byte_for_byte(settings, tmp_path):
    folder, _ = train_detector.run(replace(settings, out=str(tmp_path / "run")))
    made, ships = folder / train_detector.ARTEFACT, shipped(settings.name)
    assert {f.name for f in made.iterdir()} == {f.name for f in ships.iterdir()}
    for file in made.iterdir():
        assert file.read_bytes() == (ships / file.name).read_bytes(), file.name


def test_the_shipped_card_names_the_run_and_who_wrote_the_texts():
    card = (shipped("detector-fast-v2") / "README.md").read_text(encoding="utf-8")
    assert "runs/detector_fast_v2.sh" in card
    assert "no clinician has reviewed them" in " ".join(card.split())


def test_the_shipped_weights_are_small():
    size = sum(f.stat().st_size for f in shipped("detector-fast-v2").iterdir())
    assert size <= 12 * 1024 * 1024


@pytest.mark.parametrize("field", [f.name for f in fields(FastConfig)])
def test_every_setting_changes_something(field, monkeypatch):
    """A knob that turns nothing is a defect: each is read while a tiny model is trained."""
    from tests.detect import tiny
    from untwist.detect import train

    read = set()

    class Watched(FastConfig):
        def __getattribute__(self, name):
            read.add(name)
            return super().__getattribute__(name)

    config = Watched(**asdict(tiny.CONFIG))
    read.clear()
    train.fit(tiny.examples(), config, 0, "watched")
    assert field in read


def test_a_quick_run_is_smaller_and_goes_elsewhere(settings):
    quick = train_detector.with_changes(settings, quick=True, out="x")
    assert quick.fast.steps < settings.fast.steps
    assert (quick.fast.folds, quick.out) == (2, "x")
    assert train_detector.with_changes(settings, quick=False, out=None) == settings


def test_an_unknown_key_in_a_nested_table_is_refused():
    with pytest.raises(ConfigError, match='unknown key "step"; did you mean "steps"'):
        config.build(TrainDetector, {"name": "a", "out": "b", "fast": {"step": 3}}, "c.toml")
