"""The matrix policy: gold for the strongest finding, gentler where it is mild."""

import pytest

from tests.conformance.conftest import assessment
from untwist.policy import AlwaysValidate, MatrixPolicy
from untwist.safety import allowed
from untwist.schema import Assessment, Finding, Utterance
from untwist.taxonomy import Distortion, Intensity, Risk, Strategy

D, S = Distortion, Strategy
_OPEN = allowed(Risk.NONE)


@pytest.mark.parametrize(
    ("distortion", "intensity", "strategy", "grade"),
    [
        (D.MAGNIFICATION, Intensity.SEVERE, S.DECATASTROPHIZING, "gold"),
        (D.MAGNIFICATION, Intensity.MODERATE, S.DECATASTROPHIZING, "gold"),
        (D.MAGNIFICATION, None, S.DECATASTROPHIZING, "gold"),
        (D.MAGNIFICATION, Intensity.MILD, S.EMPATHIC_VALIDATION, "silver"),
        (D.ALL_OR_NOTHING, Intensity.MILD, S.FEELINGS_VS_FACTS, "silver"),
        (D.LABELING, Intensity.MODERATE, S.BEHAVIOR_VS_IDENTITY, "gold"),
    ],
)
def test_intensity_moves_the_choice_from_gold_to_silver(distortion, intensity, strategy, grade):
    heard = assessment("a thought", intensity=intensity, distortion=distortion)
    choice = MatrixPolicy().choose(heard, _OPEN)
    assert (choice.strategy, choice.target, choice.grade) == (strategy, distortion, grade)


def test_the_strongest_finding_is_the_target():
    findings = (Finding(D.LABELING, 0.9), Finding(D.MAGNIFICATION, 0.4))
    heard = Assessment(Utterance("x"), findings, None, Risk.NONE, (), (), "made-up")
    assert MatrixPolicy().choose(heard, _OPEN).target is D.LABELING


def test_without_a_finding_the_answer_is_validation():
    choice = MatrixPolicy().choose(assessment("I had soup", distortion=None), _OPEN)
    assert (choice.strategy, choice.grade) == (S.EMPATHIC_VALIDATION, "validation")


def test_always_validate_never_does_anything_else_below_high_risk():
    for d in (D.LABELING, D.MAGNIFICATION, None):
        heard = assessment("a thought", distortion=d)
        assert AlwaysValidate().choose(heard, _OPEN).strategy is S.EMPATHIC_VALIDATION
