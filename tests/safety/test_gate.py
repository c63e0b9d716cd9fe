import pytest

from untwist.safety import allowed
from untwist.taxonomy import Risk, Strategy


def test_at_high_risk_only_crisis_intervention_is_allowed():
    assert allowed(Risk.HIGH) == {Strategy.CRISIS_INTERVENTION}


@pytest.mark.parametrize("risk", [risk for risk in Risk if risk is not Risk.HIGH])
def test_below_high_risk_everything_but_crisis_intervention_is_allowed(risk):
    assert allowed(risk) == set(Strategy) - {Strategy.CRISIS_INTERVENTION}


@pytest.mark.parametrize("risk", Risk)
def test_something_is_always_allowed_and_high_shares_nothing_with_the_rest(risk):
    assert allowed(risk)
    assert (allowed(risk) == allowed(Risk.HIGH)) == (risk is Risk.HIGH)
    assert risk is Risk.HIGH or not allowed(risk) & allowed(Risk.HIGH)
