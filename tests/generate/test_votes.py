"""Votes become labels, or an open case for people."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from untwist.errors import DataError
from untwist.generate.votes import RISK, Vote, count
from untwist.schema import Finding, Screening
from untwist.taxonomy import CANONICAL, Distortion, Intensity, Risk

CALM = Screening(Risk.NONE)
SHOULD, LABEL, MIND = (
    Distortion.SHOULD_STATEMENTS,
    Distortion.LABELING,
    Distortion.MIND_READING,
)


def vote(*distortions, voter="m", intensity=None, risk=Risk.NONE, evidence=()):
    return Vote(voter, frozenset(distortions), intensity, risk, tuple(evidence))


def test_a_label_that_most_voters_gave_stands_and_the_others_fall():
    found = count([vote(SHOULD), vote(SHOULD, LABEL), vote(SHOULD)], CALM)
    assert found.labels.distortions == {SHOULD}
    assert found.open == ()
    assert found.split == (LABEL.value,)


def test_half_the_votes_leave_a_label_open_and_out_of_the_labels():
    found = count([vote(SHOULD, LABEL), vote(SHOULD)], CALM)
    assert found.labels.distortions == {SHOULD}
    assert found.open == (LABEL.value,)


def test_no_voter_with_a_label_is_a_judged_message_without_distortion():
    found = count([vote(), vote()], CALM)
    assert found.labels.distortions == frozenset()
    assert found.labels.intensity is None
    assert found.open == found.split == ()


def test_three_voters_with_three_labels_agree_that_there_is_something_so_people_decide():
    found = count([vote(SHOULD), vote(LABEL), vote(MIND)], CALM)
    assert found.labels.distortions == frozenset()
    assert set(found.open) == {SHOULD.value, LABEL.value, MIND.value}
    # two of four hear something, each something else
    assert set(count([vote(SHOULD), vote(LABEL), vote(), vote()], CALM).open) == {
        SHOULD.value,
        LABEL.value,
    }
    # one of three is outvoted
    assert count([vote(SHOULD), vote(), vote()], CALM).open == ()


def test_the_intensity_is_that_of_most_who_gave_a_label_that_stands():
    votes = [
        vote(SHOULD, intensity=Intensity.SEVERE),
        vote(SHOULD, intensity=Intensity.SEVERE),
        vote(SHOULD, intensity=Intensity.MILD),
    ]
    found = count(votes, CALM)
    assert found.labels.intensity is Intensity.SEVERE
    assert found.split == ("intensity",)
    assert found.open == ()


def test_three_intensities_are_open():
    found = count([vote(SHOULD, intensity=i) for i in Intensity], CALM)
    assert found.open == ("intensity",)
    assert found.labels.intensity is None


def test_one_vote_for_the_highest_risk_is_for_people_to_decide():
    found = count([vote(risk=Risk.NONE), vote(risk=Risk.NONE), vote(risk=Risk.HIGH)], CALM)
    assert found.open == (RISK,)
    assert found.labels.risk is Risk.HIGH, "until they have, the higher level holds"


def test_no_vote_lowers_what_the_screen_says():
    high = Screening(Risk.HIGH, (), ("rule",))
    found = count([vote(risk=Risk.NONE)] * 3, high)
    assert found.labels.risk is Risk.HIGH
    assert found.open == ()


def test_a_tie_of_risks_is_open_unless_the_screen_is_above_both():
    tie = [vote(risk=Risk.NONE), vote(risk=Risk.LOW)]
    assert count(tie, CALM).open == (RISK,)
    above = count(tie, Screening(Risk.MEDIUM))
    assert (above.open, above.labels.risk) == ((), Risk.MEDIUM)


def test_evidence_is_what_more_than_half_of_the_voters_marked():
    spans = [(0, 10), (2, 8), (5, 20)]
    votes = [vote(SHOULD, evidence=[Finding(SHOULD, 1.0, *span)]) for span in spans]
    assert count(votes, CALM).labels.evidence == (Finding(SHOULD, 1.0, 2, 10),)


def test_evidence_for_a_label_that_fell_is_not_kept():
    votes = [vote(SHOULD), vote(SHOULD), vote(MIND, evidence=[Finding(MIND, 1.0, 0, 3)])]
    assert count(votes, CALM).labels.evidence == ()


def test_no_votes_are_an_error():
    with pytest.raises(DataError, match="no votes"):
        count([], CALM)


VOTES = st.builds(
    Vote,
    st.text(max_size=5),
    st.frozensets(st.sampled_from(CANONICAL), max_size=4),
    st.none() | st.sampled_from(Intensity),
    st.none() | st.sampled_from(Risk),
    st.just((Finding(SHOULD, 1.0, 1, 3),)),
    st.text(max_size=5),
)


@given(VOTES)
def test_a_vote_is_read_back_as_it_was_written(one):
    assert Vote.from_dict(json.loads(json.dumps(one.to_dict()))) == one


def test_what_is_no_vote_is_refused_without_its_words():
    with pytest.raises(DataError, match="not a vote"):
        Vote.from_dict({"voter": "secret words"})


@given(st.lists(VOTES, min_size=1, max_size=5), st.sampled_from(Risk))
def test_the_order_of_votes_changes_nothing_and_risk_never_falls(votes, floor):
    one = count(votes, Screening(floor))
    other = count(votes[::-1], Screening(floor))
    assert (one.open, one.split) == (other.open, other.split)
    assert one.labels == other.labels
    assert one.labels.risk >= floor
    assert (one.labels.intensity is None) or one.labels.distortions
