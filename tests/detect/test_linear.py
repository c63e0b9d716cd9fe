"""The solver: against a closed form, against scikit-learn, and bit for bit against itself."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from untwist.detect import linear
from untwist.embed import BITS, extract


def _problem(rows=60, seed=0):
    rng = np.random.default_rng(seed)
    words = ["sad", "bad", "good", "fine", "sun", "rain", "work", "home"]
    texts = [" ".join(rng.choice(words, 5)) for _ in range(rows)]
    gold = np.array([["bad" in t, "sun" in t] for t in texts], np.float32)
    batch = extract(texts)
    return linear.design(
        *linear.pairs(batch, BITS), linear.emphasis(batch, BITS), rows, 2, BITS
    ), gold


def _dense(matrix):
    dense = np.zeros((matrix.rows, len(matrix.features)))
    column, value, border = matrix.by_row
    doc = np.repeat(np.arange(matrix.rows), np.diff(np.append(border, len(column))))
    dense[doc, column] = value
    return dense


def test_exponential_and_logarithm_agree_with_numpy():
    x = np.linspace(-40, 40, 4001)
    np.testing.assert_allclose(linear._exp(x), np.exp(x), rtol=1e-9)
    y = np.exp(np.linspace(-30, 30, 4001))
    np.testing.assert_allclose(linear.log(y), np.log(y), rtol=1e-9, atol=1e-12)


def test_both_products_are_those_of_the_dense_matrix():
    matrix, gold = _problem()
    dense = _dense(matrix)
    weights = np.random.default_rng(1).normal(size=(len(matrix.features), 2)).astype(np.float32)
    np.testing.assert_allclose(linear.product(matrix, weights), dense @ weights, atol=1e-4)
    np.testing.assert_allclose(linear.transposed_product(matrix, gold), dense.T @ gold, atol=1e-4)


def test_the_solution_is_that_of_scikit_learn():
    matrix, gold = _problem()
    l2 = 1e-3
    weight = np.ones_like(gold)
    offset = np.zeros(matrix.rows, np.int64)
    found, bias = linear.solve(matrix, gold, weight, offset, linear.Settings(l2, 300, 2))
    dense = _dense(matrix)
    for head in range(2):
        # scikit-learn minimises C * sum(loss) + |w|^2 / 2; ours is mean(loss) + l2 / 2 |w|^2
        oracle = LogisticRegression(C=1 / (l2 * matrix.rows), tol=1e-8, max_iter=5000)
        oracle.fit(dense, gold[:, head])
        np.testing.assert_allclose(found[:, head], oracle.coef_[0], atol=0.02)
        np.testing.assert_allclose(bias[0, head], oracle.intercept_[0], atol=0.02)


def test_masked_cells_change_nothing():
    matrix, gold = _problem()
    weight = np.ones_like(gold)
    weight[:20, 1] = 0
    flipped = gold.copy()
    flipped[:20, 1] = 1 - flipped[:20, 1]
    offset = np.zeros(matrix.rows, np.int64)
    first = linear.solve(matrix, gold, weight, offset, linear.Settings(1e-3, 20, 2))
    second = linear.solve(matrix, flipped, weight, offset, linear.Settings(1e-3, 20, 2))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def test_equal_problems_have_equal_bits():
    matrix, gold = _problem()
    again, _ = _problem()
    offset = np.zeros(matrix.rows, np.int64)
    first = linear.solve(matrix, gold, np.ones_like(gold), offset, linear.Settings(1e-4, 25, 2))
    second = linear.solve(again, gold, np.ones_like(gold), offset, linear.Settings(1e-4, 25, 2))
    assert first[0].tobytes() == second[0].tobytes()
    assert first[1].tobytes() == second[1].tobytes()


def test_the_loss_never_rises():
    matrix, gold = _problem()
    seen = []
    offset = np.zeros(matrix.rows, np.int64)
    linear.solve(
        matrix,
        gold,
        np.ones_like(gold),
        offset,
        linear.Settings(1e-4, 30, 2),
        lambda step, loss: seen.append(loss),
    )
    assert len(seen) > 5
    assert all(b <= a for a, b in pairwise(seen))


def test_lbfgs_finds_the_minimum_of_a_quadratic():
    # f(x) = (x0 - 3)^2 + 10 (x1 + 1)^2, smallest at (3, -1)
    scale, goal = np.array([1.0, 10.0]), np.array([3.0, -1.0])

    def quadratic(point):
        gap = point[:, 0] - goal
        return float((scale * gap * gap).sum()), (2 * scale * gap)[:, None].astype(np.float32)

    found = linear.lbfgs(quadratic, np.zeros((2, 1), np.float32), 50)
    np.testing.assert_allclose(found[:, 0], goal, atol=1e-3)


@pytest.mark.parametrize("x", [-100.0, 0.0, 100.0])
def test_the_sigmoid_stays_inside_zero_and_one(x):
    value = linear.sigmoid(np.array([x], np.float32))[0]
    assert 0 <= value <= 1
    assert (value > 0.5) == (x > 0)
