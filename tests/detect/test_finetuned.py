"""An encoder's folder: written, read back, exported, refused when damaged."""

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tests.detect import tiny, tiny_encoder  # noqa: E402
from untwist.detect import FinetunedDetector, OnnxDetector, export, fit_encoder  # noqa: E402
from untwist.engine import load_detector  # noqa: E402
from untwist.errors import ArtifactError, ConfigError  # noqa: E402
from untwist.schema import Utterance  # noqa: E402

pytestmark = pytest.mark.neural
TEXTS = [e.utterance.text for e in tiny.examples()] + ["tea. " * 60, "😀", "累" * 200]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "tiny"
    tiny_encoder.detector().save(path, "# A tiny model\n")
    return path


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    path = tmp_path_factory.mktemp("exported")
    for weights in ("fp32", "int8"):
        export(tiny_encoder.detector(), path / weights, "# A tiny model\n", weights)
    return path


def test_what_is_read_back_gives_the_same_probabilities(folder):
    saved, loaded = tiny_encoder.detector(), FinetunedDetector.load(folder)
    assert np.array_equal(saved.predict_proba(TEXTS), loaded.predict_proba(TEXTS), equal_nan=True)
    assert loaded.name == saved.name
    assert loaded.decisions.outputs == saved.decisions.outputs
    for text in TEXTS:
        assert loaded.detect(Utterance(text)) == saved.detect(Utterance(text))


def test_what_is_read_back_is_written_again_byte_for_byte(folder, tmp_path):
    FinetunedDetector.load(folder).save(tmp_path, (folder / "README.md").read_text("utf-8"))
    # tokenizer_config.json is of transformers, which notes there where it read it from
    for file in set(folder.iterdir()) - {folder / "tokenizer_config.json"}:
        assert (tmp_path / file.name).read_bytes() == file.read_bytes(), file.name


def test_the_folder_is_one_of_transformers_without_pickle(folder):
    body = transformers.AutoModel.from_pretrained(folder, add_pooling_layer=False)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ids = tokenizer(TEXTS[0], return_tensors="pt")["input_ids"]
    ours = tiny_encoder.detector()
    assert ids[0].tolist() == ours.tokens.ids([TEXTS[0]])[0]
    with torch.no_grad():
        pooled = body(ids).last_hidden_state.mean(dim=1)
        logits = ours.network.heads[0](pooled)[0].numpy()
    chance = ours.predict_proba([TEXTS[0]])[0]
    known = ~np.isnan(chance)
    assert np.allclose(1 / (1 + np.exp(-logits[known])), chance[known], atol=1e-6)
    kinds = {f.suffix for f in folder.iterdir()}
    assert kinds <= {".json", ".safetensors", ".md"}


def test_several_heads_are_read_back_by_name(tmp_path):
    config = replace(tiny_encoder.CONFIG, heads="per_corpus", epochs=2)
    examples = {"first": tiny.examples()[:24], "second": tiny.examples()[24:]}
    made = fit_encoder(examples, config, base=tiny_encoder.base()).detector
    made.save(tmp_path, "# Two heads\n")
    loaded = FinetunedDetector.load(tmp_path)
    for head in examples:
        one, other = made.by(head), loaded.by(head)
        assert np.array_equal(one.predict_proba(TEXTS), other.predict_proba(TEXTS), equal_nan=True)
    first, second = (loaded.by(head).predict_proba(TEXTS) for head in examples)
    assert not np.array_equal(first, second, equal_nan=True)
    with pytest.raises(ConfigError, match="first, second"):
        loaded.by("third")


@pytest.mark.parametrize(
    "name", ["model.safetensors", "heads.safetensors", "config.json", "tokenizer.json"]
)
def test_a_damaged_or_missing_file_is_refused_by_name(folder, tmp_path, name):
    damaged = shutil.copytree(folder, tmp_path / "copy")
    (damaged / name).write_bytes((damaged / name).read_bytes()[:-1] + b"?")
    with pytest.raises(ArtifactError, match=f"{name} is damaged"):
        FinetunedDetector.load(damaged)
    (damaged / name).unlink()
    with pytest.raises(ArtifactError, match=name):
        FinetunedDetector.load(damaged)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "detector-fast"}, "of kind"),
        ({"layout": 99}, "update untwist"),
        ({"carried": [[1]]}, "does not fit together"),
        ({"labels": None}, "does not fit together"),
        ({"heads": []}, "does not fit together"),
        ({"labels": ["mindreading"]}, "does not fit together"),
    ],
)
def test_a_folder_that_says_something_else_is_refused(folder, tmp_path, change, message):
    other = shutil.copytree(folder, tmp_path / "copy")
    about = json.loads((other / "untwist.json").read_text("utf-8"))
    (other / "untwist.json").write_text(json.dumps({**about, **change}), encoding="utf-8")
    with pytest.raises(ArtifactError, match=message):
        FinetunedDetector.load(other)


