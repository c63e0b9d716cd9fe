"""A server that is killed again and again: is anything lost that was acknowledged, or there twice?

    python -m benchmarks.serve_kill --rounds 200 --out results/serve-kill

Eight writers post messages with idempotency keys while the server is killed (SIGKILL) at a random
moment; it is started again on the same file, and every message whose answer had come must be there
once, with its reply, its safety decision and its place; posts whose answer was cut off are sent
again with the same key. At the end SQLite checks the file and the audit trail is followed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.served import Client, Served, free_port, kill, start

from untwist.serve.store import open_store

WRITERS = 8


@dataclass
class Writer:
    """One person and what was acknowledged to them."""

    key: str = ""
    session: str = ""
    acknowledged: dict[str, str] = field(default_factory=dict)
    unsure: tuple[str, str] | None = None
    sent: int = 0


async def write(port: int, writer: Writer) -> None:
    """Post until the server is gone."""
    try:
        async with Client(port, writer.key) as client:
            if not writer.session:
                await _begin(client, writer)
            while True:
                if writer.unsure is None:
                    writer.sent += 1
                    writer.unsure = (f"key-{writer.sent}", f"message {writer.sent} was hard")
                key, text = writer.unsure
                path = f"/api/sessions/{writer.session}/messages"
                status, _, body = await client.ask(
                    "POST", path, {"text": text}, Idempotency_Key=key
                )
                if status == 200:
                    writer.acknowledged[key] = json.loads(body)["id"]
                    writer.unsure = None
                if writer.sent % 30 == 0 and writer.unsure is None:
                    await _session(client, writer)
    except (OSError, asyncio.IncompleteReadError):
        return


async def _begin(client: Client, writer: Writer) -> None:
    _, _, made = await client.ask("POST", "/api/people", {})
    client.key = writer.key = json.loads(made)["key"]
    await _session(client, writer)


async def _session(client: Client, writer: Writer) -> None:
    _, _, made = await client.ask("POST", "/api/sessions", {})
    writer.session = json.loads(made)["id"]


def _acknowledged(writers: list[Writer]) -> int:
    return sum(len(writer.acknowledged) for writer in writers)


async def one_round(server: Served, writers: list[Writer], rng: random.Random) -> None:
    """Writers at work until the kill."""
    posts = [asyncio.create_task(write(server.port, writer)) for writer in writers]
    before, more = _acknowledged(writers), rng.randint(1, 40)
    while _acknowledged(writers) < before + more and not all(post.done() for post in posts):
        await asyncio.sleep(0.001)
    await asyncio.sleep(rng.uniform(0, 0.05))
    await asyncio.to_thread(kill, server)
    await asyncio.gather(*posts)


def check(db: Path, writers: list[Writer]) -> dict[str, int]:
    """What is lost, doubled, out of order or broken."""
    found = {"lost": 0, "doubled": 0, "without_reply": 0, "gaps": 0, "acknowledged": 0}
    with closing(sqlite3.connect(db)) as raw:
        rows = raw.execute("SELECT id, finished, reply FROM turns").fetchall()
        gaps = raw.execute(
            "SELECT count(*) FROM (SELECT conversation, count(*) n, max(seq) + 1 m FROM turns "
            "GROUP BY conversation) WHERE n != m"
        ).fetchone()
        found["integrity_ok"] = int(raw.execute("PRAGMA integrity_check").fetchone() == ("ok",))
    kept = {row[0]: row for row in rows}
    for writer in writers:
        names = list(writer.acknowledged.values())
        found["acknowledged"] += len(names)
        found["doubled"] += len(names) - len(set(names))
        found["lost"] += sum(name not in kept for name in names)
        found["without_reply"] += sum(name in kept and kept[name][2] is None for name in names)
    found["gaps"] = int(gaps[0])
    store = open_store(f"sqlite:///{db}")
    found["trail_holds"] = int(store.trail_break().result() is None)
    store.close()
    return found


def main() -> None:
    """Run and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    writers = [Writer() for _ in range(WRITERS)]
    restarts = []
    with tempfile.TemporaryDirectory() as folder:
        db = Path(folder) / "kill.db"
        port = free_port()
        for _ in range(given.rounds):
            server = start(f"sqlite:///{db}", port=port)
            restarts.append(server.ready)
            asyncio.run(one_round(server, writers, rng))
        began = time.monotonic()
        found = check(db, writers)
    report = {
        "command": f"python -m benchmarks.serve_kill --rounds {given.rounds} --seed {given.seed}",
        "rounds": given.rounds,
        "writers": WRITERS,
        **found,
        "restart_s": {
            "median": round(sorted(restarts)[len(restarts) // 2], 2),
            "max": round(max(restarts), 2),
        },
        "check_s": round(time.monotonic() - began, 2),
    }
    text = json.dumps(report, indent=1)
    print(text)
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "metrics.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
