"""A failure at any call of a turn ends in the help block, never in "no risk" or in silence."""

import sys
from pathlib import Path

import pytest

import untwist
from untwist import Engine
from untwist.errors import SafetyError
from untwist.schema import Utterance
from untwist.taxonomy import Risk

HERE = f"{Path(untwist.__file__).parent}/"
MESSAGES = [
    ("I want to die", ()),
    ("my boss hates me, I will be fired", ()),
    (
        "没什么，当我没说",
        (Utterance("我不想活了"), Utterance("你现在有自杀的念头吗？", role="assistant")),
    ),
]


SHELL = ("Engine.turn", "Engine.stream", "_ended")
"""What stands around the handler itself."""


class Injected(Exception):
    """What the test throws into a call."""


def _ours(frame):
    """The module of a frame inside the package, wherever that is installed; None outside it."""
    file = frame.f_code.co_filename
    return file.removeprefix(HERE) if file.startswith(HERE) else None


def _called(engine, message, history):
    """Every function of ours that a turn calls once everything has been loaded, and the turn."""
    engine.turn(message, history)
    seen = {}

    def watch(frame, event, arg):
        where = _ours(frame)
        if event == "call" and where:
            seen[where, frame.f_code.co_qualname] = frame.f_code

    sys.setprofile(watch)
    try:
        turn = engine.turn(message, history)
    finally:
        sys.setprofile(None)
    return seen, turn


def _failing_at(code, engine, message, history):
    """A turn in which the first call of this code throws."""

    def throw(frame, event, arg):
        if event == "call" and frame.f_code is code:
            raise Injected("made to fail")

    before = sys.gettrace()
    sys.settrace(throw)
    try:
        return engine.turn(message, history)
    finally:
        sys.settrace(before)


@pytest.mark.parametrize(("message", "history"), MESSAGES)
def test_a_failure_at_any_call_shows_the_help_block_and_never_lowers_the_level(message, history):
    engine = Engine.default(conversation=True, region="US")
    calls, turn = _called(engine, message, history)
    assert len(calls) > 80
    for (where, name), code in calls.items():
        if name in SHELL:
            continue
        with pytest.raises(SafetyError, match="988") as caught:
            _failing_at(code, engine, message, history)
        assert message not in str(caught.value), (where, name)
    assert turn.assessment.risk > Risk.NONE or "boss" in message
