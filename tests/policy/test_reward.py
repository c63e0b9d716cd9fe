"""The reward: one row for each rule of each table."""

import math

import numpy as np
import pytest

from tests.policy.tiny import labels
from untwist.errors import ConfigError, DataError
from untwist.policy.reward import (
    ACTIONS,
    PRESETS,
    RewardTable,
    Truth,
    judged_improvement,
    preset,
    reward,
)
from untwist.schema import Reply
from untwist.taxonomy import Distortion, Intensity, Risk, Strategy

from tests.conformance.conftest import assessment  # isort: skip

D, S, I = Distortion, Strategy, Intensity  # noqa: E741
_FEAR = {"mild": labels(D.MAGNIFICATION, intensity=I.MILD),
         "moderate": labels(D.MAGNIFICATION),
         "severe": labels(D.MAGNIFICATION, intensity=I.SEVERE)}  # fmt: skip
_MUST = {level: labels(D.SHOULD_STATEMENTS, intensity=I(level)) for level in _FEAR}
_ALL = {level: labels(D.ALL_OR_NOTHING, intensity=I(level)) for level in _FEAR}
_CRISIS = labels(D.MAGNIFICATION, intensity=I.SEVERE, risk=Risk.HIGH)
_CALM = labels()


def one(table, label, strategy, improvement=None):
    truth = Truth.of([label])
    gain = None if improvement is None else np.array([improvement], np.float32)
    action = np.array([ACTIONS.index(strategy)])
    return reward(table, truth.labels, truth.intensity, truth.risk, action, gain)


@pytest.mark.parametrize(
    ("label", "strategy", "paper", "released"),
    [
        (_CRISIS, S.CRISIS_INTERVENTION, 4.0, 4.0),
        (_CRISIS, S.DECATASTROPHIZING, -1.0, -1.0),
        (_CRISIS, S.EMPATHIC_VALIDATION, -1.0, -1.0),
        (_FEAR["severe"], S.CRISIS_INTERVENTION, -2.0, -2.0),
        (_CALM, S.CRISIS_INTERVENTION, -2.0, -2.0),
        (_FEAR["moderate"], S.DECATASTROPHIZING, 1.8, 1.0),
        (_FEAR["severe"], S.DECATASTROPHIZING, 3.0, 2.2),
        (_FEAR["mild"], S.DECATASTROPHIZING, 1.0, 0.2),
        (_FEAR["moderate"], S.EXAMINE_EVIDENCE, 0.2, 0.5),
        (_FEAR["severe"], S.EXAMINE_EVIDENCE, 0.2, 0.0),
        (_FEAR["mild"], S.EXAMINE_EVIDENCE, 0.2, 1.1),
        (_FEAR["moderate"], S.REATTRIBUTION, -0.5, -1.0),
        (_MUST["moderate"], S.EMPATHIC_VALIDATION, 0.2, 0.25),
        (_MUST["mild"], S.EMPATHIC_VALIDATION, 0.2, 0.25),
        (_MUST["severe"], S.EMPATHIC_VALIDATION, 0.2, -0.25),
        (_ALL["moderate"], S.EMPATHIC_VALIDATION, -0.5, 0.0),
        (_ALL["severe"], S.EMPATHIC_VALIDATION, -0.5, -0.5),
        (_CALM, S.EMPATHIC_VALIDATION, 0.0, 0.0),
        (_CALM, S.EXAMINE_EVIDENCE, -0.5, -0.1),
    ],
)
def test_every_rule_gives_what_its_table_says(label, strategy, paper, released):
    for name, value in (("paper-table7", paper), ("reference-config", released)):
        assert one(PRESETS[name], label, strategy).total[0] == pytest.approx(value)


def test_with_two_distortions_the_gold_of_either_is_gold_and_silver_does_not_add():
    both = labels(D.MAGNIFICATION, D.LABELING)
    for strategy in (S.DECATASTROPHIZING, S.BEHAVIOR_VS_IDENTITY):
        assert one(RewardTable("t"), both, strategy).match[0] == pytest.approx(1.8)
    assert one(RewardTable("t"), both, S.COST_BENEFIT).match[0] == pytest.approx(0.2)


def test_improvement_adds_where_the_safety_layer_is_silent_and_nowhere_else():
    table = RewardTable("t")
    calm = one(table, _FEAR["moderate"], S.DECATASTROPHIZING, 0.5)
    assert calm.total[0] == pytest.approx(1.8 + 0.5)
    assert calm.improvement[0] == pytest.approx(0.5)
    crisis = one(table, _CRISIS, S.CRISIS_INTERVENTION, 0.5)
    assert (crisis.total[0], crisis.improvement[0], crisis.match[0]) == (4.0, 0.0, 0.0)


def test_weights_multiply_their_own_part():
    table = RewardTable("t", weights=(2.0, 3.0, 5.0))
    calm = one(table, _FEAR["moderate"], S.DECATASTROPHIZING, 0.5)
    assert (calm.improvement[0], calm.match[0]) == pytest.approx((1.0, 5.4))
    assert one(table, _CRISIS, S.CRISIS_INTERVENTION).safety[0] == pytest.approx(20.0)


def test_bounds_hold_the_sum_below_the_safety_layer():
    table = PRESETS["reference-config"]
    assert one(table, _FEAR["severe"], S.DECATASTROPHIZING, 50.0).total[0] == pytest.approx(4.0)
    assert one(table, _FEAR["severe"], S.DECATASTROPHIZING, -50.0).total[0] == pytest.approx(-2.0)


def test_an_improvement_that_is_no_number_is_refused():
    with pytest.raises(DataError, match="improvement of turn 0 is not a number"):
        one(RewardTable("t"), _CALM, S.EMPATHIC_VALIDATION, math.nan)


def test_a_label_that_is_missing_is_refused():
    with pytest.raises(DataError, match="no distortions or no risk annotated"):
        Truth.of([labels(risk=None)])
    unjudged = labels(D.LABELING)
    object.__setattr__(unjudged, "intensity", None)
    with pytest.raises(DataError, match="distortion but no intensity"):
        Truth.of([unjudged])


@pytest.mark.parametrize(("action", "count"), [(10, 1), (-1, 1), (0, 2)])
def test_actions_out_of_range_or_of_another_number_are_refused(action, count):
    truth = Truth.of([_CALM])
    with pytest.raises(DataError):
        reward(RewardTable("t"), truth.labels, truth.intensity, truth.risk, np.full(count, action))


def test_an_unknown_table_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="paper-table7, reference-config"):
        preset("generous")


class _Judge:
    def __init__(self, score):
        self.given = score

    def score(self, heard, reply):
        return {"adequacy": self.given}


def test_a_judges_score_becomes_a_share_of_the_highest():
    reply = Reply("I hear you.", "en", S.EMPATHIC_VALIDATION, (), "made-up")
    heard = assessment("a thought")
    assert judged_improvement(_Judge(3.0), heard, reply, "adequacy", 4.0) == 0.75
    for score in (None, 5.0, -1.0):
        with pytest.raises(DataError, match="a reward is not guessed"):
            judged_improvement(_Judge(score), heard, reply, "adequacy", 4.0)
