"""Schedules, starts and states that enter a run; and that all checks together change no bit."""

import sys
from dataclasses import replace
from fractions import Fraction
from itertools import count
from unittest.mock import patch

import numpy as np
import pytest
from helpers.strategies import algorithms, problems
from helpers.user_code import Bowl, run
from hypothesis import given, settings
from hypothesis import strategies as st

import kavg
from kavg.engine.learners import Learners
from kavg.trajectory import State

ROUNDS = sys.modules["kavg.engine.rounds"]


@settings(max_examples=40)
@given(problems(), algorithms(), st.sampled_from(["float64", "float32"]), st.integers(1, 3))
def test_the_checks_change_no_bit_of_a_run(problem, method, dtype, R):
    settings_ = {"rounds": 3, "replicas": R, "seed": 7, "dtype": dtype}
    checked = kavg.simulate(problem, method, **settings_)
    with (
        patch.object(ROUNDS, "check_user_code", lambda *_, **__: (None, [])),
        patch.object(Learners, "check_plan", lambda *_: None),
    ):
        bare = kavg.simulate(problem, method, **settings_)
    assert np.array_equal(checked.w, bare.w, equal_nan=True)
    assert all(np.array_equal(checked.series[name], bare.series[name]) for name in bare.series)


# --- schedules

WRONG_GAMMAS = {
    "None": None, "text": "0.1", "a pair": (0.1,), "an array of one": np.array([0.1]),
    "an array without axes that is 0": np.array(0.0), "an array of truth": np.array(True),
    "a masked number": np.ma.masked, "a complex": 0.1 + 0j, "true": True,
    "negative": -0.1, "zero": 0.0, "NaN": float("nan"), "inf": float("inf"),
    "a whole number beyond floats": 10**400, "a share below floats": Fraction(1, 10**400),
    "NumPy's zero": np.float64(0.0), "NumPy's true": np.True_,
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_GAMMAS)
@pytest.mark.parametrize("outer", [kavg.outer.Averaging(), kavg.outer.SlowMo(0.5)])
@pytest.mark.parametrize("first", [1, 3])
def test_a_wrong_step_size_is_refused_in_its_round(name, outer, first):
    gamma = WRONG_GAMMAS[name]
    with pytest.raises(kavg.KavgError, match=f"in every round, got .* for round {first}; return"):
        run(gamma=lambda n: 0.1 if n < first else gamma, outer=outer)


@pytest.mark.parametrize(
    "gamma",
    [
        *(1, np.float64(0.5), np.float32(0.5), np.int8(1), Fraction(1, 2), 0.5, np.longdouble(1)),
        *(np.array(0.5), np.array(1), np.where(True, 0.5, 0.1), np.float32(0.5).reshape(())),
    ],
)
def test_any_real_number_above_0_is_a_step_size(gamma):
    given_ = run(gamma=lambda n: gamma)
    assert np.array_equal(given_.w, run(gamma=lambda n: float(gamma)).w)
    assert given_.gammas.dtype == np.float64


def test_a_schedule_that_counts_its_calls_is_refused():
    calls = count(1)
    with pytest.raises(kavg.KavgError, match=r"a function of the round alone, got 1.0, then 0.5"):
        run(gamma=lambda n: 1.0 / next(calls))


# --- starts


class Law:
    def __init__(self, draw):
        self.function = draw

    def draw(self, seed, R, dim):
        return self.function(seed, R, dim)


def of_all_replicas(seed, R, dim):
    return np.random.default_rng(seed).normal(size=(dim, R)).T


WRONG_STARTS = {
    "one point": (
        lambda seed, R, dim: np.zeros(dim),
        r"shape \(2, 3\), .* got ndarray of shape \(3,\)",
    ),
    "None": (lambda seed, R, dim: None, "got NoneType"),
    "ragged": (lambda seed, R, dim: [[1.0], [1.0, 2.0]], "Law.draw must return finite numbers"),
    "NaN": (lambda seed, R, dim: np.full((R, dim), np.nan), "finite numbers of shape"),
    "complex": (lambda seed, R, dim: np.full((R, dim), 1j), "finite numbers"),
    "unseeded": (lambda s, R, dim: np.random.default_rng().normal(size=(R, dim)), "whatever R is"),
    "of all replicas": (of_all_replicas, "whatever R is, got another with R = 1 than with R = 2"),
}


@pytest.mark.parametrize("name", WRONG_STARTS)
def test_a_wrong_law_of_starts_is_refused(name):
    draw, words = WRONG_STARTS[name]
    with pytest.raises(kavg.KavgError, match=words):
        run(start=Law(draw))


def test_a_law_of_starts_may_return_a_list():
    assert np.array_equal(run(start=Law(lambda seed, R, dim: [[2] * dim] * R)).w, run(start=2.0).w)


# --- states


def state_after_2():
    problem = kavg.Problem(Bowl(), kavg.oracles.Gaussian(1.0), 2.0)
    method = kavg.Algorithm(3, 2, 0.1, kavg.outer.BlockMomentum(0.5))
    rounds = kavg.meta_iterations(problem, method, replicas=2)
    state = [next(rounds) for _ in range(3)][-1].state
    return problem, method, state, next(rounds).w


WRONG_STATES = {
    "w of one replica": {"w": np.zeros((1, 3))}, "w of one point": {"w": np.zeros(3)},
    "NaN": {"w": np.full((2, 3), np.nan)}, "text": {"w": "w"}, "None": {"w": None},
    "complex": {"w": np.zeros((2, 3), complex)}, "no v": {"v": np.empty(0)},
    "v of one replica": {"v": np.zeros((1, 3))}, "n": {"n": -1}, "n, float": {"n": 2.0},
    "exponents": {"exponents": np.zeros(3, int)}, "exponents, float": {"exponents": np.zeros(2)},
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_STATES)
def test_a_state_that_does_not_fit_is_refused(name):
    problem, method, state, _ = state_after_2()
    wrong = replace(state, **WRONG_STATES[name])
    with pytest.raises(kavg.KavgError, match="state must"):
        next(kavg.meta_iterations(problem, method, replicas=2, state=wrong))


def test_what_is_no_state_is_refused():
    problem, method, _, _ = state_after_2()
    with pytest.raises(kavg.KavgError, match=r"State.* got int: .*use the state of a Round"):
        next(kavg.meta_iterations(problem, method, state=3))


def test_a_state_of_lists_and_single_numbers_is_a_state():
    problem, method, state, w = state_after_2()
    plain = State(np.int8(2), state.w.tolist(), state.v.tolist(), state.exponents.tolist())
    again = next(kavg.meta_iterations(problem, method, replicas=2, state=plain))
    assert np.array_equal(again.w, w)
