"""The contract every finite sum keeps, over one table of instances, and what each adds.

A small instance of each kind is in the table by itself; instances with other parameters are
entered by hand.
"""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from helpers.leaves import is_final, overridden
from hypothesis import given, settings
from hypothesis import strategies as st

from kavg import oracles
from kavg.base import FiniteSum, Floats, HasMeasures, Objective
from kavg.errors import KavgError
from kavg.objectives import (
    KINDS,
    LinearRegression,
    LogisticRegression,
    Network,
    RobustRegression,
)
from kavg.objectives.curvature import hessian_norms, largest_eigenvalue
from kavg.objectives.data import Data, Synthetic
from kavg.objectives.finite_sums import blocked_sums
from kavg.objectives.finite_sums.empirical_risk import EmpiricalRisk
from kavg.objectives.instances import small_settings

REAL = Synthetic("regression", examples=24, features=5, outliers=0.2, seed=1)
TWO = Synthetic("classification", examples=24, features=5, noise=0.5, seed=2)
ONE_FEATURE = Data([[1.0], [-2.0], [0.5], [3.0]], [1.0, 0.0, 1.0, 1.0])
THREE = Data(np.random.default_rng(3).standard_normal((15, 4)), np.arange(15) % 3)
RISKS = {kind: cls for kind, cls in KINDS.items() if issubclass(cls, EmpiricalRisk)}
TABLE: dict[str, Any] = {kind: cls(**small_settings(cls)) for kind, cls in RISKS.items()} | {
    "linear": LinearRegression(REAL),
    "linear, penalty": LinearRegression(REAL, l2=0.3, held_out=0.25, standardise=True),
    "linear, one feature": LinearRegression(ONE_FEATURE, l2=1.0),
    "robust": RobustRegression(REAL),
    "robust, wide scale": RobustRegression(REAL, scale=5.0, held_out=0.25, standardise=True),
    "robust, one feature": RobustRegression(ONE_FEATURE, scale=0.5),
    "logistic": LogisticRegression(TWO),
    "logistic, penalty": LogisticRegression(TWO, alpha=0.3, held_out=0.25, use=16),
    "logistic, one feature": LogisticRegression(ONE_FEATURE, alpha=1.0),
    "network": Network(THREE, hidden=6),
    "network, l2": Network(THREE, hidden=3, l2=0.1, held_out=0.2, split_seed=7),
    "network, one unit": Network(ONE_FEATURE, hidden=1, l2=0.01),
}
every = pytest.mark.parametrize("F", TABLE.values(), ids=TABLE)
bounded = pytest.mark.parametrize(
    "F",
    [F for F in TABLE.values() if F.L.how == "upper bound"],
    ids=[name for name, F in TABLE.items() if F.L.how == "upper bound"],
)
SEEDS = st.integers(0, 2**32 - 1)


def drawn(F: Any, *shape: int, seed: int, scale: float = 1.0) -> Floats:
    return scale * np.random.default_rng(seed).standard_normal((*shape, F.dim))


def gradient(F: Any, x: Floats) -> Floats:
    return np.asarray(F.grad(x, np.empty_like(x)))


@every
def test_a_finite_sum_implements_its_protocols(F: Any) -> None:
    assert isinstance(F, Objective)
    assert isinstance(F, FiniteSum)
    assert isinstance(F, HasMeasures)
    assert F.labels.shape == (F.examples,)
    assert (F.f_star.value, F.f_star.how) == (0.0, "upper bound")
    assert "lower bound" in F.f_star.source
    assert F.L.value > 0
    assert hash(F) == hash(F)


@pytest.mark.parametrize("kind", RISKS.values(), ids=RISKS)
def test_a_risk_is_final_and_replaces_no_method_of_its_base(kind: Any) -> None:
    assert is_final(kind)
    assert overridden(kind, EmpiricalRisk) == set()


@every
@given(seed=SEEDS, scale=st.sampled_from([0.1, 1.0, 4.0]))
@settings(max_examples=20)
def test_the_gradient_is_that_of_the_value(F: Any, seed: int, scale: float) -> None:
    x = drawn(F, seed=seed, scale=scale)
    h = 1e-5
    steps = h * np.eye(F.dim)
    slopes = (F.value(x + steps) - F.value(x - steps)) / (2 * h)
    np.testing.assert_allclose(gradient(F, x), slopes, rtol=1e-6, atol=1e-8)


