"""Which of a person's words stand for a thought."""

from untwist.respond.quote import evidence
from untwist.schema import Assessment, Finding, Utterance
from untwist.taxonomy import Distortion, Intensity, Risk

TEXT = "My boss didn't say hello to me this morning, so she must hate me"
INNER = TEXT.index("so she")


def heard(*findings, risk=Risk.NONE):
    return Assessment(Utterance(TEXT, "en"), findings, Intensity.MODERATE, risk, (), (), "by hand")


WHOLE = Finding(Distortion.EMOTIONAL_REASONING, 0.9, 0, len(TEXT))
PART = Finding(Distortion.MIND_READING, 0.8, INNER, len(TEXT))


def test_where_a_whole_message_is_too_long_the_evidence_within_it_stands_for_it():
    found = evidence(heard(WHOLE, PART), Distortion.EMOTIONAL_REASONING, "en")
    assert found == "she must hate me"


def test_the_targets_own_words_come_first():
    assert evidence(heard(WHOLE, PART), Distortion.MIND_READING, "en") == "she must hate me"
    assert evidence(heard(WHOLE), Distortion.EMOTIONAL_REASONING, "en") is None
    assert evidence(heard(PART), Distortion.LABELING, "en") is None


def test_nothing_is_quoted_where_danger_is_spoken_of():
    both = heard(WHOLE, PART, risk=Risk.MEDIUM)
    assert evidence(both, Distortion.EMOTIONAL_REASONING, "en") is None
