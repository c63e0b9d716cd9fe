"""What the server benchmarks share: a server process of its own, and a client on raw sockets.

A client library would measure itself (docs/explain/app.md); this one reads bytes as they come.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@dataclass
class Served:
    """A server and what it took to start."""

    process: subprocess.Popen[bytes]
    port: int
    ready: float

    def children(self) -> list[int]:
        """The processes that answer: the workers, or the one process."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(
            encoding="ascii"
        )
        found = [int(pid) for pid in listed.split() if _is_worker(int(pid))]
        return found or [self.process.pid]

    def memory(self) -> list[float]:
        """Resident MiB of each of them."""
        return [_rss(pid) for pid in self.children()]


@contextmanager
def served(
    db: str,
    workers: int = 1,
    port: int | None = None,
    environment: Mapping[str, str] | None = None,
    config: Path | None = None,
    log: Path | None = None,
) -> Iterator[Served]:
    """A server until the block ends."""
    server = start(db, workers, port, environment, config, log)
    try:
        yield server
    finally:
        server.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            server.process.wait(15)
        kill(server)


def start(
    db: str,
    workers: int = 1,
    port: int | None = None,
    environment: Mapping[str, str] | None = None,
    config: Path | None = None,
    log: Path | None = None,
) -> Served:
    """Start a server, and wait until it can do its work."""
    port = port or free_port()
    began = time.monotonic()
    command = [sys.executable, "-m", "untwist", "serve", "--port", str(port), "--db", db]
    command += ["--config", str(config)] if config else []
    with Path(log or os.devnull).open("ab") as errors:
        process = subprocess.Popen(
            [*command, "--workers", str(workers)],
            env={**os.environ, **_ONE_THREAD, **(environment or {})},
            stderr=errors,
            start_new_session=True,
        )
    while not _answers(port, "/readyz"):
        if process.poll() is not None:
            raise RuntimeError("the server ended at its start")
        time.sleep(0.01)
    return Served(process, port, time.monotonic() - began)


def kill(server: Served) -> None:
    """End the server and its workers without a word."""
    with suppress(ProcessLookupError):
        os.killpg(server.process.pid, signal.SIGKILL)
    server.process.wait()


def get(port: int, path: str) -> tuple[int, bytes]:
    """One plain request."""
    return asyncio.run(_get(port, path))


async def _get(port: int, path: str) -> tuple[int, bytes]:
    async with Client(port) as client:
        status, _, body = await client.ask("GET", path)
        return status, body


def _answers(port: int, path: str) -> bool:
    try:
        return get(port, path)[0] == 200
    except (OSError, asyncio.IncompleteReadError):
        return False


def _rss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0


def _is_worker(pid: int) -> bool:
    return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()


@dataclass
class Client:
    """One connection that is kept open."""

    port: int
    key: str = ""
    _reader: asyncio.StreamReader | None = field(default=None, init=False)
    _writer: asyncio.StreamWriter | None = field(default=None, init=False)

    async def __aenter__(self) -> Client:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._writer
        self._writer.close()

    async def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, str] | None = None,
        **headers: str,
    ) -> tuple[int, float, bytes]:
        """Status, seconds until the first byte of the body, and the body."""
        assert self._reader
        assert self._writer
        data = b"" if body is None else json.dumps(body).encode()
        rows = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(data)}"]
        rows += ["Content-Type: application/json"] if data else []
        rows += [f"Authorization: Bearer {self.key}"] if self.key else []
        rows += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        began = time.monotonic()
        self._writer.write("\r\n".join([*rows, "", ""]).encode() + data)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status = int(head.split(" ", 2)[1])
        fields = dict(row.lower().split(": ", 1) for row in head.split("\r\n")[1:] if ": " in row)
        if "content-length" in fields:
            body_bytes = await self._reader.readexactly(int(fields["content-length"]))
            return status, time.monotonic() - began, body_bytes
        first, parts = 0.0, []
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            first = first or time.monotonic() - began
            parts.append(await self._reader.readexactly(size))
            await self._reader.readexactly(2)
        await self._reader.readexactly(2)
        return status, first, b"".join(parts)
