"""Groups of seekers: who belongs where, and cells that say when a scale does not apply."""

import numpy as np
import pytest

from untwist.errors import DataError
from untwist.evaluate import seeker_cells, seeker_map, seeker_of, seeker_table
from untwist.taxonomy import CANONICAL, Intensity, Risk

SOME = frozenset(CANONICAL[:1])


def test_seekers_are_told_by_risk_first_then_by_distortion_then_by_intensity():
    assert seeker_of(SOME, Intensity.MILD, Risk.HIGH) == "E"
    assert seeker_of(frozenset(), None, Risk.MEDIUM) == "A"
    told = [seeker_of(SOME, intensity, Risk.LOW) for intensity in Intensity]
    assert told == ["B", "C", "D"]
    assert seeker_of(SOME, None, Risk.LOW) is None
    assert seeker_of(None, Intensity.MILD, Risk.LOW) is None
    assert seeker_of(SOME, Intensity.MILD, None) is None


def cells():
    scores = {"CogA": [1, 3, 5, None], "EmoE": [2, 4, None, 1]}
    return seeker_cells(
        "mine", ["A", "B", "B", "E"], scores, ["p", "q", "r", "s"], np.random.default_rng(1), 50
    )


def test_cells_are_means_and_a_scale_that_does_not_apply_has_none():
    found = cells()
    assert "CogA" not in found.cells["A"]
    assert found.cells["A"]["EmoE"].value == 2
    assert found.cells["B"]["CogA"].value == 4
    assert (found.cells["E"]["CogA"].value, found.cells["E"]["CogA"].n) == (None, 0)
    table = seeker_table(found, ("CogA", "EmoE"), "mine")
    assert table.rows[0][:2] == ("A no distortion", "n/a")
    assert table.rows[1][1].startswith("4.000 [")
    assert table.rows[3][1] == "– (0)"


def test_the_heat_map_says_in_words_what_it_shows():
    pytest.importorskip("matplotlib")
    alt = seeker_map(cells(), ("CogA", "EmoE"), "mine").alt
    assert "A no distortion: CogA n/a, EmoE 2.00" in alt


def test_a_score_is_needed_for_every_reply():
    with pytest.raises(DataError):
        seeker_cells("x", ["A"], {"EmoE": []}, ["g"], np.random.default_rng(1))
