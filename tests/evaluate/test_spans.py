"""Scores of spans, by hand and by what must hold for all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from untwist.errors import DataError
from untwist.evaluate import (
    SPAN_METRICS,
    merged,
    span_counts,
    span_lengths,
    span_plot,
    span_scores,
    trimmed,
)

LENGTH = 40
# three findings: two characters too early, exactly right, and nothing marked
GOLD = [((4, 10),), ((0, 5), (8, 10)), ((3, 6),)]
FOUND = [((2, 8),), ((0, 5), (8, 10)), ()]
COUNTS = [[4, 6, 6], [7, 7, 7], [0, 0, 3]]

spans = st.lists(
    st.tuples(st.integers(0, LENGTH - 1), st.integers(1, LENGTH)).map(
        lambda ends: (min(ends), max(ends[0] + 1, ends[1]))
    ),
    max_size=3,
).map(tuple)
some_spans = spans.filter(bool)


def rng(seed=0):
    return np.random.default_rng(seed)


def scored(gold, found, groups=None, resamples=20, seed=0):
    names = [str(i) for i in range(len(gold))] if groups is None else groups
    return span_scores(span_counts(gold, found), names, rng(seed), resamples)


def test_characters_are_counted_by_hand():
    assert span_counts(GOLD, FOUND).tolist() == COUNTS


def test_every_score_equals_that_of_a_hand_count():
    got = scored(GOLD, FOUND)
    assert (got.n, got.groups) == (3, 3)
    expected = {
        "precision": 11 / 13,
        "recall": 11 / 16,
        "f1": 22 / 29,
        "mean_precision": (4 / 6 + 1 + 0) / 3,
        "mean_recall": (4 / 6 + 1 + 0) / 3,
        "mean_f1": (8 / 12 + 1 + 0) / 3,
        "exact": 1 / 3,
        # 4 of 8 characters in common is half: just enough
        "overlap": 2 / 3,
    }
    assert got.values == pytest.approx(expected)
    assert list(got.values) == list(SPAN_METRICS)


def test_less_than_half_in_common_is_no_overlap():
    assert scored([((0, 5),)], [((2, 8),)]).values["overlap"] == 0
    assert scored([((0, 6),)], [((2, 8),)]).values["overlap"] == 1


def test_a_mean_weighs_findings_alike_and_the_pooled_score_weighs_characters():
    got = scored([((0, 90),), ((0, 10),)], [((0, 90),), ((20, 30),)]).values
    assert got["f1"] == pytest.approx(0.9)
    assert got["mean_f1"] == pytest.approx(0.5)


def test_two_spans_that_touch_are_the_same_as_one():
    assert merged([(5, 8), (0, 3), (2, 5), (9, 9)]) == ((0, 8),)
    assert scored([((0, 8),)], [((0, 5), (5, 8))]).values["exact"] == 1


def test_characters_marked_twice_count_once():
    assert span_counts([((0, 4),)], [((0, 3), (1, 4))]).tolist() == [[4, 4, 4]]


def test_the_scores_of_no_cell_are_not_known():
    got = scored([], [])
    assert (got.n, got.groups) == (0, 0)
    assert set(got.values.values()) == {None}
    assert set(got.intervals.values()) == {None}


def test_precision_is_not_known_when_nothing_is_marked():
    got = scored([((0, 4),)] * 2, [()] * 2)
    assert got.values["precision"] is None
    assert got.intervals["precision"] is None
    assert (got.values["recall"], got.values["f1"], got.values["mean_precision"]) == (0, 0, 0)


def test_a_span_where_there_should_be_none_scores_nothing_and_silence_there_is_right():
    got = scored([(), ()], [((0, 4),), ()]).values
    assert (got["precision"], got["recall"]) == (0, None)
    assert (got["mean_f1"], got["exact"], got["overlap"]) == (0.5, 0.5, 0.5)


@given(st.lists(some_spans, min_size=1, max_size=6))
def test_marking_what_is_gold_scores_one_everywhere(gold):
    got = scored(gold, gold, resamples=3)
    assert set(got.values.values()) == {1}
    assert all(one is None or (one.low, one.high) == (1, 1) for one in got.intervals.values())


@given(st.lists(some_spans, min_size=1, max_size=6))
def test_marking_nothing_finds_nothing(gold):
    got = scored(gold, [()] * len(gold), resamples=3).values
    assert got["precision"] is None
    assert {value for name, value in got.items() if name != "precision"} == {0}


@given(st.lists(some_spans, min_size=1, max_size=6))
def test_marking_the_whole_text_misses_nothing(gold):
    got = scored(gold, [((0, LENGTH),)] * len(gold), resamples=3).values
    assert (got["recall"], got["mean_recall"]) == (1, 1)
    assert got["precision"] == pytest.approx(
        span_counts(gold, gold)[:, 0].sum() / LENGTH / len(gold)
    )


@given(st.lists(st.tuples(spans, spans), min_size=1, max_size=6))
def test_counts_are_those_of_sets_of_characters_and_turn_round_with_the_sides(cells):
    gold, found = zip(*cells, strict=True)

    def chars(side):
        return {place for start, end in side for place in range(start, end)}

    want = [[len(chars(g) & chars(f)), len(chars(f)), len(chars(g))] for g, f in cells]
    assert span_counts(gold, found).tolist() == want
    one, other = scored(gold, found, resamples=2).values, scored(found, gold, resamples=2).values
    assert (one["precision"], one["recall"]) == (other["recall"], other["precision"])
    for name in ("f1", "mean_f1", "exact", "overlap"):
        assert one[name] == other[name]


def test_intervals_equal_those_of_scoring_every_resample_by_itself():
    counts = np.array(COUNTS * 4)
    groups = [str(i // 2) for i in range(12)]
    got = span_scores(counts, groups, rng(5), 40)
    rows = {g: [i for i, name in enumerate(groups) if name == g] for g in sorted(set(groups))}
    values = {name: [] for name in SPAN_METRICS}
    for draw in rng(5).integers(6, size=(40, 6)):
        picked = [i for g in draw for i in rows[sorted(rows)[g]]]
        once = span_scores(counts[picked], ["one"] * len(picked), rng(), 1).values
        for name, value in once.items():
            values[name].append(value)
    for name, found in got.intervals.items():
        known = np.array([value for value in values[name] if value is not None])
        assert (found.low, found.high) == pytest.approx(tuple(np.quantile(known, [0.025, 0.975])))
        assert found.resamples == known.size


def test_cells_of_one_group_are_drawn_together():
    gold, found = [((0, 4),)] * 200, [((0, 4),)] * 100 + [()] * 100
    together = scored(gold, found, ["a"] * 100 + ["b"] * 100, 200).intervals["recall"]
    assert (together.low, together.high) == (0, 1)
    alone = scored(gold, found, None, 200).intervals["recall"]
    assert alone.high - alone.low < 0.2


def test_one_group_alone_has_no_interval_and_equal_seeds_draw_alike():
    assert set(scored(GOLD, FOUND, ["a"] * 3).intervals.values()) == {None}
    assert scored(GOLD, FOUND, seed=3) == scored(GOLD, FOUND, seed=3)


def test_lengths_are_counted_by_hand_and_cells_without_a_span_left_out():
    got = span_lengths([((0, 2), (4, 6)), (), ((0, 10),)], [8, 5, 10])
    assert (got.n, got.mean, got.median) == (2, 7, 7)
    assert got.p90 == pytest.approx(9.4)
    assert got.share == pytest.approx((4 / 8 + 1) / 2)
    assert set(span_lengths([()], [5]).to_dict().values()) == {0, None}


def test_space_around_a_span_is_no_part_of_it():
    assert trimmed("ab  cd \n", 2, 8) == ((4, 6),)
    assert trimmed("ab  cd", 2, 4) == ()
    assert trimmed("你好。", 0, 3) == ((0, 3),)


@pytest.mark.parametrize("ends", [(0, 0), (-1, 2), (2, 1), (0, 4)])
def test_a_span_outside_its_text_is_refused_without_a_word_of_it(ends):
    with pytest.raises(DataError, match="not within the text's 3 characters"):
        trimmed("abc", *ends)


def test_what_does_not_fit_together_is_refused():
    with pytest.raises(DataError, match="1 predicted cells for 2"):
        span_counts([(), ()], [()])
    with pytest.raises(DataError, match="the end not first"):
        merged([(3, 2)])
    with pytest.raises(DataError, match="shape"):
        span_scores([[1, 1, 1]], ["a", "b"], rng())
    with pytest.raises(DataError, match="in common"):
        span_scores([[3, 2, 4]], ["a"], rng())
    with pytest.raises(DataError, match="2 texts for 1"):
        span_lengths([()], [3, 4])
    with pytest.raises(DataError, match="longer than its text"):
        span_lengths([((0, 4),)], [3])


def test_the_picture_says_every_number_and_never_draws_what_is_not_known_as_zero():
    line = {"detector": scored(GOLD, FOUND), "silent": scored(GOLD, [()] * 3)}
    picture = span_plot({"open, test": line}, "precision", "Evidence")
    assert "open, test: detector 0.846 (interval" in picture.alt
    assert "silent not known" in picture.alt
    assert b"not known" in picture.svg()
    with pytest.raises(DataError, match="nothing to draw"):
        span_plot({})
    with pytest.raises(DataError, match="1 to 8 systems"):
        span_plot({"open": {}})