@every
@given(seed=SEEDS)
@settings(max_examples=20)
def test_the_value_is_never_below_f_star(F: Any, seed: int) -> None:
    assert (F.value(drawn(F, 10, seed=seed, scale=10.0)) >= F.f_star.value).all()


@every
@given(seed=SEEDS, t=st.integers(1, 3), R=st.integers(1, 2))
@settings(max_examples=10)
def test_a_batch_of_all_examples_is_the_full_gradient(F: Any, seed: int, t: int, R: int) -> None:
    x, out = drawn(F, t, R, seed=seed), np.empty((t, R, F.dim))
    every_index = np.random.default_rng(seed).permuted(
        np.broadcast_to(np.arange(F.examples), (t, R, F.examples)), axis=-1
    )
    F.plan_batches(t, R, F.examples)(x, every_index, out)
    np.testing.assert_allclose(out, gradient(F, x), rtol=1e-11, atol=1e-13)


@every
@pytest.mark.parametrize("B", [1, 2, 7])
def test_a_batch_is_the_mean_of_its_examples(F: Any, B: int) -> None:
    x = np.ascontiguousarray(np.broadcast_to(drawn(F, seed=5), (F.examples, 1, F.dim)))
    single = np.empty_like(x)
    F.plan_batches(F.examples, 1, 1)(x, np.arange(F.examples).reshape(-1, 1, 1), single)
    np.testing.assert_allclose(single.mean(axis=0)[0], gradient(F, x[0, 0]), rtol=1e-11, atol=1e-13)
    # Examples may be drawn more than once.
    indices = np.random.default_rng(B).integers(0, F.examples, (F.examples, 1, B))
    out = np.empty_like(x)
    F.plan_batches(F.examples, 1, B)(x, indices, out)
    np.testing.assert_allclose(out, single[indices, 0].mean(axis=2), rtol=1e-11, atol=1e-13)


@every
@given(
    seed=SEEDS,
    t=st.integers(1, 9),
    R=st.integers(1, 3),
    B=st.sampled_from([1, 2, 5, 8]),
    cut=st.integers(0, 8),
    room=st.sampled_from([1, 300, 2**16]),
)
@settings(max_examples=25)
def test_tiles_and_blocks_never_change_the_bits(
    F: Any, seed: int, t: int, R: int, B: int, cut: int, room: int
) -> None:
    x, whole = drawn(F, t, R, seed=seed), np.empty((t, R, F.dim))
    indices = np.random.default_rng(seed).integers(0, F.examples, (t, R, B))
    F.plan_batches(t, R, B)(x, indices, whole)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocked_sums, "BATCH_BLOCK", room)
        plan = F.plan_batches(9, R, B)
    cut = min(cut, t)
    parts = np.full_like(whole, np.nan)
    for rows in (slice(cut, t), slice(0, cut)):
        plan(x[rows], indices[rows], parts[rows])
    assert np.array_equal(parts, whole)
    first = np.empty((t, 1, F.dim))
    F.plan_batches(t, 1, B)(x[:, :1].copy(), indices[:, :1].copy(), first)
    assert np.array_equal(first, whole[:, :1])


@every
@given(seed=SEEDS, rows=st.integers(1, 7), room=st.sampled_from([1, 500, 2**21]))
@settings(max_examples=25)
def test_rows_never_change_the_bits(F: Any, seed: int, rows: int, room: int) -> None:
    x = drawn(F, rows, seed=seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocked_sums, "FULL_BLOCK", room)
        values, gradients = F.value(x), gradient(F, x)
        measured = {name: f(x) for name, f in F.measures.items()}
    for i in range(rows):
        assert F.value(x[i]) == values[i]
        assert np.array_equal(gradient(F, x[i]), gradients[i])
        for name, f in F.measures.items():
            assert f(x[i : i + 1])[0] == measured[name][i]


