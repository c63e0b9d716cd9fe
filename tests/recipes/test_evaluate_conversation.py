"""Simulated conversations: what is counted, and the folder that is left."""

import json

import pytest

from tests.respond.build import chosen, heard
from untwist.engine import Engine
from untwist.errors import ConfigError, SafetyError
from untwist.recipes.conversation_faults import FAULTS, Talk, ended, faults_of
from untwist.recipes.evaluate_conversation import EvaluateConversation, run
from untwist.schema import Reply, Step, Turn, Verdict
from untwist.taxonomy import Distortion, Risk, Strategy

A0, A2 = Strategy.EMPATHIC_VALIDATION, Strategy.EXAMINE_EVIDENCE


def turn(
    text, name="settle", branch=None, *, target=None, risk=Risk.NONE, strategy=A2, parts=("x",)
):
    step = Step("frame", name, strategy, target, None, branch)
    crisis = strategy is Strategy.CRISIS_INTERVENTION
    reply = Reply(text, "en", strategy, parts, "made-up", None if crisis else step)
    return Turn(heard("words", risk=risk), chosen(), reply, Verdict(True))


def faults(*turns):
    return {name: count for name, count in faults_of(Talk(turns, "B")).items() if count}


def test_a_plain_conversation_has_no_fault():
    assert faults(turn("What happened?"), turn("What did you think?", "thought")) == {}


@pytest.mark.parametrize(
    ("turns", "fault"),
    [
        ((turn("Why?"), turn("Why?", "thought")), "repeated"),
        (tuple(turn(f"Again {n}?") for n in range(3)), "loop"),
        ((turn("I see."),), "dead end"),
        ((turn("One? Two?"),), "two questions"),
        ((turn("Then?", "small_step"),), "early advice"),
        ((turn("You should rest. Will you?"),), "early advice"),
        ((turn("Well?", risk=Risk.HIGH),), "no safety"),
        ((turn("Call?", strategy=Strategy.CRISIS_INTERVENTION),), "alarm"),
        ((turn("Call 5551234, will you?"),), "number"),
        (
            (
                turn("A?", "for", target=Distortion.LABELING),
                turn("B?", "against", target=Distortion.MIND_READING),
            ),
            "dropped thread",
        ),
    ],
)
def test_every_fault_is_counted(turns, fault):
    assert fault in faults(*turns)
    assert fault in FAULTS


def test_what_is_quoted_is_the_persons_question_and_not_the_programs():
    assert faults(turn("You wrote “why me? why now?”. What happened?")) == {}


def test_an_end_is_a_balanced_thought_that_was_answered_or_a_farewell():
    asked = turn("How would you put it?", "balanced")
    assert ended(Talk((asked,), "B")) == "open"
    assert ended(Talk((asked, turn("And now?", "small_step")), "B")) == "balanced"
    assert ended(Talk((turn("Bye.", branch="farewell"),), "B")) == "stopped"
    assert ended(Talk((), "B", "SafetyError")) == "crash"


def test_a_run_leaves_a_folder_with_metrics_report_and_talks(tmp_path):
    config = EvaluateConversation(out=str(tmp_path / "run"), talks=1, turns=4)
    path, metrics = run(config, Engine.default(conversation=True))
    assert {f.name for f in path.iterdir()} >= {"metrics.json", "report.md", "talks.md"}
    for lang in ("en", "zh"):
        found = metrics["langs"][lang]
        assert (found["conversations"], found["replies"], found["crashes"]) == (1, 4, 0)
    again = EvaluateConversation(out=str(tmp_path / "again"), talks=1, turns=4)
    same = run(again, Engine.default(conversation=True))[0] / "metrics.json"
    assert json.loads(same.read_text(encoding="utf-8")) == json.loads(
        (path / "metrics.json").read_text(encoding="utf-8")
    )


def test_an_engine_that_fails_is_counted_as_a_crash(tmp_path):
    class Failing:
        def __init__(self, engine):
            self.engine = engine

        def __getattr__(self, name):
            return getattr(self.engine, name)

        def turn(self, *args):
            raise SafetyError("no reply could be made")

    config = EvaluateConversation(out=str(tmp_path / "run"), talks=1, turns=2, langs=("en",))
    import untwist.recipes.evaluate_conversation as recipe

    engine = Failing(Engine.default(conversation=True))
    original, recipe._remembering = recipe._remembering, lambda one: one
    try:
        _, metrics = run(config, engine)
    finally:
        recipe._remembering = original
    assert metrics["langs"]["en"]["crashes"] == 1


def test_no_conversation_and_no_language_are_refused():
    with pytest.raises(ConfigError, match="at least one"):
        EvaluateConversation(out="x", talks=0)
    with pytest.raises(ConfigError, match="langs"):
        EvaluateConversation(out="x", langs=("fr",))
