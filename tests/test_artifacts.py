"""A model folder: equal bytes for equal content, and a clear line for every way to break it."""

import json

import numpy as np
import pytest

from untwist.artifacts import Artifact, load, save, shipped
from untwist.errors import ArtifactError

_MODEL = Artifact("toy", {"name": "toy-v1"}, {"w": np.arange(6, dtype=np.float32).reshape(2, 3)})


@pytest.fixture
def folder(tmp_path):
    save(tmp_path / "toy", _MODEL, "# toy\n")
    return tmp_path / "toy"


def test_what_was_saved_is_loaded(folder):
    loaded = load(folder, "toy")
    assert loaded.config["name"] == "toy-v1"
    np.testing.assert_array_equal(loaded.tensors["w"], _MODEL.tensors["w"])


def test_equal_models_have_equal_bytes(folder, tmp_path):
    save(tmp_path / "again", _MODEL, "# toy\n")
    for file in folder.iterdir():
        assert file.read_bytes() == (tmp_path / "again" / file.name).read_bytes()


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ArtifactError, match="no model folder at"):
        load(tmp_path / "nowhere", "toy")


def test_flipped_weights_are_refused(folder):
    file = folder / "model.safetensors"
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(raw)
    with pytest.raises(ArtifactError, match="damaged"):
        load(folder, "toy")


def test_missing_weights_are_named(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(ArtifactError, match=r"cannot read .*model\.safetensors"):
        load(folder, "toy")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kind": "other"}, 'kind "other", not "toy"'),
        ({"layout": 99}, "update untwist"),
    ],
)
def test_another_kind_or_layout_is_refused(folder, change, why):
    file = folder / "config.json"
    config = json.loads(file.read_text(encoding="utf-8")) | change
    file.write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ArtifactError, match=why):
        load(folder, "toy")


@pytest.mark.parametrize("broken", ["{", "[]", ""])
def test_a_config_that_is_no_object_is_refused(folder, broken):
    (folder / "config.json").write_text(broken, encoding="utf-8")
    with pytest.raises(ArtifactError):
        load(folder, "toy")


def test_garbage_with_the_right_checksum_is_still_refused(folder):
    import hashlib

    garbage = b"not a tensor file"
    (folder / "model.safetensors").write_bytes(garbage)
    file = folder / "config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    config["sha256"] = hashlib.sha256(garbage).hexdigest()
    file.write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ArtifactError, match="not a safetensors file"):
        load(folder, "toy")


def test_an_unknown_shipped_model_is_an_error():
    with pytest.raises(ArtifactError, match="ships no model"):
        shipped("detector-of-dreams")


def test_a_model_that_was_loaded_and_changed_can_be_saved_again(tmp_path):
    first = Artifact("toy", {"name": "a"}, {"w": np.zeros(2, np.float32)})
    save(tmp_path / "a", first, "# card\n")
    read = load(tmp_path / "a", "toy")
    save(tmp_path / "b", Artifact("toy", read.config, {"w": np.ones(2, np.float32)}), "# card\n")
    assert load(tmp_path / "b", "toy").tensors["w"].tolist() == [1, 1]
