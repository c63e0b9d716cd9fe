"""Rewrites the golden conversations: `python tests/golden/conversations.py`; then read them.

Some were written by hand, the others are of simulated people. What was heard and chosen is kept
beside each message, so that they are about the words of the program and nothing else.
"""

import json
from pathlib import Path

import numpy as np

from untwist.engine import Engine
from untwist.policy.talking import TalkingPatient
from untwist.recipes.evaluate_conversation import EvaluateConversation, _pool
from untwist.recipes.rows import quiet
from untwist.schema import Turn, Utterance

HERE = Path(__file__).parent
SIMULATED, TURNS = 36, 14
WRITTEN = json.loads((HERE / "written.json").read_text(encoding="utf-8"))
"""What the person says in the conversations that were written by hand."""


def row_of(turn: Turn) -> dict:
    """What a responder is told of a message, and what it said."""
    heard, choice = turn.assessment, turn.choice
    row = {
        "user": heard.utterance.text,
        "target": choice.target and choice.target.value,
        "strategy": choice.strategy.value,
        "found": [list(f.to_dict().values()) for f in heard.findings],
        "intensity": heard.intensity and heard.intensity.value,
        "risk": heard.risk.value,
        "acuity": [a.value for a in heard.acuity],
        "reasons": list(heard.reasons),
        "reply": turn.reply.text,
    }
    return {key: value for key, value in row.items() if value not in (None, [], "none")}


def spoken(engine: Engine, messages: list[str]) -> list[dict]:
    """A conversation whose messages are known beforehand."""
    history: list[Utterance] = []
    turns: list[Turn] = []
    for text in messages:
        turn = engine.turn(text, history, turns)
        turns.append(turn)
        reply = Utterance(turn.reply.text, turn.reply.lang, role="assistant")
        history += [turn.assessment.utterance, reply]
    return [row_of(turn) for turn in turns]


def simulated(engine: Engine, patient: TalkingPatient, rng: np.random.Generator) -> list[dict]:
    """A conversation with a simulated person."""
    history: list[Utterance] = []
    turns: list[Turn] = []
    message: Utterance | None = patient.begin(rng)
    while message is not None:
        turn = engine.turn(message, history, turns)
        turns.append(turn)
        history += [message, Utterance(turn.reply.text, turn.reply.lang, role="assistant")]
        message = patient.respond(turn.reply, rng)
    return [row_of(turn) for turn in turns]


def main() -> None:
    """Write both files."""
    engine = Engine.default(conversation=True)
    pool = _pool(EvaluateConversation(out="unused"), quiet)
    for lang, written in WRITTEN.items():
        talks = [{"id": f"written-{n}", "turns": spoken(engine, m)} for n, m in enumerate(written)]
        for number in range(SIMULATED):
            patient = TalkingPatient(pool, "en" if lang == "en" else "zh", turns=TURNS)
            turns = simulated(engine, patient, np.random.default_rng([7, number]))
            talks.append({"id": f"simulated-{number}", "turns": turns})
        text = json.dumps(talks, ensure_ascii=False, indent=1) + "\n"
        (HERE / f"conversations_{lang}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
