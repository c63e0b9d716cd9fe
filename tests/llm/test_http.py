"""A model behind a server: every way to fail has its reason, and a good answer comes through."""

import asyncio
import json
import ssl
import subprocess
from shutil import which

import numpy as np
import pytest

from tests.servers.misbehaving import TEXT, Misbehaving
from untwist.errors import ConfigError, ModelError
from untwist.llm import Answer, Clock, HttpModel, Limits, Prices, Request, Usage

pytestmark = pytest.mark.loopback
ASK = Request(({"role": "user", "content": "a question that is no one's"},), max_tokens=9)
SCHEMA = {
    "type": "object",
    "required": ["n"],
    "properties": {"n": {"type": "integer"}},
    "additionalProperties": False,
}
ASK_JSON = Request(ASK.messages, schema=SCHEMA)


class Hours:
    """Time that passes only by waiting."""

    def __init__(self):
        self.at, self.waits = 0.0, []

    async def sleep(self, seconds):
        self.waits.append(seconds)
        self.at += seconds
        await asyncio.sleep(0)

    @property
    def clock(self):
        return Clock(lambda: self.at, self.sleep)


def model(server, **options):
    options.setdefault("limits", Limits(retries=0))
    options.setdefault("rng", np.random.default_rng(0))
    options.setdefault("clock", Hours().clock)
    return HttpModel("served-model", server.url, "a-key", **options)


def ask(behaviour, request=ASK, **options):
    with Misbehaving(behaviour) as server:
        return asyncio.run(model(server, **options).acomplete(request))


def fault(behaviour, **options):
    with pytest.raises(ModelError) as caught:
        ask(behaviour, **options)
    return caught.value


def test_a_good_answer_comes_with_its_tokens_and_its_cost():
    found = ask("ok", prices=Prices(1.0, 10.0))
    assert isinstance(found, Answer)
    assert (found.text, found.model, found.finish) == (TEXT, "served-model", "stop")
    assert found.usage == Usage(7, 3)
    assert found.cost == pytest.approx((7 * 1 + 3 * 10) / 1e6)
    assert not found.cached


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("rate", "rate"),
        ("rate_long", "rate"),
        ("quota", "rate"),
        ("server", "server"),
        ("error_inside", "server"),
        ("no_http", "server"),
        ("client", "client"),
        ("key", "client"),
        ("not_json", "not_json"),
        ("not_completion", "not_json"),
        ("odd_stream", "not_json"),
        ("bad_encoding", "bad_encoding"),
        ("bad_stream", "bad_encoding"),
        ("half_character", "bad_encoding"),
        ("empty", "empty"),
        ("nothing", "empty"),
        ("html", "html"),
        ("html_unsaid", "html"),
        ("filtered", "refused"),
        ("refused", "refused"),
        ("still_thinking", "cut"),
        ("cut_at_once", "cut"),
        ("cut_head", "cut"),
        ("cut_body", "cut"),
        ("cut_stream", "cut"),
        ("unfinished_stream", "cut"),
        ("bad_chunk", "cut"),
        ("endless", "endless"),
        ("endless_stream", "endless"),
    ],
)
def test_every_misbehaviour_has_its_reason_and_repeats_no_text(behaviour, reason):
    found = fault(behaviour, largest=100_000)
    assert found.reason == reason
    assert "no one's" not in str(found)
    assert "repeated" not in str(found)
    assert "a-key" not in str(found)


@pytest.mark.parametrize("behaviour", ["silent", "drip", "drip_stream"])
def test_a_server_that_stays_silent_or_only_drips_times_out(behaviour):
    assert fault(behaviour, timeout=0.02).reason == "timeout"


def test_a_server_that_is_not_there_is_unreachable():
    with Misbehaving() as server:
        gone = model(server)
    with pytest.raises(ModelError, match="is it running") as caught:
        asyncio.run(gone.acomplete(ASK))
    assert caught.value.reason == "unreachable"


@pytest.mark.parametrize("stream", [False, True])
def test_a_stream_is_put_together(stream):
    found = ask("stream", stream=stream)
    assert (found.text, found.finish, found.usage) == (TEXT, "stop", Usage(7, 3))


def test_pieces_can_be_had_as_they_come():
    async def pieces(server):
        return [piece async for piece in model(server).astream(ASK)]

    with Misbehaving("stream") as server:
        assert asyncio.run(pieces(server)) == ["A plain ", "answer."]
        assert server.bodies[0]["stream"] is True


