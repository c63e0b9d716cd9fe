"""Answers are kept, found again, and asked for once."""

import asyncio
import subprocess
import sys

import pytest

from untwist.errors import DataError, ModelError
from untwist.llm import Answer, Cache, CachedModel, Request, ScriptedModel, Usage, key_of

ASK = Request(({"role": "user", "content": "问"},), prompt="x@1")
FULL = Answer("答 🌧", "m", "length", Usage(1, 2), 0.5, 0.25)


@pytest.fixture
def cache(tmp_path):
    with Cache(tmp_path / "cache.sqlite") as made:
        yield made


def test_what_was_put_is_got_whole_and_marked(cache):
    key = key_of("m", ASK)
    assert cache.get(key) is None
    cache.put(key, FULL)
    found = cache.get(key)
    assert found == Answer("答 🌧", "m", "length", Usage(1, 2), 0.5, 0.25, cached=True, key=key)
    cache.put(key, Answer("another", "m"))
    assert cache.get(key) == found
    assert len(cache) == 1


def test_the_file_is_found_again(tmp_path):
    for n in range(2):
        with Cache(tmp_path / "c") as cache:
            model = CachedModel(ScriptedModel(["one"]), cache)
            assert model.complete(ASK).cached == bool(n)


def test_an_error_is_never_kept(cache):
    model = CachedModel(ScriptedModel([ModelError("late", reason="timeout"), "one"]), cache)
    with pytest.raises(ModelError):
        model.complete(ASK)
    assert len(cache) == 0
    assert model.complete(ASK).text == "one"
    assert model.complete(ASK).cached


class Slow(ScriptedModel):
    """Takes a few rounds of the loop to answer."""

    async def acomplete(self, request):
        for _ in range(5):
            await asyncio.sleep(0)
        return await super().acomplete(request)


def test_equal_questions_at_the_same_time_are_asked_once(cache):
    inner = Slow(["one"])
    model = CachedModel(inner, cache)

    async def many():
        return await asyncio.gather(*(model.acomplete(ASK) for _ in range(20)))

    found = asyncio.run(many())
    assert {answer.text for answer in found} == {"one"}
    assert sum(not answer.cached for answer in found) == 1
    assert len(inner.requests) == 1


def test_when_the_one_who_asks_fails_the_next_asks_for_itself(cache):
    model = CachedModel(Slow([ModelError("late", reason="timeout"), "two"]), cache)

    async def both():
        calls = (model.acomplete(ASK), model.acomplete(ASK))
        return await asyncio.gather(*calls, return_exceptions=True)

    first, second = asyncio.run(both())
    assert first.reason == "timeout"
    assert second.text == "two"


def test_a_cache_alone_asks_no_model(cache):
    inner = ScriptedModel(["one"])
    with pytest.raises(ModelError, match="not in the cache"):
        CachedModel(inner, cache, only=True).complete(ASK)
    assert inner.requests == []


WRITER = """
import sys
from untwist.llm import Answer, Cache
with Cache(sys.argv[1]) as cache:
    for n in range(300):
        cache.put(f"{n:064x}", Answer(f"text {n}", "m"))
"""


def test_several_processes_may_write_at_once(tmp_path):
    file = tmp_path / "shared"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, file]) for _ in range(2)]
    assert [writer.wait() for writer in writers] == [0, 0]
    with Cache(file) as cache:
        assert len(cache) == 300
        assert cache.get(f"{299:064x}").text == "text 299"


def test_a_file_that_is_no_cache_is_told(tmp_path):
    odd = tmp_path / "odd"
    odd.write_text("not a database, but long enough to be looked at " * 40, encoding="utf-8")
    with pytest.raises(DataError, match="no cache"):
        Cache(odd)
    with pytest.raises(DataError, match="folder"):
        Cache(tmp_path / "none" / "cache")
