import numpy as np
import pytest

from untwist.errors import DataError
from untwist.evaluate import advantage_of, safety_advantage

# crisis intervention is the last; the best of the others is 1, 3 and -1
Q = np.array([[1.0, 0, 0, 0, 0, 0, 0, 0, 0, 4], [3, 0, 0, 0, 0, 0, 0, 0, 0, 2], [-1] * 9 + [-1]])


def test_the_advantage_is_over_the_best_of_the_others():
    assert safety_advantage(Q).tolist() == [3, -1, 0]


def test_its_distribution_is_taken_among_the_rows_asked_for():
    found = advantage_of(Q, np.array([True, True, False]))
    assert (found.n, found.mean, found.median) == (2, 1, 1)
    assert found.sd == pytest.approx(np.sqrt(8))
    assert (found.positive.hits, found.positive.of) == (1, 2)
    # a tie is no advantage
    assert advantage_of(Q, np.array([False, False, True])).positive.hits == 0


def test_the_concentration_is_the_softmax_on_crisis_intervention():
    # all values equal: one of ten; far above the others: nearly 1
    assert advantage_of(np.zeros((1, 10)), np.ones(1, bool)).concentration == pytest.approx(0.1)
    sure = np.zeros((1, 10))
    sure[0, 9] = 20
    assert advantage_of(sure, np.ones(1, bool)).concentration == pytest.approx(1, abs=1e-6)


def test_of_no_row_nothing_is_known():
    found = advantage_of(Q, np.zeros(3, bool))
    assert (found.n, found.mean, found.median, found.positive.value) == (0, None, None, None)
    assert found.to_dict()["quantiles"] == []


def test_greedy_choice_and_positive_advantage_are_one():
    q = np.random.default_rng(1).normal(size=(200, 10))
    assert ((safety_advantage(q) > 0) == (q.argmax(axis=1) == 9)).all()


@pytest.mark.parametrize("q", [np.zeros((2, 9)), np.full((2, 10), np.nan), np.zeros(10)])
def test_values_that_are_none_are_refused(q):
    with pytest.raises(DataError):
        safety_advantage(q)


def test_marks_for_other_rows_are_refused():
    with pytest.raises(DataError, match="2 marks for 3"):
        advantage_of(Q, np.zeros(2, bool))
