import os

import numpy as np
import pytest

from untwist.data import loader_of
from untwist.evaluate import best_constant, scores
from untwist.taxonomy import Distortion

# The best constant label set on all rows, computed from CrossLinCD's Table 1 (micro-F1).
FLOORS = {
    "socialcd": 0.530,
    "reframing": 0.236,
    "therapist-part": 0.247,
    "therapist-whole": 0.170,
    "crosslincd": 0.387,
}


@pytest.mark.corpora
@pytest.mark.parametrize("name", FLOORS)
def test_the_floor_on_all_rows_is_the_one_that_follows_from_the_published_counts(name):
    folder = os.environ.get("UNTWIST_CORPORA")
    if not folder:
        pytest.skip("UNTWIST_CORPORA does not name the folder of the public corpora")
    labels = [d.labels[0] for d in loader_of(name)(folder, None)]
    gold = np.array([[d in one.distortions for d in Distortion] for one in labels])
    mask = np.array([[d in one.carried for d in Distortion] for one in labels])
    guess = np.broadcast_to(best_constant(gold, mask), gold.shape)
    assert round(scores(gold, guess, mask).micro_f1, 3) == FLOORS[name]
