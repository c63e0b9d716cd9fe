"""Returns and habits, counted by hand."""

import numpy as np
import pytest

from untwist.errors import DataError
from untwist.evaluate import Episodes, habits, mean_return, return_difference
from untwist.taxonomy import CANONICAL, Distortion, Intensity

MAGNIFICATION = CANONICAL.index(Distortion.MAGNIFICATION)  # gold A4
MODERATE = Intensity.MODERATE.rank


def episodes(actions, rewards, high=None, distorted=None, ends=None):
    chosen = np.array(actions, np.int64)
    carries = np.ones(chosen.shape, bool) if distorted is None else np.array(distorted, bool)
    labels = np.zeros((*chosen.shape, len(CANONICAL)), bool)
    labels[..., MAGNIFICATION] = carries
    return Episodes(
        chosen,
        np.array(rewards, float),
        labels,
        np.where(carries, MODERATE, -1),
        np.zeros(chosen.shape, bool) if high is None else np.array(high, bool),
        tuple(ends or ["limit"] * len(chosen)),
    )


# validates, then gold twice; gold at once, leaves; crisis
THREE = episodes(
    [[0, 4, 4], [4, -1, -1], [9, 0, -1]],
    [[0.5, 2, 1], [-1, 0, 0], [4, 1, 0]],
    high=[[0, 0, 0], [0, 0, 0], [1, 0, 0]],
    distorted=[[1, 1, 1], [1, 0, 0], [0, 0, 0]],
    ends=["resolved", "left", "resolved"],
)


def test_returns_are_faded_sums():
    assert THREE.returns().tolist() == [3.5, -1, 5]
    assert THREE.returns(0.5) == pytest.approx([0.5 + 1 + 0.25, -1, 4.5])
    assert mean_return(THREE, np.random.default_rng(0)).value == pytest.approx(2.5)


def test_habits_are_those_of_the_turns_that_were():
    found = habits(THREE)
    assert found.reached == (3, 2, 1)
    assert found.by_turn[0][0] == pytest.approx(1 / 3)
    assert found.by_turn[1][4] == 1 / 2
    # the third starts at high risk, so only two could listen first
    assert (found.listened_first.hits, found.listened_first.of) == (1, 2)
    # turns after the first: 4 after 0, 4 after 4, 0 after 9
    assert (found.repeated.hits, found.repeated.of) == (1, 3)
    assert (found.gold["moderate"].hits, found.gold["moderate"].of) == (3, 4)
    assert (found.gold_early["moderate"].hits, found.gold_early["moderate"].of) == (2, 3)
    assert found.gold["mild"].of == 0
    assert found.ends == {"left": 1, "resolved": 2}


def test_persons_are_grouped_by_their_first_message():
    assert THREE.first_seekers() == ["C", "C", "E"]


def test_a_difference_pairs_the_same_persons():
    worse = episodes([[0, 0, 0]] * 3, [[0, 0, 0]] * 3)
    found = return_difference(THREE, worse, np.random.default_rng(0), resamples=50)
    assert found.value == pytest.approx(2.5)
    with pytest.raises(DataError, match="3 persons against 1"):
        return_difference(THREE, episodes([[0]], [[0]]), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("actions", "rewards", "why"),
    [
        ([[0, -1, 1]], [[0, 0, 0]], "after its end"),
        ([[0, -1, -1]], [[0, 1, 0]], "after its end"),
        ([[10]], [[0]], "an action is none"),
        ([[0]], [[np.nan]], "NaN or infinite"),
        ([[0, 1]], [[0]], "arrays of one shape"),
    ],
)
def test_what_cannot_be_a_conversation_is_refused(actions, rewards, why):
    with pytest.raises(DataError, match=why):
        episodes(actions, rewards)
