"""A teacher's word: asked once, kept in a file, unknown where the teacher has learnt nothing."""

import numpy as np
import pytest

from tests.detect import tiny
from untwist.detect import ask_teacher, fit
from untwist.detect.outputs import NONE
from untwist.errors import ArtifactError, DataError
from untwist.taxonomy import CANONICAL, Distortion

LABELING, BLAMING = (CANONICAL.index(d) for d in (Distortion.LABELING, Distortion.BLAMING))


class _Teacher:
    name = "made-up"
    outputs = ("labeling", NONE, "blaming", "intensity>=moderate")

    def __init__(self):
        self.asked = []

    def predict_proba(self, texts):
        self.asked += texts
        return np.array([[len(t) / 100, 0.1, np.nan, 0.9] for t in texts], np.float32)


def test_probabilities_stand_in_the_columns_of_their_labels_and_nan_elsewhere():
    examples = tiny.examples()[:4]
    taught = ask_teacher(_Teacher(), "v1", examples)
    assert [e.utterance for e in taught.examples] == [e.utterance for e in examples]
    for one in taught.examples:
        known = np.flatnonzero(~np.isnan(one.teacher))
        assert known.tolist() == [LABELING]
        assert one.teacher[LABELING] == pytest.approx(len(one.utterance.text) / 100)


def test_a_text_is_asked_about_once_and_then_read_from_the_file(tmp_path):
    cache, teacher = tmp_path / "soft.safetensors", _Teacher()
    examples = tiny.examples()[:3]
    first = ask_teacher(teacher, "v1", [*examples, examples[0]], cache)
    assert (first.asked, first.kept, len(teacher.asked)) == (3, 0, 3)
    again = ask_teacher(teacher, "v1", tiny.examples()[:5], cache)
    assert (again.asked, again.kept, len(teacher.asked)) == (2, 3, 5)
    for one, other in zip(first.examples, again.examples, strict=False):
        if one.utterance == other.utterance:
            assert np.array_equal(one.teacher, other.teacher, equal_nan=True)


def test_another_teachers_answers_are_not_used(tmp_path):
    cache, teacher = tmp_path / "soft.safetensors", _Teacher()
    ask_teacher(teacher, "v1", tiny.examples()[:3], cache)
    assert ask_teacher(teacher, "v2", tiny.examples()[:3], cache).asked == 3


def test_the_fast_detector_does_not_learn_from_a_teacher_that_cannot_say():
    taught = ask_teacher(_Teacher(), "v1", tiny.examples()).examples
    with pytest.raises(DataError, match="all twelve"):
        fit(taught, tiny.CONFIG, 0, "student")


def test_no_text_is_written_into_the_file(tmp_path):
    cache = tmp_path / "soft.safetensors"
    ask_teacher(_Teacher(), "v1", tiny.examples()[:3], cache)
    assert all(e.utterance.text.encode() not in cache.read_bytes() for e in tiny.examples()[:3])


def test_a_damaged_file_is_an_error_that_says_what_to_do(tmp_path):
    cache = tmp_path / "soft.safetensors"
    cache.write_bytes(b"damaged")
    with pytest.raises(ArtifactError, match="delete it"):
        ask_teacher(_Teacher(), "v1", tiny.examples()[:3], cache)