@every
def test_shapes_and_layouts(F: Any) -> None:
    x = drawn(F, 2, 3, seed=1)
    assert F.value(x).shape == (2, 3)
    assert F.value(x[0, 0]).shape == ()
    assert F.value(x[:0]).shape == (0, 3)
    assert gradient(F, x[:0]).shape == (0, 3, F.dim)
    turned = np.asfortranarray(x)
    assert np.array_equal(F.value(turned), F.value(x))
    out = np.asfortranarray(np.empty_like(x))
    assert F.grad(turned, out) is out
    assert np.array_equal(out, gradient(F, x))


@every
def test_only_out_is_written(F: Any) -> None:
    x, out = drawn(F, 4, 2, seed=1), np.full((6, 2, F.dim), 7.0)
    indices = np.random.default_rng(0).integers(0, F.examples, (4, 2, 3))
    before = x.copy(), indices.copy(), F.split.train.features.copy(), F.labels.copy()
    assert F.plan_batches(5, 2, 3)(x, indices, out[1:5]) is None
    full = np.full((6, 2, F.dim), 7.0)
    F.grad(x, full[1:5])
    after = x, indices, F.split.train.features, F.labels
    for a, b in zip(before, after, strict=True):
        assert np.array_equal(a, b)
    for array in (out, full):
        assert (array[[0, 5]] == 7.0).all()
        assert (array[1:5] != 7.0).all()


@every
def test_a_plan_allocates_nothing(F: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        blocked_sums, "BATCH_BLOCK", 2**25
    )  # One block, so a temporary would be large.
    t, R, B = 64, 32, 8
    x, out = drawn(F, t, R, seed=1), np.empty((t, R, F.dim))
    indices = np.random.default_rng(0).integers(0, F.examples, (t, R, B))
    plan = F.plan_batches(t, R, B)
    plan(x, indices, out)
    tracemalloc.start()
    try:
        plan(x, indices, out)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Views take some 100 bytes each; a temporary would take 16 kB or more, for a network
    # 96 kB, where NumPy's own buffer for broadcasting is 64 kB whatever the shapes.
    assert peak < (80_000 if isinstance(F, Network) else 8_000)


@every
def test_a_plan_of_nothing_is_refused(F: Any) -> None:
    for sizes in ((0, 1, 1), (1, 0, 1), (1, 1, 0)):
        with pytest.raises(KavgError, match="must be a whole number of at least 1, got"):
            F.plan_batches(*sizes)


@bounded
@given(seed=SEEDS, scale=st.sampled_from([0.01, 1.0, 10.0]), near=st.sampled_from([1e-3, 1.0]))
def test_the_gradient_is_Lipschitz(F: Any, seed: int, scale: float, near: float) -> None:
    a = drawn(F, 20, seed=seed, scale=scale)
    b = a + drawn(F, 20, seed=seed + 1, scale=near)
    moved = np.linalg.norm(gradient(F, a) - gradient(F, b), axis=-1)
    assert (moved <= F.L.value * np.linalg.norm(a - b, axis=-1) * (1 + 1e-9)).all()


def test_L_is_attained_where_it_can_be() -> None:
    # At a perfect fit every rho'' is 1; at w = 0 every sigmoid' is 1/4 and every penalty'' 2.
    source = Synthetic("regression", examples=20, features=3, noise=0.0)
    linear = LinearRegression(source, l2=0.25)
    top = hessian_norms(linear, source.truth[None], steps=300)
    np.testing.assert_allclose(top, linear.L.value, rtol=1e-6)
    robust = RobustRegression(source)
    top = hessian_norms(robust, source.truth[None], steps=300)
    np.testing.assert_allclose(top, robust.L.value, rtol=1e-6)
    logistic = LogisticRegression(TWO, alpha=0.3)
    top = hessian_norms(logistic, np.zeros((1, 5)), steps=300)
    np.testing.assert_allclose(top, logistic.L.value, rtol=1e-6)


@given(seed=SEEDS, n=st.integers(1, 6), p=st.integers(1, 6))
def test_largest_eigenvalue_either_way_round(seed: int, n: int, p: int) -> None:
    A = np.random.default_rng(seed).standard_normal((n, p))
    expected = np.linalg.norm(A, 2) ** 2 / n
    np.testing.assert_allclose(largest_eigenvalue(A), expected, rtol=1e-10)


