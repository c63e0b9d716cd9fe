"""What a Chinese message is when something was asked: short answers are answers."""

from __future__ import annotations

import pytest

from untwist.respond.answers import kind_of
from untwist.respond.protocol import open_protocols

PROTOCOLS = open_protocols("zh")
TEXT = PROTOCOLS.own["examine_evidence"].step("against")
FEELING, RATING, NAME = (PROTOCOLS.frame.step(s) for s in ("emotion", "belief", "name"))


def others(kind, messages, step=TEXT):
    """What is heard as something else, and as what."""
    heard = {message: kind_of(message, "zh", step) for message in messages.split()}
    return {message: found for message, found in heard.items() if found != kind}


@pytest.mark.parametrize("message", ["好累", "好难受", "慌", "有点烦", "喘不过气", "心累"])
def test_a_feeling_in_two_characters_is_an_answer(message):
    assert kind_of(message, "zh", FEELING) == "answer"


def test_a_name_a_place_or_an_exam_is_an_answer_and_no_yes():
    assert others("answer", "是他 是我妈 是考试 我妈 对不起 行李丢了 学校 要高考了 没考好") == {}


def test_whoever_calls_themselves_useless_does_not_doubt_the_program():
    assert others("answer", "我真没用 我觉得自己很没用 我就是没用") == {}
    assert others("doubts", "说这些有什么用 你又不懂 没用的 有用吗 我不太信 怎么可能") == {}


def test_not_knowing_is_told_from_no():
    assert others("unknown", "不知道 我真的不知道 我不知道该怎么说 想不出来 没想过 说不清") == {}
    assert others("answer", "我忘了带作业，老师也没骂我 不知道他怎么想，反正没回我消息") == {}


def test_not_wanting_is_told_from_no():
    assert others("refuses", "不想说 这个我不想说 别问了 跳过 能跳过吗") == {}
    assert others("refuses", "不想打分 跳过", RATING) == {}


def test_a_bare_yes_or_no_and_a_longer_one_answer_whether_the_name_fits():
    assert (
        others("agrees", "嗯 对 像 有一点 好像是 应该是 对，有点像 是的，我就是这样想的", NAME)
        == {}
    )
    assert others("disagrees", "不像 不太像 完全不像 没有吧 不算吧 不是，我觉得是真的", NAME) == {}
    assert others("unknown", "不知道 说不清", NAME) == {}


def test_leaving_is_told_from_stories_of_leaving():
    assert others("stop", "停吧 今天就到这吧 我要睡了 我得去上课了 晚安 拜拜 算了，不聊了") == {}
    assert others("answer", "他说要停一下这段关系 昨天下班我就先走了，谁也没说 我受够了") == {}


def test_getting_worse_is_told_from_what_was_bad():
    assert others("worse", "更难受了 越说越难受 我现在感觉更糟了 受不了了") == {}
    assert others("answer", "昨天在公司哭了一场 那次之后心情一直很差") == {}


def test_another_thought_is_told_from_more_evidence():
    assert others("new_thought", "我又冒出一个想法，她是不是讨厌我 其实我更怕的是被开除") == {}
    assert others("answer", "我还想到他上次帮过我") == {}


def test_a_number_in_words_is_an_answer_to_a_rating():
    assert others("answer", "八成 大概七八十 一半 百分之六十五 90吧", RATING) == {}


def test_questions_about_the_program_are_heard():
    assert others("question_to_program", "你是真人吗 你是谁 为什么问这个 会不会保存我说的话") == {}
