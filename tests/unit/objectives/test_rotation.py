"""Random rotations: orthogonal, uniform, and rotated quadratics in a fixed order."""

from __future__ import annotations

import numpy as np
import pytest

from kavg.elementary.products import multiply_rows
from kavg.objectives import Quadratic
from kavg.objectives.rotation import haar_rotation
from kavg.oracles.normals import draw_normals
from kavg.oracles.streams import Purpose


def product_of_reflections(normals):
    """The definition, with whole matrices."""
    Q = np.ones((1, 1))
    for k, x in enumerate(normals, start=1):
        axis, x = np.eye(k)[0], x[:k] / np.linalg.norm(x[:k])
        between = axis + np.copysign(1.0, x[0]) * x
        H = np.eye(k) - 2 * np.outer(between, between) / (between @ between)
        grown = np.eye(k)
        grown[1:, 1:] = Q if k > 1 else grown[1:, 1:]
        Q = -np.copysign(1.0, x[0]) * H @ grown
        np.testing.assert_allclose(Q[:, 0], x, atol=1e-14)
    return Q


@pytest.mark.parametrize("dim", [1, 2, 3, 7, 40])
def test_a_rotation_is_a_product_of_reflections(dim):
    normals = draw_normals(5, Purpose.ROTATION, dim, dim, range(1))[0]
    np.testing.assert_allclose(haar_rotation(dim, 5), product_of_reflections(normals), atol=1e-13)


@pytest.mark.parametrize("dim", [1, 2, 3, 10, 100, 200])
def test_a_rotation_is_orthogonal(dim):
    Q = haar_rotation(dim, seed=4)
    assert np.abs(Q.T @ Q - np.eye(dim)).max() <= 1e-15 * (dim + 2)
    assert np.abs(Q @ Q.T - np.eye(dim)).max() <= 1e-15 * (dim + 2)


def test_half_of_all_rotations_turn_over():
    # 200 coins: beyond 60..140 once in 1e8.
    assert 60 < sum(np.linalg.det(haar_rotation(3, seed)) > 0 for seed in range(200)) < 140
    assert {haar_rotation(1, seed).item() for seed in range(20)} == {-1.0, 1.0}


# --- rotated quadratics


@pytest.mark.parametrize("d", [1, 2, 7, 40, 70])
def test_a_rotated_gradient_is_the_product_with_the_hessian(d):
    F = Quadratic(tuple(np.linspace(-1.0, 3.0, d).tolist()), rotation_seed=2)
    assert np.array_equal(F.hessian, F.hessian.T)
    expected = (F.rotation * F.eigenvalues) @ F.rotation.T
    np.testing.assert_allclose(F.hessian, expected, atol=1e-14)
    x = np.random.default_rng(d).normal(size=(3, 2, d))
    np.testing.assert_allclose(F.grad(x, np.empty_like(x)), x @ expected, atol=1e-12)
    np.testing.assert_allclose(F.eigen_coordinates(x), x @ F.rotation, atol=1e-12)


@pytest.mark.parametrize("rotation", [None, 3])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("d", [1, 6, 70])
def test_planned_and_plain_gradients_have_the_same_bits(d, dtype, rotation):
    F = Quadratic(tuple(np.linspace(0.1, 3.0, d).tolist()), rotation_seed=rotation)
    x = np.random.default_rng(d).normal(size=(5, 3, d)).astype(dtype)
    planned = F.plan_gradient(5, 3, dtype)
    for t in (5, 2, 1):
        out, plain = np.empty((t, 3, d), dtype), np.empty((t, 3, d), dtype)
        planned(x[:t], out)
        assert np.array_equal(F.grad(x[:t], plain), out)
    matrix = F.hessian.astype(dtype)
    one = matrix.diagonal() * x if rotation is None else multiply_rows(x, matrix)
    assert np.array_equal(F.grad(x, np.empty_like(x)), one)


def test_a_gradient_in_single_precision_takes_numbers_beyond_it():
    out = np.empty(2, np.float32)
    assert Quadratic((1e300, 1e-300)).grad(np.ones(2, np.float32), out).tolist() == [np.inf, 0.0]
