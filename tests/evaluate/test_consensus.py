import pytest
from hypothesis import given
from hypothesis import strategies as st

from untwist.evaluate import most, most_labels, most_spans


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        (["a", "a", "b"], "a"),
        (["a", "b"], None),
        (["a", "a", "b", "b"], None),
        (["a", "a", "b", "c"], None),
        (["a", None, None], "a"),
        ([None, None], None),
        ([], None),
        ([0, 0, 1], 0),
    ],
)
def test_most_is_more_than_half_of_those_who_judged(votes, expected):
    assert most(votes) == expected


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        (["a", "ab", "b"], "ab"),
        (["a", "ab", "a"], "a"),
        (["", "", "a"], ""),
        (["a", "b", "c"], None),
        (["a", "b", ""], None),
        (["a", ""], None),
        (["a", "ab"], None),
        (["ab"], "ab"),
        ([""], ""),
        ([], None),
    ],
)
def test_labels_stand_when_most_gave_them_and_disagreement_is_not_absence(votes, expected):
    found = most_labels([frozenset(vote) for vote in votes])
    assert found == (None if expected is None else frozenset(expected))


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ([[(0, 4)], [(2, 6)], [(3, 9)]], ((2, 6),)),
        ([[(0, 2)], [(4, 6)]], ()),
        ([[(0, 2), (4, 6)], [(0, 2), (4, 5)]], ((0, 2), (4, 5))),
        ([[(0, 3), (1, 2)]], ((0, 3),)),
        ([[(0, 3)], []], ()),
        ([], ()),
    ],
)
def test_of_spans_the_characters_that_most_marked_are_kept(marked, expected):
    assert most_spans(marked) == expected


labels = st.frozensets(st.sampled_from("abc"), max_size=3)


@given(st.lists(labels, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_who_speaks_first_does_not_matter(votes, chance):
    mixed = list(votes)
    chance.shuffle(mixed)
    assert most_labels(votes) == most_labels(mixed)


@given(labels, st.integers(1, 5))
def test_what_all_say_stands(vote, voters):
    assert most_labels([vote] * voters) == vote
