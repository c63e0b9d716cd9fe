"""A run against a server that misbehaves: no malformed row, and every failure counted."""

import json
from collections import Counter

import pytest

from tests.servers.misbehaving import BEHAVIOURS, TEXT, Misbehaving
from untwist.generate import Item, Journal, Result, run, write_rows
from untwist.llm import HttpModel, Limits, Request

pytestmark = pytest.mark.loopback
GOOD = ("ok", "stream", "thinking")
BAD = sorted(set(BEHAVIOURS) - {*GOOD, "silent"})


def test_a_server_that_misbehaves_leaves_no_malformed_row_and_every_failure_is_counted(tmp_path):
    wanted = [*GOOD, *BAD] * 3

    def behave(body, n):
        return body["messages"][0]["content"]

    items = [Item(f"i{n}", {"as": name}) for n, name in enumerate(wanted)]
    with Misbehaving(behave) as server, Journal(tmp_path / "run.journal") as journal:
        model = HttpModel("m", server.url, limits=Limits(retries=0), largest=50_000)

        async def work(item):
            request = Request(({"role": "user", "content": item.value["as"]},))
            return Result({"id": item.id, "text": (await model.acomplete(request)).text})

        summary = run(items, work, journal, concurrency=16)
        write_rows(tmp_path / "out.jsonl", (e.value for e in journal.entries("done")))
        failed = list(journal.entries("failed"))
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_bytes().splitlines()]
    good = [item.id for item in items if item.value["as"] in GOOD]
    assert rows == [{"id": name, "text": TEXT} for name in good]
    assert not summary.ok
    assert summary.failed == Counter(entry.reason for entry in failed)
    assert sum(summary.failed.values()) == 3 * len(BAD)
    assert set(summary.failed) == {
        "rate", "server", "client", "cut", "empty", "not_json", "bad_encoding", "html", "endless",
        "refused",
    }  # fmt: skip
