import importlib
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.convert_values import conversations, message, only, singles, talk
from tests.tiny_corpora import write_lines
from untwist.data import Refusals
from untwist.data.convert import from_datasets, read, to_datasets, write
from untwist.errors import ConfigError, DataError, MissingExtra
from untwist.schema import Finding, Labels
from untwist.taxonomy import CANONICAL, Distortion, Intensity, Risk

D = Distortion
TALK = talk(("user", "他讨厌我。"), ("assistant", "为什么？"))
JUDGED = message(
    "He hates me.",
    [D.MIND_READING],
    intensity=Intensity.MILD,
    risk=Risk.NONE,
    evidence=(Finding(D.MIND_READING, 1.0, 0, 8),),
)
NARROW = replace(
    message("我真没用", id="m2"),
    labels=(Labels(frozenset(), frozenset({D.LABELING})),),
    split="test",
    group="g",
)


@settings(max_examples=15, deadline=None)
@given(dialogues=st.lists(singles() | conversations(), min_size=1, max_size=4))
def test_a_folder_gives_back_every_dialogue_whose_part_has_a_plain_name(
    tmp_path_factory, dialogues
):
    dialogues = [replace(d, split=d.split and "test") for d in only(*dialogues)]
    out = tmp_path_factory.mktemp("out")
    write(dialogues, out, "hf", name="x", licence="cc0-1.0", task="dialogue")
    assert key(read(out, "hf")) == key(dialogues)


def key(dialogues):
    return sorted(dialogues, key=lambda d: (d.corpus, d.id))


def test_a_folder_has_a_file_per_part_and_a_card(tmp_path):
    written = write([JUDGED, NARROW, TALK], tmp_path, "hf", name="my-set", licence="cc-by-4.0")
    assert [p.relative_to(tmp_path).as_posix() for p in written.files] == [
        "data/test.jsonl",
        "data/train.jsonl",
        "README.md",
    ]
    assert written.rows == 2
    (reason,) = written.left_out
    assert 'use "dialogue"' in reason
    head = (tmp_path / "README.md").read_text(encoding="utf-8").split("---\n")[1]
    for line in (
        'license: "cc-by-4.0"',
        'pretty_name: "my-set"',
        'language: ["en", "zh"]',
        'size_categories: ["n<1K"]',
        "annotations_creators: [other]",
        "  - split: test\n    path: data/test.jsonl",
    ):
        assert line in head
    row = json.loads((tmp_path / "data/train.jsonl").read_text(encoding="utf-8"))
    assert (row["text"], row["acuity"], row["carried"]) == ("He hates me.", None, None)
    assert key(read(tmp_path, "hf")) == [JUDGED, NARROW]


@pytest.mark.parametrize("licence", [None, "", "CC BY 4.0", "x\nlanguage: fr"])
def test_there_is_no_card_without_a_licence(tmp_path, licence):
    with pytest.raises(ConfigError, match="needs a licence"):
        write([JUDGED], tmp_path / "out", "hf", name="x", licence=licence)
    assert not (tmp_path / "out").exists()


def test_parts_go_by_the_names_that_the_library_knows(tmp_path):
    dialogues = [replace(JUDGED, split="dev"), replace(NARROW, split="looked at")]
    written = write(dialogues, tmp_path, "hf", name="x", licence="other")
    assert written.files[0].name == "validation.jsonl"
    (reason,) = written.left_out
    assert reason.startswith("its part has a name")


def test_a_broken_row_and_an_id_that_two_parts_share_are_refused(tmp_path):
    write([JUDGED, NARROW], tmp_path, "hf", name="x", licence="other")
    rows = [
        {"id": "a", "text": "hi", "labels": ["gloom"]},
        {"id": "m2", "corpus": "mine", "text": "hi"},
    ]
    write_lines(tmp_path / "data/train.jsonl", rows)
    refusals = Refusals()
    assert [d.id for d in read(tmp_path, "hf", refusals)] == ["m2"]
    assert [(r.path.rsplit("/", 1)[1], r.line) for r in refusals] == [
        ("train.jsonl", 1),
        ("train.jsonl", 2),
    ]
    with pytest.raises(DataError, match="give the folder of a data set"):
        list(read(tmp_path / "data", "hf"))


def test_the_library_is_asked_for_by_the_name_of_its_extra(monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(MissingExtra, match=r"untwist\[finetune\]"):
        to_datasets([JUDGED])


def test_data_sets_of_the_library_are_read_as_mappings_of_rows():
    rows = [{"id": "a", "text": "hi", "labels": [], "evidence": None, "risk": None}]
    (dialogue,) = from_datasets({"train": rows})
    assert dialogue.labels == (Labels(frozenset(), frozenset(CANONICAL)),)
    assert list(from_datasets(rows)) == [dialogue]
    refusals = Refusals()
    assert list(from_datasets({"test": [{"id": "a"}]}, refusals)) == []
    assert [str(r) for r in refusals] == ['test:1: no "text": give the message under that key']


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("task", ["detect", "dialogue"])
def test_the_library_loads_what_was_written_and_gives_it_back(tmp_path, monkeypatch, task):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    reason = "the library datasets is not installed"
    library = pytest.importorskip("datasets", reason=reason, exc_type=ImportError)
    bare = message("nothing known", id="m3")
    dialogues = [JUDGED, NARROW, bare, *([TALK] if task == "dialogue" else [])]
    made = to_datasets(dialogues, task=task)
    assert {name: len(rows) for name, rows in made.items()} == {
        "train": len(dialogues) - 1,
        "test": 1,
    }
    assert key(from_datasets(made)) == key(dialogues)
    write(dialogues, tmp_path / "out", "hf", name="x", licence="cc0-1.0", task=task)
    loaded = library.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert loaded["train"].features == made["train"].features
    assert key(from_datasets(loaded)) == key(dialogues)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("format", ["alpaca", "sharegpt", "messages"])
def test_tuning_files_load_as_tables(tmp_path, monkeypatch, format):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    reason = "the library datasets is not installed"
    library = pytest.importorskip("datasets", reason=reason, exc_type=ImportError)
    written = write([JUDGED, NARROW], tmp_path, format, name="x")
    cache = str(tmp_path / "cache")
    table = library.load_dataset("json", data_files=str(written.files[0]), cache_dir=cache)
    assert len(table["train"]) == 2
    assert table["train"].features["untwist"].dtype == "string"
