"""A server in a process of its own: killed, stopped, with several workers, on a full disk."""

import asyncio
import contextlib
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

pytest.importorskip("uvicorn")
pytest.importorskip("fastapi")

from benchmarks import serve_kill
from benchmarks.served import Client, served, start

from tests.serve.talking import events, text_of
from tests.servers.misbehaving import BEHAVIOURS, SILENT, Misbehaving, stream

pytestmark = [pytest.mark.loopback]
SAID = ("I failed one exam, so I'm a total failure", "It was yesterday", "seventy", "ashamed")
DANGER = "I want to die tonight"
FIRST = "You call yourself a failure after one exam, and that hurts to carry around. "


class Program:
    """A client with one conversation; each request on a connection of its own if asked."""

    def __init__(self, port):
        self.port = port
        self.key = ""
        self.key = self.ask("POST", "/api/people", {})["key"]
        self.talk = self.ask("POST", "/api/sessions", {})["id"]

    def raw(self, method, path, body=None, **head):
        async def once():
            async with Client(self.port, self.key) as client:
                return await client.ask(method, path, body, **head)

        return asyncio.run(once())

    def ask(self, method, path, body=None, **head):
        status, _, found = self.raw(method, path, body, **head)
        assert status < 300, (status, found)
        return json.loads(found)

    @property
    def path(self):
        return f"/api/sessions/{self.talk}/messages"

    def stream(self, text):
        status, _, found = self.raw("POST", self.path, {"text": text}, Accept="text/event-stream")
        assert status == 200, found
        return found.decode()


def transcript(port):
    program = Program(port)
    for text in SAID:
        whole = program.stream(text)
        turn = events(whole)[0][0].split(".")[0]
        blocks = [block + "\n\n" for block in whole.split("\n\n") if block.startswith("id")]
        for n in range(len(blocks)):
            head = {"Last_Event_ID": f"{turn}.{n}"}
            _, _, rest = program.raw("GET", f"/api/turns/{turn}/events", None, **head)
            assert rest.decode() == "".join(blocks[n + 1 :])
    kept = program.ask("GET", f"/api/sessions/{program.talk}")
    assert [one["seq"] for one in kept["log"]] == list(range(len(SAID)))
    return [(one["message"]["text"], one["turn"]["reply"]["text"]) for one in kept["log"]]


@pytest.mark.slow
def test_one_two_and_four_workers_write_the_same_transcript(tmp_path):
    """Row 13, and row 15 on other workers: every request is a connection of its own."""
    found = []
    for workers in (1, 2, 4):
        with served(f"sqlite:///{tmp_path}/{workers}.db", workers) as server:
            found.append(transcript(server.port))
    assert found[0] == found[1] == found[2]


@pytest.mark.slow
def test_fifty_posts_at_once_to_two_workers_stand_in_line(tmp_path):
    """Row 14."""
    with served(f"sqlite:///{tmp_path}/two.db", 2) as server:
        program = Program(server.port)

        async def post(n):
            # a server that is busy says so, and is asked again with the same key
            while True:
                async with Client(program.port, program.key) as client:
                    said = {"text": f"message {n} was hard"}
                    status, _, body = await client.ask(
                        "POST", program.path, said, Idempotency_Key=f"k{n}"
                    )
                if status == 200:
                    return json.loads(body)["seq"]
                assert status == 503
                assert json.loads(body)["error"]["help"]
                await asyncio.sleep(0.2)

        async def all_at_once():
            return await asyncio.gather(*(post(n) for n in range(50)))

        assert sorted(asyncio.run(all_at_once())) == list(range(50))
        kept = program.ask("GET", f"/api/sessions/{program.talk}")
        assert len({one["message"]["text"] for one in kept["log"]}) == 50


@pytest.mark.slow
def test_killed_again_and_again_it_loses_and_doubles_nothing(tmp_path):
    """Row 1, short: runs/serve_kill.sh is the long one."""
    command = [sys.executable, "-m", "benchmarks.serve_kill", "--rounds", "3"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path)], capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert found["acknowledged"] > 0
    assert [found[name] for name in ("lost", "doubled", "without_reply", "gaps")] == [0] * 4
    assert found["integrity_ok"] == found["trail_holds"] == 1
    assert serve_kill.WRITERS == 8


def test_a_full_disk_is_said_and_danger_answered_and_it_goes_on_when_there_is_room(tmp_path):
    """Row 5: the size of files is bounded for the running process, as a full disk bounds it."""
    with served(f"sqlite:///{tmp_path}/full.db") as server:
        program, kept = Program(server.port), []
        pid = server.process.pid
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        size = max(file.stat().st_size for file in tmp_path.iterdir())
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size + 40_000, hard))
        for n in range(200):
            status, _, body = program.raw("POST", program.path, {"text": f"it was hard {n}"})
            if status != 200:
                break
            kept.append(json.loads(body)["id"])
        assert status == 507, body
        assert "findahelpline.com" in json.loads(body)["error"]["help"]
        status, _, body = program.raw("POST", program.path, {"text": DANGER})
        # 503 where the message before it waits for room for its reply
        assert status in (503, 507)
        # the crisis reply asks; the help block does not
        assert "?" in json.loads(body)["error"]["help"]
        assert program.raw("GET", "/help", None, Accept="text/html")[0] == 200
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
        ends = time.monotonic() + 40
        while program.raw("POST", program.path, {"text": "there is room"})[0] != 200:
            assert time.monotonic() < ends
            time.sleep(0.5)
        log = program.ask("GET", f"/api/sessions/{program.talk}")["log"]
        assert set(kept) <= {one["id"] for one in log}
        assert all(one["turn"] for one in log)


