"""Tuned adapters behind a chat server on loopback, asked by the commands that ask any model.

The models are tiny and have random weights before they are tuned: that they say their own samples
again shows that every step from the samples to the answer is the right one, and nothing more.
"""

import json
import os

import pytest

pytest.importorskip("torch")
pytest.importorskip("trl")

from tests.detect.talker import answer
from tests.recipes.tiny_llm import SETTINGS, base_model, labelled, written
from tests.servers.tiny_openai import TinyServer
from untwist.detect import PromptedDetector
from untwist.engine import Engine
from untwist.llm import ScriptedModel, open_model
from untwist.llm.prompts import StrategyReply, ask
from untwist.policy import MatrixPolicy
from untwist.recipes.train_llm import ADAPTER, TrainLlm, read_preset
from untwist.recipes.train_llm import run as train
from untwist.schema import Reply
from untwist.taxonomy import Distortion, Strategy

pytestmark = [pytest.mark.neural, pytest.mark.slow, pytest.mark.loopback]
BY_HEART = ("lora.rank=64", "lora.alpha=128", "lora.dropout=0.0", "optim.learning_rate=5e-3",
            "optim.warmup_ratio=0.0", "optim.warmup_steps=10", "optim.clip=1.0",
            "steps.batch=8")  # fmt: skip
LABEL = Distortion.MIND_READING.value


def by_heart(folder, preset, rows, steps, *more):
    """An adapter that knows its samples by heart."""
    base = base_model(folder / "base", width=128)
    tune = read_preset(preset, [*SETTINGS, *BY_HEART, f"steps.steps={steps}", *more])
    return train(TrainLlm(str(folder / "run"), base, (rows,), tune))[0] / ADAPTER


@pytest.fixture(scope="module")
def messages(tmp_path_factory):
    return labelled(tmp_path_factory.mktemp("rows") / "labels.jsonl")


@pytest.fixture(scope="module")
def names(tmp_path_factory, messages):
    return by_heart(tmp_path_factory.mktemp("names"), "crosslincd-llm", messages, 80)


@pytest.fixture
def served(monkeypatch):
    """Serves a folder as the model that the environment names."""
    running = []

    def _serve(folder):
        server = TinyServer(folder, formats=True)
        running.append(server)
        server.__enter__()
        monkeypatch.setenv("UNTWIST_LLM_URL", server.url)
        monkeypatch.setenv("UNTWIST_LLM_LOOPBACK_ONLY", "1")
        return server

    yield _serve
    for server in running:
        server.__exit__()


def read(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("how", ["adapter", "merged"])
def test_an_adapter_and_its_merged_model_name_the_labels_that_they_learned(
    run, names, messages, served, tmp_path, how
):
    folder = names
    if how == "merged":
        folder = tmp_path / "merged"
        done = run("tune", "merge", names, folder, "--precision", "fp32", "--json")
        assert json.loads(done.out)["folder"] == str(folder)
    served(folder)
    options = ("--detector", "llm:tiny", "--question", "names", "--workers", "1")
    done = run("detect", *options, "--input", messages)
    assert done.code == 0, done.err
    with open(messages, encoding="utf-8") as file:
        gold = {row["id"]: set(row["labels"]) for row in map(json.loads, file)}
    found = {r["id"]: {f["distortion"] for f in r["findings"]} for r in read(done.out)}
    assert found == gold
    assert any(found.values())
    assert all(row["detector"] == "llm:tiny/names@1" for row in read(done.out))


def test_what_a_tuned_model_does_not_answer_is_unscored_counted_and_never_no_label(
    run, names, messages, served, tmp_path
):
    served(names)
    # it learned to name labels; the whole question, with its JSON, it never saw
    done = run("detect", "--detector", "llm:tiny", "--input", messages, "--keep-going",
               "--workers", "1")  # fmt: skip
    assert done.code == 1
    rows = read(done.out)
    assert len(rows) == 8
    assert all("unscored" in json.dumps(row) and "findings" not in row for row in rows)
    out = tmp_path / "scores"
    done = run("evaluate", "detector", "--detector", "llm:tiny", "--corpora", messages,
               "--out", out)  # fmt: skip
    assert done.code == 0, done.err
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert len(metrics["unscored"]) == 8
    out = tmp_path / "named"
    done = run("evaluate", "detector", "--detector", "llm:tiny", "--question", "names",
               "--corpora", messages, "--out", out)  # fmt: skip
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["unscored"] == []


THOUGHT, REPLY = "She hates me.", "How could you find out?"


@pytest.fixture(scope="module")
def replies(tmp_path_factory):
    folder = tmp_path_factory.mktemp("replies")
    heard = {"labels": [LABEL], "intensity": "severe", "risk": "low", "lang": "en",
             "evidence": [{"distortion": LABEL, "start": 0, "end": len(THOUGHT) - 1}]}  # fmt: skip
    answered = {"strategy": Strategy.REALITY_TESTING, "lang": "en"}
    said = [
        {"role": "user", "content": THOUGHT, **heard},
        {"role": "assistant", "content": REPLY, **answered},
    ]
    rows = written(folder / "d.jsonl", [{"id": "d", "messages": said}])
    return by_heart(folder, "copollm", rows, 120, "data.ablation=no_diagnosis", "steps.batch=1")


class Asked:
    """The tuned model as a responder: the same question, the same reader."""

    name = "llm:tiny"

    def __init__(self):
        self.model = open_model("tiny", os.environ)

    def reply(self, choice, assessment, history, earlier=()):
        prompt = StrategyReply(assessment.utterance.lang)
        draft = ask(self.model, prompt, prompt.messages(choice, assessment, history), attempts=1)
        lang = assessment.utterance.lang
        return Reply(draft.reply, lang, choice.strategy, (), self.name)


def test_an_adapter_writes_the_reply_of_a_whole_turn_and_the_guard_reads_it(replies, served):
    server = served(replies)
    script = ScriptedModel([answer([(LABEL, THOUGHT)], "severe", "low")], "script@1")
    turn = Engine(PromptedDetector(script), MatrixPolicy(), Asked()).turn(THOUGHT)
    assert turn.choice.strategy is Strategy.REALITY_TESTING
    assert turn.reply.text == REPLY
    assert (turn.verdict.passed, turn.replaced) == (True, False)
    assert len(server.asked) == 1