def test_a_damaged_folder_is_never_taken_for_one_of_another_kind(folder, tmp_path):
    other = shutil.copytree(folder, tmp_path / "copy")
    (other / "untwist.json").write_text('{"kind": "detect', encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"untwist\.json is not JSON"):
        load_detector(str(other))
    (other / "untwist.json").write_text('{"kind": "detector-new"}', encoding="utf-8")
    with pytest.raises(ArtifactError, match="update untwist"):
        load_detector(str(other))


def test_a_file_that_no_runtime_reads_is_refused_in_a_line(exported, tmp_path):
    other = shutil.copytree(exported / "fp32", tmp_path / "copy")
    (other / "model.onnx").write_bytes(b"nothing that onnxruntime knows")
    about = json.loads((other / "untwist.json").read_text("utf-8"))
    digest = hashlib.sha256((other / "model.onnx").read_bytes()).hexdigest()
    about["sha256"]["model.onnx"] = digest
    (other / "untwist.json").write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(ArtifactError, match="cannot be run: export it again"):
        OnnxDetector.load(other)


def test_the_engine_tells_the_kind_of_a_folder(folder, exported):
    assert isinstance(load_detector(str(folder)), FinetunedDetector)
    assert isinstance(load_detector(str(exported / "fp32")), OnnxDetector)
    assert load_detector(str(folder)).reader is not None


def test_the_export_gives_equal_probabilities(exported):
    ours = tiny_encoder.detector().predict_proba(TEXTS)
    onnx = OnnxDetector.load(exported / "fp32").predict_proba(TEXTS)
    assert np.array_equal(np.isnan(ours), np.isnan(onnx))
    assert np.nanmax(np.abs(ours - onnx)) < 1e-5


def test_the_export_in_eight_bits_is_smaller_and_near(exported):
    ours = tiny_encoder.detector().predict_proba(TEXTS)
    onnx = OnnxDetector.load(exported / "int8").predict_proba(TEXTS)
    assert 0 < np.nanmax(np.abs(ours - onnx)) < 0.1
    sizes = [
        sum(f.stat().st_size for f in (exported / kind).glob("model.onnx*"))
        for kind in ("fp32", "int8")
    ]
    assert sizes[1] < sizes[0]


def test_an_export_is_not_loaded_as_a_network_and_leaves_the_network_as_it_was(exported):
    with pytest.raises(ArtifactError, match="detector-onnx"):
        FinetunedDetector.load(exported / "fp32")
    assert not tiny_encoder.detector().network.training
    with pytest.raises(ConfigError, match="int8"):
        export(tiny_encoder.detector(), exported / "other", "", "int4")


def test_an_export_runs_without_torch_and_transformers(exported):
    code = (
        "import sys\n"
        "sys.modules['torch'] = sys.modules['transformers'] = None\n"
        "from untwist.engine import load_detector\n"
        "from untwist.schema import Utterance\n"
        f"heard = load_detector({str(exported / 'fp32')!r}).detect(Utterance({TEXTS[0]!r}))\n"
        "print([f.distortion.value for f in heard.findings], heard.intensity.value)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heard = tiny_encoder.detector().detect(Utterance(TEXTS[0]))
    expected = [f.distortion.value for f in heard.findings], heard.intensity.value
    assert done.stdout.split("\n")[0] == f"{expected[0]} {expected[1]}"


def test_windows_cover_every_sentence_and_fit():
    tokens = tiny_encoder.detector().tokens
    for text in TEXTS:
        spans = tokens.windows(text)
        inside = "".join(text[a:b] for a, b in spans)
        assert inside.replace(" ", "") == text.replace(" ", "")
        assert max(len(one) for one in tokens.ids([text[a:b] for a, b in spans])) <= tokens.longest
        assert tokens.truncated([text[a:b] for a, b in spans]) == 0
