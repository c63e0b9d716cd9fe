"""Blind rating: nothing gives a system away, every cell is accounted for, agreement comes first."""

import numpy as np
import pytest

from untwist.errors import DataError
from untwist.evaluate import (
    MASK,
    BlindReply,
    Rating,
    blinded,
    read_sheet,
    scale_ratings,
)

SCALES = {"CogA": (1, 2, 3, 4, 5), "relevance": (0, 1, 2)}


def rng(seed=3):
    return np.random.default_rng(seed)


def replies(items=20, systems=("alpha", "beta-7b")):
    return [
        BlindReply(f"m{n}", system, f"message {n}", f"reply of {system} to {n}", f"g{n}")
        for n in range(items)
        for system in systems
    ]


def test_every_rater_gets_every_reply_in_an_order_of_their_own():
    found = blinded(replies(), ["ann", "bo"], rng())
    one, other = found.sheets["ann"], found.sheets["bo"]
    assert sorted(row.code for row in one) == sorted(row.code for row in other) == sorted(found.key)
    assert [row.code for row in one] != [row.code for row in other]
    assert len(set(found.key)) == 40
    # the replies to one message stand together under its number
    assert [row.place for row in one] == sorted([*range(1, 21)] * 2)
    for row in one:
        assert found.key[row.code].message == row.message


def test_the_order_of_replies_tells_nothing_of_the_system():
    found = blinded(replies(400), ["ann"], rng())
    first = [found.key[row.code].system for row in found.sheets["ann"][::2]]
    # of 400 fair coins, 150 to 250 is 5 standard deviations on either side
    assert 150 < first.count("alpha") < 250
    by_code = [found.key[code].system for code in sorted(found.key)]
    assert 150 < by_code[:400].count("alpha") < 250


def test_names_of_systems_are_masked_in_replies_and_only_there_whole():
    some = [
        BlindReply("m", "GPT-9", "Is GPT-9 there?", "As gpt-9 I say: the GPT-95 and Beta.", "g"),
        BlindReply("m", "Beta", "Is GPT-9 there?", "我是Beta，也叫Mine。", "g"),
    ]
    found = blinded(some, ["ann"], rng(), ["mine"])
    shown = {found.key[row.code].system: row.reply for row in found.sheets["ann"]}
    assert shown["GPT-9"] == f"As {MASK} I say: the GPT-95 and {MASK}."
    assert shown["Beta"] == f"我是{MASK}，也叫{MASK}。"
    assert found.masked == 2


def test_the_replies_to_one_message_stand_in_another_order_for_another_rater():
    found = blinded(replies(40), ["ann", "bo"], rng())
    first = {}
    for rater, rows in found.sheets.items():
        first[rater] = {found.key[row.code].item: row.code for row in reversed(rows)}
    assert 5 < sum(first["ann"][item] != first["bo"][item] for item in first["ann"]) < 35


def test_a_name_that_begins_another_one_hides_all_of_it_however_it_is_joined():
    said = "I am GPT-4o, gpt 4o or GPT4o; Beta 2.5 too."
    some = [BlindReply("m", "gpt", "Hi", said, "g"), BlindReply("m", "gpt-4o", "Hi", "Hm.", "g")]
    found = blinded(some, ["ann"], rng(), ["beta-2.5"])
    (shown,) = (row.reply for row in found.sheets["ann"] if found.key[row.code].system == "gpt")
    assert shown == f"I am {MASK}, {MASK} or {MASK}; {MASK} too."


def test_the_same_seed_gives_the_same_sheets_and_another_seed_others():
    assert blinded(replies(), ["ann"], rng()) == blinded(replies(), ["ann"], rng())
    assert blinded(replies(), ["ann"], rng()) != blinded(replies(), ["ann"], rng(4))


