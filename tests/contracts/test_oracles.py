"""The contract every oracle keeps, over one table of settings.

A small instance of each kind is in the table by itself; others are entered by hand.

An oracle promises ``E g = grad f_j`` and a variance of the whole vector of
``(M + M_v ||grad f_j||^2) / B``; its draws are addressed, so tiles change nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from helpers.leaves import is_final, overridden
from helpers.memory import measure_peak
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from templates.oracle import Uniform

from kavg import oracles
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.objectives import (
    Cosine,
    DeepLinear,
    FlatMinimum,
    LogisticRegression,
    Quadratic,
    RobustRegression,
)
from kavg.objectives.data import Data
from kavg.objectives.instances import small_settings
from kavg.oracles import (
    KINDS,
    Gaussian,
    LabelNoise,
    MiniBatch,
    Noiseless,
    Partition,
    Rademacher,
    RandomDesign,
    Scaled,
    Shifted,
    Sphere,
    StateDependent,
    StudentT,
    UnlikeFunctions,
)
from kavg.oracles.additive import AdditiveNoise
from kavg.oracles.shifted import shifts
from kavg.oracles.unlike.pairs import pair_factors

SIGMAS = 5.0
"""Width of every interval below, in standard errors: a false alarm in two million, seeds fixed."""
P, R = 6, 8


def examples(n: int, p: int) -> Data:
    random = np.random.Generator(np.random.PCG64(n))
    return Data(random.normal(size=(n, p)), np.arange(n) % 2)


LOGISTIC = LogisticRegression(examples(12, 3), alpha=0.1)
ROBUST = RobustRegression(examples(18, 4))
COSINE, QUADRATIC = Cosine(dim=5), Quadratic((0.5, 2.0, 3.0))


@dataclass(frozen=True)
class Case:
    oracle: Any
    objective: Any
    every: int = 1
    """Only every so many steps are independent of each other."""


def small_case(cls: Any, analytic: Any, finite_sum: Any) -> Case:
    """A small instance, on an objective over examples where the oracle needs one."""
    oracle = cls(**small_settings(cls))
    try:
        oracle.plan(analytic, seed=1, P=P, R=1, tile=1)
    except KavgError:
        return Case(oracle, finite_sum)
    return Case(oracle, analytic)


FAMILY = {**KINDS, "template": Uniform}
ADDITIVE = {kind: cls for kind, cls in FAMILY.items() if issubclass(cls, AdditiveNoise)}
# The square of Student's t with the default nu = 3 has no variance: see HEAVY.
# Others are for objectives of one kind, and the instances by hand have those.
GENERAL = {
    kind: cls
    for kind, cls in FAMILY.items()
    if kind not in ("unlike_functions", "label_noise", "random_design")
}
LIGHT = {kind: cls for kind, cls in GENERAL.items() if kind != "student_t"}
TABLE: dict[str, Case] = {
    kind: small_case(cls, COSINE, LOGISTIC) for kind, cls in LIGHT.items()
} | {
    "gaussian, more": Case(Gaussian(sigma2=2.0), COSINE),
    "gaussian, batch": Case(Gaussian(sigma2=3.0, B=7), QUADRATIC),
    "gaussian, one coordinate": Case(Gaussian(sigma2=0.5), Cosine(dim=1)),
    "rademacher, odd": Case(Rademacher(sigma2=2.0), Cosine(dim=11)),
    "rademacher, batch": Case(Rademacher(sigma2=1e-6, B=3), QUADRATIC),
    "sphere, wider": Case(Sphere(sigma2=4.0), COSINE),
    "sphere, batch": Case(Sphere(sigma2=0.3, B=5), QUADRATIC),
    "sphere, one coordinate": Case(Sphere(sigma2=4.0), Cosine(dim=1)),
    "student_t, light": Case(StudentT(sigma2=2.0, nu=10.0, B=2), COSINE),
    "student_t, lighter": Case(StudentT(sigma2=1.0, nu=40.0), QUADRATIC),
    "state_dependent, half": Case(StateDependent(M=1.0, M_v=0.5), COSINE),
    "state_dependent, batch": Case(StateDependent(M=0.5, M_v=3.0, B=4), QUADRATIC),
    "state_dependent, no floor": Case(StateDependent(M=0.0, M_v=2.0), QUADRATIC),
    "state_dependent, additive": Case(StateDependent(M=2.0, M_v=0.0), QUADRATIC),
    "minibatch, three": Case(MiniBatch(B=3), LOGISTIC),
    "minibatch, robust": Case(MiniBatch(B=1), ROBUST),
    "minibatch, distinct": Case(MiniBatch(B=5, sampling="without_replacement"), LOGISTIC),
    "minibatch, all": Case(MiniBatch(B=12, sampling="without_replacement"), LOGISTIC),
    "minibatch, reshuffled": Case(MiniBatch(B=5, sampling="reshuffle"), LOGISTIC, every=2),
    "minibatch, parts": Case(MiniBatch(B=2, partition=Partition(skew=0.5)), ROBUST),
    "minibatch, distinct of parts": Case(
        MiniBatch(B=2, sampling="without_replacement", partition=Partition(skew=1.0, seed=4)),
        ROBUST,
    ),
    "minibatch, reshuffled parts": Case(
        MiniBatch(B=1, sampling="reshuffle", partition=Partition()), ROBUST, every=3
    ),
    "shifted, gaussian": Case(Shifted(zeta2=2.0, noise=Gaussian(sigma2=1.0, B=2)), COSINE),
    "shifted, exact": Case(Shifted(zeta2=2.0), QUADRATIC),
    "shifted, sphere": Case(Shifted(zeta2=0.1, noise=Sphere(sigma2=1.0), seed=3), QUADRATIC),
    "scaled, exact": Case(Scaled(spread=0.5, zeta2=2.0), QUADRATIC),
    "scaled, gaussian": Case(Scaled(0.9, 1.0, Gaussian(sigma2=2.0, B=2), seed=3), COSINE),
    "unlike_functions": Case(UnlikeFunctions(Quadratic((1.0, 0.1, 4.0))), QUADRATIC),
    "unlike_functions, sphere": Case(
        UnlikeFunctions(Cosine(dim=5, lam=0.0, A=2.0), Sphere(sigma2=1.0)), COSINE
    ),
    "random_design": Case(RandomDesign(label_variance=0.5), QUADRATIC),
    "random_design, batch": Case(RandomDesign(label_variance=2.0, B=3), QUADRATIC),
    "random_design, exact labels": Case(RandomDesign(0.0, B=2), Quadratic((0.0, 1.0))),
    "label_noise": Case(LabelNoise(label_variance=0.5), FlatMinimum()),
    "label_noise, layers": Case(LabelNoise(1.0, B=3), DeepLinear((2.0, 0.5))),
}
# Of these some learners are alike.
ALIKE = ("none", "minibatch, all", "scaled", "unlike_functions")
NOISY = [n for n in TABLE if n not in ALIKE]
HEAVY = {
    "student_t, nu 2.5": Case(StudentT(sigma2=1.0, nu=2.5), COSINE),
    "student_t, nu 3": Case(StudentT(sigma2=1.0, nu=3.0), QUADRATIC),
}
EVERY = {**TABLE, **HEAVY}


def test_the_table_has_every_kind_and_the_face_exports_it() -> None:
    assert {type(case.oracle) for case in EVERY.values()} == set(FAMILY.values())
    assert all(getattr(oracles, cls.__name__) is cls for cls in KINDS.values())


def point(case: Case, seed: int) -> Floats:
    return np.random.Generator(np.random.PCG64(seed)).normal(size=case.objective.dim)


def plan(case: Case, tile: int = P, replicas: int = R, seed: int = 5) -> Any:
    return case.oracle.plan(case.objective, seed=seed, P=P, R=replicas, tile=tile)


def everywhere(x: Floats, t: int = P, replicas: int = R) -> Floats:
    return np.broadcast_to(x, (t, replicas, x.size)).copy()


def field(case: Case, seed: int = 0) -> Floats:
    """A different point for each learner and replica."""
    random = np.random.Generator(np.random.PCG64(seed))
    return random.normal(size=(P, R, case.objective.dim))


def at(gradient: Any, learners: range, x: Floats, step: int) -> Floats:
    gradient.select(learners)
    out = np.full_like(x, np.nan)
    gradient(x, step, out)
    return out


def example_gradients(objective: Any, x: Floats) -> Floats:
    """The gradient of each example alone, ``(n, d)``."""
    n = objective.examples
    out = np.empty((n, 1, x.size))
    single = objective.plan_batches(n, 1, 1)
    single(everywhere(x, n, 1), np.arange(n, dtype=np.intp)[:, None, None], out)
    return out[:, 0]


def claim(case: Case, x: Floats) -> tuple[Floats, Floats]:
    """Mean ``(P, d)`` and total variance ``(P,)`` of each learner's gradient at ``x``."""
    oracle, objective = case.oracle, case.objective
    full = objective.grad(x, np.empty_like(x))
    if isinstance(oracle, MiniBatch):
        single = example_gradients(objective, x)
        parts = np.broadcast_to(np.arange(len(single)), (P, len(single)))
        if oracle.partition:
            parts = oracle.partition.deal(objective.labels, P)
        means = single[parts].mean(axis=1)
        n = parts.shape[1]
        left = 1.0 if oracle.sampling == "with_replacement" else (n - oracle.B) / (n - 1)
        spread = np.square(single[parts] - means[:, None]).sum(axis=(1, 2)) / n
        return means, spread / oracle.B * left
    means = np.broadcast_to(full, (P, full.size))
    _, s = pair_factors(P, range(P))
    if isinstance(oracle, Scaled):
        means = means * (1 + oracle.spread * s)[:, None]
    if isinstance(oracle, Shifted | Scaled):
        means = means + shifts(oracle.zeta2, oracle.seed, P, full.size, range(P))
    if isinstance(oracle, UnlikeFunctions):
        means = means + s[:, None] * oracle.function.grad(x, np.empty_like(x))
    if isinstance(oracle, RandomDesign):
        h = objective.eigenvalues
        design = (x @ (h * x) + oracle.label_variance) * h.sum() + full @ full
        return means, np.full(P, design / oracle.B)
    if isinstance(oracle, LabelNoise):
        jacobian2 = objective.measures["hessian_trace"](x)
        return means, np.full(P, oracle.label_variance / oracle.B * jacobian2)
    assumed = oracle.constants(objective)
    variance = (assumed.M.value + assumed.M_v.value * float(full @ full)) / assumed.B
    return means, np.full(P, variance)


