"""What each question shows, and what it must not."""

import pytest

from tests.llm.prompts.values import TEXT, assessment
from untwist.errors import ConfigError, DataError, SafetyError
from untwist.llm.prompts import (
    RUBRICS,
    Annotate,
    AnswerInParts,
    CbtAnswer,
    Challenge,
    Detect,
    Exchange,
    Judge,
    Person,
    Question,
    ReasoningChain,
    Score,
    Seed,
    Seeker,
    StrategyReply,
    TriggeringEvent,
    Worksheet,
    labels_of,
)
from untwist.llm.prompts.judge import Judgement
from untwist.schema import Choice, Utterance
from untwist.taxonomy import CANONICAL, LANGS, Distortion, Intensity, Risk, Strategy, row

D, S = Distortion, Strategy
TALK = (
    Utterance("First I said this."),
    Utterance("The helper said that.", role="assistant"),
    Utterance("Then I said the other."),
    Utterance("Afterwards came this.", role="assistant"),
)


def contents(messages):
    return [one["content"] for one in messages]


@pytest.mark.parametrize("lang", LANGS)
def test_every_label_is_defined_in_the_question(lang):
    system = Detect(lang).messages("x")[0]["content"]
    for distortion in CANONICAL:
        assert distortion.value in system
        assert distortion.definition_in(lang) in system


def test_examples_come_before_the_question_as_if_they_had_been_answered():
    said = Detect("en", shots=3).messages("mine")
    roles = ["system", "user", "assistant", "user", "assistant", "user", "assistant", "user"]
    assert [one["role"] for one in said] == roles
    assert said[0] == Detect("en").messages("mine")[0]
    assert said[-1] == Detect("en").messages("mine")[-1]
    with pytest.raises(ConfigError):
        Detect("en", shots=-1)
    with pytest.raises(DataError):
        Detect("en", "no-such-set")


def test_an_annotator_sees_what_came_before_the_message_and_nothing_after_it():
    said = Annotate("en").messages(TALK, 2)
    assert "First I said this." in said[-1]["content"]
    assert "The helper said that." in said[-1]["content"]
    assert "Afterwards" not in "".join(contents(said))
    assert Annotate("en").messages(TALK[:3]) == said
    assert "<earlier>" not in Annotate("en").messages(TALK, 0)[-1]["content"]
    for place in (1, 4, -5):
        with pytest.raises(DataError):
            Annotate("en").messages(TALK, place)


def _choice(strategy, target=CANONICAL[4]):
    return Choice(strategy, target, "gold", "made-up")


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("strategy", [s for s in S if s is not S.CRISIS_INTERVENTION])
def test_a_reply_is_told_what_to_do_and_about_which_thought(lang, strategy):
    target = CANONICAL[4]
    said = StrategyReply(lang).messages(_choice(strategy), assessment(lang))
    assert strategy.speaker_in(lang) in said[0]["content"]
    assert target.definition_in(lang) in said[1]["content"]
    assert said[1]["content"].count(TEXT[lang]) == 2
    plain = StrategyReply(lang).messages(_choice(strategy, None), assessment(lang, distortion=None))
    assert target.definition_in(lang) not in plain[1]["content"]
    assert plain[1]["content"].count(TEXT[lang]) == 1


def test_a_reply_is_told_how_firmly_the_thought_is_held_and_how_strained_the_person_is():
    shown = {
        StrategyReply("en").messages(_choice(S.REALITY_TESTING), assessment("en", intensity, risk))[
            1
        ]["content"]
        for intensity in Intensity
        for risk in (Risk.LOW, Risk.MEDIUM)
    }
    assert len(shown) == 6


def test_no_model_is_asked_for_the_words_in_a_crisis():
    with pytest.raises(SafetyError):
        StrategyReply("en").messages(_choice(S.CRISIS_INTERVENTION), assessment("en"))
    with pytest.raises(SafetyError):
        StrategyReply("en").messages(
            _choice(S.EMPATHIC_VALIDATION), assessment("en", risk=Risk.HIGH)
        )