def test_the_estimate_of_L_is_the_largest_curvature_at_its_points() -> None:
    F = TABLE["network, l2"]
    h = 1e-5
    tops = []
    for x in F.points:
        steps = h * np.eye(F.dim)
        H = (gradient(F, x + steps) - gradient(F, x - steps)) / (2 * h)
        tops.append(np.abs(np.linalg.eigvalsh((H + H.T) / 2)).max())
    assert F.L.how == "estimated"
    assert 0.9 * max(tops) < F.L.value < max(tops) * (1 + 1e-6)
    np.testing.assert_allclose(hessian_norms(F, F.points, steps=2000), tops, rtol=1e-4)


def test_points_of_a_network_are_scaled_by_layer() -> None:
    F = Network(Data(np.ones((2, 400)), [0, 1]), hidden=100)
    W1, b1 = F.points[:, :40000], F.points[:, 40000:40100]
    W2, b2 = F.points[:, 40100:40300], F.points[:, 40300:]
    assert not b1.any()
    assert not b2.any()
    # 200 000 and 1000 normal numbers: each within 5 standard errors, wrong once in 10^6.
    assert abs(W1.std() * 20 - 1) < 5 / np.sqrt(2 * W1.size)
    assert abs(W2.std() * 10 - 1) < 5 / np.sqrt(2 * W2.size)


def test_robust_regression_by_hand() -> None:
    # Residuals 2 and -1 at w = 2; with c = 2: rho = (4/2)/2 and (1/2)/(5/4).
    F = RobustRegression(Data([[1.0], [0.5]], [0.0, 2.0]), scale=2.0)
    w = np.array([2.0])
    np.testing.assert_allclose(F.value(w), (1 + 0.4) / 2)
    np.testing.assert_allclose(gradient(F, w), [(2 / 4 - 0.5 / 1.25**2) / 2])
    np.testing.assert_allclose(F.L.value, 1.25 / 2)


def test_linear_regression_by_hand() -> None:
    # Residuals 2 and -1 at w = 2, with the penalty w^2/4.
    F = LinearRegression(Data([[1.0], [0.5]], [0.0, 2.0]), l2=0.5)
    w = np.array([2.0])
    np.testing.assert_allclose(F.value(w), (2 + 0.5) / 2 + 1)
    np.testing.assert_allclose(gradient(F, w), [(2 - 0.5) / 2 + 1])
    assert (F.L.value, F.L.how) == (1.25 / 2 + 0.5, "exact")


def test_noise_of_mini_batches_vanishes_where_all_examples_are_fitted() -> None:
    source = Synthetic("regression", examples=20, features=3, noise=0.0)
    F, oracle = LinearRegression(source), oracles.MiniBatch(B=1)
    for scale, is_noisy in ((1.0, False), (1.5, True)):
        x = np.broadcast_to(scale * source.truth, (4, 1, 3)).copy()
        planned = oracle.plan(F, seed=1, P=4, R=1, tile=4)
        planned.select(range(4))
        planned(x, 0, out := np.empty_like(x))
        assert (np.abs(out - gradient(F, x)).max() > 1e-6) == is_noisy


def test_an_outlier_hardly_pulls() -> None:
    near = RobustRegression(Data([[1.0]], [1.0]))
    far = RobustRegression(Data([[1.0]], [100.0]))
    assert abs(gradient(far, np.zeros(1))[0]) < 1e-5 < abs(gradient(near, np.zeros(1))[0])


def test_logistic_regression_by_hand() -> None:
    # Margins log 3 for y = 1 and -log 3 for y = -1: log(1 + 1/3) and log(1 + 3) ... at w = log 3.
    F = LogisticRegression(Data([[1.0], [1.0]], [5.0, 2.0]), alpha=0.5)
    w = np.log([3.0])
    penalty = 0.5 * w**2 / (1 + w**2)
    np.testing.assert_allclose(F.value(w), (np.log(4 / 3) + np.log(4)) / 2 + penalty[0])
    slope = w / (1 + w**2) ** 2
    np.testing.assert_allclose(gradient(F, w), (-0.25 + 0.75) / 2 + slope)
    np.testing.assert_allclose(F.L.value, 0.25 + 1.0)
    np.testing.assert_allclose(F.measures["train_accuracy"](w[None]), [0.5])


