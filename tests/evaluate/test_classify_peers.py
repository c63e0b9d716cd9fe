"""The masked scores against scikit-learn on the cells that are left, and what needs it."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from untwist.errors import MissingExtra
from untwist.evaluate import average_precision, ordinal_scores, scores, with_none

CLOSE = {"abs": 1e-9}
cases = st.tuples(
    st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 6), st.sampled_from([0.1, 0.5, 0.9])
)


def drawn(case):
    seed, rows, labels, share = case
    rng = np.random.default_rng(seed)
    gold, guess = (rng.random((rows, labels)) < share for _ in range(2))
    return gold, guess, rng.random((rows, labels)) < 0.7


def near(value, want):
    """Equal to a number of scikit-learn's; None where that is not a number."""
    return value is None if np.isnan(want) else value == pytest.approx(want, **CLOSE)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(cases)
def test_every_class_equals_scikit_learn_on_its_unmasked_cells(case):
    gold, guess, mask = drawn(case)
    for c, one in enumerate(scores(gold, guess, mask).classes):
        truth, said = gold[mask[:, c], c], guess[mask[:, c], c]
        assert (one.cells, one.support) == (len(truth), truth.sum())
        if not len(truth):
            assert (one.precision, one.recall, one.f1, one.kappa) == (None,) * 4
            continue
        p, r, f, _ = metrics.precision_recall_fscore_support(
            truth, said, average="binary", pos_label=True, zero_division=np.nan
        )
        assert near(one.precision, p)
        assert near(one.recall, r)
        assert near(one.f1, f if truth.any() else np.nan)
        if len(set(truth) | set(said)) == 2:
            assert near(one.kappa, metrics.cohen_kappa_score(truth, said))
        else:
            assert one.kappa is None


@settings(max_examples=15, deadline=None, derandomize=True)
@given(cases)
def test_the_pooled_scores_equal_scikit_learn_on_the_pool_of_unmasked_cells(case):
    gold, guess, mask = drawn(case)
    got = scores(gold, guess, mask)
    pool = gold[mask], guess[mask]
    if not pool[0].size:
        assert got.micro_f1 is None
        return
    p, r, f, _ = metrics.precision_recall_fscore_support(
        *pool, average="binary", pos_label=True, zero_division=np.nan
    )
    assert near(got.micro_precision, p)
    assert near(got.micro_recall, r)
    assert near(got.micro_f1, f)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(cases)
def test_exact_match_equals_a_count_of_rows_by_hand(case):
    gold, guess, mask = drawn(case)
    live = [row for row in range(len(gold)) if mask[row].any()]
    right = sum(all(gold[r][mask[r]] == guess[r][mask[r]]) for r in live)
    got = scores(gold, guess, mask)
    assert got.rows == len(live)
    assert got.exact_match == (pytest.approx(right / len(live)) if live else None)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(cases)
def test_unscored_rows_are_rows_with_nothing_predicted_that_never_match(case):
    gold, guess, mask = drawn(case)
    scored = np.random.default_rng(case[0]).random(len(gold)) < 0.6
    got = scores(gold, guess, mask, scored)
    silent = scores(gold, guess & scored[:, None], mask)
    assert (got.micro_f1, got.weighted_f1, got.classes) == (
        silent.micro_f1,
        silent.weighted_f1,
        silent.classes,
    )
    answered = mask & scored[:, None]
    right = (scores(gold, guess, answered).exact_match or 0) * scores(gold, guess, answered).rows
    assert got.exact_match == (pytest.approx(right / got.rows) if got.rows else None)


def test_none_as_a_class_by_hand():
    gold = [[1, 0], [0, 0], [0, 0], [0, 1]]
    guess = [[1, 0], [0, 0], [0, 1], [0, 0]]
    got = with_none(gold, guess)
    # labels: TP 1 (row 0), FP 1 (row 2), FN 1 (row 3)
    # none:   TP 1 (row 1), FP 1 (row 3), FN 1 (row 2); pool 2·2/(2·2 + 2 + 2)
    assert got.micro_f1 == 4 / 8
    assert len(got.classes) == 3
    assert got.classes[-1].f1 == 2 / 4
    assert got.classes[-1].support == 2
    assert scores(gold, guess).micro_f1 == 2 / 4


def test_always_saying_none_earns_its_share_as_a_class_and_nothing_otherwise():
    gold = np.zeros((10, 2), bool)
    gold[:6, 0] = True
    silent = np.zeros_like(gold)
    assert scores(gold, silent).micro_f1 == 0.0
    # 4 of 10 rows are none: TP 4, FP 6, FN 6
    assert with_none(gold, silent).micro_f1 == 8 / (8 + 6 + 6)


def test_no_answer_is_not_the_answer_none():
    gold, guess = [[0], [0]], [[0], [0]]
    assert with_none(gold, guess).micro_f1 == 1.0
    # row 1 unscored: TP 1, FN 1
    assert with_none(gold, guess, scored=[True, False]).micro_f1 == 2 / 3


def test_none_is_told_from_unmasked_labels_and_needs_an_unmasked_cell():
    # row 0: its only label is masked, so it is none; row 1 has no cell and is in no class
    gold, mask = [[1, 0], [0, 0]], [[False, True], [False, False]]
    got = with_none(gold, [[0, 0], [0, 0]], mask)
    assert (got.classes[-1].support, got.classes[-1].cells) == (1, 1)
    assert got.micro_f1 == 1.0


@pytest.mark.parametrize(
    "call",
    [
        lambda: scores([[1]], [[1]]),
        lambda: average_precision(np.array([True]), np.array([0.5])),
        lambda: ordinal_scores(["a"], ["a"], ["a", "b"]),
    ],
)
def test_without_scikit_learn_the_message_says_what_to_install(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    with pytest.raises(MissingExtra, match=r'honest scores needs.*pip install "untwist\[eval\]"'):
        call()