def test_an_exemplar_is_shown_as_an_earlier_question_with_its_answer():
    answer = CbtAnswer(*"abcde")
    said = AnswerInParts("zh").messages(Question("二"), (Question("一", "说明"), answer))
    assert [one["role"] for one in said] == ["system", "user", "assistant", "user"]
    assert said[2]["content"] == AnswerInParts("zh").render(answer)
    assert "<description>" not in said[3]["content"]
    worksheet = Worksheet("a", (), "b")
    shown = Challenge("en").messages("it happened", [("before", worksheet)])
    assert shown[2]["content"] == Challenge("en").render(worksheet)


@pytest.mark.parametrize("lang", LANGS)
def test_every_distortion_has_a_way_to_be_challenged_and_a_cue(lang):
    system = Challenge(lang).messages("x")[0]["content"]
    for way in Challenge(lang).words["ways"].values():
        assert way in system or way == Challenge(lang).words["ways"][D.COMPARING.value]
    cues = Annotate(lang, "untwist-12").messages(TALK[:1])[0]["content"]
    assert all(Annotate(lang).words["cues"][d.value] in cues for d in CANONICAL)


def test_an_event_is_told_its_facts_and_what_it_must_not_resemble():
    seed = Seed("female", 31, "baker", "single", "envy")
    said = TriggeringEvent("en").messages(seed, ["The oven broke."])
    for fact in ("female", "31", "baker", "single", "envy"):
        assert fact in said[1]["content"]
    assert "The oven broke." in said[1]["content"]
    assert "written already" not in TriggeringEvent("en").messages(seed)[1]["content"]
    with pytest.raises(DataError):
        Seed("", 31, "baker", "single", "envy")


def test_an_experts_chain_is_shown_in_place_of_our_own():
    own = ReasoningChain("en").messages("x", [])
    chain = ReasoningChain("en").parse(own[2]["content"])
    shown = ReasoningChain("en").messages("x", [], ("an expert's text", chain))
    assert "an expert's text" in shown[1]["content"]
    assert own[1] != shown[1]
    without = ReasoningChain("en", "cbt-bench-10").messages("x", [])
    assert len(without) == 4
    assert len(ReasoningChain("en", "cbtqa-6").messages("x", ["others"])) == 4


def test_a_seeker_hears_the_listener_as_its_user_and_itself_as_the_assistant():
    said = Seeker("en").messages(Person(), TALK[:2])
    assert [one["role"] for one in said] == ["system", "user", "assistant", "user"]
    dangers = {
        Seeker("en").messages(Person(danger=danger))[0]["content"]
        for danger in ("none", "told", "hidden")
    }
    trusts = {Seeker("zh").messages(Person(trust=t))[0]["content"] for t in (0.1, 0.5, 1.0)}
    assert len(dangers) == len(trusts) == 3
    for broken in (
        {"trust": 1.1},
        {"distortions": (D.LABELING,)},
        {"intensity": Intensity.MILD},
    ):
        with pytest.raises(DataError):
            Person(**broken)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("rubric", RUBRICS)
def test_a_judge_is_shown_every_scale_and_what_is_known(lang, rubric):
    judge = Judge(lang, rubric)
    case = Exchange(
        TALK[:3], "a reply", "after that", (), Intensity.MILD, Risk.LOW, S.REALITY_TESTING
    )
    system, shown = contents(judge.messages(case))
    for scale, values in judge.scales.items():
        assert scale in system
        assert list(values) == sorted(values)
    for told in ("First I said", "Then I said", "a reply", "after that"):
        assert told in shown
    assert S.REALITY_TESTING.name_in(lang) in shown
    bare = contents(judge.messages(Exchange(TALK[:1], "a reply")))[1]
    assert S.REALITY_TESTING.name_in(lang) not in bare
    assert "<after>" not in bare


def test_a_judgement_is_of_numbers_and_what_is_unscored_stays_so():
    judgement = Judgement((Score("CogA", "not there", None), Score("BiaG", "fits", 4)))
    assert judgement.numbers == {"CogA": None, "BiaG": 4.0}
    with pytest.raises(DataError):
        Judge("en", "taste")
    with pytest.raises(DataError):
        Exchange(TALK[:2], "a reply")


def test_the_labels_of_a_question_never_ask_for_a_mere_feeling():
    asked = {d for ds in labels_of("reframing-14").values() for d in ds}
    assert D.NEGATIVE_EMOTION not in asked
    assert D.COMPARING in asked
    assert all(row(d) for d in asked - {D.COMPARING})
