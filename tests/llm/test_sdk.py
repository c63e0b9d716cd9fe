"""Over the OpenAI SDK the answers and the reasons are those of the own wire."""

import asyncio
from importlib.util import find_spec

import pytest

from tests.servers.misbehaving import TEXT, Misbehaving
from untwist.errors import MissingExtra, ModelError
from untwist.llm import HttpModel, Limits, Request, Usage

pytestmark = [
    pytest.mark.loopback,
    pytest.mark.skipif(find_spec("openai") is None, reason='the extra "llm" is not installed'),
]
ASK = Request(({"role": "user", "content": "a question that is no one's"},), extra={"top_k": 3})


def ask(server, **options):
    from untwist.llm.sdk import SdkTransport

    model = HttpModel(
        "served-model", server.url, limits=Limits(retries=0), largest=100_000,
        transport=SdkTransport(server.url, "a-key"), **options,
    )  # fmt: skip

    async def both():
        try:
            return await model.acomplete(ASK)
        finally:
            await model.aclose()

    return asyncio.run(both())


@pytest.mark.parametrize("behaviour", ["ok", "stream", "thinking"])
def test_good_answers_come_through(behaviour):
    with Misbehaving(behaviour) as server:
        found = ask(server, stream=behaviour == "stream")
        assert server.bodies[0]["top_k"] == 3
        assert "authorization: bearer a-key" in server.heads[0].lower()
    assert (found.text, found.usage) == (TEXT, Usage(7, 3))


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("rate", "rate"),
        ("server", "server"),
        ("client", "client"),
        ("key", "client"),
        ("not_json", "not_json"),
        ("bad_encoding", "bad_encoding"),
        ("empty", "empty"),
        ("nothing", "empty"),
        ("html", "html"),
        ("refused", "refused"),
        ("cut_at_once", "unreachable"),
        ("cut_body", "cut"),
        ("cut_stream", "cut"),
        ("endless", "endless"),
    ],
)
def test_every_misbehaviour_has_its_reason(behaviour, reason):
    with Misbehaving(behaviour) as server, pytest.raises(ModelError) as caught:
        ask(server)
    assert caught.value.reason == reason
    assert "no one's" not in str(caught.value)


def test_without_the_extra_the_pip_line_is_told(monkeypatch):
    from untwist.llm import sdk

    def absent(name):
        raise ImportError

    monkeypatch.setattr(sdk, "import_module", absent)
    with pytest.raises(MissingExtra, match="untwist\\[llm\\]"):
        sdk.SdkTransport("http://127.0.0.1:1/v1", None)
