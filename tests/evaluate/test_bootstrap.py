import numpy as np
import pytest

from tests.evaluate.test_classify import random_case
from untwist.errors import DataError
from untwist.evaluate import bootstrap, paired_bootstrap, scores


def rng(seed=0):
    return np.random.default_rng(seed)


def names(n):
    return [str(i) for i in range(n)]


def slow_bootstrap(gold, guess, groups, generator, resamples):
    """The same resamples, row by row, scored by `scores`."""
    labels, code = np.unique(groups, return_inverse=True)
    n = labels.size
    values = []
    for draw in generator.integers(n, size=(resamples, n)):
        rows = np.concatenate([np.flatnonzero(code == g) for g in draw])
        got = scores(gold[rows], guess[rows])
        values.append(
            (
                got.micro_f1,
                got.macro_f1.value,
                got.macro_f1_harmonic.value,
                got.weighted_f1,
                got.exact_match,
            )
        )
    return np.quantile(np.array(values, float), [0.025, 0.975], axis=0).T


def test_intervals_equal_those_of_scoring_every_resample_by_itself():
    gold, _, guess = random_case(3, rows=60, labels=4)
    groups = [str(i // 2) for i in range(60)]
    got = bootstrap(gold, guess, groups, rng(5), resamples=60)
    want = slow_bootstrap(gold, guess, groups, rng(5), 60)
    metrics = ("micro_f1", "macro_f1", "macro_f1_harmonic", "weighted_f1", "exact_match")
    for name, (low, high) in zip(metrics, want, strict=True):
        assert (got[name].low, got[name].high) == pytest.approx((low, high), abs=1e-12), name
        assert got[name].resamples == 60


def test_equal_seeds_give_equal_intervals():
    gold, _, guess = random_case(1)
    one = bootstrap(gold, guess, names(300), rng(1), resamples=50)
    assert one == bootstrap(gold, guess, names(300), rng(1), resamples=50)
    assert one != bootstrap(gold, guess, names(300), rng(2), resamples=50)


def test_the_interval_holds_the_score_and_shrinks_with_more_rows():
    small, large = random_case(4, rows=100), random_case(4, rows=2_000)
    widths = []
    for gold, _, guess in (small, large):
        interval = bootstrap(gold, guess, names(len(gold)), rng(), resamples=300)["micro_f1"]
        assert interval.low < scores(gold, guess).micro_f1 < interval.high
        widths.append(interval.high - interval.low)
    # standard errors shrink with the root of the size: sqrt(20) = 4.5
    assert widths[1] < widths[0] / 3


def test_rows_of_one_group_are_drawn_together():
    # Two groups of identical rows: a resample holds one of three mixtures, so the interval is wide.
    gold = np.array([[1]] * 100 + [[1]] * 100, bool)
    guess = np.array([[1]] * 100 + [[0]] * 100, bool)
    grouped = bootstrap(gold, guess, ["a"] * 100 + ["b"] * 100, rng(), resamples=200)["micro_f1"]
    # all of a: F1 1; all of b: F1 0
    assert (grouped.low, grouped.high) == (0.0, 1.0)
    alone = bootstrap(gold, guess, names(200), rng(), resamples=200)["micro_f1"]
    assert alone.high - alone.low < 0.2


def test_a_masked_cell_does_not_move_the_interval():
    gold, _, guess = random_case(6)
    mask = np.ones(gold.shape, bool)
    mask[:, 0] = False
    spoilt = guess.copy()
    spoilt[:, 0] ^= True
    one = bootstrap(gold, guess, names(300), rng(), mask=mask, resamples=50)
    assert one == bootstrap(gold, spoilt, names(300), rng(), mask=mask, resamples=50)


def test_unknown_scores_have_no_interval():
    gold, _, guess = random_case(2, rows=20)
    got = bootstrap(gold, guess, names(20), rng(), resamples=20)
    assert got["over_pathologising"] is None
    assert got["micro_f1"] is not None
    assert set(bootstrap(gold, guess, ["one"] * 20, rng()).values()) == {None}
    empty = np.zeros((20, 2), bool)
    assert bootstrap(empty, empty, names(20), rng(), resamples=20)["micro_f1"] is None


def test_the_false_alarm_interval_is_over_scored_undistorted_rows():
    gold = np.zeros((40, 2), bool)
    guess = np.zeros((40, 2), bool)
    guess[:20, 0] = True
    calm = np.ones(40, bool)
    got = bootstrap(gold, guess, names(40), rng(), undistorted=calm, resamples=200)
    interval = got["over_pathologising"]
    assert interval.low < 0.5 < interval.high
    scored = np.arange(40) >= 20
    quiet = bootstrap(gold, guess, names(40), rng(), undistorted=calm, scored=scored, resamples=50)[
        "over_pathologising"
    ]
    assert (quiet.low, quiet.high) == (0.0, 0.0)


def test_groups_must_be_given_for_every_row():
    gold, _, guess = random_case(2, rows=20)
    with pytest.raises(DataError, match="19 groups for 20 rows"):
        bootstrap(gold, guess, names(19), rng())


def test_a_paired_comparison_sees_a_small_steady_gain():
    gold, _, guess = random_case(8, rows=400)
    better = guess.copy()
    better[::10] = gold[::10]
    got = paired_bootstrap(gold, better, guess, names(400), rng(), resamples=400)["micro_f1"]
    gain = scores(gold, better).micro_f1 - scores(gold, guess).micro_f1
    assert got.value == pytest.approx(gain)
    assert 0 < got.interval.low < gain < got.interval.high
    # no resample at or below 0: 2·(0 + 1)/(400 + 1)
    assert got.p == pytest.approx(2 / 401)


def test_a_prediction_does_not_differ_from_itself():
    gold, _, guess = random_case(8)
    got = paired_bootstrap(gold, guess, guess, names(300), rng(), resamples=50)["macro_f1"]
    assert (got.value, got.interval.low, got.interval.high, got.p) == (0.0, 0.0, 0.0, 1.0)
    assert set(paired_bootstrap(gold, guess, guess, ["a"] * 300, rng()).values()) == {None}


def test_swapping_the_two_turns_the_sign():
    gold, _, guess = random_case(9)
    other = guess ^ (rng(1).random(guess.shape) < 0.05)
    one = paired_bootstrap(gold, guess, other, names(300), rng(), resamples=99)["micro_f1"]
    two = paired_bootstrap(gold, other, guess, names(300), rng(), resamples=99)["micro_f1"]
    assert one.value == pytest.approx(-two.value)
    assert (one.interval.low, one.p) == pytest.approx((-two.interval.high, two.p))
