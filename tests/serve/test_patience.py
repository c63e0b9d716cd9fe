"""Connections that send no whole request are closed, on a real socket of this machine."""

import asyncio
import contextlib

import pytest

pytest.importorskip("uvicorn")
import uvicorn

from untwist.serve import patience

pytestmark = pytest.mark.loopback


async def answer(scope, receive, send):
    assert scope["type"] == "http"
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    )
    await send({"type": "http.response.body", "body": b"ok"})


@contextlib.asynccontextmanager
async def served():
    config = uvicorn.Config(
        answer,
        port=0,
        http=patience.PatientProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        timeout_keep_alive=1,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task


def closed_after(*sent, monkeypatch, seconds=0.05):
    monkeypatch.setattr(patience, "SECONDS", seconds)

    async def run():
        async with served() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for part in sent:
                writer.write(part)
            found = await reader.read()
            writer.close()
            return found

    return asyncio.run(asyncio.wait_for(run(), 20))


def test_a_silent_connection_is_closed(monkeypatch):
    assert closed_after(monkeypatch=monkeypatch) == b""


def test_half_a_header_is_closed(monkeypatch):
    assert closed_after(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", monkeypatch=monkeypatch) == b""


def test_half_a_second_request_is_closed_after_the_answer_to_the_first(monkeypatch):
    whole = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    found = closed_after(whole, b"GET / HTTP/1.1\r\nHo", monkeypatch=monkeypatch)
    assert found.startswith(b"HTTP/1.1 200")
    assert found.count(b"HTTP/1.1") == 1


def test_a_whole_request_is_answered(monkeypatch):
    whole = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert closed_after(whole, monkeypatch=monkeypatch, seconds=10).endswith(b"ok")
