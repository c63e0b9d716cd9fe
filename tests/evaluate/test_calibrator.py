"""Votes and calibration."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import cohen_kappa_score

from untwist.errors import DataError
from untwist.evaluate import (
    Calibrator,
    calibrate,
    calibration,
    cohen_kappa,
    fleiss_kappa,
    majority,
    vote_agreement,
)


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("votes", "label"),
    [([1, 1, 0], 1), ([0], 0), ([1, 0], None), ([None, None], None), ([-1, 0, 1], None),
     ([None, -1, -1, 1], -1), ([0, 0, 1, 1], None), ([], None)],
)  # fmt: skip
def test_a_majority_has_no_tie(votes, label):
    assert majority(votes) == label


@given(st.lists(st.sampled_from([None, -1, 0, 1]), max_size=7))
def test_the_order_of_votes_does_not_matter(votes):
    assert len({majority(list(p)) for p in itertools.islice(itertools.permutations(votes), 30)}) < 2


def test_agreement_of_three_voters_is_fleiss():
    votes = (rng(4).random((50, 3)) < 0.5).astype(int)
    found = vote_agreement(votes.tolist(), "match", rng(), 50)
    assert found.kappa == pytest.approx(fleiss_kappa(votes, rng(), 10).kappa)
    assert (found.rows, found.voters) == (50, 3)


def test_agreement_by_hand_over_three_values():
    # equal pairs: 1, 1, 0; shares -1: 2/6, 0: 2/6, +1: 2/6 over votes; chance 1/3, seen 2/3
    votes = [[-1, -1], [1, 1], [0, 0], [0, 1], [-1, 0], [1, -1]]
    found = vote_agreement(votes, "adequacy", rng(), 50)
    assert found.same == 0.5
    assert found.kappa == pytest.approx((1 / 2 - 1 / 3) / (2 / 3))
    pairs = list(zip(*votes, strict=True))
    assert found.cohen == pytest.approx(cohen_kappa_score(*pairs))


def test_a_triple_with_one_vote_says_nothing_of_agreement():
    found = vote_agreement([[1, None], [None, 0]], "match", rng())
    assert (found.rows, found.kappa, found.cohen, found.same) == (0, None, None, None)
    with_gap = vote_agreement([[1, 1], [0, 0], [1, None]], "match", rng(), 20)
    assert (with_gap.rows, with_gap.kappa) == (2, 1)


def test_a_vote_that_is_no_value_of_the_scale_is_refused():
    with pytest.raises(DataError, match=r"one of \(0, 1\)"):
        vote_agreement([[1, -1]], "match", rng())
    with pytest.raises(DataError, match='no scale "warmth"'):
        vote_agreement([[1, 1]], "warmth", rng())


@pytest.mark.parametrize("seed", range(4))
def test_kappa_is_that_of_scikit_learn(seed):
    one, other = rng(seed).integers(-1, 2, (2, 40)).tolist()
    assert cohen_kappa(one, other) == pytest.approx(cohen_kappa_score(one, other))


def test_kappa_is_not_known_when_all_say_the_same():
    assert cohen_kappa([1, 1], [1, 1]) is None
    assert cohen_kappa([], []) is None


def judged(n=300, seed=0):
    """A judge that is right about the order but two points too kind, and its people's labels."""
    chance = rng(seed)
    truth = chance.normal(size=n)
    labels = np.digitize(truth, [-0.5, 0.5]) - 1
    scores = np.stack([0.3 * truth + 2 + chance.normal(0, 0.05, n), chance.normal(size=n)], axis=1)
    return scores, labels


def test_the_calibrator_is_the_penalised_optimum_of_scikit_learn():
    scores, labels = judged()
    found = calibrate(scores, labels, "adequacy", ridge=1.0)
    x = (scores - scores.mean(axis=0)) / scores.std(axis=0)
    peer = LogisticRegression(C=1.0, tol=1e-10, max_iter=5_000).fit(x, labels)
    assert found.chances(scores) == pytest.approx(peer.predict_proba(x), abs=2e-4)


def test_calibration_repairs_a_kind_judge():
    scores, labels = judged()
    groups = [str(i) for i in range(len(labels))]
    found = calibration(scores, labels, groups, "adequacy", rng(), resamples=50)
    # every score is near 2, so the judge alone calls everything +1
    assert found.raw_kappa == 0
    assert found.kappa > 0.7
    assert found.interval.low < found.kappa < found.interval.high
    assert found.log_loss < 0.5 * found.floor
    assert abs(found.bias) < 0.05


def test_a_judge_that_knows_nothing_stays_worthless():
    labels = rng(1).integers(0, 2, 200)
    scores = rng(2).normal(size=(200, 1))
    found = calibration(scores, labels, [str(i) for i in range(200)], "match", rng(), resamples=50)
    assert abs(found.kappa) < 0.2
    assert found.log_loss > 0.95 * found.floor


def test_rows_of_one_group_are_never_on_both_sides():
    # each group has scores and a label of its own: from other groups nothing can be learnt
    scores = np.repeat(rng(0).normal(size=(12, 1)), 10, axis=0)
    labels = np.repeat(np.arange(12) % 2, 10)
    own = [str(i) for i in range(120)]
    together = [str(i // 10) for i in range(120)]
    apart = calibration(scores, labels, own, "match", rng(), resamples=20, own=None)
    held = calibration(scores, labels, together, "match", rng(), resamples=20, own=None)
    assert held.log_loss > apart.log_loss
    assert held.raw.value is None


def test_a_calibrator_comes_back_from_json():
    scores, labels = judged(60)
    found = calibrate(scores, labels, "adequacy")
    again = Calibrator.from_dict(found.to_dict())
    assert (again.labels(scores) == found.labels(scores)).all()
    assert again.expected(scores) == pytest.approx(found.expected(scores))


@pytest.mark.parametrize(
    "change",
    [{"scale": "x"}, {"spread": [0.0, 1.0]}, {"centre": [1.0]}, {"coefficients": [[1.0]]},
     {"centre": ["a", "b"]}],
)  # fmt: skip
def test_a_damaged_calibrator_is_refused(change):
    scores, labels = judged(60)
    with pytest.raises(DataError):
        Calibrator.from_dict(calibrate(scores, labels, "adequacy").to_dict() | change)


def test_scores_that_separate_the_labels_keep_the_calibrator_finite():
    found = calibrate([[0.0], [0.1], [0.9], [1.0]], [0, 0, 1, 1], "match")
    assert np.abs(found.coefficients).max() < 10
    assert found.labels([[0.0], [1.0]]).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("scores", "labels", "why"),
    [
        ([[np.nan]], [1], "finite scores"),
        ([[0.1], [0.2]], [1, 1], "all labels of match are the same"),
        ([[0.1], [0.2]], [1, 2], "one of"),
        ([[0.1], [0.2]], [1], "for each row"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(scores, labels, why):
    with pytest.raises(DataError, match=why):
        calibrate(scores, labels, "match")


def test_other_scores_and_too_few_groups_are_refused():
    found = calibrate([[0.0], [1.0]], [0, 1], "match")
    with pytest.raises(DataError, match="2 scores a row; the calibrator learnt from 1"):
        found.chances([[1.0, 2.0]])
    with pytest.raises(DataError, match="2 groups for 5 folds"):
        calibration([[0.0], [1.0]], [0, 1], ["a", "b"], "match", rng())
