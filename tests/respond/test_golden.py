"""Replies that were read aloud and accepted, word for word.

Each case is one conversation; a change of wording is a decision and shows here.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.respond.build import chosen, heard
from untwist.respond import ReplyGuard, ScriptedResponder
from untwist.schema import Utterance
from untwist.taxonomy import Acuity, Distortion, Intensity, Risk, Strategy

GOLDEN = Path(__file__).parent.parent / "golden"
CASES = [
    (lang, case)
    for lang in ("en", "zh")
    for case in json.loads((GOLDEN / f"respond_{lang}.json").read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("lang", "case"), CASES, ids=[f"{lang}-{c['id']}" for lang, c in CASES])
def test_the_reply_is_word_for_word_as_accepted(lang, case):
    responder = ScriptedResponder(case.get("conversation", False), case.get("region"))
    history: list[Utterance] = []
    for turn in case["turns"]:
        target = Distortion(turn["target"]) if "target" in turn else None
        strategy = Strategy(turn["strategy"]) if "strategy" in turn else None
        assessment = heard(
            turn["user"],
            target,
            turn.get("span"),
            Intensity(turn["intensity"]) if "intensity" in turn else None,
            Risk(turn.get("risk", "none")),
            tuple(Acuity(a) for a in turn.get("acuity", ())),
            tuple(turn.get("reasons", ())),
        )
        reply = responder.reply(chosen(target, strategy), assessment, history)
        assert reply.text == turn["reply"]
        assert reply.lang == lang
        assert ReplyGuard().check(reply, assessment).passed
        history += [assessment.utterance, Utterance(reply.text, role="assistant")]
