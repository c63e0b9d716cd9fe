"""What simulated people say: drawn by what they are to express."""

from dataclasses import replace

import numpy as np
import pytest

from tests.policy import tiny
from untwist.errors import DataError
from untwist.policy.pool import NONE, Pool, as_labelled
from untwist.schema import Utterance
from untwist.taxonomy import CANONICAL, LANGS, Distortion, Intensity, Risk

D = Distortion


def drawn(subject, intensity, risk, lang="en", luck=0.0):
    args = [np.array([x]) for x in (subject, intensity.rank, risk.rank, LANGS.index(lang))]
    return int(tiny.pool().draw(*args, np.array([luck], np.float32))[0])


def made_of(pairs):
    heard = [as_labelled(u, one) for u, one in pairs]
    return Pool.of(heard, [one for _, one in pairs], tiny.encoder())


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("intensity", Intensity)
def test_a_message_of_the_cell_asked_for_is_drawn(lang, intensity):
    for subject, distortion in enumerate(CANONICAL):
        row = drawn(subject, intensity, Risk.LOW, lang)
        truth = tiny.pool().truth
        assert tiny.pool().assessments[row].utterance.lang == lang
        assert truth.labels[row].nonzero()[0].tolist() == [CANONICAL.index(distortion)]
        assert (truth.intensity[row], truth.risk[row]) == (intensity.rank, Risk.LOW.rank)


def test_without_a_subject_nothing_is_distorted():
    row = drawn(NONE, Intensity.SEVERE, Risk.NONE)
    assert not tiny.pool().truth.labels[row].any()


def test_an_empty_cell_takes_its_nearest_neighbour_but_never_trades_high_risk():
    pairs = [
        (u, one)
        for u, one in tiny.rows()
        if not (one.intensity is Intensity.MILD and one.risk is Risk.LOW)
    ]
    pool = made_of(pairs)
    args = [np.array([x]) for x in (3, Intensity.MILD.rank, Risk.LOW.rank, 0)]
    row = int(pool.draw(*args, np.zeros(1, np.float32))[0])
    assert pool.truth.labels[row, 3]
    assert pool.truth.risk[row] != Risk.HIGH.rank
    other = [np.array([x]) for x in (5, Intensity.MILD.rank, Risk.HIGH.rank, 0)]
    assert pool.truth.risk[pool.draw(*other, np.zeros(1, np.float32))[0]] == Risk.HIGH.rank


def test_luck_reaches_every_message_of_a_cell():
    pairs = [*tiny.rows(), (Utterance("one more", "en", "x"), tiny.labels(D.LABELING))]
    pool, at = made_of(pairs), CANONICAL.index(D.LABELING)
    args = [np.array([x] * 2) for x in (at, Intensity.MODERATE.rank, Risk.LOW.rank, 0)]
    assert len(set(pool.draw(*args, np.array([0.0, 0.999], np.float32)).tolist())) == 2


def test_a_pool_that_lacks_a_subject_says_which():
    pairs = [(u, one) for u, one in tiny.rows() if D.BLAMING not in one.distortions]
    with pytest.raises(DataError, match=f'no message in "en" with {D.BLAMING.value}'):
        made_of(pairs)
    pairs = [(u, one) for u, one in tiny.rows() if one.risk is not Risk.HIGH]
    with pytest.raises(DataError, match="at high risk"):
        made_of(pairs)


def test_labels_that_are_missing_are_refused_and_never_taken_for_none():
    with pytest.raises(DataError, match="lacks labels"):
        as_labelled(tiny.utterance(1), tiny.labels(risk=None))
    with pytest.raises(DataError, match="lacks labels"):
        as_labelled(tiny.utterance(1), replace(tiny.labels(), distortions=None))


def test_a_language_that_is_not_known_numbers_and_lengths_are_refused():
    heard = as_labelled(Utterance("12 34", None, "n"), tiny.labels())
    with pytest.raises(DataError, match="no known language"):
        Pool.of([heard], [tiny.labels()], tiny.encoder())
    with pytest.raises(DataError, match="1 assessments but 2 labels"):
        Pool.of([heard], [tiny.labels()] * 2, tiny.encoder())
    pool = tiny.pool()
    with pytest.raises(DataError, match="NaN"):
        Pool(pool.words * np.nan, pool.truth, pool.heard, pool.lang, pool.assessments)
    with pytest.raises(DataError, match="lengths"):
        Pool(pool.words[1:], pool.truth, pool.heard, pool.lang, pool.assessments)


def test_shares_are_those_of_the_labels():
    pairs = [*tiny.rows(), *[(tiny.utterance(900 + k), tiny.labels(D.BLAMING)) for k in range(18)]]
    shares = made_of(pairs).shares()
    assert shares.sum() == pytest.approx(1.0)
    counts = np.array([sum(d in one.distortions for _, one in pairs) for d in CANONICAL])
    assert shares == pytest.approx(counts / counts.sum())
