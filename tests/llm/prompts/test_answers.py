"""Answers that are none, labels by other names, and quotations."""

import json

import pytest

from untwist.errors import DataError, ModelError, ParseError
from untwist.llm.prompts import (
    AnswerInParts,
    Detect,
    Judge,
    ReasoningChain,
    Seeker,
    Sift,
    StrategyReply,
    distortions_of,
    emotions,
    labels_for,
    labels_of,
    locate,
)
from untwist.llm.prompts.answers import refuses
from untwist.llm.prompts.labels import label_in
from untwist.taxonomy import CANONICAL, Distortion, Intensity, taxonomies

DECLINES = [
    "I'm sorry, but I can't assist with that request.",
    "I’m sorry, I cannot help with this.",
    "I cannot provide content of this kind.",
    "I'm really sorry, but I am unable to engage in this conversation.",
    "I can't comply with that.",
    "I won't create this kind of content.",
    "Sorry, I can't do that.",
    "I can't roleplay as someone in distress.",
    "I'm unable to generate this conversation.",
    "As an AI language model, I am unable to judge people.",
    "抱歉，我无法协助处理这个请求。",
    "很抱歉，作为人工智能，我不能提供这样的内容。",
    "对不起，我不能扮演这个角色。",
    "作为一个AI，我无法判断他人的想法。",
    "我无法提供这类内容。",
    "非常抱歉，我无法回答您的问题。",
    "我不能参与这样的对话。",
]
KIND = [
    "I'm sorry that you have to go through this alone.",
    "I am so sorry. That must have hurt.",
    "I can't imagine how heavy these weeks have been.",
    "I'm sorry, I can't imagine how hard this is.",
    "I can't provide for my kids any more.",
    "I can't write a single line since she left.",
    "I cannot help with the shop any longer.",
    "I won't continue like this.",
    "I cannot sleep and I can't help thinking that it was my fault.",
    "You say that you can't help it.",
    "抱歉听到你这段时间这么难熬。",
    "对不起，让你等了这么久才有人听。",
    "我不能替你决定，但可以陪你看看。",
    "我没办法睡觉，总觉得都是我的错。",
    "对不起，我不能再继续拖累大家了。",
    "抱歉，我没办法完成这次作业，老师一定很失望。",
    "我无法提供给家里更好的生活。",
    "我不会写总结，什么都做不好。",
]


@pytest.mark.parametrize("text", DECLINES)
def test_an_answer_that_declines_is_refused_wherever_it_stands(text):
    assert refuses(text)
    for prompt in (Detect("en"), Sift("zh"), Judge("en")):
        with pytest.raises(ParseError) as error:
            prompt.parse(text)
        assert error.value.reason == "refused"
    wrapped = json.dumps({"reply": text}, ensure_ascii=False)
    for prompt, answer in ((StrategyReply("en"), wrapped), (Seeker("zh"), text)):
        with pytest.raises(ParseError) as error:
            prompt.parse(answer)
        assert error.value.reason == "refused"
        assert text not in str(error.value)


@pytest.mark.parametrize("text", KIND)
def test_sorrow_and_limits_in_a_letter_are_no_refusal(text):
    assert not refuses(text)
    assert StrategyReply("en").parse(json.dumps({"reply": text})).reply == text
    assert Seeker("en").parse(text).text == text


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("There is a distortion in it.", "not_json"),
        ('{"why": "x", "distorted": tr', "not_json"),
        ("  ", "empty"),
        ("[1, 2]", "parse"),
        ('{"why": "x", "distorted": "yes"}', "parse"),
        ('{"why": "\\ud800", "distorted": true}', "parse"),
        ('{"why": "x", "distorted": NaN}', "not_json"),
        ("<think>well, let me see", "cut"),
    ],
)
def test_an_answer_that_cannot_be_read_has_its_reason(answer, reason):
    with pytest.raises(ModelError) as error:
        Sift("en").parse(answer)
    assert error.value.reason == reason


def _heard(findings, intensity="mild", risk="none"):
    return json.dumps({"findings": findings, "intensity": intensity, "risk": risk})


def test_an_intensity_of_nothing_is_left_out_and_one_that_is_missing_is_an_error():
    assert Detect("en").parse(_heard([])).intensity is None
    one = [{"label": CANONICAL[0].value, "quote": "x"}]
    assert Detect("en").parse(_heard(one, " Mild ")).intensity is Intensity.MILD
    with pytest.raises(ParseError):
        Detect("en").parse(_heard(one, None))


