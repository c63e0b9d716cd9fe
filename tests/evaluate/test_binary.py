"""Yes or no against yes or no, and agreement of two labellers, against values worked by hand."""

import numpy as np
import pytest

from untwist.evaluate import Rates, Share, agreement


def test_the_four_rates_of_a_table():
    rates = Rates.count(
        [(True, True)] * 6 + [(False, True)] * 2 + [(True, False)] * 3 + [(False, False)] * 9
    )
    assert (rates.tp, rates.fp, rates.fn, rates.tn) == (6, 2, 3, 9)
    assert rates.sensitivity == Share(6, 9)
    assert rates.specificity == Share(9, 11)
    assert rates.precision == Share(6, 8)
    assert rates.f1 == pytest.approx(12 / 17)


def test_the_interval_of_f1_holds_f1_and_is_that_of_its_share():
    rates = Rates(6, 2, 3, 9)
    low, high = rates.f1_interval
    assert 0 < low < rates.f1 < high < 1
    bound = Share(6, 11).interval[0]
    assert low == pytest.approx(2 * bound / (1 + bound))


def test_nothing_said_and_nothing_there_is_not_known():
    rates = Rates(0, 0, 0, 4)
    assert rates.f1 is None
    assert rates.f1_interval is None
    assert rates.precision.value is None
    assert rates.sensitivity.value is None


def test_kappa_is_that_of_the_textbook_table():
    # 20, 5, 10, 15: observed 0.70, by chance 0.50
    pairs = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15
    found = agreement(pairs, np.random.default_rng(1))
    assert found.share == Share(35, 50)
    assert found.kappa == pytest.approx(0.4)
    assert found.interval.low < 0.4 < found.interval.high
    assert (found.first, found.second) == (5, 10)


def test_kappa_interval_narrows_with_rows_and_is_the_same_for_the_same_seed():
    table = [(True, True)] * 4 + [(True, False)] + [(False, True)] * 2 + [(False, False)] * 3
    few, again, many = (
        agreement(table * times, np.random.default_rng(7)).interval for times in (5, 5, 100)
    )
    assert few == again
    assert many.high - many.low < few.high - few.low


def test_labellers_who_always_say_one_thing_have_no_kappa():
    found = agreement([(True, True)] * 5, np.random.default_rng(1))
    assert found.kappa is None
    assert found.interval is None
    assert found.share == Share(5, 5)


def test_no_row_is_no_agreement_and_no_error():
    found = agreement([], np.random.default_rng(1))
    assert found.kappa is None
    assert found.to_dict()["agreement"]["value"] is None
