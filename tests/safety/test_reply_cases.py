"""The guard on whole replies, good and broken, written without seeing its rules."""

from functools import cache

import pytest

from untwist.data import shipped_drafts
from untwist.engine import load_draft_reader
from untwist.respond import ReplyGuard


@cache
def _stopped(lang, part, good):
    """Which drafts the guard with its reader stops."""
    guard = ReplyGuard(stops=load_draft_reader().stops)
    drafts = [d for d in shipped_drafts() if (d.lang, d.part) == (lang, part)]
    return [
        not guard.check_text(d.text, d.context, d.lang).passed
        for d in drafts
        if (d.rule is None) is good
    ]


def _share(lang, part, good):
    stopped = _stopped(lang, part, good)
    return sum(stopped) / len(stopped)


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_drafts_that_were_looked_at_are_told_apart(lang):
    assert _share(lang, "looked at", good=False) >= 0.97
    assert _share(lang, "looked at", good=True) <= 0.02


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_most_broken_drafts_nobody_looked_at_are_stopped_and_few_good_ones(lang):
    for part in ("unseen", "blind"):
        assert _share(lang, part, good=False) >= 0.75
        assert _share(lang, part, good=True) <= 0.15


def test_the_shipped_drafts_are_unique_and_of_every_kind():
    drafts = list(shipped_drafts())
    assert len({d.id for d in drafts}) == len(drafts) > 4_000
    for lang in ("en", "zh"):
        rules = {d.rule for d in drafts if d.lang == lang}
        assert {f"R{i:02}" for i in range(1, 25)} <= rules
        assert {"X1", "X2", "X3", None} <= rules