@pytest.mark.parametrize(
    ("some", "raters", "says"),
    [
        ([], ["ann"], "give replies"),
        (replies(1), [], "somebody to rate"),
        (replies(1), ["ann", "ann"], "named twice"),
        (replies(1) * 2, ["ann"], "alpha replies twice"),
    ],
)
def test_what_cannot_be_rated_blind_is_refused(some, raters, says):
    with pytest.raises(DataError, match=says):
        blinded(some, raters, rng())


def sheet(*rows, header=("code", "message", "reply", "CogA", "relevance", "comment")):
    return read_sheet([header, *rows], "ann", SCALES, ["a1", "a2", "a3"])


def test_scores_marks_and_gaps_are_told_apart():
    found = sheet(
        ("a1", "", "", "5", "N/A", "'=good"),
        ("a2", "", "", "", "2.0", ""),
        ("", "", "", "", "", ""),
    )
    assert found.ratings == (
        Rating("a1", "ann", {"CogA": 5, "relevance": None}, "=good"),
        Rating("a2", "ann", {"relevance": 2}),
    )
    assert found.empty == ("a3",)
    assert found.faults == ()


def test_what_cannot_be_read_is_a_fault_with_its_row_and_never_a_score():
    found = sheet(
        ("a1", "", "", "6", "1", ""),
        ("zz", "", "", "1", "1", ""),
        ("a1", "", "", "2", "1", ""),
        ("a2", "", "", "4,5", "", ""),
    )
    assert found.ratings == (Rating("a1", "ann", {"relevance": 1}),)
    assert found.faults == (
        "row 2: CogA is none of its values",
        "row 3: its code was not handed out",
        "row 4: its code is there twice",
        "row 5: CogA is none of its values",
    )
    assert found.empty == ("a2", "a3")


def test_columns_may_move_and_unknown_ones_are_left_alone():
    found = sheet(("3", "x", "a1"), header=("CogA", "mine", "code"))
    assert found.ratings == (Rating("a1", "ann", {"CogA": 3}),)


def test_a_sheet_without_codes_or_scales_is_refused():
    for header in (("CogA",), ("code", "reply"), ()):
        with pytest.raises(DataError, match="needs the column"):
            sheet(header=header)


def rated(score, raters=("ann", "bo"), items=40):
    """Replies of two systems, rated by a function of rater, system and number."""
    found = blinded(replies(items), raters, rng())
    said = [
        Rating(code, rater, {"CogA": score(rater, one.system, int(one.item[1:]))})
        for code, one in found.key.items()
        for rater in raters
    ]
    return scale_ratings("CogA", SCALES["CogA"], said, found.key, rng(), 200)


def test_where_raters_agree_systems_are_compared_on_the_same_messages():
    found = rated(lambda _, system, n: 1 + n % 4 + (system == "alpha"))
    assert found.alpha.value == pytest.approx(1)
    assert found.cohen == pytest.approx(1)
    assert found.means["alpha"].value == pytest.approx(3.5)
    assert found.means["beta-7b"].value == pytest.approx(2.5)
    difference = found.differences["alpha", "beta-7b"]
    assert difference.value == pytest.approx(1)
    assert (found.rated, found.withheld) == (80, None)


def test_where_raters_do_not_agree_there_is_no_average():
    found = rated(lambda rater, _, n: 1 + (n * (3 if rater == "ann" else 2)) % 5)
    assert found.withheld == "raters agree no better than chance"
    assert (found.means, found.differences) == ({}, {})


def test_one_rater_alone_gives_no_average():
    found = rated(lambda *_: 4, raters=("ann",))
    assert found.withheld == "fewer than two raters judged the same replies"


def test_when_all_say_one_thing_agreement_is_not_known():
    found = rated(lambda *_: 4)
    assert found.withheld.startswith("everybody always gave one value")


def test_a_rater_who_says_that_nothing_can_be_scored_is_counted():
    found = rated(lambda rater, _, n: None if rater == "bo" and n == 0 else 1 + n % 4)
    assert found.unscored == 2
    assert found.rated == 78
