"""The losses, against sums done by hand."""

import numpy as np
import pytest

from untwist.errors import ConfigError
from untwist.tune import NOTHING, Message, Objective, Sample, ablate, count

# two rows of diagnosis (2 and 3 target tokens), one of intervention (5), one that fills up (0)
STREAMS = np.array([0, 0, 1, 2])
TARGETS = np.array([2, 3, 5, 0])
# summed cross-entropies of those rows
SUMS = np.array([4.0, 3.0, 10.0, 0.0])


def loss(objective, rows=slice(None), step=None):
    streams, targets = STREAMS[rows], TARGETS[rows]
    weights = objective.row_weights(streams, targets, step or count(streams, targets))
    return float(weights @ SUMS[rows])


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        (Objective("dsco"), 7 / 5 + 10 / 5),
        (Objective("dsco", {"diagnosis": 2.0}), 2 * 7 / 5 + 10 / 5),
        (Objective("dsco", {"intervention": 0.5}), 7 / 5 + 0.5 * 10 / 5),
        (Objective("token_mean"), 17 / 10),
        (Objective("sample_mean"), (4 / 2 + 3 / 3 + 10 / 5) / 3),
    ],
)
def test_each_loss_is_what_its_formula_says(objective, expected):
    assert loss(objective) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", ["dsco", "sample_mean", "token_mean"])
def test_a_step_cut_into_parts_has_the_loss_of_the_whole(name):
    objective = Objective(name)
    step = count(STREAMS[:1], TARGETS[:1]) + count(STREAMS[1:], TARGETS[1:])
    parts = loss(objective, slice(0, 1), step) + loss(objective, slice(1, 4), step)
    assert parts == pytest.approx(loss(objective), abs=1e-12)


def test_a_mean_of_parts_is_another_loss():
    # what a trainer does that normalises every micro-batch on its own
    whole = loss(Objective("token_mean"))
    naive = (
        loss(Objective("token_mean"), slice(0, 1)) + loss(Objective("token_mean"), slice(1, 4))
    ) / 2
    assert abs(whole - naive) > 0.1


def test_dsco_does_not_let_long_replies_outweigh_labels():
    longer = np.array([2, 3, 500, 0])
    step = count(STREAMS, longer)
    weights = Objective("dsco").row_weights(STREAMS, longer, step)
    assert weights @ longer == pytest.approx(2.0)
    assert weights[:2] @ longer[:2] == pytest.approx(1.0)


def test_a_stream_that_a_step_lacks_adds_nothing():
    assert loss(Objective("dsco"), slice(0, 2)) == pytest.approx(7 / 5)
    assert loss(Objective("dsco"), slice(3, 4), NOTHING) == 0.0


def test_evaluation_in_many_batches_is_the_loss_of_one():
    step = count(STREAMS, TARGETS)
    sums, means = (7.0, 10.0, 0.0), 4 / 2 + 3 / 3 + 10 / 5
    for name in ("dsco", "sample_mean", "token_mean"):
        objective = Objective(name, {"diagnosis": 3.0} if name == "dsco" else {})
        assert objective.total(sums, means, step) == pytest.approx(loss(objective))
    assert Objective().total((0.0,) * 3, 0.0, NOTHING) is None


def test_counts_survive_the_way_between_processes():
    found = count(STREAMS, TARGETS)
    assert (found.tokens, found.samples) == ((5, 5, 0), 3)
    assert type(found).from_list(np.array(found.to_list())) == found


@pytest.mark.parametrize(
    ("loss", "weights", "says"),
    [
        ("mean", {}, 'loss is "mean"'),
        ("token_mean", {"diagnosis": 2.0}, "has no weights"),
        ("dsco", {"labels": 1.0}, 'no stream is "labels"'),
        ("dsco", {"diagnosis": 0.0}, "leave the stream's samples out"),
        ("dsco", {"diagnosis": float("nan")}, "above 0"),
    ],
)
def test_an_objective_that_contradicts_itself_is_refused(loss, weights, says):
    with pytest.raises(ConfigError, match=says):
        Objective(loss, weights)


def samples():
    asked = (Message("user", "Hello"),)
    kinds = [("diagnosis", False), ("intervention", False), ("intervention", True)]
    return [Sample(f"{n}", s, asked, "Yes.", augmented=a) for n, (s, a) in enumerate(kinds)]


@pytest.mark.parametrize(
    ("ablation", "ids"),
    [
        ("no_diagnosis", {"model": ["1", "2"]}),
        ("no_intervention", {"model": ["0"]}),
        ("no_augmented", {"model": ["0", "1"]}),
        ("pipeline", {"diagnosis": ["0"], "intervention": ["1", "2"]}),
    ],
)
def test_an_ablation_leaves_out_what_its_name_says(ablation, ids):
    found = ablate(samples(), ablation)
    assert {name: [s.id for s in kept] for name, kept in found.items()} == ids


@pytest.mark.parametrize(
    ("kept", "ablation", "says"),
    [
        (slice(0, 1), "no_diagnosis", "leaves 0 of 1"),
        (slice(0, 2), "no_augmented", "leaves 2 of 2"),
        (slice(1, 3), "pipeline", "two streams"),
        (slice(0, 3), "no_labels", 'no ablation is "no_labels"'),
    ],
)
def test_an_ablation_that_would_be_none_is_refused(kept, ablation, says):
    with pytest.raises(ConfigError, match=says):
        ablate(samples()[kept], ablation)
