"""What every Encoder must do."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from untwist.embed import StaticEncoder
from untwist.embed.remote import RemoteEncoder
from untwist.embed.transformer import SentenceEncoder
from untwist.policy.state import StateEncoder

TEXTS = ["I ruined it", "我搞砸了", "42", "a" * 500, "I ruined it"]
SIZE = 8


def _vector(text):
    """Made-up numbers that hang on the text alone."""
    return [float((sum(map(ord, text)) * (k + 3)) % 17 + 1) for k in range(SIZE)]


class _Model:
    def get_sentence_embedding_dimension(self):
        return SIZE

    def encode(self, texts, **options):
        return np.array([_vector(text) for text in texts])


def _create(*, model, input, encoding_format):
    data = [SimpleNamespace(index=k, embedding=_vector(text)) for k, text in enumerate(input)]
    return SimpleNamespace(data=data)


@pytest.fixture(params=["static", "remote", "sentence"])
def encoder(request, monkeypatch):
    if request.param == "static":
        return StaticEncoder(SIZE)
    if request.param == "sentence":
        return SentenceEncoder("made-up", loaded=_Model())
    sdk = ModuleType("openai")
    sdk.OpenAIError = sdk.APIConnectionError = sdk.RateLimitError = RuntimeError
    monkeypatch.setitem(sys.modules, "openai", sdk)
    client = SimpleNamespace(embeddings=SimpleNamespace(create=_create))
    return RemoteEncoder("made-up", SIZE, batch=2, client=client)


def test_every_text_has_a_finite_row_of_the_size_that_is_said(encoder):
    rows = encoder.encode(TEXTS)
    assert rows.shape == (len(TEXTS), encoder.size) == (5, SIZE)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()


def test_rows_are_in_the_order_of_the_texts_and_hang_on_nothing_else(encoder):
    rows = encoder.encode(TEXTS)
    assert np.array_equal(rows[0], rows[4])
    for text, row in zip(TEXTS, rows, strict=True):
        assert np.array_equal(encoder.encode([text])[0], row)
    assert not np.array_equal(rows[0], rows[1])


def test_no_texts_give_no_rows(encoder):
    assert encoder.encode([]).shape == (0, SIZE)


def test_the_name_tells_encoders_of_other_sizes_apart_and_a_state_can_be_made(encoder):
    assert str(SIZE) in encoder.name
    assert encoder.name in StateEncoder(encoder).name
    assert StateEncoder(encoder).size == SIZE + 25
