"""Whatever bytes come, there is an answer or a reason; half an answer is never a whole one."""

import asyncio
import json

import numpy as np
import pytest

from tests.servers.misbehaving import BEHAVIOURS, CUT, TEXT, Misbehaving, completion, plain, stream
from untwist.errors import ModelError
from untwist.llm import HttpModel, Limits, Request

pytestmark = pytest.mark.loopback
ASK = Request(({"role": "user", "content": "x"},))
WHOLE = {
    "whole": plain(json.dumps(completion()).encode()),
    "stream": stream("A plain ", "answer."),
}


def ask_all(monkeypatch, responses):
    """What each response comes to: a text, or a reason."""
    for n, response in enumerate(responses):
        monkeypatch.setitem(BEHAVIOURS, f"case {n}", [response, CUT])

    async def asked(url):
        model = HttpModel("m", url, limits=Limits(retries=0), timeout=5.0, largest=50_000)
        found = []
        for _ in responses:
            try:
                found.append((await model.acomplete(ASK)).text)
            except ModelError as error:
                found.append((error.reason,))
        return found

    with Misbehaving(lambda body, n: f"case {n}") as server:
        return asyncio.run(asked(server.url))


@pytest.mark.parametrize("form", WHOLE)
def test_an_answer_that_is_cut_anywhere_is_no_answer(monkeypatch, form):
    whole = WHOLE[form]
    # after the last event nothing is missing any more
    end = whole.find(b"[DONE]\n\n") + 8 if form == "stream" else len(whole)
    found = ask_all(monkeypatch, [whole[:n] for n in range(0, end, 3)])
    assert {one for one in found if isinstance(one, str)} == set()
    assert {one for (one,) in found} <= {"cut", "not_json", "bad_encoding"}
    assert ask_all(monkeypatch, [whole[:end], whole]) == [TEXT, TEXT]


@pytest.mark.parametrize("form", WHOLE)
def test_bytes_that_were_changed_give_an_answer_or_a_reason_and_nothing_else(monkeypatch, form):
    rng, responses = np.random.default_rng(7), []
    for _ in range(200):
        changed = bytearray(WHOLE[form])
        for at in rng.integers(0, len(changed), rng.integers(1, 4)):
            changed[at] = rng.integers(0, 256)
        responses.append(bytes(changed))
    found = ask_all(monkeypatch, responses)
    reasons = {one[0] for one in found if isinstance(one, tuple)}
    assert None not in reasons
    assert len(reasons) > 3
    assert any(isinstance(one, str) for one in found)
