"""A run that is killed loses no item, doubles none, and repeats no call that was completed."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.servers.misbehaving import Misbehaving

pytestmark = [
    pytest.mark.loopback,
    pytest.mark.skipif(os.name != "posix", reason="no SIGKILL"),
]
SCRIPT = Path(__file__).with_name("killed_run.py")
AT_ONCE = 8


class Executioner:
    """Answers every question, and ends who asks at the question that was drawn."""

    def __init__(self):
        self.asked, self.victim, self.left = [], None, -1

    def __call__(self, body, n):
        question = body["messages"][-1]["content"]
        self.asked.append(question)
        self.left -= 1
        if self.left == 0:
            self.victim.kill()
        return f"about {question}"


def _kept(folder):
    """How many questions the cache has, and the items that the journal has."""
    kept = []
    for name, query in (
        ("cache.sqlite", "SELECT value FROM answer"),
        ("run.journal", "SELECT id FROM entry"),
    ):
        if not (folder / name).exists():
            kept.append([])
            continue
        with closing(sqlite3.connect(folder / name)) as file:
            kept.append([row[0] for row in file.execute(query)])
    answers, items = kept
    asked = {json.loads(value)["text"].removeprefix("about ") for value in answers}
    return asked, Counter(items)


def _killed_and_resumed(folder, n, kills, rng):
    judge = Executioner()
    completed, repeated, died = set(), [], 0
    with Misbehaving(says=judge) as server:
        command = [sys.executable, str(SCRIPT), server.url, str(folder), str(n)]
        points = np.diff(np.sort(rng.choice(2 * n - 2, kills, replace=False)) + 1, prepend=0)
        for left in [*map(int, points), -1]:
            before = len(judge.asked)
            judge.left = left
            judge.victim = subprocess.Popen(command)
            code = judge.victim.wait()
            died += code == -signal.SIGKILL
            repeated += [q for q in judge.asked[before:] if q in completed]
            asked, items = _kept(folder)
            # what was known before is known still
            assert completed <= asked
            assert set(items.values()) <= {1}
            completed = asked
    assert code == 0
    assert repeated == []
    return judge, died


def _check(folder, n, judge, died):
    rows = [json.loads(line) for line in (folder / "out.jsonl").read_text("utf-8").splitlines()]
    assert [row["id"] for row in rows] == [f"i{k:04}" for k in range(n)]
    assert all(row["said"][1] == f"about {row['id']} second" for row in rows)
    # only what was on its way when the run died was asked again
    again = len(judge.asked) - 2 * n
    assert again <= died * AT_ONCE
    assert max(Counter(judge.asked).values()) <= 1 + died


def test_a_run_that_is_killed_twice_has_every_item_once(tmp_path):
    judge, died = _killed_and_resumed(tmp_path, 40, 2, np.random.default_rng(5))
    assert died == 2
    _check(tmp_path, 40, judge, died)


@pytest.mark.slow
def test_a_run_of_2000_that_is_killed_at_50_random_points_has_every_item_once(tmp_path):
    judge, died = _killed_and_resumed(tmp_path, 2000, 50, np.random.default_rng(11))
    assert died == 50
    _check(tmp_path, 2000, judge, died)
