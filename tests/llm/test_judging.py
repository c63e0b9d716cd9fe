"""A model that judges: what it scores, what it leaves unscored, and what is no judgement."""

import json

import pytest

from tests.conformance.conftest import assessment
from tests.fakes import FakeChat
from untwist.errors import DataError, ModelError, ParseError
from untwist.llm.judging import PromptedJudge
from untwist.llm.prompts import RUBRICS, Better, Exchange, Judge
from untwist.policy.reward import judged_improvement
from untwist.schema import Reply, Utterance
from untwist.taxonomy import Risk, Strategy

REPLY = Reply("What else could it mean?", "en", Strategy.REALITY_TESTING, (), "made-up")


def said(**scores):
    return json.dumps({scale: {"why": "so", "score": value} for scale, value in scores.items()})


def test_a_judge_scores_every_scale_or_leaves_it_unscored():
    model = FakeChat([said(match=1, adequacy=-1, risk=None)])
    judge = PromptedJudge(model)
    scores = judge.score(assessment("She did not wave.", Risk.LOW), REPLY)
    assert scores == {"match": 1.0, "adequacy": -1.0, "risk": None}
    version = Judge("en", "triple").version
    assert judge.name == f"llm:fake-chat 1/judge_triple@{version}"
    shown = model.seen[0][-1]["content"]
    for told in ("She did not wave.", REPLY.text, REPLY.strategy.name_in("en"), "low"):
        assert told in shown
    assert model.options[0]["temperature"] == 0


@pytest.mark.parametrize("rubric", RUBRICS)
def test_every_rubric_can_be_judged_by_in_both_languages(rubric):
    for lang in ("en", "zh"):
        scales = Judge(lang, rubric).scales
        model = FakeChat([said(**{scale: values[-1] for scale, values in scales.items()})])
        reply = Reply("x", lang, Strategy.REALITY_TESTING, (), "made-up")
        scores = PromptedJudge(model, rubric).score(assessment("y"), reply)
        assert scores == {scale: float(values[-1]) for scale, values in scales.items()}


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (["I'm sorry, but I can't judge this."], "refused"),
        (["fine"] * 2, "not_json"),
        ([said(match=3, adequacy=0, risk=1)] * 2, "parse"),
        ([said(match=1, adequacy=0)] * 2, "parse"),
        ([ModelError("slow", reason="timeout")], "timeout"),
    ],
)
def test_no_judgement_is_an_error_and_never_a_score(answers, reason):
    model = FakeChat(answers)
    with pytest.raises(ModelError) as error:
        PromptedJudge(model).score(assessment("y"), REPLY)
    assert error.value.reason == reason
    assert model.answers == []


def test_a_judge_that_is_unsure_of_its_form_is_asked_again():
    model = FakeChat(["fine", said(match=1, adequacy=0, risk=1)])
    assert PromptedJudge(model).score(assessment("y"), REPLY)["match"] == 1
    assert model.options[0]["seed"] != model.options[1]["seed"]
    assert model.options[1]["temperature"] > 0
    with pytest.raises(ParseError):
        PromptedJudge(FakeChat(["fine"]), attempts=1).score(assessment("y"), REPLY)
    with pytest.raises(DataError):
        PromptedJudge(model, "taste")


def test_an_improvement_is_judged_by_a_model_and_not_guessed():
    heard = assessment("y")
    given = PromptedJudge(FakeChat([said(reply=4, change=1)]), "change")
    assert judged_improvement(given, heard, REPLY, "reply", 5) == 0.8
    unscored = PromptedJudge(FakeChat([said(reply=None, change=None)]), "change")
    with pytest.raises(DataError):
        judged_improvement(unscored, heard, REPLY, "reply", 5)


def test_the_order_of_the_scales_can_be_turned_round():
    scales = list(Judge("en", "session").scales)
    turned = Judge("en", "session", reverse=True)
    assert list(turned.scales) == scales[::-1]
    assert list(turned.schema["properties"]) == scales[::-1]
    model = FakeChat([said(**dict.fromkeys(scales[::-1], 3))])
    judge = PromptedJudge(model, "session", reverse=True, temperature=0.7)
    assert judge.score(assessment("y"), REPLY) == dict.fromkeys(scales, 3.0)
    asked = model.seen[0][0]["content"]
    assert asked.index(f"- {scales[-1]}") < asked.index(f"- {scales[0]}")
    assert model.options[0]["temperature"] == 0.7


def test_two_replies_are_compared_scale_by_scale():
    answer = {
        "CogA": {"why": "it names the leap", "better": "second"},
        "BiaG": {"why": "neither asks", "better": None},
    }
    model = FakeChat([json.dumps(answer)])
    judged = Exchange((Utterance("She did not wave."),), "Oh dear.")
    found = PromptedJudge(model, "cognitive").prefer(judged, "What else could it mean?", "en")
    assert [(one.scale, one.better) for one in found.compared] == [
        ("CogA", Better.SECOND), ("BiaG", None),
    ]  # fmt: skip
    shown = model.seen[0][-1]["content"]
    assert shown.index("<first>\nOh dear.") < shown.index("<second>\nWhat else")


def test_a_comparison_with_another_word_is_no_comparison():
    answer = {scale: {"why": "so", "better": "third"} for scale in ("CogA", "BiaG")}
    model = FakeChat([json.dumps(answer)] * 2)
    judged = Exchange((Utterance("hm"),), "a")
    with pytest.raises(ModelError) as error:
        PromptedJudge(model, "cognitive").prefer(judged, "b", "en")
    assert error.value.reason == "parse"
