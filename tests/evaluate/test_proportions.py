"""Wilson intervals: known values and edges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from untwist.evaluate import Share


def test_nine_of_ten_has_the_textbook_interval():
    # p = 0.9, n = 10, z = 1.96: (0.9 + 3.84/20 ± 1.96 sqrt(0.09/10 + 3.84/400)) / 1.384
    low, high = Share(9, 10).interval
    assert low == pytest.approx(0.5958, abs=1e-4)
    assert high == pytest.approx(0.9821, abs=1e-4)


def test_no_miss_in_221_bounds_the_rate_at_one_point_seven_percent():
    # 0 of n: upper bound z^2 / (n + z^2) = 3.8415 / 224.84
    assert Share(0, 221).interval[1] == pytest.approx(0.01708, abs=1e-5)


def test_nothing_of_nothing_is_not_known():
    assert Share(0, 0).value is None
    assert Share(0, 0).interval is None
    assert str(Share(0, 0)) == "–"


@given(st.integers(1, 500), st.data())
def test_the_interval_holds_the_share(n, data):
    share = Share(data.draw(st.integers(0, n)), n)
    low, high = share.interval
    assert 0 <= low <= share.value <= high <= 1
