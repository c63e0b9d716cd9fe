"""What every Policy must do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conformance.conftest import assessment
from tests.policy import tiny
from untwist.errors import SafetyError
from untwist.policy import AlwaysValidate, LearnedPolicy, MatrixPolicy
from untwist.safety import allowed
from untwist.taxonomy import CANONICAL, Intensity, Risk, Strategy

_LEARNED = LearnedPolicy("random@1", tiny.network(), tiny.encoder())
_MASKS = st.frozensets(st.sampled_from(Strategy), min_size=1)


@given(
    st.sampled_from([MatrixPolicy(), AlwaysValidate(), _LEARNED]),
    st.sampled_from([*CANONICAL, None]),
    st.sampled_from(Intensity),
    _MASKS,
)
def test_only_allowed_strategies_are_chosen(policy, distortion, intensity, mask):
    heard = assessment("a thought", intensity=intensity, distortion=distortion)
    choice = policy.choose(heard, mask)
    assert choice.strategy in mask
    assert choice.policy == policy.name
    assert choice == policy.choose(heard, mask)


def test_at_high_risk_the_gate_leaves_crisis_intervention_alone(policy):
    choice = policy.choose(assessment("a thought", Risk.HIGH), allowed(Risk.HIGH))
    assert choice.strategy is Strategy.CRISIS_INTERVENTION
    assert choice.grade == "safety"


@pytest.mark.parametrize("risk", [Risk.NONE, Risk.LOW, Risk.MEDIUM])
def test_below_high_risk_crisis_intervention_is_never_chosen(policy, risk):
    choice = policy.choose(assessment("a thought", risk), allowed(risk))
    assert choice.strategy is not Strategy.CRISIS_INTERVENTION


def test_an_empty_mask_is_an_error(policy):
    with pytest.raises(SafetyError):
        policy.choose(assessment("a thought"), frozenset())
