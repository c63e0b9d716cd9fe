"""Batches: every sample once, streams in their shares, little padding, pads never learned."""

import numpy as np
import pytest

from untwist.tune import IGNORED, Encoded, Lengths, collate, epoch_order, padding_share, rows
from untwist.tune.batching import PASS, passes

RNG = np.random.default_rng(7)
LENGTHS = RNG.integers(20, 900, 1003)
STREAMS = (RNG.random(1003) < 0.75).astype(np.int64)


def encoded(prompt, target, stream="diagnosis"):
    ids = tuple(range(10, 10 + prompt + target))
    labels = (IGNORED,) * prompt + ids[prompt:]
    return Encoded(ids, labels, stream, 0, Lengths(prompt, target))


@pytest.mark.parametrize("grouped", [True, False])
def test_every_sample_comes_once_in_an_epoch(grouped):
    order = epoch_order(LENGTHS, STREAMS, 8, (1, 0), grouped=grouped)
    assert sorted(order) == list(range(1003))


def test_equal_seeds_give_equal_orders_and_epochs_differ():
    first = epoch_order(LENGTHS, STREAMS, 8, (1, 0))
    assert (first == epoch_order(LENGTHS, STREAMS, 8, (1, 0))).all()
    assert (first != epoch_order(LENGTHS, STREAMS, 8, (1, 1))).any()
    assert (first != epoch_order(LENGTHS, STREAMS, 8, (2, 0))).any()


@pytest.mark.parametrize("grouped", [True, False])
def test_every_step_has_the_streams_in_nearly_their_share(grouped):
    order = epoch_order(LENGTHS, STREAMS, 8, (1, 0), grouped=grouped)
    steps = STREAMS[order[:1000]].reshape(-1, 8).sum(axis=1)
    # three in four rows are of stream 1: 6 of 8, give or take one
    assert steps.min() >= 5
    assert steps.max() <= 7


def test_grouping_leaves_little_padding():
    grouped = padding_share(LENGTHS, epoch_order(LENGTHS, STREAMS, 8, (1, 0)), 8)
    shuffled = padding_share(LENGTHS, epoch_order(LENGTHS, STREAMS, 8, (1, 0), grouped=False), 8)
    assert grouped < 0.1
    assert shuffled > 0.35


def test_the_share_of_padding_is_that_of_its_columns():
    # batches (3, 1) and (2, 2): 8 tokens in 10 cells
    assert padding_share(np.array([3, 1, 2, 2]), np.arange(4), 2) == pytest.approx(0.2)
    assert padding_share(np.array([], np.int64), np.array([], np.int64), 2) == 0.0


def test_the_order_of_steps_is_not_that_of_lengths():
    order = epoch_order(LENGTHS, STREAMS, 8, (1, 0))
    means = LENGTHS[order[:256]].reshape(-1, 8).mean(axis=1)
    assert abs(np.corrcoef(np.arange(32), means)[0, 1]) < 0.5


def test_the_incomplete_step_is_not_always_the_longest():
    lengths = np.arange(1, 13)
    streams = np.zeros(12, np.int64)
    ends = {tuple(sorted(epoch_order(lengths, streams, 8, (n, 0))[8:])) for n in range(20)}
    assert len(ends) > 1


def test_a_step_begins_with_its_longest_sample():
    order = epoch_order(LENGTHS, STREAMS, 8, (1, 0))
    steps = LENGTHS[order[:1000]].reshape(-1, 8)
    assert (np.diff(steps, axis=1) <= 0).all()


def test_few_samples_make_one_incomplete_step():
    order = epoch_order(LENGTHS[:3], STREAMS[:3], 8, (1, 0))
    assert sorted(order) == [0, 1, 2]
    assert len(epoch_order(LENGTHS[:0], STREAMS[:0], 8, (1, 0))) == 0


def test_rows_are_padded_on_the_left_and_pads_are_neither_seen_nor_learned():
    columns = rows([encoded(3, 2), encoded(1, 1, "intervention")])
    batch = collate([{k: v[n] for k, v in columns.items()} for n in range(2)], pad=0)
    assert batch["input_ids"].tolist() == [[10, 11, 12, 13, 14], [0, 0, 0, 10, 11]]
    assert batch["labels"].tolist() == [[-100, -100, -100, 13, 14], [-100, -100, -100, -100, 11]]
    assert batch["attention_mask"].tolist() == [[1] * 5, [0, 0, 0, 1, 1]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 3, 4], [0, 0, 0, 0, 1]]
    assert batch["stream"].tolist() == [0, 1]


def test_rows_that_fill_up_are_learned_nowhere():
    columns = rows([encoded(3, 2)] * 5, multiple=4)
    assert len(columns["input_ids"]) == len(columns["labels"]) == len(columns["stream"]) == 8
    assert columns["labels"][5:] == [[IGNORED]] * 3
    assert len(rows([encoded(3, 2)] * 4, multiple=4)["stream"]) == 4


def test_rows_of_like_length_go_through_the_model_together():
    assert passes([1000, 10, 990, 20]) == [[0, 2], [3, 1]]
    assert passes([500, 480, 470]) == [[0, 1, 2]]
    assert passes([7]) == [[0]]


def test_another_pass_must_save_more_than_it_costs():
    assert passes([PASS + 10, 10]) == [[0, 1]]
    assert passes([PASS + 12, 10]) == [[0], [1]]


def test_no_way_to_part_a_batch_costs_less():
    def cost(parts, lengths):
        return sum(max(lengths[r] for r in part) * len(part) + PASS for part in parts)

    rng = np.random.default_rng(1)
    for _ in range(50):
        lengths = rng.integers(1, 1500, 5).tolist()
        found = passes(lengths)
        assert sorted(row for part in found for row in part) == list(range(5))
        order = sorted(range(5), key=lambda row: -lengths[row])
        for cuts in range(16):
            parts = [[order[0]]]
            for place, row in enumerate(order[1:]):
                parts.append([row]) if cuts >> place & 1 else parts[-1].append(row)
            assert cost(found, lengths) <= cost(parts, lengths)
