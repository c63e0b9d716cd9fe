"""The Q network: forward, backward and AdamW, each against something that was not written here."""

from itertools import pairwise

import numpy as np
import pytest

from untwist.errors import DataError
from untwist.policy.network import AdamW, Network, backward, forward, parameter_count

SIZES = (5, 7, 6, 3)


def made(seed=0, sizes=SIZES):
    return Network.fresh(sizes, np.random.default_rng(seed))


def states(n=4, seed=1):
    return np.random.default_rng(seed).standard_normal((n, SIZES[0])).astype(np.float32)


def test_values_are_what_the_layers_say_when_written_out():
    network = Network((2, 2, 1), np.array([1, -1, 2, 1, 0.5, 0, 3, 4, -1], np.float32))
    # hidden = relu([1*1+2*2+0.5, 1*-1+2*1+0]) = [5.5, 1]; out = 3*5.5 + 4*1 - 1
    assert network.values(np.array([[1.0, 2.0]], np.float32))[0, 0] == pytest.approx(19.5)


def test_the_gradient_agrees_with_finite_differences():
    network, inputs = made(), states()
    weights = np.random.default_rng(2).standard_normal((4, 3)).astype(np.float32)
    gradient = np.empty_like(network.flat)
    backward(network, forward(network, inputs, 0.0, np.random.default_rng(0)), weights, gradient)

    def loss(flat):
        # in float64, so that the differences are not rounding
        at, hidden = 0, inputs.astype(np.float64)
        for layer, (a, b) in enumerate(pairwise(SIZES)):
            hidden = (
                hidden @ flat[at : at + a * b].reshape(a, b) + flat[at + a * b : at + a * b + b]
            )
            at += a * b + b
            hidden = np.maximum(hidden, 0) if layer < len(SIZES) - 2 else hidden
        return (hidden * weights).sum()

    flat, step = network.flat.astype(np.float64), 1e-6
    for place in range(len(flat)):
        up, down = flat.copy(), flat.copy()
        up[place] += step
        down[place] -= step
        assert gradient[place] == pytest.approx((loss(up) - loss(down)) / (2 * step), abs=1e-4)


def test_without_dropout_learning_and_acting_see_the_same_values():
    network, inputs = made(), states()
    learning = forward(network, inputs, 0.0, np.random.default_rng(0)).out
    np.testing.assert_allclose(learning, network.values(inputs), rtol=1e-5, atol=1e-6)


def test_dropout_silences_its_share_and_keeps_the_mean():
    network = Network.fresh((5, 4000, 3), np.random.default_rng(0))
    inputs = states(8)
    done = forward(network, inputs, 0.25, np.random.default_rng(3))
    alive = forward(network, inputs, 0.0, np.random.default_rng(0)).keep[0] > 0
    assert (done.keep[0][alive] == 0).mean() == pytest.approx(0.25, abs=0.02)
    assert np.unique(done.keep[0]).tolist() == pytest.approx([0.0, 1 / 0.75])


def test_the_gradient_with_dropout_does_not_reach_silent_units():
    network, inputs = made(), states(1)
    done = forward(network, inputs, 0.3, np.random.default_rng(4))
    gradient = np.empty_like(network.flat)
    backward(network, done, np.ones((1, 3), np.float32), gradient)
    first = gradient[: 5 * 7].reshape(5, 7)
    silent = done.keep[0][0] == 0
    assert silent.any()
    assert not silent.all()
    assert not first[:, silent].any()
    assert first[:, ~silent].any()


def test_adamw_moves_as_the_formulas_of_its_paper_say():
    rng = np.random.default_rng(5)
    start = rng.standard_normal(40_000).astype(np.float32)
    flat, optimiser = start.copy(), AdamW(len(start), rate=1e-2, decay=0.1)
    wanted, first, second = start.astype(np.float64), 0.0, 0.0
    for t in range(1, 6):
        slope = rng.standard_normal(len(start)).astype(np.float32)
        optimiser.step(flat, slope)
        first = 0.9 * first + 0.1 * slope.astype(np.float64)
        second = 0.999 * second + 0.001 * slope.astype(np.float64) ** 2
        wanted *= 1 - 1e-2 * 0.1
        wanted -= 1e-2 * (first / (1 - 0.9**t)) / (np.sqrt(second / (1 - 0.999**t)) + 1e-8)
    np.testing.assert_allclose(flat, wanted, atol=2e-5)


def test_no_part_of_a_gradient_counts_as_more_than_the_clip():
    moved = []
    for clip, slope in ((1.0, [5.0, -0.5, -7.0]), (float("inf"), [1.0, -0.5, -1.0])):
        flat, optimiser = np.zeros(3, np.float32), AdamW(3, 1e-2, clip=clip)
        for _ in range(3):
            optimiser.step(flat, np.array(slope, np.float32))
            optimiser.step(flat, np.array([0.1, 0.1, 0.1], np.float32))
        moved.append(flat)
    assert np.array_equal(*moved)


def test_tensors_and_back_are_the_same_network():
    network = made()
    again = Network.from_tensors(network.tensors())
    assert again.sizes == SIZES
    assert np.array_equal(again.flat, network.flat)


def test_weights_that_do_not_fit_or_are_no_numbers_are_refused():
    with pytest.raises(DataError, match="do not fit"):
        Network(SIZES, np.zeros(3, np.float32))
    broken = made().tensors()
    broken["bias_1"] = broken["bias_1"] * np.nan
    with pytest.raises(DataError, match="NaN"):
        Network.from_tensors(broken)
    with pytest.raises(KeyError):
        Network.from_tensors({})


def test_states_of_another_size_are_refused():
    with pytest.raises(DataError, match="reads 5 numbers"):
        made().values(np.zeros((2, 4), np.float32))


def test_parameters_are_counted():
    assert parameter_count((1049, 256, 128, 10)) == 1050 * 256 + 257 * 128 + 129 * 10


@pytest.mark.slow
def test_ten_steps_agree_with_torch():
    torch = pytest.importorskip("torch")
    network, inputs = made(), states(16)
    layers = []
    for weights, bias in network.layers:
        layer = torch.nn.Linear(*weights.shape)
        layer.weight.data = torch.tensor(weights.T.copy())
        layer.bias.data = torch.tensor(bias.copy())
        layers += [layer, torch.nn.ReLU()]
    peer = torch.nn.Sequential(*layers[:-1])
    theirs = torch.optim.AdamW(peer.parameters(), lr=1e-3, weight_decay=1e-2)
    ours = AdamW(len(network.flat), 1e-3, 1e-2)
    gradient = np.empty_like(network.flat)
    for _ in range(10):
        done = forward(network, inputs, 0.0, np.random.default_rng(0))
        backward(network, done, 2 * done.out / done.out.size, gradient)
        ours.step(network.flat, gradient)
        theirs.zero_grad()
        (peer(torch.tensor(inputs)) ** 2).mean().backward()
        theirs.step()
    expected = peer(torch.tensor(inputs)).detach().numpy()
    np.testing.assert_allclose(network.values(inputs), expected, atol=1e-4)
