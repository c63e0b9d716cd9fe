"""Numbers in answers."""

import pytest

from untwist.respond.ratings import rated, rating, shares


@pytest.mark.parametrize(
    ("text", "lang", "number"),
    [
        ("80", "en", 80),
        ("about eighty-five", "en", 85),
        ("8 out of 10", "en", 80),
        ("somewhere between 60 and 70%", "en", 60),
        ("60-70", "en", 65),
        ("half", "en", 50),
        ("one of my friends", "en", None),
        ("150", "en", None),
        ("-5", "en", None),
        ("no number at all", "en", None),
        ("八成", "zh", 80),
        ("七八成吧", "zh", 75),
        ("百分之六十五", "zh", 65),
        ("七八十", "zh", 75),
        ("一半", "zh", 50),
        ("没有数", "zh", None),
    ],
)
def test_a_rating_is_read_in_figures_and_words_and_never_guessed(text, lang, number):
    assert rating(text, lang) == number


@pytest.mark.parametrize(
    ("text", "lang", "number"),
    [
        ("low", "en", 25),
        ("nearly all", "en", 90),
        ("I had lunch", "en", None),
        ("有一点", "zh", 20),
    ],
)
def test_the_words_that_the_program_offers_for_a_rating_count_as_one(text, lang, number):
    assert rated(text, lang) == number


def test_slices_of_a_pie_keep_the_persons_own_characters():
    found = shares("My Boss 40%, me about thirty, and the weather 30", "en")
    assert [(s.factor, s.percent) for s in found] == [
        ("My Boss", 40),
        ("me", 30),
        ("the weather", 30),
    ]
    hant = shares("老闆四成，運氣六成", "zh")
    assert [(s.factor, s.percent) for s in hant] == [("老闆", 40), ("運氣", 60)]
    assert shares("I really can't say", "en") == ()
