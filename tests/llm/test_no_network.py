"""No test leaves this machine, and only marked ones leave their process."""

import asyncio
import os
import socket

import pytest

from tests.servers.misbehaving import Misbehaving
from untwist.errors import ConfigError
from untwist.llm import HttpModel, Limits, Request, open_model

ASK = Request(({"role": "user", "content": "x"},))
ONCE = Limits(retries=0)
TAKEN = "a test tried to open a connection"


def ask(url):
    return asyncio.run(HttpModel("m", url, limits=ONCE).acomplete(ASK))


def test_an_unmarked_test_reaches_not_even_this_machine():
    for url in ("http://127.0.0.1:9/v1", "http://192.0.2.1/v1", "http://models.example/v1"):
        with pytest.raises(AssertionError, match=TAKEN):
            ask(url)


@pytest.mark.loopback
def test_a_marked_test_reaches_its_own_server_and_no_other():
    with Misbehaving() as server:
        assert ask(server.url).text
    for url in ("http://192.0.2.1/v1", "https://models.example/v1"):
        with pytest.raises(AssertionError, match=TAKEN):
            ask(url)
    with pytest.raises(AssertionError, match=TAKEN):
        socket.create_connection(("models.example", 443))


def test_a_model_elsewhere_is_refused_by_its_settings_before_anything_is_sent():
    assert os.environ["UNTWIST_LLM_LOOPBACK_ONLY"] == "1"
    known = dict(os.environ, UNTWIST_LLM_URL="https://models.example/v1")
    with pytest.raises(ConfigError, match="another machine"):
        open_model("m", known)
