"""Whole conversations, as a person has them: nothing is asked again, lost or answered with cold."""

import pytest

from tests.respond.build import heard
from untwist.respond import ScriptedResponder, progress
from untwist.respond.answers import kind_of
from untwist.respond.protocol import open_protocols
from untwist.schema import Assessment, Choice, Reply, Turn, Utterance, Verdict
from untwist.taxonomy import Distortion, Intensity, Risk, Strategy

NAMED = Distortion.LABELING
THOUGHT = {"en": "I'm a terrible mother", "zh": "我是个失败的妈妈"}
LISTENS = Choice(Strategy.EMPATHIC_VALIDATION, None, "validation", "made-up")
WORKS = Choice(Strategy.BEHAVIOR_VS_IDENTITY, NAMED, "gold", "made-up")


class Talk:
    """A conversation that is kept as messages alone, or as turns too."""

    def __init__(self, *, turns=False, whole_first=False):
        self.keeps, self.whole_first = turns, whole_first
        self.history: list[Utterance] = []
        self.turns: list[Turn] = []

    def say(self, text, risk=Risk.NONE, intensity=None) -> Reply:
        responder = ScriptedResponder(conversation=not self.whole_first or bool(self.history))
        found = text in THOUGHT.values()
        if found:
            assessment, choice = heard(text, NAMED, text, intensity, risk), WORKS
        else:
            assessment = Assessment(Utterance(text), (), intensity, risk, (), (), "made-up")
            choice = LISTENS
        reply = responder.reply(choice, assessment, self.history, self.turns)
        self.history += [Utterance(text), Utterance(reply.text, role="assistant")]
        if self.keeps:
            self.turns.append(Turn(assessment, choice, reply, Verdict(True)))
        return reply


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_after_a_whole_reply_the_talk_goes_on_with_the_thought_of_the_first_message(lang):
    talk = Talk(whole_first=True)
    talk.say(THOUGHT[lang])
    reply = talk.say({"en": "I shouted at him this morning", "zh": "今天早上我冲他发了火"}[lang])
    assert reply.step.target is NAMED
    assert reply.step.thought == THOUGHT[lang]
    assert reply.step.name == "belief"


@pytest.mark.parametrize("turns", [False, True])
def test_once_a_thought_is_worded_anew_there_is_no_way_back(turns):
    talk = Talk(turns=turns)
    talk.say(THOUGHT["en"], intensity=Intensity.MILD)
    names = []
    for _ in range(40):
        reply = talk.say("I was up at night with the baby and tired", intensity=Intensity.SEVERE)
        names.append(reply.step.name)
        if reply.step.branch == "farewell":
            break
    after = names[names.index("balanced") :]
    order = ("balanced", "belief_after", "emotion_after", "small_step", "close")
    assert [order.index(name) for name in after] == sorted(order.index(name) for name in after)


@pytest.mark.parametrize("answer", ["the job", "yes", "the new one"])
def test_another_thought_is_taken_up_without_the_words_of_the_first(answer):
    talk = Talk()
    talk.say(THOUGHT["en"])
    assert talk.say("can we talk about my job instead").step.branch == "new_thought"
    reply = talk.say(answer)
    assert (reply.step.name, reply.step.thought) == ("thought", None)
    assert THOUGHT["en"] not in reply.text
    assert talk.say("they will all laugh at what I wrote").step.name != "settle"


def test_whoever_says_so_stays_with_the_first_thought():
    talk = Talk()
    talk.say(THOUGHT["en"])
    talk.say("can we talk about my job instead")
    assert talk.say("the first one").step.thought == THOUGHT["en"]


@pytest.mark.parametrize("ends", [("can we stop",), ("can we stop", "no")])
def test_nobody_is_taken_leave_of_who_feels_worse(ends):
    talk = Talk()
    talk.say(THOUGHT["en"])
    for text in ends:
        talk.say(text)
    reply = talk.say("I can't stop crying", Risk.MEDIUM)
    assert reply.step.branch == "worse"
    assert "help" in reply.parts


def test_a_nod_after_the_end_is_asked_nothing():
    talk = Talk()
    for text in (THOUGHT["en"], "can we stop", "no"):
        talk.say(text)
    assert "?" not in talk.say("ok").text


@pytest.mark.parametrize("text", ["85", "85%", "85 percent", "about 70", "七十", "七十分"])
def test_a_number_where_words_were_asked_for_is_no_answer(text):
    lang = "zh" if "七" in text else "en"
    assert kind_of(text, lang, open_protocols(lang).frame.step("settle")) == "unknown"
    assert kind_of(text, lang, open_protocols(lang).frame.step("emotion")) == "answer"
    assert kind_of(text, lang, open_protocols(lang).frame.step("belief")) == "answer"


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("are you even real?", ("program", "software")),
        ("what model are you", ("program", "software")),
        ("do you save what I say?", ("is kept", "is stored")),
        ("just tell me what to do", ("guess", "not your life")),
        ("why do you ask", ("several sides", "one small piece")),
        ("你会保存聊天记录吗", ("存不存", "提供这个程序的人")),
        ("你是真的吗", ("程序", "软件")),
    ],
)
def test_a_question_to_the_program_is_the_one_that_is_answered(asked, answered):
    talk = Talk()
    talk.say(THOUGHT["zh" if "你" in asked else "en"])
    reply = talk.say(asked)
    assert reply.step.branch == "question_to_program"
    assert any(words in reply.text for words in answered)
    assert progress([*talk.history]).step.branch == "question_to_program"


def test_a_word_of_english_is_borrowed_in_a_talk_in_chinese():
    talk = Talk()
    talk.say(THOUGHT["zh"])
    assert talk.say("ok thanks").lang == "zh"
    assert talk.say("could we please go on in English from here").lang == "en"


def test_words_in_answer_to_the_offer_of_a_summary_are_no_no():
    talk = Talk()
    talk.say(THOUGHT["en"])
    while talk.say("I was up at night with the baby and tired").step.name != "close":
        assert len(talk.history) < 60
    last = talk.say("I will take a nap when he is at home")
    assert THOUGHT["en"] in last.text
    assert progress(talk.history).closed
