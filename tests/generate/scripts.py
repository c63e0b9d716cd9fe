"""Models that answer each prompt as told, found by the prompt's name; nothing is asked outside."""

import json

from untwist.errors import ModelError
from untwist.llm import Answer, ScriptedModel, Usage
from untwist.recipes import publish, runfolder


def told(answers, name="fake@1", cost=0.01):
    """A model that answers by prompt; a value may be a list (in turn), an error, or a function."""

    def say(request):
        which = request.prompt.split(".")[0]
        said = answers[which]
        if callable(said):
            said = said(request)
        if isinstance(said, list):
            said = said.pop(0)
        if isinstance(said, Exception):
            return said
        text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
        return Answer(text, name, usage=Usage(100, 20), seconds=0.5, cost=cost)

    return ScriptedModel(say, name)


def annotation(*findings, intensity="moderate", risk="none", rationale="A leap from one event."):
    """An answer to the annotator's question; findings are pairs of label and quote."""
    return {
        "findings": [{"label": d, "quote": q, "why": "The words go further."} for d, q in findings],
        "rationale": rationale,
        "intensity": intensity if findings else None,
        "risk": risk,
    }


def message_of(request):
    """What the last message of a request holds."""
    return request.messages[-1]["content"]


def timeout():
    return ModelError("no answer in 60 s", reason="timeout", retryable=True)


def quick(monkeypatch):
    """Leaves out what takes time and is tested elsewhere: pictures, the package's own digest."""
    monkeypatch.setattr(publish, "find_spec", lambda name: None)
    monkeypatch.setattr(runfolder, "_sha256_of_package", lambda package: "0" * 64)
