"""Short ways to make the values that the respond room takes."""

from __future__ import annotations

from untwist.schema import Assessment, Choice, Finding, Utterance
from untwist.taxonomy import Acuity, Distortion, Intensity, Risk, Strategy, row


def heard(
    text: str,
    distortion: Distortion | None = None,
    span: str | None = None,
    intensity: Intensity | None = None,
    risk: Risk = Risk.NONE,
    acuity: tuple[Acuity, ...] = (),
    reasons: tuple[str, ...] = (),
) -> Assessment:
    """An assessment with at most one finding."""
    findings: tuple[Finding, ...] = ()
    if distortion is not None:
        start = text.index(span) if span else None
        end = start + len(span) if span and start is not None else None
        findings = (Finding(distortion, 0.9, start, end),)
    return Assessment(Utterance(text), findings, intensity, risk, acuity, reasons, "fake@1")


def chosen(distortion: Distortion | None = None, strategy: Strategy | None = None) -> Choice:
    """The gold strategy of a distortion, or listening, unless a strategy is given."""
    if distortion is None:
        return Choice(strategy or Strategy.EMPATHIC_VALIDATION, None, "validation", "fake@1")
    return Choice(strategy or row(distortion).gold, distortion, "gold", "fake@1")


def danger(text: str, *acuity: Acuity) -> Assessment:
    """A message at high risk."""
    return heard(text, risk=Risk.HIGH, acuity=acuity)


def crisis() -> Choice:
    """What every policy must choose at high risk."""
    return Choice(Strategy.CRISIS_INTERVENTION, None, "safety", "fake@1")


def questions(text: str) -> int:
    """How many question marks a text has."""
    return text.count("?") + text.count("？")


def said(user: str, program: str) -> list[Utterance]:
    """One exchange, as history."""
    return [Utterance(user), Utterance(program, role="assistant")]