@pytest.mark.parametrize("where", [0, 1, 2])
@pytest.mark.parametrize("name", TABLE)
def test_mean_and_variance_are_those_claimed(name: str, where: int) -> None:
    case, replicas, steps = TABLE[name], 64, 40
    x = point(case, where)
    gradient = plan(case, replicas=replicas)
    rows = everywhere(x, replicas=replicas)
    drawn = [at(gradient, range(P), rows, step * case.every) for step in range(steps)]
    means, variances = claim(case, x)
    errors = np.concatenate(drawn, axis=1) - means[:, None]
    count = replicas * steps
    tiny = 1e-6 * np.sqrt(variances) + 1e-12
    deviations = np.linalg.norm(errors.std(axis=1), axis=-1)
    assert np.all(np.linalg.norm(errors.mean(axis=1), axis=-1)
                  <= (SIGMAS * deviations / np.sqrt(count)) + tiny)  # fmt: skip
    squares = np.square(errors).sum(axis=-1)
    allowed = SIGMAS * squares.std(axis=1) / np.sqrt(count) + 1e-6 * variances + 1e-20
    assert np.all(np.abs(squares.mean(axis=1) - variances) <= allowed)


@pytest.mark.parametrize(
    "name", [n for n, c in TABLE.items() if isinstance(c.oracle, Sphere | Rademacher)]
)
def test_the_norm_is_the_same_in_every_draw(name: str) -> None:
    case = TABLE[name]
    x = np.zeros((P, R, case.objective.dim))
    norms = np.linalg.norm(at(plan(case), range(P), x, 3), axis=-1)
    np.testing.assert_allclose(norms, (case.oracle.sigma2 / case.oracle.B) ** 0.5, rtol=3e-7)


