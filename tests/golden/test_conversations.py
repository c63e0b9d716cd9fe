"""Whole conversations that were read through and accepted, word for word.

After an intended change: `python tests/golden/conversations.py`, then read what changed.
"""

import json
from pathlib import Path

import pytest

from untwist.respond import ReplyGuard, ScriptedResponder
from untwist.schema import Assessment, Choice, Finding, Turn, Utterance
from untwist.taxonomy import Acuity, Distortion, Intensity, Risk, Strategy

HERE = Path(__file__).parent
TALKS = [
    (lang, talk)
    for lang in ("en", "zh")
    for talk in json.loads((HERE / f"conversations_{lang}.json").read_text(encoding="utf-8"))
]


def heard(row, lang):
    target = Distortion(row["target"]) if "target" in row else None
    findings = tuple(
        Finding(Distortion(name), score, start, end)
        for name, score, start, end in row.get("found", ())
    )
    return Assessment(
        Utterance(row["user"]),
        findings,
        Intensity(row["intensity"]) if "intensity" in row else None,
        Risk(row.get("risk", "none")),
        tuple(Acuity(a) for a in row.get("acuity", ())),
        tuple(row.get("reasons", ())),
        "golden",
    ), Choice(Strategy(row["strategy"]), target, "gold" if target else "validation", "golden")


def test_there_are_forty_golden_conversations_per_language():
    assert [sum(code == lang for code, _ in TALKS) for lang in ("en", "zh")] == [40, 40]


@pytest.mark.parametrize(("lang", "talk"), TALKS, ids=[f"{lang}-{t['id']}" for lang, t in TALKS])
def test_the_conversation_is_word_for_word_as_accepted(lang, talk):
    responder, guard = ScriptedResponder(conversation=True), ReplyGuard(conversation=True)
    history: list[Utterance] = []
    turns: list[Turn] = []
    for row in talk["turns"]:
        assessment, choice = heard(row, lang)
        reply = responder.reply(choice, assessment, history, turns)
        assert reply.text == row["reply"]
        assert reply.lang == lang
        verdict = guard.check(reply, assessment)
        assert verdict.passed
        turns.append(Turn(assessment, choice, reply, verdict))
        history += [assessment.utterance, Utterance(reply.text, role="assistant")]
    texts = [row["reply"] for row in talk["turns"]]
    assert len(set(texts)) == len(texts)
