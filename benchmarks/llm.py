"""Speed of a run over a model: throughput against the ideal, memory, cache, journal.

    python benchmarks/llm.py --out results/benchmark-llm

Claims: 10,000 items against a server that answers after 50 ms, 64 at once, with the journal and the
cache, beside the ideal of 10,000 * 0.05 / 64 seconds, and memory along the way; processor time of a
call over the own wire and over the OpenAI SDK; 100,000 writes and reads of the cache. The server is
a process of its own on the same machine, and takes processor time too. Without the SDK its part is
left out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from untwist.generate import Entry, Item, Journal, Result, run
from untwist.llm import Answer, Cache, CachedModel, HttpModel, Limits, Model, Request, Usage, key_of

ITEMS, AT_ONCE, DELAY = 10_000, 64, 0.05
IDEAL = ITEMS * DELAY / AT_ONCE
BARE = "bare sockets, no work"
VARIANTS = {
    "journal only": (False, 0),
    "journal and cache": (True, 0),
    "journal and cache, 96 items begun for 64 calls": (True, 32),
}
"""Whether there is a cache, and how many items more than calls are begun at once."""
ROWS = 100_000
ANSWER = {
    "object": "chat.completion",
    "model": "bench",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "An answer of some length. " * 20},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 60, "completion_tokens": 120},
}
BODY = json.dumps(ANSWER).encode()
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(
    BODY
)


class Served(asyncio.Protocol):
    """One connection of the server: an answer to every request, after the delay."""

    took: ClassVar[list[float]] = []

    def __init__(self, delay: float) -> None:
        self.delay, self.rest = delay, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the way back."""
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        """Answers what is whole."""
        self.rest += data
        while (end := self.rest.find(b"\r\n\r\n")) >= 0:
            at = self.rest.lower().find(b"content-length:", 0, end)
            length = int(self.rest[at + 15 : self.rest.find(b"\r\n", at)]) if at >= 0 else 0
            if len(self.rest) < end + 4 + length:
                return
            told = self.rest.startswith(b"GET")
            self.rest = self.rest[end + 4 + length :]
            if told:
                self.tell()
                continue
            loop = asyncio.get_running_loop()
            loop.call_later(self.delay, self.answer, loop.time())

    def answer(self, since: float) -> None:
        """Sends it."""
        if not self.transport.is_closing():
            self.took.append(asyncio.get_running_loop().time() - since)
            self.transport.write(RESPONSE + BODY)

    def tell(self) -> None:
        """How long answers really took on average since this was last asked."""
        text = json.dumps({"data": [{"id": str(statistics.fmean(self.took or [0.0]))}]}).encode()
        self.took.clear()
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n\r\n"
        self.transport.write(head.encode() + text)


async def serve(delay: float) -> None:
    """Serve until killed; prints the port first."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Served(delay), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def served(delay: float) -> Iterator[str]:
    """The base URL of a server in a process of its own."""
    command = [sys.executable, __file__, "--serve", str(delay)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"  # type: ignore[union-attr]
    finally:
        process.kill()
        process.wait()


def resident() -> float:
    """MiB of this process in memory now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def asked(item: Item) -> Request:
    """A question of a few hundred characters."""
    text = f"Question {item.value['n']}: " + "some words of a message that is asked about. " * 6
    return Request(({"role": "user", "content": text},), max_tokens=200, prompt="bench@1")