def test_logistic_regression_far_out_neither_overflows_nor_stalls() -> None:
    F = LogisticRegression(Data([[1.0], [-1.0]], [0, 1]))
    w = np.array([[1e4], [-1e4]])
    assert F.value(w).tolist() == [1e4, 0.0]
    assert gradient(F, w).tolist() == [[1.0], [0.0]]


def test_positive_chooses_the_labels() -> None:
    F = LogisticRegression(THREE, positive=(0, 2))
    signs = np.where(F.labels == 1, -1.0, 1.0)
    twin = LogisticRegression(Data(F.split.train.features, signs), split_seed=0)
    x = drawn(F, 3, seed=0)
    np.testing.assert_allclose(F.value(x), twin.value(x), rtol=1e-12)


def test_network_by_hand() -> None:
    # One unit, W1 = 0 and b1 = atanh(1/2): hidden = 1/2; W2 = (2 log 3, 0): softmax (3/4, 1/4).
    F = Network(Data([[7.0], [-1.0]], [3, 9]), hidden=1, l2=0.5)
    w = np.array([0.0, np.arctanh(0.5), 2 * np.log(3.0), 0.0, 0.0, 0.0])
    np.testing.assert_allclose(F.value(w), -np.log(3 / 16) / 2 + 0.25 * (w @ w))
    # Mean of softmax - one_hot: (1/4, -1/4); its half for W2; back through W2 and 1 - 1/4.
    back = 0.25 * 2 * np.log(3.0) * 0.75
    by_class = {3: -0.25, 9: 0.75}
    into_W1 = np.mean([by_class[3] * 7, by_class[9] * -1]) * 2 * np.log(3.0) * 0.75
    expected = np.array([into_W1, back, 0.125, -0.125, 0.25, -0.25])
    np.testing.assert_allclose(gradient(F, w), expected + 0.5 * w)
    np.testing.assert_allclose(F.measures["train_accuracy"](w[None]), [0.5])


def test_network_scores_far_out_do_not_overflow() -> None:
    F = Network(Data([[1.0], [2.0]], [0, 1]), hidden=1)
    w = np.array([[0.0, 0.0, 0.0, 0.0, 1e4, -1e4]])
    assert F.value(w).tolist() == [1e4]
    assert gradient(F, w)[0, -2:].tolist() == [0.5, -0.5]


def test_training_separates_what_is_separable() -> None:
    source = Data([[-2.0], [-1.0], [1.0], [2.0]] * 3, [0, 0, 1, 1] * 3)
    for F in (LogisticRegression(source, held_out=0.25), Network(source, 3, held_out=0.25)):
        w = drawn(F, 1, seed=0)
        for _ in range(300):
            w -= 0.5 * gradient(F, w)
        assert F.measures["train_accuracy"](w).tolist() == [1.0]
        assert F.measures["held_out_accuracy"](w).tolist() == [1.0]
        assert F.measures["held_out_F"](w)[0] < 0.1


def test_train_accuracy_is_the_share_of_right_signs() -> None:
    F = LogisticRegression(Data([[1.0], [2.0], [-1.0], [0.0]], [1, 0, 0, 1]))
    # At w = 1 the second is wrong; at -1 the first and third; the boundary counts as positive.
    assert F.measures["train_accuracy"](np.array([[1.0], [-1.0]])).tolist() == [0.75, 0.5]


@pytest.mark.parametrize("kind", RISKS.values(), ids=RISKS)
def test_held_out_F_is_F_on_the_held_out_examples(kind: Any) -> None:
    F = kind(TWO, held_out=0.25, split_seed=4)
    twin = kind(F.split.held_out)
    x = drawn(F, 3, seed=0)
    np.testing.assert_allclose(F.measures["held_out_F"](x), twin.value(x), rtol=1e-12)
    if "held_out_accuracy" in F.measures:
        expected = twin.measures["train_accuracy"](x)
        np.testing.assert_allclose(F.measures["held_out_accuracy"](x), expected)


@pytest.mark.parametrize(
    ("held_out", "names"),
    [(0.0, {"train_accuracy"}), (0.5, {"train_accuracy", "held_out_accuracy", "held_out_F"})],
)
def test_measures_depend_on_the_objective_and_on_held_out_data(
    held_out: float, names: set[str]
) -> None:
    assert set(LogisticRegression(TWO, held_out=held_out).measures) == names
    assert set(Network(TWO, held_out=held_out).measures) == names
    robust = set(RobustRegression(REAL, held_out=held_out).measures)
    assert robust == {name for name in names if name == "held_out_F"}


