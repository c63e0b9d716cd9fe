"""Whatever claims to fit a socket is listed here and run through that socket's suite."""

import pytest

from tests.detect import tiny
from untwist.engine import load_detector
from untwist.policy import AlwaysValidate, MatrixPolicy
from untwist.respond import ReplyGuard, ScriptedResponder
from untwist.schema import Assessment, Finding, Utterance
from untwist.taxonomy import CANONICAL, Intensity, Risk


@pytest.fixture(params=["shipped", "tiny"])
def detector(request):
    return load_detector() if request.param == "shipped" else tiny.detector()


@pytest.fixture(params=[MatrixPolicy, AlwaysValidate])
def policy(request):
    return request.param()


@pytest.fixture(params=[False, True], ids=["single", "conversation"])
def responder(request):
    return ScriptedResponder(conversation=request.param)


@pytest.fixture
def guard():
    return ReplyGuard()


def assessment(text, risk=Risk.NONE, intensity=Intensity.MODERATE, distortion=CANONICAL[0]):
    """A made-up assessment of a text, with one finding over all of it."""
    findings = (Finding(distortion, 0.9, 0, len(text)),) if distortion else ()
    return Assessment(
        Utterance(text), findings, intensity if findings else None, risk, (), (), "made-up"
    )
