import numpy as np
import pytest

from untwist.errors import DataError
from untwist.evaluate import grouped_mean, over_runs, paired_means


def rng():
    return np.random.default_rng(2)


def test_three_runs_have_the_textbook_interval():
    # mean 2, sd 1, t = 4.303 with 2 degrees of freedom: 2 ± 4.303 / √3
    found = over_runs([1, 2, 3])
    assert (found.mean, found.sd) == (2, 1)
    assert found.interval == pytest.approx((2 - 4.303 / 3**0.5, 2 + 4.303 / 3**0.5))


def test_one_run_has_no_spread_and_none_is_an_error():
    assert over_runs([1.5]).interval is None
    for values in ([], [1, float("nan")]):
        with pytest.raises(DataError, match="one finite value for each run"):
            over_runs(values)


def test_a_mean_of_groups_is_that_of_rows_and_its_interval_that_of_groups():
    found = grouped_mean([0, 0, 0, 1], ["a", "a", "a", "b"], rng(), 500)
    assert (found.value, found.n) == (0.25, 4)
    # a resample holds a twice, both, or b twice
    assert (found.interval.low, found.interval.high) == (0, 1)
    assert grouped_mean([1, 2], ["a", "a"], rng()).interval is None
    assert grouped_mean([], [], rng()).value is None


def test_a_constant_gain_is_sure_however_much_the_rows_vary():
    base = np.arange(20.0)
    found = paired_means(base + 1, base, [str(i) for i in range(20)], rng(), 200)
    assert found.value == pytest.approx(1)
    assert (found.interval.low, found.interval.high) == pytest.approx((1, 1))
    assert found.p == pytest.approx(2 / 201)
    assert paired_means([1], [0], ["a"], rng()) is None


def test_what_is_not_finite_is_refused():
    with pytest.raises(DataError, match="one finite number for each of the 2 rows"):
        grouped_mean([1, np.inf], ["a", "b"], rng())
