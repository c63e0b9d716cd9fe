"""The recipe of encoders: from files to a folder that detects, stopped or not, with a teacher."""

import json
from dataclasses import replace

import pytest

from tests.detect import tiny
from untwist.data import Reading, Refusals, write_jsonl
from untwist.errors import ConfigError, DataError, UntwistError
from untwist.recipes import train_encoder
from untwist.recipes.encoder_rows import examples, parts_of_all
from untwist.recipes.rows import load_each
from untwist.recipes.train_encoder import TrainEncoder
from untwist.schema import Dialogue, Labels, Utterance
from untwist.taxonomy import CANONICAL

_PARTS = ("train", "train", "train", "validation", "test", "train", "train")


@pytest.fixture
def corpus(tmp_path):
    """The tiny texts as a file with parts; a person is in one part alone."""
    rows = [
        Dialogue(
            str(i), "tiny", (e.utterance,), (e.labels,), e.group, _PARTS[int(e.group[1:])]
        )
        for i, e in enumerate(tiny.examples())
    ]  # fmt: skip
    write_jsonl(rows, tmp_path / "tiny.jsonl")
    return tmp_path / "tiny.jsonl"


def _settings(tmp_path, corpus, text="", encoder=""):
    file = tmp_path / "encoder.toml"
    file.write_text(
        f'name = "tiny-v1"\nout = "{tmp_path / "run"}"\ncorpora = ["{corpus}"]\n'
        f"{text}\n[encoder]\n{encoder}\n",
        encoding="utf-8",
    )
    return file


def test_a_preset_stands_below_the_files_own_settings(tmp_path, corpus):
    file = _settings(tmp_path, corpus, 'preset = "crosslincd-multi"', "dropout = 0.1\nseed = 7")
    found = train_encoder.read(file).encoder
    assert (found.heads, found.sampling, found.dropout, found.seed) == (
        "per_corpus", "paper", 0.1, 7,
    )  # fmt: skip
    plain = train_encoder.read(_settings(tmp_path, corpus)).encoder
    assert plain.heads == "shared"