def test_use_and_seed_choose_the_examples() -> None:
    F = RobustRegression(REAL, use=10, split_seed=3)
    assert F.examples == 10
    assert np.array_equal(F.labels, RobustRegression(REAL, split_seed=3).labels[:10])
    assert not np.array_equal(F.labels, RobustRegression(REAL, use=10).labels)


def test_the_classes_include_those_not_trained_on() -> None:
    assert Network(THREE, hidden=2, use=1).dim == 4 * 2 + 2 + 2 * 3 + 3


def test_data_is_read_late(tmp_path: Any) -> None:
    F = Network(str(tmp_path / "later.npz"))
    with pytest.raises(KavgError, match=r"later\.npz: no such file"):
        F.dim  # noqa: B018 - asking is the test
    np.savez(tmp_path / "later.npz", features=THREE.features, labels=THREE.labels)
    assert F.examples == 15


def test_a_network_learns_the_digits() -> None:
    pytest.importorskip("sklearn")
    F = Network("digits", hidden=16, held_out=0.2, use=1024)
    assert (F.dim, F.examples) == (64 * 16 + 16 + 160 + 10, 1024)
    w = F.points[:1].copy()
    for _ in range(100):
        w -= 1.0 * gradient(F, w)
    assert F.measures["held_out_accuracy"](w)[0] > 0.8


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LinearRegression(REAL, l2=-1.0), "l2 must be a finite number of at least 0"),
        (
            lambda: LinearRegression(Data([[1.0], [2.0]], ["a", "b"])).value(np.zeros(1)),
            "linear regression needs numbers as labels, found the classes",
        ),
        (lambda: RobustRegression(REAL, scale=0.0), "scale must be a finite number above 0"),
        (lambda: LogisticRegression(TWO, alpha=-1.0), "alpha must be a finite number of at least"),
        (lambda: Network(TWO, hidden=0), "hidden must be a whole number of at least 1"),
        (lambda: Network(TWO, l2=-0.1), "l2 must be a finite number of at least 0"),
        (
            lambda: RobustRegression(REAL, held_out=1.0),
            "held_out must be a number of at least 0 and below 1",
        ),
        (lambda: LogisticRegression(TWO, split_seed=-1), "split_seed must be a whole number"),
        (lambda: Network(TWO, use=0), "use must be a whole number of at least 1"),
        (lambda: Network(TWO, use=25).dim, "use=25 examples were asked for, .* only 24"),
        (lambda: RobustRegression(REAL, held_out=0.01).dim, "0 held out and 24 for training"),
        (lambda: LogisticRegression(THREE).value(np.zeros(4)), r"found 3 values \(0, 1, 2\)"),
        (lambda: LogisticRegression(TWO, positive=(7,)).measures, r"positive=\(7\.0,\)"),
        (lambda: LogisticRegression(TWO, positive=(-1, 1)).measures, "two kinds of labels"),
        (lambda: LogisticRegression(Data([[1.0]], [1])).measures, "two kinds of labels, found 1"),
        (lambda: Network(REAL).dim, "whole numbers of at least two classes"),
        (lambda: Network(Data([[1.0]], [1])).dim, "found 1 values from 1 to 1"),
    ],
)
def test_wrong_arguments_are_refused(make: Any, message: str) -> None:
    with pytest.raises(KavgError, match=message):
        make()


def test_label_0_can_be_the_positive_one():
    ones, zeros = (LogisticRegression(ONE_FEATURE, positive=label) for label in (1, 0))
    w = np.ones(ones.dim)
    grad = ones.grad(w, np.empty_like(w))
    np.testing.assert_allclose(zeros.grad(-w, np.empty_like(w)), -grad)
    assert zeros.value(w) != ones.value(w)
    assert LogisticRegression(ONE_FEATURE).value(w) == ones.value(w)
    for label in (0.0, np.int8(0), (0,), [0], np.zeros(1)):
        assert LogisticRegression(ONE_FEATURE, positive=label).value(w) == zeros.value(w)
