"""Texts as vectors without a model."""

import numpy as np
import pytest

from untwist.embed import StaticEncoder
from untwist.embed.static import CHUNK
from untwist.errors import ConfigError, DataError

TEXTS = ["I ruined the whole evening", "我把一切都搞砸了", "42", "a" * 3000]


@pytest.mark.parametrize("size", [2, 64, 1024])
def test_every_text_becomes_a_row_of_length_one(size):
    rows = StaticEncoder(size).encode(TEXTS)
    assert rows.shape == (len(TEXTS), size)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_a_row_does_not_depend_on_its_neighbours():
    encoder = StaticEncoder()
    many = encoder.encode(TEXTS * (CHUNK // 2))
    for at, text in enumerate(TEXTS):
        alone = encoder.encode([text])[0]
        assert np.array_equal(many[at], alone)
        assert np.array_equal(many[-len(TEXTS) + at], alone)


def test_similar_texts_are_nearer_than_others():
    one, near, far = StaticEncoder().encode(
        ["I ruined the whole evening", "I have ruined the evening", "The train leaves at nine"]
    )
    assert one @ near > 0.3 > one @ far


def test_width_case_and_script_variants_do_not_matter_as_everywhere():
    rows = StaticEncoder().encode(["Ｉ ｆａｉｌｅｄ", "I failed"])
    assert np.array_equal(*rows)


def test_signs_cancel_on_average():
    texts = [f"word{k} and thing{k * 7}" for k in range(60)]
    rows = StaticEncoder().encode(texts)
    gram = rows @ rows.T - np.eye(len(texts))
    unrelated = StaticEncoder().encode(["xqz jvk", "plm wrt"])
    assert abs(unrelated[0] @ unrelated[1]) < 0.15
    assert np.isfinite(gram).all()


def test_no_texts_give_no_rows():
    assert StaticEncoder(8).encode([]).shape == (0, 8)


@pytest.mark.parametrize("size", [0, 1, 3, 1000, 1 << 20])
def test_sizes_that_are_no_power_of_two_are_refused(size):
    with pytest.raises(ConfigError, match="power of two"):
        StaticEncoder(size)


def test_a_text_without_anything_to_read_is_refused_by_its_number():
    with pytest.raises(DataError, match=f"text {CHUNK + 1} holds nothing"):
        StaticEncoder(8).encode([*["words"] * (CHUNK + 1), ""])
