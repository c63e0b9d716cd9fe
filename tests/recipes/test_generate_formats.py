"""What every pipeline writes goes into the formats that others read, and comes back as it was."""

import json
from collections import Counter
from dataclasses import replace

import jsonschema
import pytest

from tests.generate.scripts import annotation, quick, told
from tests.recipes.test_generate_pipelines import (
    ANSWER,
    EVENT,
    FREE,
    GOOD,
    MESSAGE,
    POST,
    SHEET,
    TALK,
    chain,
    chain_config,
    enhance_config,
    file_of,
    message_of,
    qa,
    scenario_config,
)
from untwist.data import load_jsonl, read_triples
from untwist.data.convert import read, to_datasets, write
from untwist.data.labelstudio import (
    ChainAnswer,
    TripleAnswer,
    TurnAnswer,
    answer_of,
    chain_task,
    dialogues_of,
    read_chains,
    result_of,
    triple_task,
    turn_tasks,
)
from untwist.recipes import (
    generate_annotate,
    generate_cbtqa,
    generate_chains,
    generate_enhance,
    generate_scenarios,
)
from untwist.recipes.generate_settings import Given
from untwist.taxonomy import CANONICAL

_TEXT = {"type": "string", "minLength": 1}
_SAID = {"type": "array", "minItems": 2, "items": {"type": "object"}}
LLAMA_FACTORY = {
    "alpaca": {
        "type": "object",
        "required": ["instruction", "output"],
        "properties": {
            "instruction": _TEXT,
            "input": {"type": "string"},
            "output": _TEXT,
            "system": {"type": "string"},
            "history": {
                "type": "array",
                "items": {"type": "array", "items": _TEXT, "minItems": 2, "maxItems": 2},
            },
        },
    },
    "sharegpt": {
        "type": "object",
        "required": ["conversations"],
        "properties": {
            "conversations": _SAID
            | {
                "items": {
                    "type": "object",
                    "required": ["from", "value"],
                    "properties": {"from": {"enum": ["human", "gpt"]}, "value": _TEXT},
                }
            }
        },
    },
    "messages": {
        "type": "object",
        "required": ["messages"],
        "properties": {
            "messages": _SAID
            | {
                "items": {
                    "type": "object",
                    "required": ["role", "content"],
                    "properties": {"role": {"enum": ["user", "assistant"]}, "content": _TEXT},
                }
            }
        },
    },
}
"""The rows that LLaMA-Factory's data/README.md describes."""

