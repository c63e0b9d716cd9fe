import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from untwist.errors import ConfigError, DataError
from untwist.evaluate import Facet, Gate, facet_agreement, fleiss_kappa, obstacles

LABELS = Facet("labels", "labels", ("a", "b", "c"))
RISK = Facet("risk", "levels", (0, 1, 2))
CHOICE = Facet("choice", "names", ("first", "second", "neither"))


def rng():
    return np.random.default_rng(11)


def found(votes, facet=LABELS):
    return facet_agreement(votes, facet, rng(), 100)


def sets(*rows):
    return [[None if cell is None else frozenset(cell) for cell in row] for row in rows]


# four items, two annotators; "a": yes-yes, yes-no, no-no, no-no; "b": no-no, no-no, yes-yes, no-no
PAIR = sets(("a", "a"), ("a", ""), ("b", "b"), ("", ""))


def test_labels_are_compared_one_by_one_and_averaged_over_those_that_are_known():
    one = found(PAIR)
    # a: alike 3/4; by chance 2/4 * 1/4 + 2/4 * 3/4 = 1/2 -> (3/4 - 1/2) / (1/2) = 1/2
    # b: always alike -> 1. c: nobody ever gave it -> not known, and left out of the mean
    assert [part.cohen for part in one.parts] == [pytest.approx(1 / 2), pytest.approx(1), None]
    assert one.cohen == pytest.approx(3 / 4)
    # Fleiss of a: 3 yes of 8 -> chance (9 + 25) / 64; (3/4 - 34/64) / (30/64) = 7/15
    assert one.parts[0].fleiss == pytest.approx(7 / 15)
    assert one.fleiss.value == pytest.approx((7 / 15 + 1) / 2)
    assert one.same == pytest.approx(3 / 4)


def test_specific_agreement_and_prevalence_stand_beside_kappa():
    a, b, c = found(PAIR).parts
    # of a's 3 yes, 2 meet a yes: 2/3
    assert (a.marked, a.prevalence, a.positive) == (2, 3 / 8, pytest.approx(2 / 3))
    assert (b.marked, b.positive) == (1, 1)
    assert (c.marked, c.prevalence, c.positive, c.rare) == (0, 0, None, True)


def test_the_prevalence_paradox_shows():
    # 98 of 100 items alike, and kappa near zero: the label is hardly ever given
    votes = sets(*[("", "")] * 98, ("a", ""), ("", "a"))
    part = found(votes).parts[0]
    assert part.same == pytest.approx(0.98)
    assert part.cohen == pytest.approx(-0.01, abs=0.01)
    assert part.rare


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=2, max_size=15))
def test_fleiss_of_a_part_is_that_of_the_room(votes):
    several = sets(*[["a" * vote for vote in row] for row in votes])
    room = fleiss_kappa(votes, rng(), 5).kappa
    part = found(several).parts[0].fleiss
    assert part == pytest.approx(room) if room is not None else part is None


def test_levels_are_taken_as_a_whole_and_gaps_are_left_out():
    one = found([(0, 0), (1, 1), (2, 2), (0, 1), (None, 2)], RISK)
    # four joint items, three alike; the first gives 0 0 1 2, the second 0 1 1 2:
    # by chance (2 * 1 + 1 * 2 + 1 * 1) / 16 = 5/16 -> (12/16 - 5/16) / (11/16) = 7/11
    assert one.cohen == pytest.approx(7 / 11)
    assert (one.items, one.joint, one.annotators) == (4, 4, 2)
    assert one.alpha.metric == "ordinal"


def test_of_choices_the_order_of_names_does_not_matter():
    votes = [("first", "first"), ("second", "neither"), ("second", "second")]
    mixed = Facet("choice", "names", ("neither", "second", "first"))
    assert found(votes, CHOICE).fleiss.value == pytest.approx(found(votes, mixed).fleiss.value)
    assert found(votes, CHOICE).alpha.metric == "nominal"


def test_the_interval_lies_around_the_value():
    chance = rng()
    rows = [["ab"[: int(n)] for n in chance.integers(0, 3, 3)] for _ in range(60)]
    one = found(sets(*rows))
    assert one.fleiss.interval.low <= one.fleiss.value <= one.fleiss.interval.high


def test_a_gate_opens_when_every_facet_reaches_the_number():
    gate = Gate("cohen", 0.7, items=4)
    assert obstacles([found(PAIR)], gate) == ()


def test_a_gate_can_ask_for_the_lower_end_of_the_interval():
    one = found(PAIR)
    assert obstacles([one], Gate("fleiss", 0.7, items=4)) == ()
    low = one.fleiss.interval.low
    (why,) = obstacles([one], Gate("fleiss", 0.7, items=4, sure=True))
    assert why.why == f"the interval of fleiss begins at {low:.3f}, below 0.7"
    assert one.low("cohen") is None


def test_a_gate_says_both_numbers_of_everything_that_is_missing():
    gate = Gate("fleiss", 0.8, items=50, annotators=3, every=0.5)
    whys = [one.why for one in obstacles([found(PAIR)], gate)]
    assert whys == [
        "2 of 3 annotators",
        "4 of 50 items judged by all",
        "fleiss 0.733 is below 0.8",
        "a: fleiss 0.467 is below 0.5",
    ]


def test_a_gate_stays_shut_when_agreement_is_not_known():
    (why,) = obstacles([found(sets(("", ""), ("", "")))], Gate("alpha", 0.7, items=2))
    assert "not known" in why.why


def test_what_is_judged_only_now_and_then_asks_for_no_number_of_items():
    sometimes = Facet("intensity", "levels", (0, 1), always=False)
    votes = [(0, 0), (1, 1), (None, None)]
    assert obstacles([found(votes, sometimes)], Gate("alpha", 0.7, items=3)) == ()


def test_no_judgement_at_all_opens_no_gate():
    one = found([])
    assert (one.items, one.fleiss.value, one.alpha.value) == (0, None, None)
    assert obstacles([one], Gate("cohen", 0.7, items=1))
    with pytest.raises(DataError, match="something"):
        obstacles([], Gate("cohen", 0.7, items=1))


@pytest.mark.parametrize(
    ("votes", "facet"),
    [(sets(("a", "x")), LABELS), ([(0, 3)], RISK), ([(0, 1), (0,)], RISK), ([("a", "b")], LABELS)],
)
def test_what_the_facet_does_not_have_is_refused(votes, facet):
    with pytest.raises(DataError):
        found(votes, facet)


@pytest.mark.parametrize(
    "wrong",
    [
        {"at_least": 0},
        {"at_least": 1.1},
        {"items": 0},
        {"annotators": 1},
        {"every": 0.5},
        {"measure": "cohen", "sure": True},
    ],
)
def test_a_gate_out_of_range_is_refused(wrong):
    with pytest.raises(ConfigError):
        Gate(**({"measure": "alpha", "at_least": 0.7, "items": 50} | wrong))
