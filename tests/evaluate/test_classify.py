import numpy as np
import pytest
from sklearn import metrics

from untwist.errors import DataError
from untwist.evaluate import false_alarms, scores

# rows: 4 texts, columns: 3 labels
GOLD = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 0]], bool)
GUESS = np.array([[1, 0, 0], [0, 1, 1], [1, 0, 0], [0, 0, 0]], bool)


def random_case(seed, rows=300, labels=12, share=0.15):
    rng = np.random.default_rng(seed)
    gold = rng.random((rows, labels)) < share
    given = np.clip(0.35 * gold + rng.random((rows, labels)) * 0.65, 0, 1)
    return gold, given, given > 0.5


def test_micro_scores_are_one_pooled_count():
    got = scores(GOLD, GUESS)
    # column 0: TP 1 FP 1 FN 1; column 1: TP 1 FP 0 FN 1; column 2: FP 1; pool TP 2 FP 2 FN 2
    assert got.micro_precision == 2 / 4
    assert got.micro_recall == 2 / 4
    assert got.micro_f1 == 4 / (4 + 2 + 2)
    assert (got.rows, got.cells, got.support) == (4, 12, 4)


def test_the_two_macro_definitions_differ_and_say_over_how_many_classes():
    got = scores(GOLD, GUESS)
    # F1: 2/(2+1+1) = 1/2 and 2/(2+0+1) = 2/3; the third class has no support
    assert got.macro_f1.value == pytest.approx((1 / 2 + 2 / 3) / 2)
    # macro-P (1/2 + 1)/2 = 3/4, macro-R (1/2 + 1/2)/2 = 1/2, harmonic 2·3/8 / (5/4) = 3/5
    assert got.macro_f1_harmonic.value == pytest.approx(3 / 5)
    assert got.macro_f1.classes == got.macro_f1_harmonic.classes == 2
    # weighted by support 2 and 2
    assert got.weighted_f1 == pytest.approx(got.macro_f1.value)


def test_exact_match_counts_rows_that_are_right_everywhere():
    assert scores(GOLD, GUESS).exact_match == 1 / 4


def test_kappa_is_agreement_beyond_chance():
    # column 1: TP 1 FP 0 FN 1 TN 2; observed 3/4; chance (1·2 + 3·2)/16 = 1/2; kappa 1/2
    assert scores(GOLD, GUESS).classes[1].kappa == pytest.approx(0.5)


def test_a_class_without_support_has_no_recall_no_f1_and_is_in_no_mean():
    third = scores(GOLD, GUESS).classes[2]
    assert (third.support, third.recall, third.f1) == (0, None, None)
    assert third.precision == 0.0


def test_a_class_never_predicted_has_no_precision_but_costs_macro_precision():
    got = scores([[1, 1], [1, 0]], [[1, 0], [1, 0]])
    assert got.classes[1].precision is None
    assert (got.classes[1].recall, got.classes[1].f1) == (0.0, 0.0)
    # macro-precision and macro-recall are both the mean of 1 and 0
    assert got.macro_f1_harmonic.value == 0.5


def test_what_cannot_be_known_is_none():
    got = scores(np.zeros((3, 2), bool), np.zeros((3, 2), bool))
    assert got.micro_f1 is None
    assert got.macro_f1.value is None
    assert got.macro_f1.classes == 0
    assert got.macro_f1_harmonic.value is None
    assert got.weighted_f1 is None
    assert got.kappa.value is None
    assert got.exact_match == 1.0
    empty = scores(np.zeros((0, 2), bool), np.zeros((0, 2), bool))
    assert (empty.rows, empty.micro_f1, empty.exact_match) == (0, None, None)


def test_masked_cells_neither_help_nor_hurt():
    mask = np.array([[1, 1, 0]] * 4, bool)
    got = scores(GOLD, GUESS, mask)
    # without column 2: TP 2 FP 1 FN 2
    assert got.micro_f1 == 4 / (4 + 1 + 2)
    assert got.cells == 8
    assert (got.classes[2].cells, got.classes[2].precision, got.classes[2].kappa) == (0, None, None)
    worse = GUESS.copy()
    worse[:, 2] = True
    assert scores(GOLD, worse, mask) == got


