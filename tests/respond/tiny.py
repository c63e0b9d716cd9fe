"""A book of scripts of one's own: the shipped texts, with small protocols made by rule.

Every text says what it is, so that a test can tell it: "for ask 3?" is the fourth question of the
step "for".
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from untwist.respond import protocol
from untwist.respond.book import scripts_of
from untwist.taxonomy import Strategy

WORK = {
    Strategy.EMPATHIC_VALIDATION: [("heaviest", "heaviest"), ("helped", "coping")],
    Strategy.EXAMINE_EVIDENCE: [("for", "evidence_for"), ("against", "evidence_against")],
    Strategy.REATTRIBUTION: [("causes", "causes"), ("shares", "factors")],
}
FIELDS = {
    "settle": "situation",
    "thought": "automatic_thought",
    "belief": "belief_before",
    "emotion": "emotions",
    "name": None,
    "balanced": "balanced_thought",
    "belief_after": "belief_after",
    "emotion_after": "emotion_after",
    "small_step": "small_step",
    "close": None,
}
TAKES = {
    "belief": "percent",
    "belief_after": "percent",
    "emotion_after": "percent",
    "name": "yes_no",
    "close": "yes_no",
    "shares": "shares",
}
CUES = {
    "agrees": ["yes", "yeah", "ok", "sure"],
    "doubts": ["useless", "pointless"],
    "unknown": ["i don't know", "no idea"],
    "refuses": ["rather not", "don't want to"],
    "new_thought": ["another thing"],
    "worse": ["feel worse", "getting worse"],
    "thanks": ["thanks", "thank you"],
    "stop": ["stop", "enough"],
    "question_to_program": ["who made you"],
}


def step(name: str, field: str | None, mark: str = "", **more: object) -> dict:
    """One step whose texts say its name."""

    def texts(kind: str, n: int, end: str) -> list[str]:
        return [f"{name}{mark} {kind} {i}{end}" for i in range(n)]

    ask = texts("ask", 8, "?")
    if name == "name":
        ask = [f"{text[:-1]} {{distortion}}?" for text in ask]
    return {
        "id": name,
        "field": field,
        "takes": TAKES.get(name, "text"),
        "intensity": None,
        "optional": True,
        "ask": ask,
        "reflect": texts("reflect", 5, "."),
        "unknown": texts("smaller", 4, "?"),
        "doubts": texts("granted", 3, "?"),
        **more,
    }


def protocols(folder: Path) -> Path:
    """A folder of scripts with the shipped English texts and protocols made by rule."""
    place = folder / "en"
    shutil.copytree(scripts_of(None) / "en", place)
    shutil.rmtree(place / "protocols")
    (place / "protocols").mkdir()
    frame = [step(name, field) for name, field in FIELDS.items()]
    _write(place / "frame.json", {"steps": frame})
    for strategy in Strategy:
        if strategy is Strategy.CRISIS_INTERVENTION:
            continue
        own = WORK.get(strategy, [("one", None), ("two", None)])
        steps = [step(name, field, f" of {strategy.value}") for name, field in own]
        write(place / "protocols" / f"{strategy.value}.json", strategy, steps)
    texts = {
        name: [f"branch {name} {i}{'?' if name in protocol.WHOLE else '.'}" for i in range(8)]
        for name in (*protocol.WHOLE, *protocol.LEADS, *protocol.ENDS)
    }
    texts["shares_under"] = [f"branch under {{sum}} of a hundred {i}?" for i in range(8)]
    _write(place / "branches.json", {"cues": CUES, "texts": texts})
    return folder


def write(path: Path, strategy: Strategy, steps: list[dict], **more: object) -> None:
    """One protocol as a file."""
    _write(path, {"strategy": strategy.value, "for": None, "steps": steps, **more})


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")