def test_a_stream_that_is_cut_raises_after_its_pieces():
    found = []

    async def pieces(server):
        async for piece in model(server).astream(ASK):
            found.append(piece)

    with Misbehaving("cut_stream") as server, pytest.raises(ModelError) as caught:
        asyncio.run(pieces(server))
    assert found == ["A plain "]
    assert caught.value.reason == "cut"


def test_thinking_is_no_part_of_the_answer():
    assert ask("thinking").text == TEXT


def test_what_may_pass_is_asked_again_after_random_waits_that_grow():
    hours = Hours()
    limits = Limits(retries=4, first_wait=1.0, longest_wait=3.0)
    with Misbehaving(lambda body, n: "server" if n < 4 else "ok") as server:
        found = asyncio.run(model(server, limits=limits, clock=hours.clock).acomplete(ASK))
        assert len(server.bodies) == 5
    assert found.text == TEXT
    chance = np.random.default_rng(0).random(4)
    assert hours.waits == pytest.approx(list(chance * [1.0, 2.0, 3.0, 3.0]))


def test_retries_come_to_an_end_and_what_will_not_pass_is_not_asked_again():
    for behaviour, calls in (("server", 3), ("client", 1), ("refused", 1), ("quota", 1)):
        with Misbehaving(behaviour) as server, pytest.raises(ModelError):
            asyncio.run(model(server, limits=Limits(retries=2)).acomplete(ASK))
        assert len(server.bodies) == calls, behaviour


def test_the_wait_that_a_server_asks_for_is_kept_and_a_very_long_one_is_not_waited_for():
    hours = Hours()
    with Misbehaving(lambda body, n: "rate_wait" if n == 0 else "ok") as server:
        limits = Limits(retries=2, first_wait=0.0)
        asyncio.run(model(server, limits=limits, clock=hours.clock).acomplete(ASK))
    assert hours.at >= 3.0
    hours = Hours()
    with Misbehaving("rate_long") as server, pytest.raises(ModelError):
        asyncio.run(model(server, limits=Limits(retries=2), clock=hours.clock).acomplete(ASK))
    assert hours.waits == []


def test_connections_are_kept_and_at_most_so_many_are_opened():
    async def many(server):
        asked = model(server, limits=Limits(concurrency=3))
        await asyncio.gather(*(asked.acomplete(ASK) for _ in range(12)))
        await asked.aclose()

    with Misbehaving() as server:
        asyncio.run(many(server))
        assert len(server.bodies) == 12
        assert server.connections <= 3


def test_a_kept_connection_that_ends_without_a_byte_is_replaced_once():
    async def many(server):
        asked = model(server)
        await asyncio.gather(*(asked.acomplete(ASK) for _ in range(5)))
        with pytest.raises(ModelError) as caught:
            await asked.acomplete(ASK)
        return caught.value.reason

    with Misbehaving(lambda body, n: "ok" if n < 5 else "cut_at_once") as server:
        assert asyncio.run(many(server)) == "cut"
        assert len(server.bodies) == 7


def test_calls_that_are_waited_for_share_a_connection():
    with Misbehaving() as server:
        asked = model(server)
        texts = [asked.chat(ASK.messages, temperature=0.0, top_k=3) for _ in range(3)]
        assert server.connections == 1
        assert server.bodies[0]["top_k"] == 3
    assert texts == [TEXT] * 3


def test_the_budget_of_requests_ends_the_calls_before_they_are_sent():
    with Misbehaving() as server:
        asked = model(server, limits=Limits(requests=2))
        asked.complete(ASK)
        asked.complete(ASK)
        with pytest.raises(ModelError) as caught:
            asked.complete(ASK)
        assert len(server.bodies) == 2
    assert caught.value.reason == "budget"
    assert asked.spent.requests == 2
    assert asked.spent.tokens == 20


def test_the_key_goes_to_the_server_and_nowhere_else():
    with Misbehaving() as server:
        asked = model(server)
        asked.complete(ASK)
        assert "Authorization: Bearer a-key\r\n" in server.heads[0]
    assert "a-key" not in repr(asked) + repr(vars(asked))


