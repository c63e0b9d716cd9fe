"""A connection is used again only when nothing on it can be taken for the next answer."""

import asyncio
import json

import pytest

from tests.servers.misbehaving import (
    BEHAVIOURS,
    CUT,
    Misbehaving,
    completion,
    framed,
    head,
    plain,
    sent,
)
from untwist.errors import ModelError
from untwist.llm import HttpModel, Limits, Request

pytestmark = pytest.mark.loopback


def body(text):
    return json.dumps(completion(text)).encode()


STALE = sent(completion("stale"))


def asked(monkeypatch, responses, between=None):
    """The texts (or reasons) of questions in turn, and how many connections they took."""
    for n, response in enumerate(responses):
        monkeypatch.setitem(BEHAVIOURS, f"case {n}", response)

    async def ask(url):
        model, found = HttpModel("m", url, limits=Limits(retries=0), timeout=5.0), []
        for n in range(len(responses)):
            try:
                said = await model.acomplete(Request(({"role": "user", "content": f"q{n}"},)))
                found.append(said.text)
            except ModelError as error:
                found.append((error.reason,))
            if between:
                await between(model)
        await model.aclose()
        return found

    with Misbehaving(lambda body, n: f"case {n}") as server:
        return asyncio.run(ask(server.url)), server.connections


def test_a_clean_connection_is_used_again(monkeypatch):
    responses = [[sent(completion("0"))], [head() + framed(body("1")) + b"0\r\n\r\n"]]
    assert asked(monkeypatch, [*responses, [sent(completion("2"))]]) == (["0", "1", "2"], 1)


@pytest.mark.parametrize(
    "first",
    [
        sent(completion("0")) + STALE,
        sent(completion("0")) + STALE[:9],
        head() + framed(body("0")) + b"0\r\n\r\n" + STALE,
    ],
)
def test_a_second_response_behind_the_first_never_answers_another_question(monkeypatch, first):
    assert asked(monkeypatch, [[first], [sent(completion("1"))]]) == (["0", "1"], 2)


def test_what_comes_while_a_connection_is_idle_ends_it(monkeypatch):
    async def stray(model):
        for own in model._transport._idle.values():
            for line in own.lines:
                line.reader.feed_data(STALE)

    responses = [[sent(completion("0"))], [sent(completion("1"))]]
    assert asked(monkeypatch, responses, stray) == (["0", "1"], 2)


def test_what_the_system_holds_and_the_loop_has_not_read_ends_it_too(monkeypatch):
    async def ask():
        stray, written = asyncio.Event(), asyncio.Event()
        opened = []

        async def serve(reader, writer):
            opened.append(writer)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(sent(completion(str(len(opened)))))
            await stray.wait()
            # as close to the next question as can be: the client's loop has seen nothing yet
            writer.write(STALE)
            written.set()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        model = HttpModel("m", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
        request = Request(({"role": "user", "content": "q"},))
        first = await model.acomplete(request)
        stray.set()
        await written.wait()
        second = await model.acomplete(request)
        await model.aclose()
        server.close()
        for writer in opened:
            writer.transport.abort()
        return first.text, second.text

    assert asyncio.run(ask()) == ("1", "2")


@pytest.mark.parametrize(
    "first",
    [
        plain(body("0"), Connection="keep-alive, Close"),
        head(Content_Length="9") + framed(body("0")) + b"0\r\n\r\n",
        plain(body("0")).replace(b"HTTP/1.1", b"HTTP/1.0"),
    ],
)
def test_a_response_whose_end_is_in_doubt_is_the_last_of_its_connection(monkeypatch, first):
    assert asked(monkeypatch, [[first], [sent(completion("1"))]]) == (["0", "1"], 2)


@pytest.mark.parametrize(
    "first",
    [
        head() + b"-1\r\n\r\n0\r\n\r\n",
        head() + b"0x1\r\n{\r\n0\r\n\r\n",
        head() + b"1_0\r\n{\r\n0\r\n\r\n",
        head() + framed(body("0"))[:-2] + b"xx0\r\n\r\n",
        head(length="-5") + body("0"),
        head(length="+5") + body("0"),
    ],
)
def test_a_length_that_is_none_is_a_cut_and_ends_the_connection(monkeypatch, first):
    found = asked(monkeypatch, [[first, CUT], [sent(completion("1"))]])
    assert found == ([("cut",), "1"], 2)


def test_two_lengths_that_differ_are_no_http(monkeypatch):
    first = plain(body("0"), Content_Length="5")
    found = asked(monkeypatch, [[first], [sent(completion("1"))]])
    assert found == ([("server",), "1"], 2)