def test_rademacher_coordinates_are_all_sign_patterns_alike() -> None:
    case = Case(Rademacher(sigma2=3.0), QUADRATIC)
    drawn = at(plan(case, replicas=2000), range(P), np.zeros((P, 2000, 3)), 0)
    assert set(np.unique(drawn)) == {-1.0, 1.0}
    patterns = np.bincount(((drawn > 0) @ np.array([1, 2, 4])).ravel(), minlength=8)
    assert stats.chisquare(patterns).pvalue > 1e-5


VARIANCES = st.just(0.0) | st.floats(1e-30, 10)
"""Smaller ones are refused, as float32 draws would not have them."""


@given(VARIANCES, VARIANCES, st.integers(1, 9), st.integers(0, 99))
def test_state_dependent_noise_is_gaussian_noise_of_the_variance_there(
    M: float, M_v: float, B: int, seed: int
) -> None:
    x = everywhere(point(TABLE["gaussian, batch"], seed))
    exact = QUADRATIC.grad(x, np.empty_like(x))
    there = M + M_v * float(np.square(exact[0, 0]).sum())
    ours = at(plan(Case(StateDependent(M=M, M_v=M_v, B=B), QUADRATIC)), range(P), x, 2)
    theirs = at(plan(Case(Gaussian(sigma2=there, B=B), QUADRATIC)), range(P), x, 2)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