def test_a_label_by_another_name_is_understood_and_an_unknown_one_is_an_error():
    for name in ("Mind reading", "读心术", " MINDREADING ", "“读心术”"):
        found = Detect("zh", "beck-8").parse(_heard([{"label": name, "quote": "x"}]))
        assert [one.label for one in found.findings] == ["读心术"]
    for name in ("a secret label", "comparing"):
        with pytest.raises(ParseError) as error:
            Detect("en").parse(_heard([{"label": name, "quote": "x"}]))
        assert name not in str(error.value)


def test_no_label_is_lost_between_a_taxonomy_and_its_question():
    for name, known in taxonomies().items():
        asked = labels_of(name)
        meant = {d for ds in asked.values() for d in ds}
        assert meant == known.covered - {Distortion.NEGATIVE_EMOTION}
        assert len(set(asked.values())) == len(asked)
        for label, stands_for in asked.items():
            assert label_in(label, name) == label
            assert distortions_of([label], name) == frozenset(stands_for)
            assert label in labels_for(stands_for, name)


def test_a_label_that_is_named_twice_in_an_answer_counts_once():
    prompt = AnswerInParts("en")
    parts = dict.fromkeys(
        ("validation", "key_thought", "challenge", "strategy", "encouragement"), "x"
    )
    label = next(iter(labels_of(prompt.taxonomy)))
    answer = json.dumps({**parts, "distortions": [label, label.upper()]})
    assert prompt.parse(answer).distortions == (label,)
    assert prompt.parse(answer).text == "x\n\nx\n\nx\n\nx\n\nx"


def test_a_chain_leads_to_the_labels_that_were_given_or_to_others():
    prompt = ReasoningChain("en")
    first, second = CANONICAL[0].value, CANONICAL[1].value
    reasons = [{"label": first, "quote": "x", "why": "y"}] * 2
    whole = {"situation": "x", "thoughts": ["y"], "reasons": reasons, "conclusion": "z"}
    chain = prompt.parse(json.dumps(whole))
    assert chain.labels == (first,)
    assert chain.leads_to([first])
    assert not chain.leads_to([first, second])
    assert not chain.leads_to([])
    with pytest.raises(DataError):
        prompt.messages("a text", ["no label"])


@pytest.mark.parametrize(
    ("quote", "text", "found"),
    [
        ("he hates me", "So he hates me now.", "he hates me"),
        ("“he hates me.”", "So he hates me now.", "he hates me"),
        ("HE  HATES me", "So he hates me now.", None),
        ("He hates me", "So he hates me now.", "he hates me"),
        ("他肯定討厭我", "唉，他肯定讨厌我。", "他肯定讨厌我"),
        ("ＡＢＣ", "x abc y", "abc"),
        ("nothing of it", "So he hates me now.", None),
        ("...", "So he hates me now...", "..."),
        ("，", "没有逗号", None),
    ],
)
def test_a_quotation_is_found_where_it_stands_or_not_at_all(quote, text, found):
    span = locate(quote, text)
    assert (text[slice(*span)] if span else None) == found


@pytest.mark.parametrize(
    ("quote", "text", "span"),
    [
        ("all", "I shall fail at all", (16, 19)),
        ("I", "In the end I lost", (11, 12)),
        ("he", "They said he hates me", (10, 12)),
        ("ALL", "I shall fail at all", (16, 19)),
        ("“all.”", "I shall fail at all", (16, 19)),
        ("cafe", "cafe\u0301s, one cafe", (12, 16)),
        ("5 times", "15 times, then 5 times", (15, 22)),
        ("ａｌｌ", "shall, all", (7, 10)),
        ("all", "I shall", None),
        ("ALL", "I shall", None),
        ("I can", "I can't do it", None),
        ("I can", "I can’t do it", None),
        ("t do it", "I can't do it", None),
        ("can't", "I can't do it", (2, 7)),
        ("我", "讨厌我，我", (2, 3)),
        ("总是fail", "我总是fail了", (1, 7)),
        ("I fail", "I fail. I fail", (0, 6)),
    ],
)
def test_a_quotation_cuts_no_word_and_of_several_places_the_first_is_given(quote, text, span):
    assert locate(quote, text) == span


def test_there_are_forty_emotions_in_each_language():
    assert len(set(emotions("en"))) == len(set(emotions("zh"))) == 40
