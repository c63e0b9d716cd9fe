"""The hall with a language model as the responder."""

import pytest

from tests.fakes import FakeDetector, FakeResponder, FakeStream
from untwist.engine import Engine, load_detector, load_generated
from untwist.errors import ConfigError, DataError, ModelError, SafetyError
from untwist.llm import ScriptedModel
from untwist.ports import StreamingResponder
from untwist.respond import GeneratedResponder, ReplyGuard, ScriptedResponder
from untwist.safety import help_block
from untwist.schema import Turn, Utterance
from untwist.taxonomy import Distortion, Risk

_HEARS = FakeDetector({"loser": Distortion.LABELING})
GOOD = "You call yourself a loser, and it hurts. What happened just before that?"


def engine(*answers, detector=_HEARS):
    responder = GeneratedResponder(ScriptedModel(list(answers)))
    return Engine(detector, responder=responder, guard=responder.guard), responder.model


def streamed(hall, text, history=(), earlier=()):
    stream, shown = hall.stream(text, history, earlier), []
    while True:
        try:
            shown.append(next(stream))
        except StopIteration as ended:
            return shown, ended.value


def test_the_turn_says_that_the_model_spoke():
    turn = engine(GOOD)[0].turn("I am a loser")
    assert turn.reply.text == GOOD
    assert turn.reply.responder == turn.versions["responder"] == "llm:scripted@1/turn@1"
    assert turn.verdict.passed
    assert not turn.replaced
    assert Turn.from_dict(turn.to_dict()).reply == turn.reply


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        ("You must rest. What happened?", "G10"),
        (ModelError("no", reason="timeout"), "model:timeout"),
    ],
)
def test_the_turn_keeps_why_the_scripts_spoke_instead_and_goes_on_at_the_same_step(answer, rule):
    turn = engine(answer)[0].turn("I am a loser")
    scripted = Engine(_HEARS, responder=ScriptedResponder(True)).turn("I am a loser")
    assert turn.reply == scripted.reply
    assert turn.reply.responder.startswith("scripted@")
    assert rule in turn.verdict.rules
    assert turn.replaced
    assert Turn.from_dict(turn.to_dict()).verdict == turn.verdict


def test_a_stream_gives_the_sentences_and_then_the_same_turn():
    shown, turn = streamed(engine(GOOD)[0], "I am a loser")
    assert len(shown) == 2
    assert "".join(shown) == turn.reply.text
    assert turn == engine(GOOD)[0].turn("I am a loser")


def test_what_was_shown_of_a_reply_that_breaks_off_is_no_beginning_of_what_is_said():
    broken = "You call yourself a loser, and it hurts to read. I promise it ends. What happened?"
    responder = GeneratedResponder(FakeStream([broken]))
    shown, turn = streamed(Engine(_HEARS, responder=responder), "I am a loser")
    assert shown == ["You call yourself a loser, and it hurts to read. "]
    assert turn.replaced
    assert not turn.reply.text.startswith(shown[0])


def test_scripted_replies_come_whole_at_the_end():
    shown, turn = streamed(Engine(_HEARS), "I am a loser")
    assert shown == []
    assert turn == Engine(_HEARS).turn("I am a loser")


@pytest.mark.parametrize("text", ["I want to die", "我想自杀"])
def test_in_danger_nothing_is_asked_of_the_model_and_nothing_streamed(text):
    hall, model = engine(*[GOOD] * 9, detector=load_detector())
    shown, turn = streamed(hall, text)
    assert turn.assessment.risk is Risk.HIGH
    assert turn.verdict.passed
    # nor while the crisis is not over
    talk = [turn.assessment.utterance, Utterance(turn.reply.text, role="assistant")]
    later, after = streamed(hall, "never mind, I failed my exam, I'm a loser", talk, (turn,))
    assert after.reply.responder.startswith(("scripted@", "help-block@"))
    assert shown == later == model.requests == []


def test_a_message_that_cannot_be_read_and_a_hall_that_fails_are_told_apart():
    hall = Engine(_HEARS, responder=FakeResponder(ZeroDivisionError("x")))
    with pytest.raises(DataError):
        next(hall.stream(" "))
    with pytest.raises(SafetyError) as failed:
        next(hall.stream("I am a loser"))
    assert help_block("en", None) in str(failed.value)


def test_a_guard_that_refuses_everything_has_the_last_word():
    class Never:
        def check(self, reply, assessment):
            return ReplyGuard().check_text("", Risk.NONE)

    hall = Engine(_HEARS, responder=GeneratedResponder(ScriptedModel([GOOD])), guard=Never())
    turn = hall.turn("I am a loser")
    assert turn.reply.responder == "help-block@1"
    assert turn.replaced


def test_a_responder_is_found_by_name(tmp_path):
    script = tmp_path / "answers.jsonl"
    script.write_text(f'"{GOOD}"\n', encoding="utf-8")
    hall = Engine.default(responder=f"llm:scripted:{script}", region="GB")
    assert isinstance(hall.responder, StreamingResponder)
    assert hall.responder.fallback.region == "GB"
    assert hall.guard.strict
    assert hall.turn("I am a loser at everything I do").reply.text == GOOD
    with pytest.raises(ConfigError, match="no responder"):
        load_generated("gpt")
    assert not isinstance(Engine.default().responder, StreamingResponder)