TASK = {
    "annotate": "detect",
    "scenarios": "detect",
    "chains": "detect",
    "cbtqa": "dialogue",
    "enhance": "dialogue",
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """What takes time is tested elsewhere."""
    quick(monkeypatch)


def _annotate(tmp_path):
    found = annotation(("mind_reading", "he hates me"), risk="low")
    config = generate_annotate.GenerateAnnotate(
        out=str(tmp_path / "run"), sources=(file_of(tmp_path, [MESSAGE]),), gated=FREE
    )
    return generate_annotate.run(config, Given((told({"annotate": found}),)))


def _enhance(tmp_path):
    second = {"reply": "You read her silence as anger. What else could have kept her from calling?"}
    model = told({"reply": lambda r: second if "sister" in message_of(r) else GOOD})
    return generate_enhance.run(enhance_config(tmp_path, [TALK]), Given((model,)))


PIPELINES = {
    "annotate": _annotate,
    "scenarios": lambda path: generate_scenarios.run(
        scenario_config(path, number=1), Given((told({"event": EVENT, "challenge": SHEET}),))
    ),
    "cbtqa": lambda path: generate_cbtqa.run(
        qa(path, [POST]), Given((told({"cbt_answer": ANSWER}),))
    ),
    "chains": lambda path: generate_chains.run(
        chain_config(path), Given((told({"chain": [chain(), chain("It rests on a gesture.")]}),))
    ),
    "enhance": _enhance,
}


@pytest.fixture(params=PIPELINES)
def made(request, tmp_path):
    """The name of a pipeline and its run folder."""
    done = PIPELINES[request.param](tmp_path)
    assert done.ok
    return request.param, done.folder


def test_what_a_pipeline_writes_goes_through_every_format_and_back(made, tmp_path):
    name, folder = made
    dialogues = list(load_jsonl(folder / "items.jsonl"))
    assert dialogues
    for format, schema in LLAMA_FACTORY.items():
        out = write(dialogues, tmp_path / format, format, name="x", task=TASK[name])
        assert out.left_out == {}
        rows = [json.loads(line) for line in out.files[0].read_text("utf-8").splitlines()]
        for row in rows:
            jsonschema.validate(row, schema)
        assert list(read(out.files[0], format)) == dialogues
        info = json.loads((tmp_path / format / "dataset_info.json").read_text("utf-8"))
        assert set(info["x"]["columns"].values()) <= set(rows[0])
    write(dialogues, tmp_path / "hf", "hf", name="x", licence="cc0-1.0", task=TASK[name])
    assert list(read(tmp_path / "hf", "hf")) == dialogues


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_what_a_pipeline_writes_loads_in_datasets(made, tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets")
    name, folder = made
    dialogues = list(load_jsonl(folder / "items.jsonl"))
    write(dialogues, tmp_path / "hf", "hf", name="x", licence="cc0-1.0", task=TASK[name])
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    loaded = datasets.load_dataset(str(tmp_path / "hf"), cache_dir=str(tmp_path / "cache"))
    assert sum(len(part) for part in loaded.values()) == len(dialogues)
    here = to_datasets(dialogues, task=TASK[name])
    assert here["train"].column_names == loaded["train"].column_names
    rows = datasets.load_dataset(
        "json", data_files=str(folder / "items.jsonl"), cache_dir=str(tmp_path / "cache")
    )
    assert {"id", "provenance"} <= set(rows["train"].column_names)


def test_labels_that_people_confirm_come_back_from_label_studio(made):
    _, folder = made
    for dialogue in load_jsonl(folder / "items.jsonl"):
        given = [labels for labels in dialogue.labels if labels and labels.distortions is not None]
        # the page asks for labels of messages; challenges and strategies are not on it
        asked = [replace(labels, challenges=(), carried=frozenset(CANONICAL)) for labels in given]
        tasks = [task["data"] for task in turn_tasks(dialogue, "en", Counter())]
        assert len(tasks) == sum(u.role == "user" for u in dialogue.utterances)
        pairs = [
            (data, answer_of(result_of(TurnAnswer(labels), data, "en"), data).labels)
            for data, labels in zip(tasks, asked, strict=True)
        ]
        (back,) = dialogues_of(pairs)
        assert [u.text for u in back.utterances] == [u.text for u in dialogue.utterances]
        assert [labels for labels in back.labels if labels] == asked


def test_an_open_turn_goes_to_people_without_any_label(tmp_path):
    found = annotation(("mind_reading", "he hates me"))
    config = generate_annotate.GenerateAnnotate(
        out=str(tmp_path / "run"), sources=(file_of(tmp_path, [MESSAGE]),), gated=FREE
    )
    models = (told({"annotate": found}, "a@1"), told({"annotate": annotation()}, "b@1"))
    folder = generate_annotate.run(config, Given(models)).folder
    (dialogue,) = load_jsonl(folder / "queue.jsonl")
    (task,) = turn_tasks(dialogue, "en", Counter())
    assert task["data"]["text"] == MESSAGE["text"]


def test_pairs_of_chains_and_replies_go_to_people_and_back(tmp_path):
    folder = PIPELINES["chains"](tmp_path).folder
    (item,) = read_chains(folder / "items.jsonl")
    data = chain_task(item, "en")["data"]
    answer = ChainAnswer(1, "It is plainer.")
    assert answer_of(result_of(answer, data, "en"), data) == answer
    (tmp_path / "two").mkdir()
    folder = _enhance(tmp_path / "two").folder
    first, _ = read_triples(folder / "review.jsonl")
    data = triple_task(first, "en")["data"]
    rated = TripleAnswer(1, 0, 1)
    assert answer_of(result_of(rated, data, "en"), data) == rated
