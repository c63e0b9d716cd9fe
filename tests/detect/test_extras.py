"""What is not installed is named with the line that installs it."""

import json
import sys
from importlib import import_module

import pytest

from untwist.detect import OnnxDetector, kind_of
from untwist.detect.decisions import Decisions
from untwist.detect.folder import ONNX, decisions_from_json, decisions_to_json, write_about
from untwist.detect.outputs import Outputs
from untwist.detect.tokens import Tokens
from untwist.engine import load_detector
from untwist.errors import ArtifactError, MissingExtra

HEAVY = (
    "encoder",
    "losses",
    "processes",
    "checkpoints",
    "finetuned",
    "encoder_run",
    "train_encoder",
)


@pytest.mark.parametrize("name", HEAVY)
def test_a_module_that_needs_pytorch_says_what_to_install(monkeypatch, name):
    for other in HEAVY:
        monkeypatch.delitem(sys.modules, f"untwist.detect.{other}", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r'pip install "untwist\[finetune\]"'):
        import_module(f"untwist.detect.{name}")


def test_running_an_export_asks_for_onnxruntime_alone(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtra, match=r"untwist\[onnx\]"):
        OnnxDetector.load(tmp_path)


def test_reading_tokens_asks_for_tokenizers(monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingExtra, match=r"untwist\[onnx\]"):
        Tokens.of("{}", 8, 0)


def test_a_folder_says_its_kind_and_other_folders_say_none(tmp_path):
    assert kind_of(tmp_path) is None
    (tmp_path / "untwist.json").write_text(json.dumps({"kind": ONNX}), encoding="utf-8")
    assert kind_of(tmp_path) == ONNX


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("damaged", "not JSON"),
        ("[]", "update untwist"),
        (json.dumps({"kind": "detector-fast"}), "update untwist"),
        (json.dumps({"kind": ["detector-onnx"]}), "update untwist"),
    ],
)
def test_a_folder_that_does_not_say_its_kind_is_taken_for_no_other(tmp_path, text, message):
    (tmp_path / "untwist.json").write_text(text, encoding="utf-8")
    with pytest.raises(ArtifactError, match=message):
        kind_of(tmp_path)


def test_the_engine_asks_for_the_extra_of_a_folders_kind(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    write_about(tmp_path, ONNX, {}, [], "# A card\n")
    with pytest.raises(MissingExtra, match=r"untwist\[onnx\]"):
        load_detector(str(tmp_path))
    with pytest.raises(ArtifactError):
        load_detector(str(tmp_path / "nothing"))


def test_what_scores_mean_is_read_back_as_it_was_written(tmp_path):
    import numpy as np

    outputs = Outputs(("labeling", "none"), intensity=True)
    carried = np.array([[1, 0, 1, 1], [1, 1, 0, 0]], bool)
    thresholds = np.array([[0.25, 0.5, 0.1, 0.9]] * 2, np.float32)
    made = Decisions(outputs, ("one", "two"), carried, thresholds, True, False)
    found = decisions_from_json(json.loads(json.dumps(decisions_to_json(made))), tmp_path)
    assert (found.outputs, found.heads, found.single, found.windows) == (
        outputs, ("one", "two"), True, False,
    )  # fmt: skip
    assert np.array_equal(found.carried, carried)
    assert np.allclose(found.thresholds, thresholds)
