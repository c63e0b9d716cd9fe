"""A real tiny model: in this process, and behind a server on loopback."""

import asyncio
from dataclasses import replace
from importlib.util import find_spec
from types import SimpleNamespace

import pytest

from tests.servers.tiny_openai import TinyServer, tiny_model
from untwist.errors import MissingExtra, ModelError
from untwist.generate import Item, Journal, Result, run
from untwist.llm import HttpModel, Limits, Request, Usage, open_model

ASK = Request(({"role": "user", "content": "a day or the night ?"},), max_tokens=8, keep_cut=True)
SCHEMA = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
needs_torch = pytest.mark.skipif(
    not (find_spec("torch") and find_spec("transformers")),
    reason="PyTorch and transformers are not installed",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def local(folder):
    return open_model(f"local:{folder}")


@pytest.mark.slow
@needs_torch
def test_a_local_model_answers_the_same_each_time_and_counts_its_tokens(local):
    first, second = local.complete(ASK), local.complete(ASK)
    assert first.text == second.text
    assert first.usage.completion <= 8
    assert first.usage.prompt > 5
    assert first.finish in {"stop", "length"}


@pytest.mark.slow
@needs_torch
def test_a_seed_decides_what_is_sampled(local):
    def said(seed):
        return local.complete(
            Request(ASK.messages, max_tokens=20, temperature=2.0, seed=seed, keep_cut=True)
        ).text

    assert said(1) == said(1)
    assert len({said(seed) for seed in range(5)}) > 1


@pytest.mark.slow
@needs_torch
def test_an_answer_ends_before_a_stop_and_nonsense_breaks_a_schema(local):
    long = local.complete(Request(ASK.messages, max_tokens=30, keep_cut=True)).text.split()
    stop = next(word for word in long if word != long[0])
    cut = local.complete(Request(ASK.messages, max_tokens=30, stop=(stop,), keep_cut=True)).text
    assert stop not in cut.split()
    with pytest.raises(ModelError) as caught:
        local.complete(Request(ASK.messages, schema=SCHEMA, max_tokens=8))
    assert caught.value.reason == "not_json"


@pytest.mark.slow
@needs_torch
@pytest.mark.loopback
def test_a_real_model_behind_a_server_says_what_it_says_in_this_process(folder, local, tmp_path):
    with TinyServer(folder) as server:
        model = HttpModel("tiny", server.url, limits=Limits(retries=0))
        assert asyncio.run(model.models()) == ("tiny",)
        whole = model.complete(ASK)
        streamed = HttpModel("tiny", server.url, stream=True).complete(ASK)
        with pytest.raises(ModelError) as caught:
            model.complete(Request(ASK.messages, schema=SCHEMA, max_tokens=8))

        async def work(item):
            request = Request(
                ASK.messages, max_tokens=6, temperature=1.5, seed=item.value["n"], keep_cut=True
            )
            return Result({"text": (await model.acomplete(request)).text})

        with Journal(tmp_path / "run.journal") as journal:
            summary = run([Item(f"i{n}", {"n": n}) for n in range(12)], work, journal)
    alone = local.complete(ASK)
    assert (whole.text, whole.usage) == (streamed.text, streamed.usage)
    assert (whole.text, whole.usage, whole.finish) == (alone.text, alone.usage, alone.finish)
    assert caught.value.reason == "not_json"
    assert summary.done + sum(summary.failed.values()) == 12
    assert set(summary.failed) <= {"empty", "server"}


@pytest.mark.slow
@needs_torch
def test_a_folder_without_a_model_is_told(tmp_path):
    with pytest.raises(ModelError, match="is it here"):
        open_model(f"local:{tmp_path}")


def test_without_pytorch_the_pip_line_is_told(monkeypatch):
    from untwist.llm import local

    def absent(name):
        raise ImportError

    monkeypatch.setattr(local, "import_module", absent)
    with pytest.raises(MissingExtra, match="untwist\\[finetune\\]"):
        local.LocalModel("x", loaded=SimpleNamespace())


def test_in_this_process_half_a_text_is_cut_unless_it_is_kept_or_had_its_stop(monkeypatch):
    from untwist.llm import local

    monkeypatch.setattr(local, "import_module", lambda name: SimpleNamespace())
    model = local.LocalModel("x", loaded=SimpleNamespace())
    said = ("This is half. And", Usage(1, 8), "length")
    monkeypatch.setattr(model, "_generated", lambda messages, request: said)
    with pytest.raises(ModelError) as caught:
        model.complete(replace(ASK, keep_cut=False))
    assert caught.value.reason == "cut"
    assert model.complete(ASK).finish == "length"
    whole = model.complete(replace(ASK, keep_cut=False, stop=(". And",)))
    assert (whole.text, whole.finish) == ("This is half", "stop")
