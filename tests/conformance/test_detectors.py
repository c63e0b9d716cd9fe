"""What every Detector must do."""

import pytest

from untwist.safety import screen
from untwist.schema import Assessment, Utterance
from untwist.taxonomy import CANONICAL, Risk

TEXTS = (
    "If it rains, the whole day is ruined.",
    "我什么都做不好，谁都看不起我",
    "I bought two apples.",
    "I want to die",
    "42",
    "😀",
    "a" * 3000,
    "累" * 3000,
    'He said: "you\'re useless" {json} <b>\u202e',
)


@pytest.mark.parametrize("text", TEXTS)
def test_an_answer_is_complete_and_within_its_ranges(detector, text):
    assessment = detector.detect(Utterance(text))
    assert isinstance(assessment, Assessment)
    assert assessment.utterance.text == text
    assert assessment.detector == detector.name
    labels = [f.distortion for f in assessment.findings]
    assert len(set(labels)) == len(labels)
    assert set(labels) <= set(CANONICAL)
    scores = [f.score for f in assessment.findings]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= s <= 1 for s in scores)
    for f in assessment.findings:
        assert 0 <= f.start < f.end <= len(text)


@pytest.mark.parametrize("text", TEXTS)
def test_risk_is_never_below_the_screens_and_no_danger_that_it_names_is_lost(detector, text):
    heard, screened = detector.detect(Utterance(text)), screen(text)
    assert heard.risk >= screened.level
    assert set(heard.acuity) >= set(screened.acuity)
    assert set(heard.reasons) >= set(screened.reasons)


def test_intensity_is_judged_where_something_was_found_by_a_detector_that_can(detector):
    judges = getattr(detector, "judges_intensity", True)
    for text in TEXTS:
        assessment = detector.detect(Utterance(text))
        assert (assessment.intensity is not None) == (judges and bool(assessment.findings))


def test_a_stream_is_answered_in_order_and_lazily(detector):
    def endless():
        place = 0
        while True:
            yield Utterance(f"I bought {place} apples.", id=str(place))
            place += 1

    stream = detector.detect_many(endless())
    assert [next(stream).utterance.id for _ in range(5)] == list("01234")


def test_an_empty_stream_gives_nothing(detector):
    assert list(detector.detect_many([])) == []


def test_the_same_text_gets_the_same_answer(detector):
    for text in TEXTS:
        assert detector.detect(Utterance(text)) == detector.detect(Utterance(text))


def test_a_high_message_in_the_history_is_not_forgotten(detector):
    history = (Utterance("I want to die"),)
    assert detector.detect(Utterance("anyway, nice weather"), history).risk > Risk.NONE