@pytest.mark.parametrize(
    ("text", "encoder", "message"),
    [
        ('preset = "crosslincd-milti"', "", "crosslincd-multi"),
        ("", "learning_rat = 1.0", 'did you mean "learning_rate"'),
        ("", 'heads = "each"', 'encoder: heads is "each"; did you mean'),
        ('lang = "fr"', "", 'lang is "fr"'),
        ('onnx = ["int4"]', "", 'onnx is "int4"; did you mean "int8"'),
        ('onnx = ["int8", "int8"]', "", "twice"),
        ("limit = -1", "", "limit"),
        ("", "temperature = 3.0", "temperature is set"),
        ('preset = "crosslincd-ts-student"', "", "name one with teacher"),
        ("", "alpha = 0.5", "name one with teacher"),
        ("", 'soft_loss = "one_sided"', "name one with teacher"),
        ('soft_labels = "soft.safetensors"', "", "name one with teacher"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(tmp_path, corpus, text, encoder, message):
    with pytest.raises(ConfigError, match=message):
        train_encoder.read(_settings(tmp_path, corpus, text, encoder))


def test_a_run_written_as_settings_is_the_same_run(tmp_path, corpus):
    from untwist.recipes.runfolder import to_toml

    config = train_encoder.read(_settings(tmp_path, corpus, 'preset = "crosslincd-ts-teacher"'))
    (tmp_path / "again.toml").write_text(to_toml(config), encoding="utf-8")
    assert train_encoder.read(tmp_path / "again.toml") == config


def test_a_quick_run_is_short_and_a_whole_one_is_not_changed():
    config = TrainEncoder("out", "name")
    quick = train_encoder.with_changes(config, quick=True, out="there")
    assert (quick.limit, quick.encoder.epochs, quick.out) == (32, 2, "there")
    assert train_encoder.with_changes(config, quick=False, out=None) == config


def _file(path, *rows):
    name, none = path.stem, Labels(frozenset(), frozenset(CANONICAL))
    write_jsonl(
        [
            Dialogue(id, name, (Utterance(text, "en"),), (none,), f"{name}-{id}", part)
            for id, text, part in rows
        ],
        path,
    )
    return str(path)


def test_what_is_near_a_row_held_out_of_another_corpus_is_not_learnt_from(tmp_path):
    one = _file(
        tmp_path / "one.jsonl",
        ("a", "It rained all day.", "test"), ("b", "I slept well.", "validation"),
        ("c", "We had soup.", "train"),
    )  # fmt: skip
    two = _file(
        tmp_path / "two.jsonl",
        ("d", "It rained all day!", "train"), ("e", "I slept well...", "train"),
        ("f", "The bus was late.", "train"),
        ("h", "The shop was shut.", "test"), ("i", "The tea was hot.", "validation"),
    )  # fmt: skip
    loaded = load_each((one, two), Reading(), Refusals())
    parts, near = parts_of_all("grouped", loaded)
    assert parts == [
        ("test", "validation", "train"),
        ("", "", "train", "test", "validation"),
    ]
    assert near == 2
    assert parts_of_all("grouped", loaded[:1]) == (parts[:1], 0)
    assert parts_of_all("published", loaded)[1] == 0
    learnt = [e.utterance.text for e in examples(loaded[1], parts[1], "train", "both")]
    assert learnt == ["The bus was late."]


@pytest.fixture
def encoder(tmp_path):
    """A folder with an encoder of random weights."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from tests.detect import tiny_encoder

    base = tiny_encoder.base()
    base.body.save_pretrained(tmp_path / "base")
    base.tokenizer.save_pretrained(tmp_path / "base")
    return tmp_path / "base"


_FAST = """
device = "cpu"
max_length = 32
dropout = 0.1
learning_rate = 5e-3
batch = 8
epochs = 20
patience = 0
threshold = 0.5
intensity = true
"""


def _config(tmp_path, corpus, encoder, text="", more=""):
    own = f'encoder = "{encoder}"\n{_FAST}{more}'
    return train_encoder.read(_settings(tmp_path, corpus, text, own))


@pytest.mark.neural
def test_a_run_leaves_all_that_tells_of_it_and_a_model_that_detects(tmp_path, corpus, encoder):
    from untwist.engine import Engine, load_detector

    pytest.importorskip("onnxscript")
    config = _config(tmp_path, corpus, encoder, 'onnx = ["int8"]')
    folder, metrics = train_encoder.run(config)
    assert {f.name for f in folder.iterdir()} == {
        "config.toml", "manifest.json", "metrics.json", "detector", "onnx-int8",
    }  # fmt: skip
    assert metrics == json.loads((folder / "metrics.json").read_text("utf-8"))
    assert metrics["texts"] == {"tiny": 30}
    assert metrics["validation_texts"] == {"tiny": 6}
    assert metrics["best_epoch"] == 1 + max(
        range(20), key=lambda k: (metrics["epochs"][k]["score"], -k)
    )
    told = [e.labels.distortions for e in tiny.examples()]
    for kind in ("detector", "onnx-int8"):
        detector = load_detector(str(folder / kind))
        heard = detector.detect_many(e.utterance for e in tiny.examples())
        found = [{f.distortion for f in one.findings} for one in heard]
        assert sum(one == other for one, other in zip(found, told, strict=True)) >= 34
    turn = Engine(load_detector(str(folder / "detector"))).turn(tiny.examples()[0].utterance)
    assert turn.versions["detector"] == "tiny-v1"
    card = (folder / "detector" / "README.md").read_text("utf-8")
    assert "tiny 30 texts" in card
    assert "no\ndiagnosis" in card


class _Stop(Exception):
    """The power fails."""


@pytest.mark.neural
def test_a_stopped_run_goes_on_and_ends_alike_and_other_settings_are_refused(
    tmp_path, corpus, encoder
):
    def stop(stage, done, total):
        if stage.startswith("epoch 4/"):
            raise _Stop

    config = _config(tmp_path, corpus, encoder)
    whole, _ = train_encoder.run(replace(config, out=str(tmp_path / "whole")))
    with pytest.raises(_Stop):
        train_encoder.run(config, stop)
    with pytest.raises(ConfigError, match="other settings"):
        train_encoder.run(replace(config, limit=20))
    resumed, _ = train_encoder.run(config)
    for name in ("model.safetensors", "heads.safetensors", "untwist.json"):
        one, other = (folder / "detector" / name for folder in (whole, resumed))
        assert one.read_bytes() == other.read_bytes(), name
    assert not (resumed / "checkpoints").exists()
    with pytest.raises(ConfigError, match="not empty"):
        train_encoder.run(config)


@pytest.mark.neural
def test_a_student_learns_from_a_trained_teacher_whose_word_is_kept(tmp_path, corpus, encoder):
    config = _config(tmp_path, corpus, encoder)
    one = replace(config.encoder, objective="one", intensity=False)
    teacher, _ = train_encoder.run(replace(config, out=str(tmp_path / "teacher"), encoder=one))
    student = replace(config, teacher=str(teacher / "detector"))
    folder, metrics = train_encoder.run(student)
    assert metrics["taught"] == 30
    assert (folder / "soft_labels.safetensors").is_file()
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert any(name.endswith("untwist.json") for name in manifest["inputs"])


@pytest.mark.neural
@pytest.mark.parametrize(("lang", "texts"), [("en", 15), ("zh", 15), ("both", 30)])
def test_one_language_alone_or_both_are_learnt_from(tmp_path, corpus, encoder, lang, texts):
    config = _config(tmp_path, corpus, encoder, f'lang = "{lang}"', "")
    config = replace(config, encoder=replace(config.encoder, epochs=1))
    assert train_encoder.run(config)[1]["texts"] == {"tiny": texts}


@pytest.mark.neural
def test_an_encoder_that_cannot_be_used_leaves_no_run_folder(tmp_path, corpus, encoder):
    config = _config(tmp_path, corpus, encoder)
    for change in ({"max_length": 200}, {"encoder": str(tmp_path / "nowhere")}):
        with pytest.raises(UntwistError):
            train_encoder.run(replace(config, encoder=replace(config.encoder, **change)))
        assert not (tmp_path / "run").exists()


@pytest.mark.neural
def test_a_corpus_without_texts_to_learn_from_is_refused(tmp_path, corpus, encoder):
    rows = [
        Dialogue("1", "one", (e.utterance,), (e.labels,), e.group, "train")
        for e in tiny.examples()[:1]
    ]
    write_jsonl(rows, tmp_path / "one.jsonl")
    config = _config(tmp_path, tmp_path / "one.jsonl", encoder, 'lang = "zh"')
    with pytest.raises(DataError, match='no text in "zh"'):
        train_encoder.run(config)


@pytest.mark.neural
def test_the_command_says_what_came_of_it(tmp_path, corpus, encoder):
    from click.testing import CliRunner

    from untwist.cli.main import cli

    file = _settings(tmp_path, corpus, "", f'encoder = "{encoder}"\n{_FAST}')
    done = CliRunner().invoke(cli, ["train", "encoder", str(file), "--quick"])
    assert done.exit_code == 0, done.output
    assert "30 texts, epoch" in done.output
    assert "validation, tiny: micro_f1" in done.output
    as_json = ["train", "encoder", str(file), "--quick", "--json", "--out", str(tmp_path / "two")]
    done = CliRunner().invoke(cli, as_json)
    assert json.loads(done.stdout)["texts"] == {"tiny": 30}


def test_without_pytorch_the_command_says_what_to_install(tmp_path, corpus, monkeypatch):
    import sys

    from click.testing import CliRunner

    from untwist.cli.main import cli

    for name in (
        "encoder",
        "losses",
        "processes",
        "checkpoints",
        "finetuned",
        "encoder_run",
        "train_encoder",
    ):
        monkeypatch.delitem(sys.modules, f"untwist.detect.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    done = CliRunner().invoke(cli, ["train", "encoder", str(_settings(tmp_path, corpus))])
    assert done.exit_code == 1
    assert 'pip install "untwist[finetune]"' in done.output
    assert "Traceback" not in done.output
