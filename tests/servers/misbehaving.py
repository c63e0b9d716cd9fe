"""A chat server on loopback that does what it is told, however wrong; it keeps what it was asked.

`Misbehaving(behave)` asks `behave(body, n)` for the name of a behaviour for each request, n being
how many came before; the names are those of `BEHAVIOURS`.
"""

import asyncio
import json
from contextlib import suppress
from threading import Thread

TEXT = "A plain answer."


def completion(text=TEXT, finish="stop", **more):
    message = {"role": "assistant", "content": text, **more}
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 0,
        "model": "served-model",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    }


def _chunk(content, finish=None):
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    return {"object": "chat.completion.chunk", "model": "served-model", "choices": [choice]}


def head(status=200, kind="application/json", length=None, **more):
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in more.items()]
    lines.append("Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def plain(body, status=200, kind="application/json", **more):
    return head(status, kind, len(body), **more) + body


def sent(value, status=200, **more):
    return plain(json.dumps(value).encode(), status, **more)


def framed(data):
    return b"%x\r\n" % len(data) + data + b"\r\n"


def event(value):
    data = value if isinstance(value, str) else json.dumps(value)
    return framed(f"data: {data}\n\n".encode())


def stream(*pieces, end="stop", done=True):
    parts = [head(kind="text/event-stream"), *(event(_chunk(p)) for p in pieces)]
    if end:
        parts.append(event(_chunk("", end)))
    if done:
        usage = {"prompt_tokens": 7, "completion_tokens": 3}
        parts += [event({"choices": [], "usage": usage}), event("[DONE]"), b"0\r\n\r\n"]
    return b"".join(parts)


def error(status, code=None, **more):
    return sent({"error": {"message": "what was asked, repeated", "code": code}}, status, **more)


CUT, ENDLESS, SILENT, DRIP = object(), object(), object(), object()
BEHAVIOURS = {
    "ok": [sent(completion())],
    "stream": [stream("A plain ", "answer.")],
    "rate": [error(429)],
    "rate_wait": [error(429, Retry_After="3")],
    "rate_long": [error(429, Retry_After="4000")],
    "quota": [error(429, "insufficient_quota")],
    "server": [error(500)],
    "client": [error(400)],
    "key": [error(401, "invalid_api_key")],
    "error_inside": [sent({"error": {"message": "overloaded"}})],
    "not_json": [plain(b'{"choices": [{"mess')],
    "not_completion": [sent({"hello": "world"})],
    "bad_encoding": [plain(json.dumps(completion("x")).encode().replace(b'"x"', b'"\xff\xfe"'))],
    "half_character": [sent(completion("\ud83d"))],
    "empty": [sent(completion("  \n"))],
    "nothing": [plain(b"")],
    "html": [plain(b"<!doctype html><title>Welcome</title>", kind="text/html")],
    "html_unsaid": [plain(b"<html>Bad gateway</html>")],
    "filtered": [sent(completion("", "content_filter"))],
    "refused": [sent(completion(None, refusal="no"))],
    "thinking": [sent(completion(f"<think>hm, {{}}</think>\n{TEXT}"))],
    "still_thinking": [sent(completion("<think>hm, and", "length"))],
    "cut_at_once": [CUT],
    "cut_head": [b"HTTP/1.1 200 OK\r\nContent-", CUT],
    "cut_body": [plain(json.dumps(completion()).encode())[:-20], CUT],
    "cut_stream": [stream("A plain ", done=False, end=None), CUT],
    "unfinished_stream": [stream("A plain ", done=False, end=None) + b"0\r\n\r\n"],
    "bad_stream": [head(kind="text/event-stream") + framed(b"data: \xff\xfe\n\n"), CUT],
    "odd_stream": [head(kind="text/event-stream") + event("{nonsense"), CUT],
    "no_http": [b"220 mail.example ESMTP\r\n\r\n"],
    "silent": [SILENT],
    "endless": [head(), ENDLESS],
    "endless_stream": [head(kind="text/event-stream"), ENDLESS],
    "bad_chunk": [head() + b"zz\r\n", CUT],
}

SLOW = {
    "drip": [head(length=10_000), DRIP],
    "drip_stream": [head(kind="text/event-stream"), DRIP],
}
"""Behaviours that last as long as they are listened to."""


class Misbehaving:
    """The server, in a thread, while the block lasts.

    Attributes:
        url: base URL.
        bodies: what was asked, in order.
        heads: the request lines and headers, in order.
        connections: how many were opened.
    """

    def __init__(self, behave="ok", *, says=None, delay=0.0, secure=None):
        self.behave = behave if callable(behave) else lambda body, n: behave
        self.says, self.delay, self.secure = says, delay, secure
        self.bodies, self.heads, self.connections = [], [], 0

    def __enter__(self):
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.secure)
        )
        scheme = "https" if self.secure else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self):
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        self.connections += 1
        # a client may go away at any moment, and the loop may end first
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._answer(reader, writer):
                pass
        writer.transport.abort()

    async def _answer(self, reader, writer):
        raw = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = [
            line.split(":")[1] for line in raw.split("\r\n") if line.startswith("Content-Length:")
        ]
        body = json.loads(await reader.readexactly(int(length[0]))) if length else {}
        n = len(self.bodies)
        self.heads.append(raw)
        self.bodies.append(body)
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.says is not None and (text := self.says(body, n)) is not None:
            writer.write(sent(completion(text)))
            return True
        if raw.startswith("GET"):
            writer.write(sent({"data": [{"id": "served-model"}, {"id": "other"}]}))
            return True
        for part in (BEHAVIOURS | SLOW)[self.behave(body, n)]:
            if part is SILENT:
                await asyncio.sleep(3600)
            while part is DRIP:
                writer.write(b"1\r\n \r\n")
                await writer.drain()
                await asyncio.sleep(0.002)
            while part is ENDLESS:
                writer.write(event(_chunk("and " * 200)))
                await writer.drain()
            if part is CUT:
                await writer.drain()
                return False
            writer.write(part)
        return True
