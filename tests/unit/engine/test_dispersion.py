"""The dispersion against rational arithmetic on the same displacements, however small it is."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from unittest.mock import patch

import numpy as np
import pytest
from helpers.ranks import run_ranks
from helpers.same import same_bits
from hypothesis import given, settings
from hypothesis import strategies as st

import kavg
from kavg.engine.communicator import SerialComm
from kavg.engine.dispersion import LOST_BITS, find_lost
from kavg.engine.exact_sums import make_full_grid
from kavg.engine.local.local_steps import LocalSteps
from kavg.engine.number_means import NumberMeans
from kavg.oracles import Gaussian, Noiseless
from kavg.outer import Averaging, BlockMomentum

SLOPE = kavg.objectives.Linear(dim=4, slope=1.0)
MEANS = pytest.mark.parametrize("mean", ["exact", "allreduce"])
PRECISIONS = pytest.mark.parametrize("dtype", ["float64", "float32"])


def bound(d):
    """The relative error left: LOST_BITS of a difference, or the rounding of one dot product."""
    return (d + 8) * 2.0 ** (LOST_BITS - 52)


def run(problem, P=16, K=8, gamma=0.05, **options):
    method = kavg.Algorithm(P, K, gamma, BlockMomentum(0.5))
    return kavg.simulate(problem, method, **{"rounds": 3, "replicas": 2, "seed": 3} | options)


def run_with_exact(problem, P=16, **options):
    """A run, and the exact dispersions ``(T, R)`` of the displacements that it computed."""
    displacement, seen = LocalSteps.displacement, {}

    def remember(self, learners, start, steps, out=None):
        moved = displacement(self, learners, start, steps, out)
        seen.update({(steps.n, j): moved[i, :, :-1].copy() for i, j in enumerate(learners)})
        return moved

    with patch.object(LocalSteps, "displacement", remember):
        done = run(problem, P, **options)
    exact = [
        [variance([seen[n, j][r] for j in range(P)]) for r in range(done.replicas)]
        for n in done.rounds[1:]
    ]
    return done, exact


def variance(rows):
    columns = [[Fraction(float(x)) for x in column] for column in zip(*rows, strict=True)]
    return sum(
        sum((x - sum(column) / len(column)) ** 2 for x in column) for column in columns
    ) / len(rows)


def largest_error(done, exact):
    pairs = zip(done.dispersion[1:].ravel(), [x for row in exact for x in row], strict=True)
    return max(float(abs(Fraction(float(x)) - y) / y) if y else float(x != 0) for x, y in pairs)


# --- accurate to its own last places


@MEANS
@PRECISIONS
@pytest.mark.parametrize("tens", [0, -2, -4, -6, -8, -14, -16, -18, -22, -26, -28, -29, -30])
def test_any_noise_on_a_slope(tens, mean, dtype):
    problem = kavg.Problem(SLOPE, Gaussian(sigma2=10.0**tens), 0.0)
    error = largest_error(*run_with_exact(problem, mean=mean, dtype=dtype, tile=5))
    assert error <= (bound(4) if tens > -4 else 4 * 2.0**-52)


@pytest.mark.parametrize("tens", [-26, -30, -36])
def test_noise_beside_a_coordinate_whose_steps_absorb_it(tens):
    start = (1.0, 0.0)
    problem = kavg.Problem(kavg.objectives.Quadratic((1.0, 1.0)), Gaussian(10.0**tens), start)
    done, exact = run_with_exact(problem, P=5, K=3)
    assert all(x > 0 for row in exact for x in row)
    assert largest_error(done, exact) <= 4 * 2.0**-52


@MEANS
@pytest.mark.parametrize("sigma2", [1e-12, 1.0])
@pytest.mark.parametrize("gamma", [1e-30, 1e-100, 1e-140, 1e60, 1e140])
def test_steps_of_any_size(gamma, sigma2, mean):
    problem = kavg.Problem(SLOPE, Gaussian(sigma2), 0.0)
    done, exact = run_with_exact(problem, P=5, K=3, gamma=gamma, mean=mean)
    assert done.diverged_at is None
    assert all(x > 0 for row in exact for x in row)
    assert largest_error(done, exact) <= bound(4)


@MEANS
@PRECISIONS
@pytest.mark.parametrize("P", [1, 2, 3, 7, 16, 17])
def test_learners_without_noise_have_none(P, mean, dtype):
    bowl = kavg.Problem(kavg.objectives.Cosine(dim=5), Noiseless(), (2.0, 1e-6, -3.0, 1e5, 0.1))
    done = run(bowl, P, mean=mean, dtype=dtype, rounds=6, gamma=0.013)
    assert done.diverged_at is None
    assert not done.dispersion.any()


def test_one_learner_has_none():
    assert not run(kavg.Problem(SLOPE, Gaussian(1.0), 0.0), P=1).dispersion.any()


@MEANS
def test_steps_that_shrink_at_once_lose_no_bits(mean):
    """The grid of the round before is then too coarse for squares, though not for the mean."""
    problem = kavg.Problem(SLOPE, Gaussian(1.0), 0.0)
    jump = kavg.schedules.Piecewise((1.0, 2.0**-30, 2.0**-44), (1, 2))
    assert largest_error(*run_with_exact(problem, gamma=jump, mean=mean)) <= bound(4)


def test_a_dispersion_is_accurate_with_hundreds_of_learners():
    problem = kavg.Problem(kavg.objectives.Linear(dim=1), Gaussian(1e-20), 0.0)
    assert largest_error(*run_with_exact(problem, 300, K=1, rounds=1, replicas=1)) <= 2.0**-50


# --- the same bits


@MEANS
@settings(max_examples=25)
@given(st.integers(-30, 0), st.integers(1, 9), st.integers(1, 9), st.integers(1, 4))
def test_tiles_and_ranks_change_no_bit(mean, tens, P, tile, size):
    size = size if mean == "exact" else 1
    problem = kavg.Problem(SLOPE, Gaussian(sigma2=10.0**tens), 0.0)
    whole = run(problem, P, mean=mean)
    for other in run_ranks(size, lambda comm: run(problem, P, mean=mean, tile=tile, comm=comm)):
        assert same_bits(whole, other)


def test_a_replica_does_not_depend_on_whether_another_lost_bits():
    """Near the minimum noise is all there is, and far from it nothing."""

    class Spread:
        def draw(self, seed, R, dim):
            return np.array([[10.0 ** (i - 3)] * dim for i in range(R)])

    problem = kavg.Problem(kavg.objectives.Quadratic((1.0, 0.5)), Gaussian(1e-4), Spread())
    whole = run(problem, replicas=9)
    for R in range(1, 9):
        assert np.array_equal(run(problem, replicas=R).dispersion, whole.dispersion[:, :R])


@MEANS
def test_resuming_changes_no_bit(mean):
    problem = kavg.Problem(SLOPE, Gaussian(1e-18), 0.0)
    method = kavg.Algorithm(5, 3, 0.1, Averaging())
    whole = kavg.simulate(problem, method, rounds=6, mean=mean)
    part = kavg.simulate(problem, method, rounds=2, mean=mean)
    assert same_bits(kavg.simulate(problem, method, rounds=6, mean=mean, extends=part), whole)
    rounds = list(islice(kavg.meta_iterations(problem, method, mean=mean), 7))
    after = kavg.meta_iterations(problem, method, mean=mean, state=rounds[3].state)
    assert np.array_equal(next(after).dispersion, rounds[4].dispersion)


# --- where there is none


def test_what_is_not_finite_is_not_lost():
    numbers = np.array([1.0, np.inf, np.nan, -1e-20, 1e-300, 0.0])
    squares = np.array([1.0, np.inf, np.nan, 1.0, 1.0, 0.0])
    assert find_lost(numbers, squares, None).tolist() == [False, False, False, True, True, False]
    assert (
        find_lost(numbers, squares, np.full(6, 2.0)).tolist() == [True, False, False] + [True] * 3
    )


def test_a_replica_that_overflows_leaves_another_accurate():
    class Spread:
        def draw(self, seed, R, dim):
            return np.array([[1e300] * dim, [1.0] * dim])[:R]

    steep = kavg.Problem(kavg.objectives.Quadratic((1.0, 1.0)), Gaussian(1e-20), Spread())
    rounds = kavg.meta_iterations(steep, kavg.Algorithm(4, 2, 0.1, Averaging()), replicas=2)
    next(rounds)
    both = next(rounds).dispersion
    assert not np.isfinite(both[0])
    assert 1e-23 < both[1] < 1e-20


# --- the exact sums


@given(st.lists(st.floats(0, 1e300), min_size=1, max_size=20), st.integers(1, 20))
def test_sums_of_any_numbers_are_exact(numbers, tile):
    P = len(numbers)
    column = np.array(numbers)[:, None]
    sums = NumberMeans(SerialComm(), P, 1)
    for first in range(0, P, tile):
        sums.add(column[first : first + tile])
    exact = sum(map(Fraction, numbers), Fraction(0)) / P
    found = Fraction(float(sums.finish()[0]))
    assert abs(found - exact) <= 2 * Fraction(float(np.spacing(float(exact))))


@given(st.integers(1, 2**25))
def test_levels_leave_no_gap_and_hold_the_least_double(P):
    M = make_full_grid(P)
    b = max(2, (P - 1).bit_length())
    units = np.spacing(M)
    # A rest of half a unit is within the next level's bound, M / 1.5 / 2^(b - 1).
    assert (units[:-1] / 2 <= M[1:] / 1.5 * 2.0 ** (1 - b) * (1 + 2.0**-30)).all()
    assert units[-1] == 2.0**-1074


class InSequence:
    """Noise in the order of calls, as a user writes it who says so."""

    addressed = False

    def __init__(self, sigma):
        self.sigma = sigma

    def constants(self, objective):
        return Noiseless().constants(objective)

    def plan(self, objective, *, seed, P, R, tile, dtype="float64"):
        plan = InSequence(self.sigma)
        plan.objective, plan.random = objective, np.random.default_rng(seed)
        return plan

    def select(self, learners):
        pass

    def __call__(self, x, step, out):
        self.objective.grad(x, out)
        out += self.sigma * self.random.normal(size=out.shape)


@MEANS
@pytest.mark.parametrize("tile", [1, 3, 16])
@pytest.mark.parametrize("sigma", [1e-4, 1e-6, 1e-12])
def test_a_second_pass_does_not_draw_again_where_draws_are_in_sequence(sigma, tile, mean):
    problem = kavg.Problem(SLOPE, InSequence(sigma))
    done, exact = run_with_exact(problem, tile=tile, mean=mean)
    assert (done.dispersion >= 0).all()
    room = 2.0**-50 * 8**2 * 0.05**2 * SLOPE.dim
    np.testing.assert_allclose(done.dispersion[1:], np.array(exact, float), 1e-9, room)
    with patch("kavg.engine.round_dispersion.find_lost", lambda spread, square, floor: square < 0):
        assert np.array_equal(done.w, run(problem, tile=tile, mean=mean).w)


@pytest.mark.parametrize("P", [3, 4, 5])
@pytest.mark.parametrize("tile", [None, 1, 2, 3])
def test_ranks_agree_on_a_second_pass_where_draws_are_in_sequence(tile, P):
    problem = kavg.Problem(SLOPE, InSequence(1e-6))
    runs = run_ranks(2, lambda comm: run(problem, P, tile=tile, comm=comm))
    assert np.array_equal(runs[0].dispersion, runs[1].dispersion)
    # Of the noise of each learner's 8 steps, and far from 0 only by rounding.
    assert (runs[0].dispersion[1:] < 1e-10).all()
