"""The five parts, told by rules: what has them, what lacks one, and what only sounds like one."""

import pytest

from untwist.errors import DataError
from untwist.evaluate import CBT_PARTS, cbt_parts

WHOLE = {
    "en": (
        "That sounds painful, and it makes sense that it stays with you.",
        "The thought seems to be that one slip decides everything.",
        "What would you say to a colleague who made the same slip?",
        "You could write down what went well on that day, too.",
        "There is no hurry, and one small step is enough for now.",
    ),
    "zh": (
        "碰上这种事，谁都会难过。",
        "听起来，你心里的想法是一次失误就说明了一切。",
        "如果是同事出了同样的错，你会怎么看他？",
        "可以把那天做得顺的地方也写下来。",
        "不用着急，先走一小步就够了。",
    ),
}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_reply_in_five_parts_shows_all_five(lang):
    assert cbt_parts(" ".join(WHOLE[lang]), lang) == CBT_PARTS


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("missing", range(5))
def test_whichever_sentence_is_left_out_its_part_is_missed(lang, missing):
    kept = [one for place, one in enumerate(WHOLE[lang]) if place != missing]
    expected = tuple(part for place, part in enumerate(CBT_PARTS) if place != missing)
    assert cbt_parts(" ".join(kept), lang) == expected


def test_one_sentence_is_one_part_however_much_it_holds():
    crowded = "It is hard, and perhaps the thought is that you could write down one small step"
    assert len(cbt_parts(crowded + ".", "en")) == 1
    assert len(cbt_parts(f"{crowded}. {crowded}.", "en")) == 2


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("The shop opens at nine. Bread is on the left. Milk is on the right.", "en"),
        ("Do you like tea? Do you like it?", "en"),
        ("商店九点开门。面包在左边，牛奶在右边。", "zh"),
    ],
)
def test_what_is_no_reply_of_the_kind_shows_no_part(text, lang):
    assert cbt_parts(text, lang) == ()


def test_a_question_that_only_asks_for_yes_is_no_open_question():
    assert "challenge" not in cbt_parts("Are you tired?", "en")
    assert "challenge" in cbt_parts("What makes you tired?", "en")


def test_traditional_characters_are_read_as_simplified_ones():
    text = (
        "碰上這種事，誰都會難過。聽起來，你心裡的想法是一次失誤就說明了一切。"
        "如果是同事出了同樣的錯，你會怎麼看他？可以把那天做得順的地方也寫下來。"
        "不用著急，先走一小步就夠了。"
    )
    assert cbt_parts(text, "zh") == CBT_PARTS


def test_another_language_is_refused():
    with pytest.raises(DataError, match="en, zh"):
        cbt_parts("Bonjour.", "fr")


def test_an_empty_reply_shows_nothing():
    assert cbt_parts(" ", "en") == ()
