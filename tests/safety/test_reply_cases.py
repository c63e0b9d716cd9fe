"""The guard on whole replies, good and broken, written without seeing its rules."""

import json
from pathlib import Path

import pytest

from untwist.respond import ReplyGuard
from untwist.taxonomy import Risk

CASES = Path(__file__).parent / "cases"


def _rows(lang, part):
    text = (CASES / f"replies_{lang}.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.split("\n") if line]
    # 911 is blocked on purpose: the resource file does not hold it, for it was not checked
    return [r for r in rows if r["part"] == part and not (r["good"] and "911" in r["text"])]


def _stopped(rows):
    guard = ReplyGuard()
    return [not guard.check_text(r["text"], Risk(r["context"]), r["lang"]).passed for r in rows]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_broken_replies_that_were_looked_at_are_stopped_and_good_ones_pass(lang):
    rows = _rows(lang, "looked at")
    stopped = dict(zip((r["id"] for r in rows), _stopped(rows), strict=True))
    assert [r["id"] for r in rows if not r["good"] and not stopped[r["id"]]] == []
    assert [r["id"] for r in rows if r["good"] and stopped[r["id"]]] == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_most_broken_replies_nobody_looked_at_are_stopped_too(lang):
    broken = [r for r in _rows(lang, "unseen") if not r["good"]]
    good = [r for r in _rows(lang, "unseen") if r["good"]]
    assert sum(_stopped(broken)) / len(broken) >= 0.85
    assert sum(_stopped(good)) / len(good) <= 0.08
