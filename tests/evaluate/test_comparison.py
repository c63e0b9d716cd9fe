import json

import numpy as np
import pytest

from tests.evaluate.test_bootstrap import names, rng
from tests.evaluate.test_classify import random_case
from untwist.errors import DataError
from untwist.evaluate import (
    METRICS,
    Comparison,
    Difference,
    Interval,
    compare,
    false_alarms,
    paired_bootstrap,
    scores,
)


def comparison(**differences):
    found = dict.fromkeys(METRICS) | differences
    return Comparison("tiny", "test", "A", "B", 682, 600, 3, 0, found, "compare it")


def difference(value, low, high, p):
    return Difference(value, Interval(low, high, 1_000), p)


def test_the_statement_names_the_better_one_either_way():
    ahead = comparison(micro_f1=difference(0.03, 0.01, 0.05, 0.004))
    end = "by 0.030 [0.010, 0.050], p = 0.004 (micro-F1, n = 682)"
    assert ahead.statement() == f"A is better than B {end}"
    behind = comparison(micro_f1=difference(-0.03, -0.05, -0.01, 0.004))
    assert behind.statement() == f"B is better than A {end}"


def test_fewer_false_alarms_are_better():
    got = comparison(over_pathologising=difference(-0.2, -0.3, -0.1, 0.0001))
    assert got.statement("over_pathologising") == (
        "A is better than B by 0.200 [0.100, 0.300], p < 0.001 (over-pathologising, n = 682)"
    )


def test_an_interval_that_holds_0_shows_no_difference():
    got = comparison(micro_f1=difference(0.01, -0.01, 0.03, 0.3))
    assert got.statement() == (
        "No difference shown between A and B: 0.010 [-0.010, 0.030], p = 0.300 (micro-F1, n = 682)"
    )
    touching = comparison(micro_f1=difference(0.01, 0.0, 0.03, 0.05))
    assert touching.statement().startswith("No difference shown")


def test_what_is_not_known_is_not_compared():
    assert comparison().statement() == "A and B cannot be compared: micro-F1 is not known"
    assert "| micro-F1 | – | – |" in comparison().to_markdown()


def test_the_page_holds_statement_table_counts_and_command():
    text = comparison(micro_f1=difference(0.03, 0.01, 0.05, 0.004)).to_markdown()
    assert text.startswith("A is better than B by 0.030 [0.010, 0.050], p = 0.004")
    assert "| micro-F1 | 0.030 [0.010, 0.050] | 0.004 |" in text
    assert "682 rows in 600 groups; unscored: 3 by A, 0 by B." in text
    assert "Command: `compare it`" in text


def options():
    return {"corpus": "tiny", "part": "test", "names": ("A", "B"), "command": "c", "resamples": 200}


def test_a_comparison_is_the_paired_bootstrap_and_reads_back():
    gold, _, guess = random_case(8)
    better = guess.copy()
    better[::5] = gold[::5]
    got = compare(gold, better, guess, names(300), rng(3), **options())
    want = paired_bootstrap(gold, better, guess, names(300), rng(3), resamples=200)
    assert got.differences == want
    assert got.statement().startswith("A is better than B by 0.")
    assert (got.n, got.groups, got.unscored_first, got.unscored_second) == (300, 300, 0, 0)
    values = json.loads(json.dumps(got.to_dict(), allow_nan=False))
    assert Comparison.from_dict(values) == got
    with pytest.raises(DataError, match="not a comparison: comparison has other fields"):
        Comparison.from_dict({**values, "extra": 1})


def test_unscored_rows_count_against_their_own_side_alone():
    gold, _, guess = random_case(8)
    calm = ~gold.any(axis=1)
    one, two = rng(1).random(300) < 0.8, rng(2).random(300) < 0.5
    got = compare(
        gold, guess, guess, names(300), rng(), undistorted=calm, scored_first=one,
        scored_second=two, **options(),
    )  # fmt: skip
    first, second = scores(gold, guess, scored=one), scores(gold, guess, scored=two)
    gain = first.micro_f1 - second.micro_f1
    assert got.differences["micro_f1"].value == pytest.approx(gain)
    exact = first.exact_match - second.exact_match
    assert got.differences["exact_match"].value == pytest.approx(exact)
    alarms = [false_alarms(guess, calm & side).over_pathologising for side in (one, two)]
    assert got.differences["over_pathologising"].value == pytest.approx(alarms[0] - alarms[1])
    assert (got.unscored_first, got.unscored_second) == (int((~one).sum()), int((~two).sum()))
    assert "A is better" in got.statement()


def test_all_answered_is_the_same_as_no_flags():
    gold, _, guess = random_case(9)
    other = guess ^ (rng(1).random(guess.shape) < 0.05)
    plain = paired_bootstrap(gold, guess, other, names(300), rng(), resamples=50)
    told = paired_bootstrap(
        gold, guess, other, names(300), rng(), scored_first=[True] * 300,
        scored_second=np.ones(300), resamples=50,
    )  # fmt: skip
    assert plain == told