# --- claims


def test_sigma2_is_of_the_whole_vector_whatever_the_dimension() -> None:
    for law in ADDITIVE.values():
        claims = {law(sigma2=2.0, B=4).constants(Cosine(dim=d)).M.value for d in (1, 10, 1000)}
        assert claims == {2.0}


@pytest.mark.parametrize("name", EVERY)
def test_every_constant_of_the_noise_has_a_kind_and_a_source(name: str) -> None:
    case = EVERY[name]
    constants = case.oracle.constants(case.objective)
    assert getattr(case.oracle, "B", constants.B) == constants.B
    for constant in (constants.M, constants.M_v, constants.zeta2):
        assert np.isnan(constant.value) == (constant.how == "unknown")
        assert constant.source
    if isinstance(case.oracle, MiniBatch):
        assert constants.M.how == "unknown"
        assert constants.zeta2.how == ("unknown" if case.oracle.partition else "exact")


def test_the_constants_of_shifts_are_those_of_the_noise_with_zeta2() -> None:
    noise = StudentT(sigma2=3.0, nu=5.0, B=6)
    constants = Shifted(zeta2=2.0, noise=noise).constants(COSINE)
    assert constants.zeta2.value == 2.0
    assert replace(constants, zeta2=noise.constants(COSINE).zeta2) == noise.constants(COSINE)


@pytest.mark.parametrize("law", ADDITIVE.values(), ids=ADDITIVE)
def test_a_law_is_final_and_replaces_no_method_of_its_base(law: Any) -> None:
    assert is_final(law)
    assert overridden(law, AdditiveNoise) == set()


# --- addresses


@pytest.mark.parametrize("name", EVERY)
@given(data=st.data())
@settings(max_examples=20)
def test_tiles_replicas_and_order_change_no_bit(name: str, data: st.DataObject) -> None:
    case = EVERY[name]
    x, step = field(case), data.draw(st.integers(0, 200))
    whole = at(plan(case), range(P), x, step)
    tile = data.draw(st.integers(1, P))
    r = data.draw(st.integers(1, R))
    cut = plan(case, tile=tile, replicas=r)
    earlier = data.draw(st.lists(st.integers(0, 300), max_size=2))
    for first in data.draw(st.permutations(range(0, P, tile))):
        learners = range(first, min(first + tile, P))
        rows = slice(learners.start, learners.stop)
        part = np.ascontiguousarray(x[rows, :r])
        for other in earlier:
            at(cut, learners, part, other)
        np.testing.assert_array_equal(at(cut, learners, part, step), whole[rows, :r])


