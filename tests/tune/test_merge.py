"""An adapter put into its model: the same answers, no trace of the adapter, errors in one line."""

import json
import shutil

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")

from tests.recipes.tiny_llm import SETTINGS, base_model, triads
from untwist.errors import ArtifactError, DataError, ModelError
from untwist.llm.calls import Request
from untwist.llm.local import LocalModel
from untwist.recipes.train_llm import ADAPTER, TrainLlm, read_preset, run
from untwist.tune.merge import base_of, merge

pytestmark = pytest.mark.neural
ASK = Request(({"role": "user", "content": "Why?"},), max_tokens=12, keep_cut=True)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return base_model(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def adapter(tmp_path_factory, base):
    folder = tmp_path_factory.mktemp("adapter")
    tune = read_preset("cbt-llm", [*SETTINGS, "optim.learning_rate=1e-2", "steps.steps=8"])
    rows = triads(folder / "t.jsonl")
    return run(TrainLlm(str(folder / "run"), base, (rows,), tune))[0] / ADAPTER


def test_the_merged_model_answers_as_the_adapter_and_not_as_its_base(adapter, base, tmp_path):
    done = merge(adapter, tmp_path / "merged", precision="fp32")
    assert done.base == base == base_of(adapter)
    assert done.off < 1e-4
    answers = [LocalModel(str(f)).complete(ASK).text for f in (adapter, done.folder, base)]
    assert answers[0] == answers[1] != answers[2]


def test_the_merged_folder_is_whole_and_has_nothing_of_peft(adapter, tmp_path):
    folder = merge(adapter, tmp_path / "merged").folder
    names = {file.name for file in folder.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "README.md"} <= names
    assert not any("adapter" in name for name in names)
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "library_name: transformers" in card
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert config["dtype"] == "bfloat16"
    assert "quantization_config" not in config


def test_an_adapter_is_merged_into_the_revision_that_it_was_trained_on(
    adapter, tmp_path, monkeypatch
):
    asked = []

    def loaded(name, load, **options):
        asked.append(options["revision"])
        raise ModelError("not here")

    copy = shutil.copytree(adapter, tmp_path / "copy")
    file = copy / "adapter_config.json"
    told = json.loads(file.read_text(encoding="utf-8"))
    assert told["revision"] is None
    file.write_text(json.dumps({**told, "revision": "v2"}), encoding="utf-8")
    monkeypatch.setattr("untwist.tune.merge.load_model", loaded)
    for base in (None, "another"):
        with pytest.raises(ModelError):
            merge(copy, tmp_path / "out", base=base)
    assert asked == ["v2", None]


def test_a_damaged_adapter_is_one_line(adapter, tmp_path):
    copy = shutil.copytree(adapter, tmp_path / "copy")
    (copy / "adapter_model.safetensors").write_bytes(b"nothing")
    with pytest.raises(ArtifactError, match="does not fit"):
        merge(copy, tmp_path / "out")


def test_what_is_no_adapter_or_does_not_fit_is_one_line(adapter, tmp_path):
    with pytest.raises(ArtifactError, match="holds no adapter"):
        merge(tmp_path, tmp_path / "out")
    with pytest.raises(DataError, match="not empty"):
        merge(adapter, adapter)
    with pytest.raises(ModelError, match="cannot be loaded"):
        merge(adapter, tmp_path / "out", base=str(tmp_path / "none"))
    other = base_model(tmp_path / "wide", width=64)
    with pytest.raises(ArtifactError, match="does not fit"):
        merge(adapter, tmp_path / "out", base=other)
    assert not (tmp_path / "out").exists()