def test_told_to_stop_it_finishes_every_reply_from_scripts_within_ten_seconds(tmp_path):
    """Row 35: streams wait for a model that says one sentence and then nothing."""
    BEHAVIOURS["hangs"] = [stream(FIRST, "What ", end=None, done=False), SILENT]
    try:
        with Misbehaving("hangs") as model:
            given = {"UNTWIST_SERVE_LLM": "m", "UNTWIST_LLM_URL": model.url}
            db = tmp_path / "stop.db"
            with served(f"sqlite:///{db}", environment=given) as server:
                programs = [Program(server.port) for _ in range(20)]
                said, seconds = asyncio.run(_stopped(server, programs))
    finally:
        del BEHAVIOURS["hangs"]
    assert seconds < 10
    for whole in said:
        found = events(whole)
        assert found[-1][1] == "done"
        assert text_of(found) == found[-1][2]["reply"]["text"]
        assert found[-1][2]["verdict"]["rules"] == ["model:stopped"]
    with contextlib.closing(sqlite3.connect(db)) as raw:
        counted = raw.execute("SELECT count(*), count(finished) FROM turns").fetchone()
    assert counted == (20, 20)


async def _stopped(server, programs):
    async def listen(program):
        async with Client(program.port, program.key) as client:
            said = {"text": SAID[0]}
            _, _, body = await client.ask("POST", program.path, said, Accept="text/event-stream")
            return body.decode()

    streams = [asyncio.create_task(listen(one)) for one in programs]
    await asyncio.sleep(2)
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    said = await asyncio.gather(*streams)
    await asyncio.to_thread(server.process.wait, 20)
    return said, time.monotonic() - began


def test_real_clients_talk_to_it(tmp_path):
    """The SDK that the wire format comes from, and curl."""
    openai = pytest.importorskip("openai")
    with served(f"sqlite:///{tmp_path}/sdk.db") as server:
        base = f"http://127.0.0.1:{server.port}"
        with openai.OpenAI(base_url=f"{base}/v1", api_key="none", max_retries=0) as client:
            assert [one.id for one in client.models.list()] == ["untwist"]
            asked = [{"role": "user", "content": "Nobody likes me"}]
            whole = client.chat.completions.create(model="untwist", messages=asked)
            assert whole.choices[0].finish_reason == "stop"
            with client.chat.completions.create(
                model="untwist",
                messages=asked,
                stream=True,
                stream_options={"include_usage": True},
            ) as parts:
                chunks = list(parts)
            text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
            assert text == whole.choices[0].message.content
            assert chunks[-1].usage.total_tokens > 0
            with pytest.raises(openai.UnprocessableEntityError):
                client.chat.completions.create(model="untwist", messages=[])
            with pytest.raises(openai.AuthenticationError):
                client.with_options(api_key="ut-wrong").models.list()
        _curl(base)


def _curl(base):
    curl = shutil.which("curl")
    if not curl:
        pytest.skip("no curl here")

    def ask(*given):
        found = subprocess.run(
            [curl, "-sS", "--fail-with-body", "--noproxy", "*", "--max-time", "20", *given],
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert found.returncode == 0, found.stderr + found.stdout
        return found.stdout

    kind = ("-H", "content-type: application/json")
    key = json.loads(ask(*kind, "-d", "{}", f"{base}/api/people"))["key"]
    head = (*kind, "-H", f"authorization: Bearer {key}")
    talk = json.loads(ask(*head, "-d", "{}", f"{base}/api/sessions"))["id"]
    body = json.dumps({"text": "Nobody likes me"})
    path = f"{base}/api/sessions/{talk}/messages"
    whole = ask(*head, "-N", "-H", "accept: text/event-stream", "-d", body, path)
    assert events(whole)[-1][1] == "done"
    assert json.loads(ask(f"{base}/healthz")) == {"status": "ok"}
    assert "untwist_turns_total" in ask(f"{base}/metrics")


def test_what_arrives_too_slowly_is_closed_and_too_much_is_refused(tmp_path):
    """Row 26 over a socket, with the server's own protocol; the seconds are those of its limits."""
    settings = tmp_path / "serve.toml"
    settings.write_text("[limits]\nreceiving = 0.5\n", encoding="utf-8")
    with served(f"sqlite:///{tmp_path}/slow.db", config=settings) as server:
        program = Program(server.port)
        head = (
            f"POST {program.path} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {program.key}\r\nContent-Type: application/json\r\n"
        )
        slow = asyncio.run(_sent(server.port, f"{head}Content-Length: 500\r\n\r\n{{"))
        assert b" 408 " in slow.split(b"\r\n")[0]
        assert b"helpline" in slow
        large = (
            f"{head}Transfer-Encoding: chunked\r\n\r\n" + ("fa00\r\n" + "a" * 0xFA00 + "\r\n") * 5
        )
        found = asyncio.run(_sent(server.port, large))
        assert b" 413 " in found.split(b"\r\n")[0]
        assert b"helpline" in found


async def _sent(port, text):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(ConnectionError):
        writer.write(text.encode())
        await writer.drain()
    found = b""
    with contextlib.suppress(ConnectionError):
        found = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return found


def test_a_start_takes_no_more_memory_and_time_than_promised(tmp_path):
    """150 MiB a worker, with one conversation; the seconds are measured on a quiet machine."""
    server = start(f"sqlite:///{tmp_path}/small.db")
    try:
        program = Program(server.port)
        for text in SAID:
            program.stream(text)
        assert max(server.memory()) <= 150, server.memory()
    finally:
        os.killpg(server.process.pid, signal.SIGTERM)
        server.process.wait(20)
