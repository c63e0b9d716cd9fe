"""The state: one function from an assessment and a session to a vector."""

import numpy as np
import pytest

from tests.conformance.conftest import assessment
from tests.policy.tiny import encoder
from untwist.embed import StaticEncoder
from untwist.errors import DataError
from untwist.policy.state import (
    SESSION_FEATURES,
    SESSION_SCALE,
    StateEncoder,
    describe,
    response_between,
    session_of,
)
from untwist.schema import START, Session
from untwist.taxonomy import Distortion, Intensity, Risk, Strategy

D, S = Distortion, Strategy


class _Broken:
    """An encoder that gives one fixed table."""

    name = "broken 1"
    size = 4

    def __init__(self, table):
        self.table = table

    def encode(self, texts):
        return np.resize(np.asarray(self.table, np.float32), (len(texts), len(self.table)))


def session_part(session, heard=None):
    made = encoder().encode(heard or assessment("a thought"), session)[-len(SESSION_FEATURES) :]
    return dict(zip(SESSION_FEATURES, made / SESSION_SCALE, strict=True))


def test_the_description_has_the_words_and_a_line_for_each_label():
    heard = assessment("I ruined it", Risk.LOW, Intensity.SEVERE, D.MAGNIFICATION)
    lines = describe(heard).split("\n")
    assert lines[0] == "I ruined it"
    assert lines[1].startswith(D.MAGNIFICATION.name_in("en"))
    assert lines[2].startswith("Intensity")
    assert lines[3].startswith("Risk")
    assert describe(heard, "zh").split("\n")[1].startswith(D.MAGNIFICATION.name_in("zh"))


def test_a_state_has_a_place_for_every_word_and_session_feature():
    made = encoder().encode(assessment("a thought"))
    assert made.shape == (encoder().size,) == (64 + 25,)
    assert made.dtype == np.float32
    assert np.linalg.norm(made[:64]) == pytest.approx(8.0, abs=1e-4)


def test_each_label_moves_the_state_and_a_long_message_does_not_drown_it():
    long = "the train was late and so was I " * 40
    base = assessment(long, Risk.LOW, Intensity.MILD, D.LABELING)
    whole = StateEncoder(StaticEncoder(1024))
    for other in (
        assessment(long, Risk.HIGH, Intensity.MILD, D.LABELING),
        assessment(long, Risk.LOW, Intensity.SEVERE, D.LABELING),
        assessment(long, Risk.LOW, Intensity.MILD, D.MAGNIFICATION),
    ):
        step = np.linalg.norm(whole.encode(base) - whole.encode(other))
        assert step > 0.2 * np.linalg.norm(whole.encode(base)[:1024])


def test_a_session_is_read_feature_by_feature():
    features = session_part(Session(3, (S.EMPATHIC_VALIDATION, S.REALITY_TESTING), 0.5))
    assert features["turn / 12"] == pytest.approx(3 / 12)
    assert features["first message"] == 0
    assert features["times A0 was used / 3"] == pytest.approx(1 / 3)
    assert features["A3 was the last"] == 1
    assert features["A0 was the last"] == 0
    assert features["the last was a challenge"] == 1
    assert features["the response to it is known"] == 1
    assert features["the response to it, -1 to 1"] == 0.5


def test_a_first_message_has_no_last_strategy_and_no_response():
    features = session_part(START)
    assert {name for name, value in features.items() if value} == {"first message"}


def test_neither_listening_nor_crisis_intervention_is_a_challenge():
    for gentle in (S.EMPATHIC_VALIDATION, S.CRISIS_INTERVENTION):
        assert session_part(Session(1, (gentle,), 0.0))["the last was a challenge"] == 0


def test_many_states_are_the_single_ones_in_order():
    heard = [assessment("one thought"), assessment("another", Risk.MEDIUM, distortion=None)]
    sessions = [START, Session(1, (S.FINDING_THE_GRAY,), None)]
    many = encoder().encode_many(heard, sessions)
    for row, (a, s) in zip(many, zip(heard, sessions, strict=True), strict=True):
        assert np.array_equal(row, encoder().encode(a, s))
    assert encoder().encode_many([], []).shape == (0, encoder().size)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([1.0, np.nan, 0.0, 0.0], "NaN or infinity for text 0"),
        ([1.0, np.inf, 0.0, 0.0], "NaN or infinity for text 0"),
        ([0.0, 0.0, 0.0, 0.0], "zero vector for text 0"),
        ([1.0, 0.0, 0.0], "gave shape"),
    ],
)
def test_an_encoder_that_fails_is_refused_and_never_becomes_a_state(table, message):
    with pytest.raises(DataError, match=message):
        StateEncoder(_Broken(table)).encode(assessment("a thought"))


def test_a_stray_accent_is_its_labels_alone_and_others_beside_it_are_as_ever():
    accent, heard = assessment("\u0301", distortion=None), assessment("a thought")
    both = encoder().encode_words([accent, heard])
    assert np.isfinite(both).all()
    assert np.linalg.norm(both[0]) == pytest.approx(8.0, abs=1e-4)
    assert np.array_equal(both[1], encoder().encode_words([heard])[0])


def test_another_version_of_the_state_is_refused():
    with pytest.raises(DataError, match="state version 99"):
        StateEncoder(StaticEncoder(64), 99)


def test_unequal_numbers_are_refused():
    with pytest.raises(DataError, match="1 assessments but 2 sessions"):
        encoder().encode_many([assessment("a")], [START, START])


def test_a_session_is_made_of_what_was_heard_and_done():
    heavy = assessment("all is lost", Risk.MEDIUM, Intensity.SEVERE)
    light = assessment("maybe not all", Risk.LOW, Intensity.MILD)
    made = session_of([heavy, light], [S.EMPATHIC_VALIDATION])
    assert (made.turn, made.used) == (1, (S.EMPATHIC_VALIDATION,))
    assert made.response == pytest.approx((2 / 3 + 1 / 3) / 2)
    assert session_of([light], ()) == START
    with pytest.raises(DataError, match="needs the assessment"):
        session_of([], ())


def test_a_response_is_not_known_where_an_intensity_was_not_judged():
    unjudged = assessment("all is lost", intensity=None)
    light = assessment("maybe not", Risk.LOW, Intensity.MILD)
    assert response_between(unjudged, light) is None
    assert response_between(light, light) == 0.0
