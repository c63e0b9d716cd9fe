"""Which strategies a level of risk leaves open: the mask that every policy must obey."""

from __future__ import annotations

from untwist.taxonomy import Risk, Strategy

_CRISIS = frozenset({Strategy.CRISIS_INTERVENTION})
_ORDINARY = frozenset(Strategy) - _CRISIS


def allowed(risk: Risk) -> frozenset[Strategy]:
    """The strategies that may be chosen at this level.

    At high risk that is crisis intervention alone; below it, everything else. There is no third
    case, so a policy can neither work on a thought in a crisis nor hand a hotline to someone with
    an ordinary worry.
    """
    return _CRISIS if risk is Risk.HIGH else _ORDINARY
