"""Encoders behind named doors, on stand-ins for a server and for a library."""

import subprocess
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from untwist.embed.remote import RemoteEncoder
from untwist.embed.transformer import SentenceEncoder
from untwist.errors import ConfigError, MissingExtra, ModelError


class _OpenAIError(Exception):
    pass


class _Connection(_OpenAIError):
    pass


class _RateLimit(_OpenAIError):
    pass


@pytest.fixture
def sdk(monkeypatch):
    """The few names of the SDK that are used; its client is given by each test."""
    module = ModuleType("openai")
    module.OpenAIError, module.APIConnectionError = _OpenAIError, _Connection
    module.RateLimitError = _RateLimit
    monkeypatch.setitem(sys.modules, "openai", module)
    return module


class _Server:
    """Answers each text with (its length, its place in the batch, 1)."""

    def __init__(self, spoil=lambda data: data, error=None):
        self.spoil, self.error = spoil, error
        self.asked = []
        self.embeddings = SimpleNamespace(create=self.create)

    def create(self, *, model, input, encoding_format):
        self.asked.append((model, input, encoding_format))
        if self.error:
            raise self.error
        data = [
            SimpleNamespace(index=k, embedding=[float(len(text)), float(k), 1.0])
            for k, text in enumerate(input)
        ]
        return SimpleNamespace(data=self.spoil(data))


def remote(server, **settings):
    return RemoteEncoder("m", 3, client=server, **settings)


def test_rows_come_in_the_order_of_the_texts_over_all_requests(sdk):
    server = _Server(spoil=lambda data: data[::-1])
    rows = remote(server, batch=2).encode(["a", "bb", "ccc"])
    assert rows.dtype == np.float32
    assert rows.tolist() == [[1, 0, 1], [2, 1, 1], [3, 0, 1]]
    assert [len(texts) for _, texts, _ in server.asked] == [2, 1]
    assert {(model, form) for model, _, form in server.asked} == {("m", "float")}


def test_no_texts_ask_nobody():
    assert RemoteEncoder("m", 3).encode([]).shape == (0, 3)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda data: data[:-1], "1 vectors for 2 texts"),
        (lambda data: [data[0], data[0]], "2 vectors for 2 texts"),
        (lambda data: [*data[:-1], SimpleNamespace(index=1, embedding=[1.0])], "set size"),
        (lambda data: [*data[:-1], SimpleNamespace(index=1, embedding=[np.nan, 0, 0])], "NaN"),
    ],
)
def test_an_answer_that_does_not_fit_is_an_error_and_never_a_vector(sdk, spoil, message):
    with pytest.raises(ModelError, match=message):
        remote(_Server(spoil)).encode(["a", "b"])


@pytest.mark.parametrize(
    ("error", "retryable"), [(_Connection(), True), (_RateLimit(), True), (_OpenAIError(), False)]
)
def test_a_server_that_fails_is_an_error_that_does_not_repeat_the_text(sdk, error, retryable):
    error.args = ("my secret thought",)
    with pytest.raises(ModelError, match="is the server running") as caught:
        remote(_Server(error=error)).encode(["my secret thought"])
    assert caught.value.retryable is retryable
    assert "secret" not in str(caught.value)


def test_the_client_is_made_as_it_is_described(sdk):
    made = {}

    def client(**settings):
        made.update(settings)
        return _Server()

    sdk.OpenAI = client
    encoder = RemoteEncoder("m", 3, "http://localhost:8000/v1", "key", timeout=5.0, retries=1)
    encoder.encode(["a"])
    assert made == {
        "base_url": "http://localhost:8000/v1", "api_key": "key", "timeout": 5.0, "max_retries": 1,
    }  # fmt: skip
    assert "key" not in repr(encoder)


def test_a_client_that_cannot_be_made_is_a_wrong_setting(sdk):
    def client(**settings):
        raise _OpenAIError("no key")

    sdk.OpenAI = client
    with pytest.raises(ConfigError, match="no key"):
        RemoteEncoder("m", 3).encode(["a"])


def test_without_the_packages_the_message_has_the_pip_line(monkeypatch):
    for name in ("openai", "sentence_transformers"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match=r"untwist\[llm\]"):
        RemoteEncoder("m", 3).encode(["a"])
    with pytest.raises(MissingExtra, match=r"untwist\[sentence\]"):
        SentenceEncoder("m")


def test_sizes_below_one_are_refused():
    for settings in ({"size": 0}, {"batch": 0}):
        with pytest.raises(ConfigError):
            RemoteEncoder("m", **settings)


class _Model:
    """As sentence-transformers': two numbers a text."""

    def __init__(self, rows=None, size=2):
        self.rows, self.size = rows, size

    def get_sentence_embedding_dimension(self):
        return self.size

    def encode(self, texts, *, batch_size, convert_to_numpy, show_progress_bar):
        if isinstance(self.rows, Exception):
            raise self.rows
        return self.rows or np.array([[len(text), batch_size] for text in texts])


def test_a_sentence_model_gives_a_row_for_each_text():
    encoder = SentenceEncoder("m", 8, loaded=_Model())
    assert encoder.encode(["a", "bb"]).tolist() == [[1, 8], [2, 8]]
    assert encoder.encode([]).shape == (0, 2)
    assert (encoder.size, encoder.name) == (2, "sentence-m-2@1")


@pytest.mark.parametrize("rows", [[[1.0, np.nan]], [[1.0]], RuntimeError("boom")])
def test_a_sentence_model_that_fails_is_an_error(rows):
    with pytest.raises(ModelError):
        SentenceEncoder("m", loaded=_Model(rows)).encode(["a"])
    with pytest.raises(ModelError, match="does not say"):
        _ = SentenceEncoder("m", loaded=_Model(size=None)).size


def test_a_sentence_model_is_loaded_by_its_name(monkeypatch):
    module = ModuleType("sentence_transformers")
    asked = []

    def load(model, device):
        asked.append((model, device))
        if model == "gone":
            raise OSError("not there")
        return _Model()

    module.SentenceTransformer = load
    monkeypatch.setitem(sys.modules, "sentence_transformers", module)
    assert SentenceEncoder("m", device="cpu").size == 2
    assert asked == [("m", "cpu")]
    with pytest.raises(ModelError, match="cannot be loaded"):
        SentenceEncoder("gone")


def test_importing_the_doors_brings_nothing_heavy():
    code = (
        "import sys, untwist.embed.remote, untwist.embed.transformer; "
        "print([m for m in ('torch', 'openai', 'sentence_transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