@pytest.mark.parametrize("name", NOISY)
def test_steps_seeds_learners_and_replicas_differ(name: str) -> None:
    case = TABLE[name]
    x = everywhere(point(case, 1), replicas=40)
    gradient = plan(case, replicas=40)
    first, second = (at(gradient, range(P), x, step) for step in (0, 1))
    exact = getattr(case.oracle, "noise", None) == Noiseless()
    if not exact:
        assert not np.array_equal(first, second)
        assert not np.array_equal(first, at(plan(case, replicas=40, seed=6), range(P), x, 0))
        assert len(np.unique(first.swapaxes(0, 1).reshape(40, -1), axis=0)) > 1
    assert len(np.unique(first.reshape(P, -1), axis=0)) == P


@pytest.mark.parametrize("name", EVERY)
def test_only_out_is_written(name: str) -> None:
    case = EVERY[name]
    x = field(case)
    x.flags.writeable = False
    frame = np.full((P + 2, R, case.objective.dim), 7.0)
    gradient = plan(case)
    gradient.select(range(P))
    gradient(x, 0, frame[1:-1])
    assert np.all(frame[[0, -1]] == 7.0)
    np.testing.assert_array_equal(frame[1:-1], at(plan(case), range(P), x, 0))


LARGE = LogisticRegression(examples(24, 32))
WIDE = Cosine(dim=32)
ALLOCATION: dict[str, Case] = {
    kind: small_case(cls, WIDE, LARGE) for kind, cls in GENERAL.items()
} | {
    "unlike_functions": Case(UnlikeFunctions(Cosine(dim=32, A=2.0), Gaussian(sigma2=1.0)), WIDE),
    "random_design": Case(RandomDesign(1.0, B=2), Quadratic((0.5,) * 32)),
    "label_noise": Case(LabelNoise(1.0), DeepLinear((0.5,) * 4)),
    "shifted, gaussian": Case(Shifted(zeta2=1.0, noise=Gaussian(sigma2=1.0)), WIDE),
    "minibatch, four": Case(MiniBatch(B=4), LARGE),
    "minibatch, distinct": Case(MiniBatch(B=4, sampling="without_replacement"), LARGE),
    "minibatch, reshuffled": Case(MiniBatch(B=4, sampling="reshuffle"), LARGE),
    "minibatch, parts": Case(MiniBatch(B=2, partition=Partition()), LARGE),
}


@pytest.mark.parametrize("name", ALLOCATION)
def test_a_step_allocates_nothing_of_the_size_of_a_tile(name: str) -> None:
    case, replicas = ALLOCATION[name], 1000
    x = np.ones((P, replicas, 32))
    out = np.empty_like(x)
    gradient = plan(case, replicas=replicas)
    gradient.select(range(P))
    gradient(x, 0, out)
    peak = measure_peak(lambda: gradient(x, 1, out))
    # A casting buffer of NumPy has 8192 elements, and there may be a few of them.
    assert peak < x.nbytes / 6


# --- heterogeneity


@pytest.mark.parametrize("skew", [0.0, 0.5, 1.0])
def test_the_learners_objectives_average_to_the_whole(skew: float) -> None:
    partition = Partition(skew=skew, seed=2)
    case = Case(MiniBatch(B=3, sampling="without_replacement", partition=partition), ROBUST)
    x = point(case, 0)
    each = at(plan(case), range(P), everywhere(x), 9)[:, 0]
    full = ROBUST.grad(x, np.empty_like(x))
    np.testing.assert_allclose(each.mean(axis=0), full, rtol=1e-12, atol=1e-15)
    assert np.linalg.norm(each - full, axis=-1).min() > 1e-3


# --- what is refused


