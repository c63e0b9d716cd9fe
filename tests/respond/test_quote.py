"""What a person wrote, said back between quotation marks."""

import pytest

from untwist import safety
from untwist.respond.quote import quotable
from untwist.taxonomy import Risk


def said_back(words, lang="en"):
    return quotable(words, lang, Risk.LOW, words)


@pytest.mark.parametrize(
    "words", ["I'm a terrible mother", "I'm a bad person", "my life is a mess"]
)
def test_what_a_person_says_of_themselves_is_no_claim_of_the_program(words):
    assert said_back(words) == words
    reply = f"One sentence of yours stands out: “{words}”. What happened first?"
    assert not safety.violations(reply, "en", Risk.LOW, user_text=words)


def test_a_burden_to_everyone_is_not_said_back():
    assert said_back("I am a burden to everyone") is None


@pytest.mark.parametrize(
    ("words", "lang", "quoted"),
    [
        (
            "so she obviously thinks my work is rubbish",
            "en",
            "she obviously thinks my work is rubbish",
        ),
        ("because nobody likes me", "en", "nobody likes me"),
        ("所以他们都讨厌我", "zh", "他们都讨厌我"),
        ("因為我什麼都做不好", "zh", "我什麼都做不好"),
    ],
)
def test_a_word_that_only_joins_is_left_out(words, lang, quoted):
    assert said_back(words, lang) == quoted


@pytest.mark.parametrize("words", ["so lazy and useless", "the worst at everything"])
def test_a_word_that_belongs_to_the_thought_stays(words):
    assert said_back(words) == words