def test_a_mask_may_differ_from_row_to_row():
    mask = np.ones(GOLD.shape, bool)
    mask[2] = False
    got = scores(GOLD, GUESS, mask)
    # row 2 gone: TP 2 FP 1 FN 2
    assert (got.rows, got.micro_f1) == (3, 4 / 7)


def test_undistorted_rows_are_in_and_can_only_add_false_positives():
    gold, guess = [[1, 0], [0, 0]], [[1, 0], [0, 1]]
    assert scores(gold, guess).micro_f1 == 2 / 3
    assert scores(gold[:1], guess[:1]).micro_f1 == 1.0


def test_an_unscored_row_misses_its_labels_and_never_matches():
    got = scores([[1], [0], [1]], [[1], [0], [1]], scored=[True, False, False])
    # row 0 hit, row 2 missed: TP 1 FN 1
    assert got.micro_f1 == 2 / 3
    assert got.exact_match == 1 / 3


def test_shapes_must_agree():
    with pytest.raises(DataError, match="one shape"):
        scores(GOLD, GUESS[:2])
    with pytest.raises(DataError, match="one shape"):
        scores(GOLD[0], GUESS[0])
    with pytest.raises(DataError, match="3 flags for 4 rows"):
        false_alarms(GUESS, [True] * 3)


@pytest.mark.parametrize("seed", range(5))
def test_scores_equal_scikit_learn(seed):
    gold, _, guess = random_case(seed)
    got = scores(gold, guess)
    close = {"abs": 1e-12}
    p, r, f, s = metrics.precision_recall_fscore_support(gold, guess, zero_division=0)
    assert got.micro_f1 == pytest.approx(metrics.f1_score(gold, guess, average="micro"), **close)
    assert got.macro_f1.value == pytest.approx(f.mean(), **close)
    harmonic = 2 * p.mean() * r.mean() / (p.mean() + r.mean())
    assert got.macro_f1_harmonic.value == pytest.approx(harmonic, **close)
    weighted = metrics.f1_score(gold, guess, average="weighted")
    assert got.weighted_f1 == pytest.approx(weighted, **close)
    assert got.exact_match == pytest.approx(metrics.accuracy_score(gold, guess), **close)
    assert [c.f1 for c in got.classes] == pytest.approx(list(f), **close)
    assert [c.precision for c in got.classes] == pytest.approx(list(p), **close)
    assert [c.recall for c in got.classes] == pytest.approx(list(r), **close)
    assert [c.support for c in got.classes] == list(s)
    kappas = [metrics.cohen_kappa_score(gold[:, c], guess[:, c]) for c in range(gold.shape[1])]
    assert [c.kappa for c in got.classes] == pytest.approx(kappas, **close)
    assert got.kappa.value == pytest.approx(np.mean(kappas), **close)


@pytest.mark.parametrize("seed", range(3))
def test_a_column_mask_equals_scikit_learn_on_the_columns_left(seed):
    gold, _, guess = random_case(seed)
    keep = np.arange(12) % 3 > 0
    got = scores(gold, guess, np.broadcast_to(keep, gold.shape))
    want = metrics.f1_score(gold[:, keep], guess[:, keep], average="micro")
    assert got.micro_f1 == pytest.approx(want, abs=1e-12)


def test_false_alarms_are_counted_over_undistorted_rows_only():
    predicted = np.array([[1, 0], [0, 0], [1, 1], [1, 0]], bool)
    got = false_alarms(predicted, [False, True, True, True])
    assert got.rows == 3
    assert got.over_pathologising == 2 / 3
    assert got.specificity == 1 / 3
    # 6 cells, 3 of them predicted
    assert got.cell_specificity == 3 / 6


def test_false_alarms_on_masked_labels_do_not_count():
    got = false_alarms([[0, 1]], [True], [[True, False]])
    assert (got.over_pathologising, got.cell_specificity) == (0.0, 1.0)


def test_without_undistorted_rows_the_rate_is_not_known():
    got = false_alarms([[1, 0]], [False])
    assert (got.rows, got.over_pathologising, got.specificity) == (0, None, None)
    assert got.cell_specificity is None
