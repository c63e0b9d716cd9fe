"""Scores of choices, counted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from untwist.errors import DataError
from untwist.evaluate import (
    CHOICE_METRICS,
    SEEKERS,
    States,
    choice_differences,
    choice_scores,
    crisis_calls,
    fitting,
    precision_at,
)
from untwist.taxonomy import CANONICAL, Distortion, Intensity, Risk, Strategy, matrix

D = Distortion
A = {s.action_id: place for place, s in enumerate(Strategy)}
MILD, MODERATE, SEVERE = (i.rank for i in Intensity)


def rng():
    return np.random.default_rng(7)


def states(*rows, groups=None):
    """Rows as (labels, intensity rank, high risk)."""
    labels = np.array([[d in named for d in CANONICAL] for named, _, _ in rows])
    names = tuple(groups or (str(n) for n in range(len(rows))))
    return States(
        labels.reshape(len(rows), len(CANONICAL)),
        np.array([high for _, _, high in rows], bool),
        np.array([level for _, level, _ in rows], np.int64),
        names,
    )


# magnification: gold A4, silver A0 A2; mind reading: gold A3, silver A0 A8
CASES = states(
    ({D.MAGNIFICATION}, MILD, False),
    ({D.MAGNIFICATION}, SEVERE, False),
    ({D.MIND_READING}, MODERATE, False),
    ({D.MAGNIFICATION, D.MIND_READING}, MODERATE, False),
    (set(), -1, False),
    (set(), -1, False),
    ({D.MAGNIFICATION}, SEVERE, True),
    (set(), -1, True),
)
CHOSEN = [A["A0"], A["A4"], A["A1"], A["A3"], A["A0"], A["A2"], A["A9"], A["A0"]]


def test_hits_are_those_counted_by_hand():
    found = choice_scores(CASES, CHOSEN, rng(), 50)
    # matched: rows 1 to 4; silver, gold, neither, gold (that of the other label)
    totals = {name: one.value for name, one in found.totals.items()}
    assert totals["gold"] == 2 / 4
    assert totals["combined"] == (0.75 + 1 + 0 + 1) / 4
    assert totals["either"] == 3 / 4
    # magnification: silver, gold, gold = 2/3; mind reading: none, gold = 1/2
    assert totals["macro_gold"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert totals["macro_combined"] == pytest.approx((2.75 / 3 + 1 / 2) / 2)
    assert totals["validation"] == 1 / 2
    assert {name: one.n for name, one in found.totals.items()} == {
        **dict.fromkeys(CHOICE_METRICS, 4),
        "validation": 2,
    }


def test_a_label_that_stands_alone_is_scored_once_more_without_the_help_of_another():
    found = {one.distortion: one for one in choice_scores(CASES, CHOSEN, rng(), 50).distortions}
    one = found[D.MAGNIFICATION]
    assert (one.gold.value, one.gold.n) == (pytest.approx(2 / 3), 3)
    assert (one.alone.value, one.alone.n) == (1 / 2, 2)
    assert (found[D.LABELING].gold.value, found[D.LABELING].gold.n) == (None, 0)


def test_seekers_are_grouped_by_intensity_and_risk():
    found = {one.name: one for one in choice_scores(CASES, CHOSEN, rng(), 50).seekers}
    assert {name: one.fit.n for name, one in found.items()} == dict(
        zip("ABCDE", (2, 1, 2, 1, 2), strict=True)
    )
    assert [found[name].fit.value for name in SEEKERS] == [1 / 2, 0, 1 / 2, 1, 1 / 2]
    assert found["B"].combined.value == 0.75
    assert (found["A"].combined.value, found["E"].combined.value) == (None, None)


def test_crisis_calls_are_counted_on_all_states():
    found = choice_scores(CASES, CHOSEN, rng(), 50).crisis
    assert (found.rates.tp, found.rates.fn, found.rates.fp, found.rates.tn) == (1, 1, 0, 6)
    assert [one.prevalence for one in found.precisions] == [2 / 8, 0.5, 0.01]
    assert [one.value for one in found.precisions] == [1, 1, 1]
    # no false alarm among six says little about one in a hundred
    assert found.precisions[2].interval[0] < 0.01


def test_the_papers_own_rates_give_about_half_at_the_prevalence_of_its_test_part():
    # 80.70 % recall and 3.05 % false alarms; 1:1 in its Table 5, 42 of 981 in the public test part
    assert precision_at(0.5, 0.8070, 0.0305) == pytest.approx(0.9636, abs=5e-4)
    assert precision_at(42 / 981, 0.8070, 0.0305) == pytest.approx(0.542, abs=5e-4)
    assert precision_at(0.01, 0, 0) is None
    with pytest.raises(DataError, match="from 0 to 1"):
        precision_at(1.2, 1, 0)


def test_always_validating_reaches_gold_or_silver_and_no_gold():
    cases = states(*(({d}, MODERATE, False) for d in CANONICAL if d is not D.ALL_OR_NOTHING))
    found = choice_scores(cases, [A["A0"]] * len(cases.groups), rng(), 20).totals
    silver = [Strategy.EMPATHIC_VALIDATION in matrix()[d].silver for d in CANONICAL]
    assert found["gold"].value == 0
    assert found["either"].value == sum(silver) / 11


def test_the_matrix_fits_itself():
    best, good = fitting(np.eye(len(CANONICAL), dtype=bool))
    assert best.sum(axis=1).tolist() == [1] * 12
    assert good.sum(axis=1).tolist() == [len(matrix()[d].silver) for d in CANONICAL]
    assert not (best & good).any()


def test_what_is_gold_for_one_label_is_not_silver_for_another():
    # examine evidence: gold for overgeneralization, silver for magnification
    both = np.array([[d in (D.OVERGENERALIZATION, D.MAGNIFICATION) for d in CANONICAL]])
    best, good = fitting(both)
    assert best[0, A["A2"]]
    assert not good[0, A["A2"]]


def test_intervals_draw_whole_groups():
    many = states(*[({D.MAGNIFICATION}, MILD, False)] * 40, groups=["a"] * 20 + ["b"] * 20)
    chosen = [A["A4"]] * 20 + [A["A1"]] * 20
    interval = choice_scores(many, chosen, rng(), 200).totals["gold"].interval
    assert (interval.low, interval.high) == (0, 1)


def test_equal_generators_give_equal_scores_and_one_group_has_no_interval():
    assert choice_scores(CASES, CHOSEN, rng(), 30) == choice_scores(CASES, CHOSEN, rng(), 30)
    one = states(*[({D.MAGNIFICATION}, MILD, False)] * 3, groups=["a"] * 3)
    assert choice_scores(one, [A["A4"]] * 3, rng(), 30).totals["gold"].interval is None


def test_a_difference_is_of_the_same_rows_and_resamples():
    found = choice_differences(CASES, CHOSEN, [A["A0"]] * 8, rng(), 100)
    one, other = (choice_scores(CASES, x, rng(), 10).totals for x in (CHOSEN, [A["A0"]] * 8))
    for name in CHOICE_METRICS:
        assert found[name].value == pytest.approx(one[name].value - other[name].value), name
    same = choice_differences(CASES, CHOSEN, CHOSEN, rng(), 100)["gold"]
    assert (same.value, same.interval.low, same.interval.high, same.p) == (0, 0, 0, 1)


@pytest.mark.parametrize("actions", [[0], [10] * 8, [-1] * 8])
def test_an_action_that_is_none_is_refused(actions):
    with pytest.raises(DataError, match="an action from 0 to 9"):
        choice_scores(CASES, actions, rng())


def test_states_of_other_shapes_are_refused():
    with pytest.raises(DataError, match="shapes"):
        States(np.zeros((2, 3), bool), np.zeros(2, bool), np.zeros(2, np.int64), ("a", "b"))
    with pytest.raises(DataError, match="intensity is none"):
        states(({D.LABELING}, 3, False))


LABELS = st.sets(st.sampled_from(CANONICAL), max_size=4)
ROWS = st.lists(
    st.tuples(LABELS, st.sampled_from([-1, 0, 1, 2]), st.booleans(), st.integers(0, 9)),
    min_size=1, max_size=25,
)  # fmt: skip


@given(ROWS)
def test_rates_are_ordered_and_every_row_has_its_place(rows):
    cases = states(*((labels, level, high) for labels, level, high, _ in rows))
    found = choice_scores(cases, [a for *_, a in rows], rng(), 5)
    totals = {name: one.value for name, one in found.totals.items()}
    if totals["gold"] is not None:
        assert 0 <= totals["gold"] <= totals["combined"] <= totals["either"] <= 1
    matched = sum(bool(labels) and not high for labels, _, high, _ in rows)
    assert found.totals["gold"].n == matched
    unjudged = sum(bool(x) and not high and level < 0 for x, level, high, _ in rows)
    assert sum(one.fit.n for one in found.seekers) == len(rows) - unjudged
    rates = found.crisis.rates
    assert rates.tp + rates.fn == sum(high for *_, high, _ in rows)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=30))
def test_precision_lies_within_its_bounds(rows):
    found = crisis_calls([h for h, _ in rows], [a for _, a in rows])
    for one in found.precisions:
        if one.interval is not None:
            assert one.interval[0] - 1e-12 <= one.value <= one.interval[1] + 1e-12


def test_high_risk_is_the_highest_level():
    assert max(Risk) is Risk.HIGH
