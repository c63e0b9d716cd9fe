"""A detector behind a server that misbehaves: an answer that cannot be used is never "no label"."""

import re
from typing import get_args

import numpy as np
import pytest

from tests.detect.talker import answer
from tests.servers.misbehaving import BEHAVIOURS, Misbehaving
from tests.servers.tiny_openai import TinyServer, tiny_model
from untwist.detect import PromptedDetector
from untwist.errors import ModelError, Reason
from untwist.llm import Clock, HttpModel, Limits
from untwist.schema import Assessment, Utterance
from untwist.taxonomy import CANONICAL

pytestmark = pytest.mark.loopback
# these are waited for: `tests/llm` has them, with a clock of their own
FAULTS = sorted(set(BEHAVIOURS) - {"silent", "endless", "endless_stream", "rate_wait"})
LABEL = CANONICAL[3].value


def _number(body):
    said = body["messages"][-1]["content"]
    return int(re.search(r"message number (\d+)", said)[1])


async def _no_wait(seconds):
    return None


@pytest.mark.parametrize("concurrency", [1, 8])
def test_every_message_has_an_answer_that_was_given_or_the_reason_why_it_has_none(concurrency):
    items = [Utterance(f"message number {n}") for n in range(3 * len(FAULTS))]

    def good(body, n):
        number = _number(body)
        return answer([(LABEL, f"number {number}")], risk="low") if number % 3 else None

    def bad(body, n):
        return FAULTS[_number(body) // 3]

    with Misbehaving(bad, says=good) as server:
        model = HttpModel(
            "served", server.url, limits=Limits(retries=0), rng=np.random.default_rng(0),
            clock=Clock(lambda: 0.0, _no_wait),
        )  # fmt: skip
        detector = PromptedDetector(model, attempts=1, concurrency=concurrency)
        answers = list(detector.each((one, ()) for one in items))
    assert len(answers) == len(items)
    for n, (one, found) in enumerate(zip(items, answers, strict=True)):
        if n % 3:
            assert isinstance(found, Assessment)
            (finding,) = found.findings
            assert one.text[finding.start : finding.end] == f"number {n}"
        else:
            assert isinstance(found, ModelError), FAULTS[n // 3]
            assert found.reason in get_args(Reason)
            assert one.text not in str(found)


@pytest.mark.slow
def test_a_real_model_of_random_weights_is_asked_and_unscored(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    items = [Utterance("She did not wave, so she hates me."), Utterance("我什么都做不好")]
    with TinyServer(tiny_model(tmp_path)) as server:
        model = HttpModel("tiny", server.url, limits=Limits(retries=0))
        detector = PromptedDetector(model, attempts=1, max_tokens=8)
        answers = list(detector.each((one, ()) for one in items))
    assert all(isinstance(found, ModelError) for found in answers)
    assert {found.reason for found in answers} <= {"not_json", "cut", "empty", "parse"}
