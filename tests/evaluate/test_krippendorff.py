import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from untwist.errors import DataError
from untwist.evaluate import krippendorff_alpha, masi

# Krippendorff (2011), the worked example of section C: four observers, twelve units, gaps.
_ = None
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
    [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
]
UNITS = list(zip(*OBSERVERS, strict=True))
LEVELS = (1, 2, 3, 4, 5)


def rng():
    return np.random.default_rng(5)


def alpha(units, metric="nominal", **options):
    return krippendorff_alpha(units, metric, rng(), 50, **options)


def test_two_observers_and_yes_or_no_by_hand():
    # Krippendorff (2011), section A. Ten units, four with a disagreement, so the table of
    # coincidences holds 4 + 4 unlike pairs; 14 noes and 6 yeses in 20 judgements:
    # 1 - (20 - 1) * 4 / (14 * 6) = 1 - 76 / 84 = 0.095
    first = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    second = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    found = alpha(list(zip(first, second, strict=True)))
    assert found.value == pytest.approx(1 - 76 / 84)
    assert (found.units, found.judgements) == (10, 20)


def test_two_observers_and_five_names_by_hand():
    # Krippendorff (2011), section B: of 12 units 3 are unlike and count twice each; of the 24
    # judgements a 4, b 6, c 6, d 6, e 2; 24 * 24 - (16 + 36 + 36 + 36 + 4) = 448 pairs are
    # unlike, and alpha = 1 - 23 * 6 / 448 = 0.692
    units = list(zip("aabbdcccedda", "babbbccceddd", strict=True))
    assert alpha(units).value == pytest.approx(1 - 23 * 6 / 448)


@pytest.mark.parametrize(
    ("metric", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_four_observers_with_gaps_give_the_published_values(metric, published):
    found = alpha(UNITS, metric, values=LEVELS)
    assert found.value == pytest.approx(published, abs=0.0005)
    # unit 12 was judged once: it tells nothing; 40 judgements are left
    assert (found.units, found.judgements) == (11, 40)


def test_the_nominal_value_of_the_gapped_example_by_hand():
    # o_cc on the diagonal 7 + 10 + 8 + 4 + 3 = 32 of n = 40; n_c = 9, 13, 10, 5, 3, whose
    # n_c (n_c - 1) sum to 72 + 156 + 90 + 20 + 6 = 344:
    # ((40 - 1) * 32 - 344) / (40 * 39 - 344) = 904 / 1216 = 0.743
    assert alpha(UNITS).value == pytest.approx(904 / 1216)


def test_distances_of_sets_by_hand():
    a, ab, bc = frozenset("a"), frozenset("ab"), frozenset("bc")
    assert masi(a, a) == 0
    assert masi(a, ab) == pytest.approx(1 - 1 / 2 * 2 / 3)
    assert masi(ab, bc) == pytest.approx(1 - 1 / 3 * 1 / 3)
    assert masi(a, bc) == 1
    assert masi(frozenset(), a) == 1
    assert masi(frozenset(), frozenset()) == 0


def test_alpha_of_sets_by_hand():
    # two units: {a} {a}; {a} {a, b}. Seen: 2 * (2/3) = 4/3. By chance: {a} 3 times, {a, b} once,
    # 2 * 3 * 1 * 2/3 = 4. 1 - 3 * (4/3) / 4 = 0
    a, ab = frozenset("a"), frozenset("ab")
    assert alpha([(a, a), (a, ab)], "masi").value == pytest.approx(0)


def test_it_is_not_known_when_only_one_value_was_given():
    found = alpha([(1, 1), (1, 1, 1)])
    assert (found.value, found.interval, found.units) == (None, None, 2)


@pytest.mark.parametrize("units", [[], [(1, None), (None, 2)]])
def test_it_is_not_known_when_no_unit_was_judged_twice(units):
    assert alpha(units).to_dict() == {
        "value": None, "interval": None, "units": 0, "judgements": 0, "metric": "nominal",
    }  # fmt: skip


def test_ordinal_values_need_their_order():
    with pytest.raises(DataError, match="lowest first"):
        alpha(UNITS, "ordinal")


@pytest.mark.parametrize(("metric", "units"), [("interval", [("a", "b")]), ("masi", [(1, 2)])])
def test_a_value_that_does_not_fit_the_metric_is_refused(metric, units):
    with pytest.raises(DataError, match="needs"):
        alpha(units, metric)


def test_a_value_outside_the_scale_is_refused():
    with pytest.raises(DataError, match="unit 1"):
        alpha([(1, 6)], values=LEVELS)


units_of = st.lists(
    st.lists(st.sampled_from([None, 0, 1, 2]), min_size=2, max_size=4), min_size=2, max_size=12
)


@settings(max_examples=60, deadline=None)
@given(units=units_of, seed=st.integers(0, 9))
def test_neither_the_order_of_coders_nor_of_units_matters(units, seed):
    chance = np.random.default_rng(seed)
    mixed = [list(chance.permutation(np.array(u, object))) for u in units]
    chance.shuffle(mixed)
    for metric in ("nominal", "ordinal", "interval"):
        one = alpha(units, metric, values=(0, 1, 2)).value
        other = alpha(mixed, metric, values=(0, 1, 2)).value
        assert one == pytest.approx(other)


@settings(max_examples=60, deadline=None)
@given(units=units_of)
def test_it_is_never_above_one_and_one_only_when_all_agree(units):
    found = alpha(units, values=(0, 1, 2)).value
    agreed = all(len({v for v in u if v is not None}) < 2 for u in units)
    assert found is None or (found <= 1 and (found == 1) == agreed)


def test_of_two_values_all_metrics_are_one():
    chance = rng()
    units = (chance.random((40, 3)) < 0.3).astype(int).tolist()
    found = {alpha(units, m, values=(0, 1)).value for m in ("nominal", "ordinal", "interval")}
    assert max(found) - min(found) < 1e-12


def test_the_interval_holds_the_value_and_equal_seeds_give_equal_ends():
    units = (rng().random((60, 3)) < 0.4).astype(int).tolist()
    first = krippendorff_alpha(units, "ordinal", rng(), 200, values=(0, 1))
    assert first.interval.low <= first.value <= first.interval.high
    assert first == krippendorff_alpha(units, "ordinal", rng(), 200, values=(0, 1))
