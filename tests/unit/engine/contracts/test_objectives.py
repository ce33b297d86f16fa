"""Objectives of users: what would run on with a wrong result is refused, what is right is not."""

import warnings

import numpy as np
import pytest
from helpers.ranks import run_ranks
from helpers.user_code import Bowl, changed, run
from hypothesis import given
from hypothesis import strategies as st

import kavg
from kavg.engine.contracts.objectives import check_objective

RANDOM = np.random.Generator(np.random.PCG64(1))


def writes(result):
    """A ``grad`` that writes ``result(x)``."""

    def grad(self, x, out):
        out[...] = result(x)
        return out

    return grad


def rebinds(self, x, out):
    out = 1.0 * x  # noqa: F841


def part(self, x, out):
    out[..., 0] = x[..., 0]
    return out


def first_learner(self, x, out):
    out[0] = x[0]
    return out


def something_else(self, x, out):
    np.multiply(x, 0.5, out=out)
    return out + out


def out_with_F(self, x, out):
    out[...] = x
    return 0.5 * np.vecdot(x, x), out


def adds(self, x, out):
    out += x
    return out


def writes_to_x(self, x, out):
    x *= 1.0
    out[...] = x


WRONG = {
    "a new array": (lambda self, x, out: 1.0 * x, "Mine.grad must write to out, got a new array"),
    "nothing": (lambda self, x, out: None, r"every number of out, got 6 of 6 left"),
    "out is bound to another array": (rebinds, "got 6 of 6 left as they were"),
    "one coordinate": (part, r"got 4 of 6 left as they were; end it with out\[...\] ="),
    "one learner": (first_learner, "got 3 of 6 left"),
    "workspace in out": (something_else, "other numbers in the array that it returned"),
    "a pair": (out_with_F, "must return out or nothing, got a tuple"),
    "a number": (lambda self, x, out: np.copyto(out, x) or 1.0, "got a float; end it with"),
    "added to out": (adds, "must not depend on what out held before"),
    "written to x": (writes_to_x, "writes_to_x .* must not write to the arrays it is given"),
    "random": (writes(lambda x: x + RANDOM.normal(size=x.shape)), "when it was called again"),
    "coupled by a norm": (writes(lambda x: x / np.linalg.norm(x)), "treat each row of x by itself"),
    "coupled by a mean": (writes(lambda x: x - x.mean(axis=0)), "need axis=-1"),
    "axis 1": (writes(lambda x: x / np.linalg.norm(x, axis=1, keepdims=True)), "need axis=-1"),
    "wrong sign": (writes(np.negative), "opposite direction: value falls along it"),
    "twice": (writes(lambda x: 2.0 * x), "got 2 times its derivative"),
    "half": (writes(lambda x: 0.5 * x), "got 0.5 times its derivative"),
    "mean for sum": (writes(lambda x: x / x.shape[-1]), "got 0.3333 times"),
    "zero": (writes(lambda x: 0.0 * x), "got 0 times its derivative"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_gradient_is_refused_before_the_first_step(name):
    grad, words = WRONG[name]
    with pytest.raises(kavg.KavgError, match=words):
        run(changed(Bowl, grad=grad))
    problem = kavg.Problem(changed(Bowl, grad=grad), kavg.oracles.Gaussian(1.0), 2.0)
    method = kavg.Algorithm(2, 1, 0.1, kavg.outer.Averaging())
    with pytest.raises(kavg.KavgError, match=words):
        next(kavg.meta_iterations(problem, method))


WRONG_VALUES = {
    "a number for all rows": (
        lambda self, x: 0.5 * np.sum(x * x),
        r"shape \(2,\) .* got shape \(\)",
    ),
    "a Python number": (lambda self, x: float(np.sum(x * x)), r"got shape \(\)"),
    "coordinates on the first axis": (lambda self, x: x[0] ** 2 + x[1] ** 2, r"got shape \(3,\)"),
    "an axis too many": (lambda self, x: np.sum(x * x, axis=-1, keepdims=True), r"shape \(2, 1\)"),
    "complex numbers": (lambda self, x: np.vecdot(x, x) + 0j, "and type complex128"),
    "None": (lambda self, x: None, r"got shape \(\)"),
    "coupled rows": (lambda self, x: np.full(len(x), np.sum(x * x)), "treat each row"),
    "random": (lambda self, x: np.vecdot(x, x) + RANDOM.normal(size=len(x)), "called again"),
    "written to x": (lambda self, x: np.square(x, out=x).sum(axis=-1), "must not write to"),
}


@pytest.mark.parametrize("name", WRONG_VALUES)
def test_a_wrong_value_is_refused(name):
    value, words = WRONG_VALUES[name]
    with pytest.raises(kavg.KavgError, match=words):
        run(changed(Bowl, value=value))


def test_two_coordinates_are_not_taken_for_two_rows():
    with pytest.raises(
        kavg.KavgError, match=r"shape \(3,\) for x of shape \(3, 2\), got shape \(2,\)"
    ):
        run(changed(Bowl, dim=2, value=lambda self, x: x[0] ** 2 + x[1] ** 2))


def test_an_error_of_a_user_keeps_its_traceback_and_says_what_kavg_called():
    with pytest.raises(IndexError) as caught:
        run(changed(Bowl, grad=lambda self, x, out: x[3]))
    assert "Mine.grad with x of shape (2, 3)" in caught.value.__notes__[0]


def barrier(self, x):
    assert (x > 0).all()
    return np.sum(x - np.log(x), axis=-1)


def only_near_2(self, x):
    if np.abs(x - 2).max() > 0.1:
        raise ValueError("far")
    return 0.5 * np.vecdot(x, x)


def step_function(x):
    return np.floor(4 * np.vecdot(x, x))


RIGHT = {
    "None is returned": {"grad": lambda self, x, out: np.copyto(out, x)},
    "a copy of out is returned": {"grad": lambda self, x, out: np.multiply(x, 1.0, out=out).copy()},
    "a view of out is returned": {"grad": lambda self, x, out: np.multiply(x, 1.0, out=out)[:]},
    "kinks": {
        "value": lambda self, x: np.abs(x).sum(axis=-1), "grad": writes(np.sign)},
    "one kink, at the start": {
        "value": lambda self, x: np.abs(x - 2.0).sum(axis=-1),
        "grad": writes(lambda x: np.sign(x - 2.0))},
    "rectified": {
        "value": lambda self, x: np.maximum(x, 0.0).sum(axis=-1),
        "grad": writes(lambda x: (x > 0) * 1.0)},
    "flat": {"value": lambda self, x: np.zeros(x.shape[:-1]), "grad": writes(np.zeros_like)},
    "integer values": {
        "value": lambda self, x: np.zeros(x.shape[:-1], int), "grad": writes(np.zeros_like)},
    "defined for positive numbers": {"value": barrier, "grad": writes(lambda x: 1 - 1 / x)},
    "defined near the start": {"value": only_near_2},
    "steep ripples": {
        "value": lambda self, x: np.cos(1e5 * x).sum(axis=-1),
        "grad": writes(lambda x: -1e5 * np.sin(1e5 * x))},
    "far above 0": {"value": lambda self, x: 1e14 + 0.5 * np.vecdot(x, x)},
    "values in single precision": {
        "value": lambda self, x: 0.5 * np.vecdot(x, x).astype(np.float32)},
    "quartic": {
        "value": lambda self, x: 0.25 * np.sum(x**4, axis=-1), "grad": writes(lambda x: x**3)},
}  # fmt: skip


@pytest.mark.parametrize("start", [2.0, 1e-9, 1e6])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_objective_passes(name, dtype, start):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        objective = changed(Bowl, **RIGHT[name])
        if name == "defined near the start" and start != 2.0:
            return
        assert check_objective(objective, np.full(3, start), dtype) == []


def test_a_gradient_that_returns_nothing_is_measured_as_any_other():
    silent = run(changed(Bowl, grad=lambda self, x, out: np.copyto(out, x)))
    assert np.array_equal(silent.grad_norm2, run(Bowl()).grad_norm2)
    assert np.array_equal(silent.w, run(Bowl()).w)


def test_a_NaN_that_is_written_is_no_number_that_is_left_out():
    def grad(self, x, out):
        out[...] = x
        out[..., 1] = np.nan

    assert check_objective(changed(Bowl, grad=grad), np.full(3, 2.0), "float64") == []


SUSPICIOUS = {
    "clipped": (
        {"value": lambda self, x: 0.25 * np.sum(x**4, axis=-1),
         "grad": writes(lambda x: np.clip(x**3, -1.0, 1.0))},
        "is not the derivative of value",
    ),
    "clipped on a slope, one coordinate": (
        {"dim": 1, "value": lambda self, x: 3.0 * x[..., 0] + 1e-4 * x[..., 0] ** 2,
         "grad": writes(lambda x: np.clip(3.0 + 2e-4 * x, -1.0, 1.0))},
        "is not the derivative of value",
    ),
    "clipped by its norm on a slope": (
        {"value": lambda self, x: 3.0 * x.sum(axis=-1), "grad": writes(lambda x: 0 * x + 3**-0.5)},
        "is not the derivative of value",
    ),
    "signs of a kink": (
        {"value": lambda self, x: 3.0 * np.abs(x).sum(axis=-1), "grad": writes(np.sign)},
        "is not the derivative of value",
    ),
    "a value of steps": ({"value": lambda self, x: step_function(x)}, "is not the derivative"),
    "no value": ({"value": lambda self, x: np.ones(x.shape[:-1])}, "what is recorded as F"),
    "last bits of a product": (
        {"grad": writes(lambda x: x * (1.0 + len(x) * 2.0**-52))}, "the last bits of Mine.grad"),
    "last bits of a value": (
        {"value": lambda self, x: 0.5 * np.vecdot(x, x) * (1.0 + len(x) * 2.0**-52)},
        "the last bits of Mine.value"),
}  # fmt: skip


@pytest.mark.parametrize("name", SUSPICIOUS)
def test_what_may_be_meant_is_a_warning(name):
    methods, words = SUSPICIOUS[name]
    with pytest.warns(UserWarning, match=words):
        run(changed(Bowl, **methods))


@given(st.lists(st.booleans(), min_size=3, max_size=3).filter(any), st.sampled_from([2.0, 0.0]))
def test_no_number_may_be_left_out(left, start):
    """Whatever the memory of ``out`` held: NaN and numbers are told apart from what is written."""
    kept = ~np.array(left)

    def grad(self, x, out):
        out[..., kept] = x[..., kept]
        return out

    with pytest.raises(kavg.KavgError, match=f"got {2 * sum(left)} of 6 left"):
        run(changed(Bowl, grad=grad), start=start)


# Products with the least numbers are rounded so much that they are no multiple any more.
@given(
    st.floats(-3, 3).filter(lambda c: abs(c - 1) > 0.1 and not 0 < abs(c) < 1e-300),
    st.floats(0.25, 4.0),
)
def test_every_other_multiple_of_the_derivative_is_refused(factor, start):
    with pytest.raises(kavg.KavgError, match=r"\.grad must be the gradient of value"):
        run(changed(Bowl, grad=writes(lambda x: factor * x)), start=start)


NOT_QUITE_STRAIGHT = {
    "a parabola": lambda x: 3.0 * x + 0.02 * x**2,
    "an exponential": lambda x: np.exp(-0.1 * x),
    "a logarithm": lambda x: np.log1p(np.exp(x)),
}


@pytest.mark.parametrize("name", NOT_QUITE_STRAIGHT)
@pytest.mark.parametrize("factor", [0.5, 2.0, 0.0])
def test_a_multiple_in_one_coordinate_is_refused_where_the_derivative_differs(name, factor):
    f = NOT_QUITE_STRAIGHT[name]

    def grad(x):
        return factor * (f(x + 1e-6) - f(x - 1e-6)) / 2e-6

    with pytest.raises(kavg.KavgError, match="times its derivative at every point"):
        run(changed(Bowl, dim=1, value=lambda self, x: f(x[..., 0]), grad=writes(grad)))


def test_zeros_are_refused_on_a_slope_too():
    value = {"value": lambda self, x: 3.0 * x.sum(axis=-1)}
    with pytest.raises(kavg.KavgError, match="got 0 times its derivative"):
        run(changed(Bowl, **value, grad=writes(np.zeros_like)))


def stops_writing(below):
    def grad(self, x, out):
        if x.max() > below:
            out[...] = x
        else:
            out[..., :2] = x[..., :2]
        return out

    return grad


@pytest.mark.parametrize("oracle", [kavg.oracles.Noiseless(), kavg.oracles.Gaussian(1e-6)])
def test_a_gradient_that_stops_writing_later_is_found(oracle):
    with pytest.raises(
        kavg.KavgError, match=r"must (write every number of out|not depend on what out)"
    ):
        run(changed(Bowl, grad=stops_writing(1.0)), oracle, rounds=30)


def test_a_run_that_diverges_is_no_error_of_the_gradient():
    grad = writes(lambda x: np.where(np.abs(x) < 1e30, x, np.nan))
    wild = run(changed(Bowl, grad=grad), gamma=1e6, rounds=30)
    assert wild.diverged_at is not None


def test_a_continued_run_is_checked_too():
    short = run(Bowl(), rounds=2)
    with pytest.raises(kavg.KavgError, match="got a new array"):
        run(changed(Bowl, grad=lambda self, x, out: 1.0 * x), extends=short, rounds=4)


def test_every_rank_raises_the_error_by_itself():
    def rank(comm):
        with pytest.raises(kavg.KavgError, match="got a new array"):
            run(changed(Bowl, grad=lambda self, x, out: 1.0 * x), comm=comm, P=1)
        return True

    assert run_ranks(3, rank) == [True] * 3


class Valley(Bowl):
    """``x'H x / 2 - b'x`` with a dense H; matmul has other bits for one row than for several."""

    def __init__(self, d):
        random = np.random.default_rng(d)
        a = random.normal(size=(d, d)) / d**0.5
        self.dim, self.H, self.b = d, a @ a.T + 0.1 * np.eye(d), random.normal(size=d)
        self.least = np.linalg.solve(self.H, self.b)

    def value(self, x):
        return 0.5 * np.einsum("...i,ij,...j->...", x, self.H, x) - x @ self.b

    def grad(self, x, out):
        np.matmul(x, self.H.astype(x.dtype), out=out)
        out -= self.b.astype(x.dtype)


@pytest.mark.filterwarnings("ignore:the last bits")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("d", [2, 3, 40, 300])
@pytest.mark.parametrize("oracle", [kavg.oracles.Noiseless(), kavg.oracles.Gaussian(1e-20)])
def test_a_run_may_begin_where_the_gradient_vanishes(d, dtype, oracle):
    valley = Valley(d)
    settings = {"replicas": 3, "dtype": dtype, "start": tuple(valley.least), "P": 5}
    short = run(valley, oracle, rounds=2, **settings)
    run(valley, oracle, rounds=4, extends=short, **settings)


def test_coupled_rows_are_found_where_the_gradient_vanishes():
    grad = writes(lambda x: x - x.mean(axis=0) + 1e-3 * x)
    with pytest.raises(kavg.KavgError, match="treat each row"):
        run(changed(Bowl, grad=grad), start=0.0)


# --- planned gradients


class Planned(Bowl):
    """A bowl that counts the gradients that were planned, and those that were not."""

    def __init__(self):
        self.planned = self.bare = 0

    def grad(self, x, out):
        self.bare += 1
        out[...] = x
        return out

    def plan_gradient(self, tile, R, dtype):
        work = np.empty((tile, R, self.dim), dtype)

        def gradient(x, out):
            self.planned += 1
            part = work[: len(x)]
            np.multiply(x, 1.0, out=part)
            out[...] = part

        return gradient


def plans(gradient):
    """A ``plan_gradient`` that returns a function of ``x`` and ``out``."""
    return lambda self, tile, R, dtype: gradient


def writes_half(x, out):
    out[...] = 0.5 * x


def writes_one(x, out):
    out[0] = x[0]


def doubles_x(x, out):
    out[...] = x
    x *= 2.0


def subtracts_the_mean(x, out):
    out[...] = x - x.mean(axis=0)


def rounds_otherwise(x, out):
    out[...] = x * (1 + 2e-16)


WRONG_PLANS = {
    "None": (plans(None), "must return a function of .x, out., got NoneType"),
    "half": (plans(writes_half), "must be that of grad, got other numbers, by 0.5 of"),
    "one learner": (plans(writes_one), "Mine.plan_gradient returns must write every number"),
    "written to x": (plans(doubles_x), "doubles_x .* must not write to the arrays"),
    "coupled": (plans(subtracts_the_mean), "must be that of grad"),
    "returns": (plans(lambda x, out: 1.0 * x), "must write to out, got a new array"),
}


@pytest.mark.parametrize("name", WRONG_PLANS)
def test_a_wrong_plan_is_refused(name):
    plan, words = WRONG_PLANS[name]
    with pytest.raises(kavg.KavgError, match=words):
        run(changed(Bowl, plan_gradient=plan))


def writes_the_first_replica(x, out):
    out[...] = x[:, :1]


def swaps_replicas(x, out):
    out[...] = x[:, ::-1]


@pytest.mark.parametrize("gradient", [writes_the_first_replica, swaps_replicas])
@pytest.mark.parametrize("dim", [2, 3, 2**16])
def test_a_plan_that_is_wrong_for_several_replicas_is_refused(gradient, dim):
    bowl = changed(Bowl, dim=dim, plan_gradient=plans(gradient))
    with pytest.raises(kavg.KavgError, match="must be that of grad, got other numbers"):
        run(bowl, replicas=2, P=2, rounds=1)
    run(bowl, replicas=1, P=2, rounds=1)


def fails_for(condition, answer):
    """A ``plan_gradient`` that answers otherwise where a condition on tile and R holds."""

    def plan_gradient(self, tile, R, dtype):
        return answer() if condition(tile, R) else self.grad

    return plan_gradient


def raise_index_error():
    raise IndexError("mine")


NOT_PLANNED = {
    "never": (lambda tile, R: True, "plan_gradient(2, 2, 'float64')"),
    "the tile of the run": (lambda tile, R: tile == 3, "plan_gradient(3, 5, 'float64')"),
    "R of the run": (lambda tile, R: R == 5, "plan_gradient(3, 5, 'float64')"),
    "where F is recorded": (lambda tile, R: (tile, R) == (1, 5), "plan_gradient(1, 5, 'float64')"),
}


@pytest.mark.parametrize("name", NOT_PLANNED)
def test_an_error_in_a_plan_says_what_was_planned(name):
    condition, call = NOT_PLANNED[name]
    bowl = changed(Bowl, plan_gradient=fails_for(condition, raise_index_error))
    with pytest.raises(IndexError) as caught:
        run(bowl, replicas=5, P=6, tile=3)
    assert caught.value.__notes__[0] == f"kavg called it in Mine.{call}"


@pytest.mark.parametrize("name", NOT_PLANNED)
def test_a_plan_that_is_no_function_is_refused_whatever_its_size(name):
    bowl = changed(Bowl, plan_gradient=fails_for(NOT_PLANNED[name][0], lambda: None))
    with pytest.raises(kavg.KavgError, match="must return a function of"):
        run(bowl, replicas=5, P=6, tile=3)


def test_other_last_bits_of_a_plan_are_a_suspicion():
    bowl = changed(Bowl, plan_gradient=plans(rounds_otherwise))
    (text,) = check_objective(bowl, np.full(3, 2.0), "float64")
    assert "has other last bits than grad" in text


NOISES = {
    "noiseless": kavg.oracles.Noiseless(),
    "gaussian": kavg.oracles.Gaussian(1.0),
    "sphere": kavg.oracles.Sphere(1.0),
    "rademacher": kavg.oracles.Rademacher(1.0),
    "student t": kavg.oracles.StudentT(1.0),
    "state dependent": kavg.oracles.StateDependent(1.0, 0.5),
    "shifted": kavg.oracles.Shifted(1.0, kavg.oracles.Gaussian(1.0)),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", NOISES)
def test_steps_use_the_plan_where_there_is_one(name, dtype):
    bowl, settings = Planned(), {"rounds": 30, "P": 5, "tile": 2, "dtype": dtype}
    planned = run(bowl, NOISES[name], **settings)
    steps = 30 * 2 * 3  # rounds, K, tiles
    assert bowl.planned >= steps > bowl.bare
    assert np.array_equal(planned.w, run(Bowl(), NOISES[name], **settings).w)