@pytest.mark.parametrize("kind", ADDITIVE)
@pytest.mark.parametrize(
    "wrong",
    [{"sigma2": -1.0}, {"sigma2": float("nan")}, {"sigma2": float("inf")}, {"B": 0}, {"B": 1.5}],
    ids=str,
)
def test_every_additive_law_refuses_a_wrong_variance_or_batch(
    kind: str, wrong: dict[str, float]
) -> None:
    ((name, value),) = wrong.items()
    with pytest.raises(KavgError, match=f"^{name} must be .*, got {name}={value!r}"):
        ADDITIVE[kind](**{"sigma2": 1.0} | wrong)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "empty batch": (lambda: StudentT(sigma2=1.0, B=0), "B=0; use B=1"),
    "nu": (lambda: StudentT(sigma2=1.0, nu=2.0), r"nu=2\.0; use kind gaussian"),
    "nu, inf": (lambda: StudentT(sigma2=1.0, nu=float("inf")), "nu=inf"),
    "M": (lambda: StateDependent(M=-1.0, M_v=0.0), r"M=-1\.0"),
    "M_v": (lambda: StateDependent(M=1.0, M_v=-0.5), r"M_v=-0\.5"),
    "state, B": (lambda: StateDependent(M=1.0, M_v=0.5, B=0), "B=0"),
    "zeta2": (lambda: Shifted(zeta2=-1.0), r"zeta2=-1\.0"),
    "lonely": (
        lambda: Shifted(zeta2=1.0).plan(COSINE, seed=1, P=1, R=1, tile=1),
        "P=1 and zeta2=1.0; use P of at least 2 or zeta2=0",
    ),
    "batch": (lambda: MiniBatch(B=0), "B=0"),
    "sampling": (
        lambda: MiniBatch(B=1, sampling="bootstrap"),  # type: ignore[arg-type]
        "with_replacement, without_replacement, reshuffle, got sampling='bootstrap'",
    ),
    "no examples": (
        lambda: MiniBatch(B=1).plan(COSINE, seed=1, P=1, R=1, tile=1),
        "objective over examples, got Cosine; use additive noise",
    ),
    "too many": (
        lambda: plan(Case(MiniBatch(B=13, sampling="reshuffle"), LOGISTIC)),
        "13 distinct examples cannot be drawn from 12; use B of at most 12",
    ),
    "too many of a part": (
        lambda: plan(
            Case(MiniBatch(B=4, sampling="without_replacement", partition=Partition()), ROBUST)
        ),
        "4 distinct examples cannot be drawn from 3",
    ),
    "skew": (lambda: Partition(skew=1.5), r"skew=1\.5"),
    "uneven": (
        lambda: Partition().deal(np.zeros(20), P=6),
        r"20 examples .* P=6 learners; use=18 in the objective leaves the last 2 out",
    ),
    "too few": (lambda: Partition().deal(np.zeros(3), P=6), "use P of at most 3"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_impossible_oracles_are_refused_with_advice(name: str) -> None:
    attempt, message = REFUSED[name]
    with pytest.raises(KavgError, match=message):
        attempt()


def test_one_learner_without_shift_and_large_batches_with_replacement_are_fine() -> None:
    Shifted(zeta2=0.0).plan(COSINE, seed=1, P=1, R=1, tile=1)
    drawn = at(plan(Case(MiniBatch(B=100), LOGISTIC)), range(P), np.zeros((P, R, 3)), 0)
    assert np.isfinite(drawn).all()


def test_the_same_noise_whatever_the_objective_and_the_number_of_learners() -> None:
    def noise(objective: Any, learners: int) -> Floats:
        planned = Gaussian(sigma2=1.0).plan(objective, seed=1, P=learners, R=2, tile=1)
        x = np.full((1, 2, 5), 0.5)
        exact = objective.grad(x, np.empty_like(x))
        return at(planned, range(1), x, 4) - exact

    other = Cosine(dim=5, lam=3.0)
    np.testing.assert_allclose(noise(COSINE, 1), noise(other, 84), atol=1e-14)
