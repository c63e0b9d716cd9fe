"""Pictures of policies: they say in words and in numbers what they show."""

import numpy as np
import pytest

from tests.evaluate.test_figures import words
from untwist.errors import DataError
from untwist.evaluate import Point, advantage_plot, curve_plot, hit_ranking, point_plot

POINTS = [
    Point("labels", 0.25, (0.2, 0.3), {"matrix": 1.0, "listening": None}),
    Point("shoulds", 0.75, None, {"matrix": 0.5, "listening": 0.1}),
    Point("blaming", None, None, {"matrix": None, "listening": None}),
]


def q_values(*gaps):
    """Action values whose safety advantages are these."""
    values = np.zeros((len(gaps), 10))
    values[:, 9] = gaps
    return values


def test_hits_are_ranked_with_the_others_as_marks():
    picture = hit_ranking(POINTS, "Hits", "gold + 0.75 silver")
    shown = words(picture)
    assert "0.750" in shown
    assert "not known" in shown
    assert "matrix" in shown
    order = [picture.alt.index(name) for name in ("shoulds", "labels", "blaming")]
    assert order == sorted(order)
    assert "labels: 0.250, interval 0.200 to 0.300, matrix 1.000, listening not known" in (
        picture.alt
    )


def test_points_keep_their_order_and_say_what_is_not_known():
    picture = point_plot(POINTS, "Gaps", "difference")
    assert picture.alt.index("labels") < picture.alt.index("shoulds")
    assert "blaming: not known" in picture.alt
    assert "0.250" in words(picture)


def test_safety_advantage_is_shown_at_high_risk_and_below():
    high = np.array([True, True, False])
    picture = advantage_plot(q_values(2.0, 4.0, -1.0), high, "Advantage")
    assert "high risk: n = 2, mean 3.000 (dashed), median 3.000, above 0 100.0 %" in picture.alt
    assert "below high risk: n = 1, mean -1.000" in picture.alt
    assert "above 0 0.0 %" in picture.alt


def test_a_side_without_a_state_is_named_and_equal_values_can_be_drawn():
    picture = advantage_plot(q_values(1.0, 1.0), np.array([True, True]), "Advantage")
    assert "below high risk: no state" in picture.alt


def test_curves_say_their_first_and_last_value():
    curves = {"loss": [[0.6, 0.3], [0.5, 0.2]], "return": [[1.0, 4.0]]}
    picture = curve_plot([0, 100], curves, "Training")
    assert "loss: 0.600 to 0.300, 0.500 to 0.200; return: 1.000 to 4.000" in picture.alt
    assert "gradient steps" in words(picture)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: hit_ranking([], "x", "y"),
        lambda: point_plot([], "x", "y"),
        lambda: advantage_plot(q_values(), np.zeros(0, bool), "x"),
        lambda: advantage_plot(q_values(np.nan), np.array([True]), "x"),
        lambda: curve_plot([0, 1], {}, "x"),
        lambda: curve_plot([0, 1], {"loss": [[1.0]]}, "x"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw):
    with pytest.raises(DataError):
        draw()