def test_a_call_that_is_cancelled_says_so():
    async def both(server, asked):
        call = asyncio.create_task(asked.acomplete(ASK))
        while not server.bodies:
            await asyncio.sleep(0.001)
        asked.cancel()
        await call

    with Misbehaving("silent") as server:
        asked = model(server)
        with pytest.raises(ModelError) as caught:
            asyncio.run(both(server, asked))
        with pytest.raises(ModelError) as later:
            asked.complete(ASK)
    assert caught.value.reason == later.value.reason == "cancelled"


def test_a_task_that_is_cancelled_from_outside_stays_cancelled():
    async def both(server, asked):
        call = asyncio.create_task(asked.acomplete(ASK))
        while not server.bodies:
            await asyncio.sleep(0.001)
        call.cancel()
        await call

    with Misbehaving("silent") as server, pytest.raises(asyncio.CancelledError):
        asyncio.run(both(server, model(server)))


def says_json(text):
    return lambda body, n: text


def test_a_schema_is_asked_for_by_the_standard_field():
    with Misbehaving(says=says_json('{"n": 3}')) as server:
        found = model(server).complete(ASK_JSON)
        asked = server.bodies[0]["response_format"]
    assert json.loads(found.text) == {"n": 3}
    assert asked["type"] == "json_schema"
    assert asked["json_schema"]["schema"] == SCHEMA


def test_a_server_that_knows_no_schemas_is_asked_in_words_and_then_always_so():
    def behave(body, n):
        return "client" if "response_format" in body else "ok"

    def says(body, n):
        return None if "response_format" in body else 'Here:\n```json\n{"n": 3,}\n```'

    with Misbehaving(behave, says=says) as server:
        asked = model(server)
        found = [json.loads(asked.complete(ASK_JSON).text) for _ in range(2)]
        assert ["response_format" in body for body in server.bodies] == [True, False, False]
        last = server.bodies[1]["messages"][-1]["content"]
    assert found == [{"n": 3}, {"n": 3}]
    assert '"additionalProperties": false' in last


def test_an_answer_that_breaks_the_schema_is_asked_for_once_more_and_then_it_is_an_error():
    with Misbehaving(says=lambda body, n: '{"n": "three"}' if n == 0 else '{"n": 3}') as server:
        found = model(server).complete(ASK_JSON)
    assert json.loads(found.text) == {"n": 3}
    assert found.usage == Usage(14, 6)
    with Misbehaving(says=says_json('{"n": "three"}')) as server:
        with pytest.raises(ModelError) as caught:
            model(server).complete(ASK_JSON)
        assert len(server.bodies) == 2
    assert caught.value.reason == "parse"
    assert "three" not in str(caught.value)


def test_a_bad_request_is_not_taken_for_a_server_without_schemas():
    with Misbehaving("client") as server:
        asked = model(server)
        for _ in range(2):
            with pytest.raises(ModelError) as caught:
                asked.complete(ASK_JSON)
        assert ["response_format" in body for body in server.bodies] == [True, False, True, False]
    assert caught.value.reason == "client"


def test_the_names_that_a_server_offers_are_told():
    with Misbehaving() as server:
        assert asyncio.run(model(server).models()) == ("served-model", "other")


@pytest.mark.parametrize(
    "url", ["", "ftp://x/v1", "http://", "http://me:secret@x/v1", "http://x:y", "http://x/ü"]
)
def test_a_url_that_is_none_is_told_without_being_repeated(url):
    with pytest.raises(ConfigError) as caught:
        HttpModel("m", url)
    assert "secret" not in str(caught.value)


def test_half_a_character_is_not_sent():
    with Misbehaving() as server, pytest.raises(ModelError) as caught:
        model(server).complete(Request(({"role": "user", "content": "\ud83d"},)))
    assert caught.value.reason == "bad_encoding"
    assert server.bodies == []


@pytest.mark.slow
@pytest.mark.skipif(which("openssl") is None, reason="openssl makes the certificate")
def test_a_certificate_has_to_be_trusted(tmp_path, monkeypatch):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(certificate, key)
    with Misbehaving(secure=secure) as server:
        with pytest.raises(ModelError, match="not trusted") as caught:
            model(server).complete(ASK)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        asked = model(server)
        assert [asked.complete(ASK).text for _ in range(2)] == [TEXT, TEXT]
        assert len(server.heads) == 2
    assert caught.value.reason == "unreachable"
