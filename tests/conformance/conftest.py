"""Whatever claims to fit a socket is listed here and run through that socket's suite."""

import numpy as np
import pytest

from tests.detect import talker, tiny
from tests.fakes import FakeChat
from tests.policy import tiny as policy_tiny
from untwist.detect import PromptedDetector
from untwist.engine import load_detector
from untwist.llm import ScriptedModel
from untwist.llm.prompts import LEAVES
from untwist.policy import AlwaysValidate, LearnedPolicy, MatrixPolicy
from untwist.policy.patients import (
    ParametricPatient,
    PromptedPatient,
    ReplayedPatient,
    personas,
)
from untwist.respond import GeneratedResponder, ReplyGuard, ScriptedResponder
from untwist.schema import Assessment, Finding, Utterance
from untwist.taxonomy import CANONICAL, Intensity, Risk


@pytest.fixture(params=["shipped", "tiny", "prompted", "prompted-many"])
def detector(request):
    made = {
        "shipped": load_detector,
        "tiny": tiny.detector,
        "prompted": lambda: PromptedDetector(talker.model()),
        "prompted-many": lambda: PromptedDetector(
            talker.model(), shots=3, samples=3, concurrency=4
        ),
    }
    return made[request.param]()


def _learned():
    return LearnedPolicy("random@1", policy_tiny.network(), policy_tiny.encoder())


@pytest.fixture(params=[MatrixPolicy, AlwaysValidate, _learned])
def policy(request):
    return request.param()


def _prompted():
    model = FakeChat(["I ruin everything.", "Maybe not everything.", LEAVES] * 9)
    return PromptedPatient(model, personas(1, np.random.default_rng(1), lang="en")[0])


def _replayed():
    return ReplayedPatient([Utterance("one"), Utterance("hm", role="assistant"), Utterance("two")])


@pytest.fixture(
    params=[lambda: ParametricPatient(policy_tiny.pool()), _prompted, _replayed],
    ids=["parametric", "prompted", "replayed"],
)
def patient(request):
    """Makes a new person each time it is called."""
    return request.param


def _worded(request):
    """Says the same plain turn in the language that it is asked in."""
    said = {
        "en": "You wrote it, and it weighs on you. What happened?",
        "zh": "你写下了它，它压着你。发生了什么？",
    }
    return said["zh" if "中文" in request.messages[0]["content"] else "en"]


@pytest.fixture(params=["single", "conversation", "generated"])
def responder(request):
    if request.param == "generated":
        return GeneratedResponder(ScriptedModel(_worded))
    return ScriptedResponder(conversation=request.param == "conversation")


@pytest.fixture
def guard():
    return ReplyGuard()


def assessment(text, risk=Risk.NONE, intensity=Intensity.MODERATE, distortion=CANONICAL[0]):
    """A made-up assessment of a text, with one finding over all of it."""
    findings = (Finding(distortion, 0.9, 0, len(text)),) if distortion else ()
    return Assessment(
        Utterance(text), findings, intensity if findings else None, risk, (), (), "made-up"
    )
