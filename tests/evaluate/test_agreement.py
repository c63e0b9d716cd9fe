import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from untwist.errors import DataError
from untwist.evaluate import agreement, fleiss_kappa, pooled_agreement

# Fleiss (1971) for two categories, by hand: 4 rows, 3 labellers, votes for yes 3, 2, 1, 0.
VOTES = [[1, 1, 1], [1, 1, 0], [1, 0, 0], [0, 0, 0]]


def rng():
    return np.random.default_rng(3)


def test_fleiss_kappa_of_a_case_by_hand():
    # rows agree: 3 of 3 pairs, 1 of 3, 1 of 3, 3 of 3 -> mean 2/3; yes has half of the votes, so
    # chance is 1/4 + 1/4; (2/3 - 1/2) / (1 - 1/2) = 1/3
    found = fleiss_kappa(VOTES, rng(), 50)
    assert found.kappa == pytest.approx(1 / 3)
    assert (found.labellers, found.rows) == (3, 4)


def test_fleiss_kappa_is_not_known_when_everybody_always_says_the_same():
    found = fleiss_kappa([[1, 1, 1], [1, 1, 1]], rng(), 20)
    assert found.kappa is None
    assert found.interval is None


def test_fleiss_kappa_does_not_depend_on_the_order_of_labellers():
    votes = rng().random((60, 4)) < 0.4
    assert fleiss_kappa(votes, rng()).kappa == fleiss_kappa(votes[:, ::-1], rng()).kappa


def test_one_labeller_alone_cannot_agree():
    with pytest.raises(DataError, match="two labellers or more"):
        fleiss_kappa([[1], [0]], rng())


@pytest.mark.parametrize("seed", range(5))
def test_pooled_kappa_is_that_of_scikit_learn_over_all_cells(seed):
    chance = np.random.default_rng(seed)
    first = chance.random((50, 6)) < 0.3
    second = first ^ (chance.random((50, 6)) < 0.1)
    found = pooled_agreement(first, second, rng(), 200)
    assert found.kappa == pytest.approx(cohen_kappa_score(first.ravel(), second.ravel()), abs=1e-9)
    assert found.interval.low <= found.kappa <= found.interval.high


def test_the_interval_of_the_pool_draws_whole_rows():
    # one row holds all the disagreement in many cells: rows drawn whole spread more than cells
    first = np.zeros((20, 30), bool)
    first[:10] = True
    second = first.copy()
    second[0] = False
    whole = pooled_agreement(first, second, rng(), 500).interval
    cells = agreement(zip(first.ravel().tolist(), second.ravel().tolist(), strict=True), rng(), 500)
    assert whole.high - whole.low > 3 * (cells.interval.high - cells.interval.low)