def one_run(model: Model, folder: Path, at_once: int) -> dict[str, Any]:
    """All items through a model, so many begun at once; memory at every tenth."""
    memory: list[float] = []
    counted = 0

    def watch(_: Entry) -> None:
        nonlocal counted
        counted += 1
        if counted % (ITEMS // 10) == 0:
            memory.append(round(resident(), 1))

    async def work(item: Item) -> Result:
        answer = await model.acomplete(asked(item))
        return Result({"id": item.id, "text": answer.text}, {"seconds": answer.seconds})

    items = (Item(f"i{n}", {"n": n}) for n in range(ITEMS))
    with Journal(folder / "run.journal") as journal:
        cpu, start = time.process_time(), time.perf_counter()
        summary = run(items, work, journal, concurrency=at_once, watch=watch)
        took, used = time.perf_counter() - start, time.process_time() - cpu
    assert summary.done == ITEMS, summary.line()
    return {
        "seconds": round(took, 3),
        "share_of_ideal": round(IDEAL / took, 4),
        "cpu_ms_per_item": round(1000 * used / ITEMS, 3),
        "memory_mib": memory,
    }


class Bare(asyncio.Protocol):
    """One connection that sends the same bytes again and again and looks at nothing."""

    def __init__(self, left: Iterator[int], done: asyncio.Event) -> None:
        self.left, self.done, self.got = left, done, 0
        body = json.dumps({"model": "bench", "messages": list(asked(Item("", {"n": 0})).messages)})
        head = f"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n"
        self.sent = (head + body).encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Sends the first."""
        self.transport: Any = transport
        self.following()

    def data_received(self, data: bytes) -> None:
        """Sends the next when a whole answer has come."""
        self.got += len(data)
        if self.got == len(RESPONSE) + len(BODY):
            self.got = 0
            self.following()

    def following(self) -> None:
        """The next, or the end."""
        if next(self.left, None) is None:
            self.transport.abort()
            self.done.set()
        else:
            self.transport.write(self.sent)


def bare(url: str) -> dict[str, Any]:
    """What this machine, at this moment, lets any client in Python reach."""

    async def all_of_them() -> None:
        loop, left = asyncio.get_running_loop(), iter(range(ITEMS))
        ends = [asyncio.Event() for _ in range(AT_ONCE)]
        port = int(url.split(":")[2].split("/")[0])
        for end in ends:
            await loop.create_connection(lambda end=end: Bare(left, end), "127.0.0.1", port)
        await asyncio.gather(*(end.wait() for end in ends))

    cpu, start = time.process_time(), time.perf_counter()
    asyncio.run(all_of_them())
    took, used = time.perf_counter() - start, time.process_time() - cpu
    return {
        "seconds": round(took, 3),
        "share_of_ideal": round(IDEAL / took, 4),
        "cpu_ms_per_item": round(1000 * used / ITEMS, 3),
        "memory_mib": [],
    }


def answered_after(url: str) -> dict[str, float]:
    """Milliseconds that the server's answers really took on average since this was last asked."""
    (mean,) = asyncio.run(HttpModel("bench", url).models())
    return {"answer_ms": round(1000 * float(mean), 2)}


def throughput(repeats: int) -> dict[str, Any]:
    """Runs with and without the cache, each from an empty folder."""
    found: dict[str, Any] = {BARE: []} | {name: [] for name in VARIANTS}
    with served(DELAY) as url:
        for _ in range(repeats):
            for name, runs in found.items():
                answered_after(url)
                if name == BARE:
                    runs.append(bare(url) | answered_after(url))
                    continue
                with tempfile.TemporaryDirectory() as place:
                    model = HttpModel("bench", url, limits=Limits(concurrency=AT_ONCE))
                    with Cache(Path(place) / "cache") as cache:
                        cached, more = VARIANTS[name]
                        asks = CachedModel(model, cache) if cached else model
                        run_of_it = one_run(asks, Path(place), AT_ONCE + more)
                        runs.append(run_of_it | answered_after(url))
    return found


def calls(repeats: int, n: int = 2000) -> dict[str, Any]:
    """Processor milliseconds of a call, over either way, against a server that does not wait."""
    ways: dict[str, Callable[[str], Any]] = {"own wire": lambda url: None}
    if find_spec("openai"):
        from untwist.llm.sdk import SdkTransport

        ways["OpenAI SDK"] = lambda url: SdkTransport(url, None)
    found: dict[str, Any] = {}
    with served(0.0) as url:
        for name, way in ways.items():
            model = HttpModel("bench", url, transport=way(url))

            async def many(model: HttpModel = model) -> None:
                await model.acomplete(asked(Item("", {"n": 0})))
                lane = iter(range(n))

                async def drain() -> None:
                    for k in lane:
                        await model.acomplete(asked(Item("", {"n": k})))

                await asyncio.gather(*(drain() for _ in range(AT_ONCE)))
                await model.aclose()

            used = []
            for _ in range(repeats):
                cpu = time.process_time()
                asyncio.run(many())
                used.append(1000 * (time.process_time() - cpu) / n)
            found[name] = round(statistics.median(used), 3)
    return found


def timed(action: Callable[[int], object], n: int) -> dict[str, float]:
    """Microseconds: median and 99th percentile of each, and how many a second overall."""
    took = np.empty(n)
    begin = time.perf_counter()
    for k in range(n):
        start = time.perf_counter_ns()
        action(k)
        took[k] = (time.perf_counter_ns() - start) / 1000
    whole = time.perf_counter() - begin
    return {
        "median_us": round(float(np.median(took)), 1),
        "p99_us": round(float(np.quantile(took, 0.99)), 1),
        "per_second": round(n / whole),
    }


def cache() -> dict[str, Any]:
    """Writes and reads, in the order of a hash, which is no order."""
    keys = [key_of("bench", asked(Item("", {"n": n}))) for n in range(ROWS)]
    answer = Answer("An answer of some length. " * 20, "bench", "stop", Usage(60, 120), 0.5)
    with tempfile.TemporaryDirectory() as place:
        with Cache(Path(place) / "cache") as file:
            writes = timed(lambda k: file.put(keys[k], answer, "bench@1"), ROWS)
            reads = timed(lambda k: file.get(keys[k]), ROWS)
            absent = timed(lambda k: file.get(f"{k:064x}"), ROWS)
        size = (Path(place) / "cache").stat().st_size / 2**20
        with Journal(Path(place) / "journal") as journal:
            entry = {"id": "i", "text": answer.text}
            puts = timed(lambda k: journal.put(Entry(k, f"i{k}", "done", value=entry)), ROWS)
    return {
        "cache, write": writes,
        "cache, read": reads,
        "cache, not there": absent,
        "journal, write": puts,
        "cache_mib": round(size, 1),
    }


def priority() -> str:
    """How the system lets this process run."""
    first = hasattr(os, "sched_getscheduler") and os.sched_getscheduler(0) == os.SCHED_FIFO
    return "client and server ran before others (chrt -f 1)" if first else "no priority was set"


def report(found: dict[str, Any]) -> str:
    """The tables."""
    lines = [
        "# Speed of a run over a model",
        "",
        f"Command: `{found['command']}`. Machine: {found['machine']}.",
        f"{ITEMS:,} items, a server that answers after {1000 * DELAY:g} ms, {AT_ONCE} at once; the",
        f"ideal is {IDEAL:.2f} seconds. The server runs on the same machine, and bare sockets show",
        "what any client could reach there at that moment. A timer never rings early, so answers",
        "take a little longer than they should; the fifth column is beside the ideal at their real",
        f"time. Load average of the machine before the runs: {found['load']}; {found['priority']}.",
        "",
        "| run | seconds | of the ideal throughput | answers took ms | of the ideal at that | "
        "processor ms an item | MiB at each tenth |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, runs in found["throughput"].items():
        for one in runs:
            lines.append(
                f"| {name} | {one['seconds']:.2f} | {100 * one['share_of_ideal']:.1f} % | "
                f"{one['answer_ms']} | "
                f"{100 * one['share_of_ideal'] * one['answer_ms'] / (1000 * DELAY):.1f} % | "
                f"{one['cpu_ms_per_item']} | {', '.join(f'{m:g}' for m in one['memory_mib'])} |"
            )
    lines += ["", "| a call over | processor ms |", "|---|---|"]
    lines += [f"| {name} | {ms} |" for name, ms in found["calls"].items()]
    lines += ["", f"{ROWS:,} of each:", "", "| what | median µs | p99 µs | a second |"]
    lines.append("|---|---|---|---|")
    for name, one in found["files"].items():
        if isinstance(one, dict):
            lines.append(
                f"| {name} | {one['median_us']} | {one['p99_us']} | {one['per_second']:,} |"
            )
    lines += ["", f"The cache of {ROWS:,} answers takes {found['files']['cache_mib']} MiB."]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and write metrics.json and report.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--out", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--serve", type=float)
    given = parser.parse_args()
    if given.serve is not None:
        asyncio.run(serve(given.serve))
        return
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    found = {
        "command": "python benchmarks/llm.py --out results/benchmark-llm",
        "machine": machine,
        "load": round(os.getloadavg()[0], 1),
        "priority": priority(),
        "throughput": throughput(given.repeats),
        "calls": calls(given.repeats),
        "files": cache(),
    }
    print(report(found))
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        text = json.dumps(found, indent=1) + "\n"
        (given.out / "metrics.json").write_text(text, encoding="utf-8")
        (given.out / "report.md").write_text(report(found), encoding="utf-8")


if __name__ == "__main__":
    main()
