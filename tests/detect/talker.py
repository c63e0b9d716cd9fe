"""A model that answers the detection question by its own rules: no test needs a real one."""

import json
import re

from untwist.llm import ScriptedModel
from untwist.taxonomy import CANONICAL

LABEL = CANONICAL[0]


def message_in(request):
    """What stands between the marks of the last question."""
    said = request.messages[-1]["content"]
    return re.search(r"<(message(?:-\d+)?)>\n(.*)\n</\1>\Z", said, re.DOTALL)[2]


def answer(findings, intensity=None, risk="none"):
    """An answer with findings as (label, quote)."""
    rows = [{"label": label, "quote": quote} for label, quote in findings]
    intensity = intensity or ("moderate" if rows else None)
    return json.dumps({"findings": rows, "intensity": intensity, "risk": risk}, ensure_ascii=False)


def _says(request):
    text = message_in(request)
    if "apples" in text or (not text.isalpha() and len(text) < 3):
        return answer([])
    return answer([(LABEL, text.strip()[:40])])


def model():
    """Hears one distortion in everything but apples and what is hardly a word."""
    return ScriptedModel(_says, "talker@1")
