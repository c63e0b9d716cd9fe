import numpy as np
import pytest
from sklearn import metrics

from untwist.errors import DataError
from untwist.evaluate import Share, missed_high_risk, ordinal_scores
from untwist.taxonomy import Intensity, Risk

MILD, MODERATE, SEVERE = Intensity
LEVELS = tuple(Intensity)


def test_scores_of_levels_by_hand():
    gold = [MILD, MILD, MODERATE, SEVERE, SEVERE]
    said = [MILD, MODERATE, MODERATE, SEVERE, MILD]
    got = ordinal_scores(gold, said, LEVELS)
    assert got.accuracy == Share(3, 5)
    # mild 2·1/(2+2), moderate 2·1/(1+2), severe 2·1/(2+1)
    assert [level.f1 for level in got.levels] == pytest.approx([1 / 2, 2 / 3, 2 / 3])
    assert got.macro_f1.value == pytest.approx((1 / 2 + 2 / 3 + 2 / 3) / 3)
    # distance²: seen 0+1+0+0+4 = 5; by chance, gold (2,1,2) by said (2,2,1) over 5:
    # (2·2·1 + 2·1·4 + 1·2·1 + 1·1·1 + 2·2·4 + 2·2·1)/5 = 35/5 = 7; kappa 1 - 5/7
    assert got.quadratic_kappa == pytest.approx(1 - 5 / 7)


def test_a_row_without_gold_is_left_out_and_one_without_answer_is_counted():
    gold = [MILD, None, SEVERE, SEVERE]
    got = ordinal_scores(gold, [MILD, SEVERE, None, SEVERE], LEVELS)
    assert (got.n, got.unscored) == (3, 1)
    assert got.accuracy == Share(2, 3)
    severe = got.levels[2]
    assert (severe.support, severe.precision, severe.recall) == (2, 1.0, 0.5)
    # kappa of the two answered rows alone: both right
    assert got.quadratic_kappa == pytest.approx(1.0)


def test_a_level_without_support_is_in_no_mean():
    got = ordinal_scores([MILD, SEVERE], [MILD, MODERATE], LEVELS)
    moderate = got.levels[1]
    assert (moderate.support, moderate.precision, moderate.recall, moderate.f1) == (
        0,
        0.0,
        None,
        None,
    )
    assert (got.macro_f1.value, got.macro_f1.classes) == (0.5, 2)


@pytest.mark.parametrize("seed", range(5))
def test_scores_equal_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    gold, said = (rng.integers(4, size=80) for _ in range(2))
    got = ordinal_scores(list(gold), list(said), range(4))
    close = {"abs": 1e-9}
    assert got.accuracy.value == pytest.approx(metrics.accuracy_score(gold, said), **close)
    macro = metrics.f1_score(gold, said, average="macro")
    assert got.macro_f1.value == pytest.approx(macro, **close)
    kappa = metrics.cohen_kappa_score(gold, said, weights="quadratic")
    assert got.quadratic_kappa == pytest.approx(kappa, **close)


def test_what_cannot_be_known_is_none():
    got = ordinal_scores([MILD, MILD], [MILD, None], LEVELS)
    assert got.quadratic_kappa is None
    empty = ordinal_scores([None], [MILD], LEVELS)
    assert (empty.n, empty.macro_f1.value, empty.accuracy.value) == (0, None, None)
    silent = ordinal_scores([MILD], [None], LEVELS)
    assert (silent.unscored, silent.macro_f1.value, silent.quadratic_kappa) == (1, 0.0, None)


def test_levels_must_be_known_and_rows_paired():
    with pytest.raises(DataError, match="row 2 has a level that is not among the 3"):
        ordinal_scores([MILD, Risk.LOW], [MILD, MILD], LEVELS)
    with pytest.raises(DataError, match="1 predicted levels for 2 rows"):
        ordinal_scores([MILD, MILD], [MILD], LEVELS)
    with pytest.raises(DataError, match="0 predicted levels for 1 rows"):
        missed_high_risk([Risk.HIGH], [])


def test_an_unscored_answer_misses_high_risk():
    gold = [Risk.HIGH] * 4 + [Risk.LOW, None]
    said = [Risk.HIGH, Risk.MEDIUM, None, Risk.HIGH, Risk.HIGH, Risk.LOW]
    assert missed_high_risk(gold, said) == Share(2, 4)
    assert missed_high_risk([Risk.LOW], [Risk.LOW]).value is None


def test_the_published_rate_has_the_interval_that_the_paper_leaves_out():
    # 12 of 59 missed: 0.203, 0.12 to 0.32
    got = missed_high_risk([Risk.HIGH] * 59, [Risk.LOW] * 12 + [Risk.HIGH] * 47)
    assert round(got.value, 3) == 0.203
    assert [round(bound, 2) for bound in got.interval] == [0.12, 0.32]


def test_the_dictionary_is_json():
    values = ordinal_scores([MILD], [MILD], LEVELS).to_dict()
    assert values["accuracy"]["hits"] == 1
    assert values["macro_f1"] == {"value": 1.0, "classes": 1}
    assert len(values["levels"]) == 3
