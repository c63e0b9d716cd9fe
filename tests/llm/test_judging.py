"""A model that judges: what it scores, what it leaves unscored, and what is no judgement."""

import json

import pytest

from tests.conformance.conftest import assessment
from tests.fakes import FakeChat
from untwist.errors import DataError, ModelError, ParseError
from untwist.llm.judging import PromptedJudge
from untwist.llm.prompts import RUBRICS, Judge
from untwist.policy.reward import judged_improvement
from untwist.schema import Reply
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
