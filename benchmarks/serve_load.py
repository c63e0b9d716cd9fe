"""Many people at once: first byte, whole reply, errors, memory; on raw sockets.

    python -m benchmarks.serve_load --users 200 --seconds 600 --out results/benchmark-serve

Each user holds one conversation, writes, reads the stream to its end and pauses as long as asked.
Claims: 200 users on two cores without an error, first byte p99 at most 500 ms, a whole reply p99 at
most 2 s, at most 150 MiB a worker, ready 3 s after a cold start, the first page in 1 s. Client and
server share the cores; the client's own processor time is in the report.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from benchmarks.served import Client, Served, get, served

SAID = (
    "I failed one exam, so I'm a total failure",
    "It was yesterday, I had studied for weeks",
    "seventy",
    "ashamed",
    "我什么都做不好，谁都看不起我",
    "不知道",
    "I don't know",
    "maybe it is not the whole story",
)


@dataclass
class Seen:
    """What all users saw."""

    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


async def user(port: int, number: int, until: float, pause: float, seen: Seen) -> None:
    """One person, until the time is over."""
    try:
        async with Client(port) as client:
            _, _, made = await client.ask("POST", "/api/people", {})
            client.key = json.loads(made)["key"]
            _, _, made = await client.ask("POST", "/api/sessions", {})
            path = f"/api/sessions/{json.loads(made)['id']}/messages"
            await asyncio.sleep(pause * (number % 97) / 97)
            said = 0
            while time.monotonic() < until:
                began = time.monotonic()
                text = SAID[(number + said) % len(SAID)]
                status, first, body = await client.ask(
                    "POST", path, {"text": text}, Accept="text/event-stream"
                )
                if status != 200 or b"event: done" not in body:
                    seen.errors.append(f"status {status}")
                    return
                seen.first.append(first)
                seen.whole.append(time.monotonic() - began)
                said += 1
                if said % 40 == 0:
                    _, _, made = await client.ask("POST", "/api/sessions", {})
                    path = f"/api/sessions/{json.loads(made)['id']}/messages"
                await asyncio.sleep(pause)
    except (OSError, asyncio.IncompleteReadError, ValueError, KeyError) as error:
        seen.errors.append(type(error).__name__)


async def crowd(port: int, users: int, seconds: float, pause: float) -> Seen:
    """All users at once."""
    seen = Seen()
    until = time.monotonic() + seconds
    await asyncio.gather(*(user(port, n, until, pause, seen) for n in range(users)))
    return seen


def report(server: Served, seen: Seen, given: argparse.Namespace, page: float, cpu: float) -> dict:
    """What is written."""
    shares = (50, 95, 99, 100)
    return {
        "command": given.command,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python "
        f"{platform.python_version()}",
        "users": given.users,
        "workers": given.workers,
        "seconds": given.seconds,
        "pause": given.pause,
        "messages": len(seen.first),
        "errors": len(seen.errors),
        "kinds_of_errors": sorted(set(seen.errors)),
        "first_byte_ms": {f"p{p}": _ms(seen.first, p) for p in shares},
        "whole_reply_ms": {f"p{p}": _ms(seen.whole, p) for p in shares},
        "memory_mib": server.memory(),
        "ready_s": round(server.ready, 3),
        "first_page_ms": round(page * 1000, 1),
        "client_cpu_s": round(cpu, 1),
        "load": round(os.getloadavg()[0], 2),
    }


def _ms(found: list[float], share: int) -> float | None:
    return round(float(np.percentile(found, share)) * 1000, 1) if found else None


def main() -> None:
    """Run and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pause", type=float, default=5)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--db", help="Another database; a fresh SQLite file if absent.")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    given.command = (
        f"python -m benchmarks.serve_load --users {given.users} --seconds {given.seconds:g} "
        f"--pause {given.pause:g} --workers {given.workers}"
    )
    with tempfile.TemporaryDirectory() as folder:
        db = given.db or f"sqlite:///{folder}/load.db"
        with served(db, given.workers) as server:
            began = time.monotonic()
            get(server.port, "/")
            page = time.monotonic() - began
            cpu = time.process_time()
            seen = asyncio.run(crowd(server.port, given.users, given.seconds, given.pause))
            found = report(server, seen, given, page, time.process_time() - cpu)
    text = json.dumps(found, indent=1)
    print(text)
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "metrics.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
