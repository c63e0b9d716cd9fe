"""Rewrites the golden turns: `python tests/golden/update.py`."""

import json
from pathlib import Path

from untwist.engine import Engine

MESSAGES = {
    "en": [
        "She read my message and didn't answer. She must be sick of me.",
        "I got one question wrong in the interview, so the whole thing was a failure.",
        "I should be over this by now. I have no right to still be upset.",
        "It's my fault that my parents split up.",
        "Thanks, that helped a bit.",
        "My dog died on Tuesday and the house is very quiet.",
        "I don't want to be here any more.",
        "My friend told me she wants to kill herself and I don't know what to do.",
    ],
    "zh": [
        "他没回我消息，肯定是讨厌我了",
        "要么做到最好，要么就别做，差一点就等于零",
        "我应该永远让爸妈满意，不然就是不孝",
        "爸妈离婚都是因为我",
        "谢谢，好一点了",
        "外婆上个月走了，家里特别安静",
        "我不想活了",
        "我朋友说她不想活了，我不知道该怎么办",
    ],
}


def turn_of(message: str) -> dict:
    """The parts of a turn that must not change unnoticed; scores to two places."""
    turn = Engine.default(region="CN" if message > "\u2e80" else "US").turn(message).to_dict()
    heard = turn["assessment"]
    return {
        "findings": [[f["distortion"], round(f["score"], 2)] for f in heard["findings"]],
        "intensity": heard["intensity"],
        "risk": heard["risk"],
        "acuity": heard["acuity"],
        "choice": turn["choice"],
        "reply": turn["reply"]["text"],
        "verdict": turn["verdict"],
        "replaced": turn["replaced"],
    }


def main() -> None:
    """Write both files."""
    for lang, messages in MESSAGES.items():
        rows = [{"message": message, "turn": turn_of(message)} for message in messages]
        text = json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
        Path(__file__).with_name(f"turns_{lang}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
