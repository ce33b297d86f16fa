"""Learners with their own numbers of steps: values by hand, fixed points, and what is refused."""

from itertools import islice

import numpy as np
import pytest
from helpers.own_shifts import bowl_of, slope_of
from helpers.same import same_bits

import kavg
from kavg import Algorithm, aggregations, optimizers, outer, periods
from kavg.aggregations.addressed_words import DrawPurpose
from kavg.aggregations.subsets import draw_subsets
from kavg.analysis.exact.methods.fixed_points import own_steps_fixed_point
from kavg.base import RoundDraw
from kavg.errors import KavgError

AVERAGING = outer.Averaging()
NOISY = kavg.Problem(
    kavg.objectives.Cosine(dim=3), kavg.oracles.Gaussian(sigma2=1.0), (2.0, -1.0, 0.5)
)
WEIGHTS = pytest.mark.parametrize("weights", ["plain", "fednova"])


def own(Ks, weights="plain", gamma=0.5, K=None, **parts):
    steps = aggregations.OwnSteps(tuple(Ks), weights)
    return Algorithm(len(Ks), K or max(Ks), gamma, AVERAGING, aggregation=steps, **parts)


def slow(count=2, K_slow=1, weights="plain", P=5, K=3, gamma=0.05, **parts):
    law = aggregations.Stragglers(count, K_slow, weights)
    return Algorithm(P, K, gamma, AVERAGING, aggregation=law, **parts)


def run(one, problem=NOISY, **options):
    return kavg.simulate(problem, one, **{"rounds": 4, "replicas": 2, "seed": 5} | options)


def rounds_of(one, problem, count):
    return list(islice(kavg.meta_iterations(problem, one, seed=5), count + 1))


def test_own_steps_by_hand():
    """F' = w from 8 with gamma = 1/2: to 4 in one step, to 2 in two."""
    bowl = bowl_of((0.0, 0.0), start=8.0)
    plain = rounds_of(own((1, 2)), bowl, 1)[1]
    assert (plain.w.item(), plain.dispersion.item()) == (3.0, 1.0)
    # tau = 3/2: the displacements -4 and -6 become -6 and -9/2.
    nova = rounds_of(own((1, 2), "fednova"), bowl, 1)[1]
    assert (nova.w.item(), nova.dispersion.item()) == (2.75, 0.5625)


def test_the_second_round_begins_at_the_next_step_of_all():
    """Steps are counted by K, the largest, so that a learner's noise does not depend on its own."""
    assert rounds_of(own((1, 2)), NOISY, 2)[-1].state.steps == 4


def test_stragglers_by_hand():
    """Slopes 1: a slow learner moves by -1, the others by -3."""
    done = rounds_of(slow(gamma=1.0), slope_of((1.0,) * 5), 3)
    assert [each.w.item() for each in done] == pytest.approx([0.0, -2.2, -4.4, -6.6], rel=1e-14)
    # FedNova: tau = 11/5, so each moves by -11/5.
    nova = rounds_of(slow(gamma=1.0, weights="fednova"), slope_of((1.0,) * 5), 1)[1]
    assert nova.w.item() == pytest.approx(-2.2, rel=1e-14)
    assert nova.dispersion.item() == pytest.approx(0.0, abs=1e-28)


def test_the_slow_ones_are_drawn():
    """Learner j's slope is 10^j, so the digits of a round's displacement say who was slow."""
    slopes = tuple(10.0**j for j in range(5))
    before = 0.0
    for done in rounds_of(slow(gamma=1.0), slope_of(slopes), 4)[1:]:
        draw = RoundDraw(seed=5, n=done.n, R=1)
        is_slow = draw_subsets(DrawPurpose.STRAGGLERS, 2, 5, draw)[:, 0]
        moved = sum(slope * (1 if late else 3) for slope, late in zip(slopes, is_slow, strict=True))
        assert done.w.item() - before == pytest.approx(-moved / 5, rel=1e-12)
        before = done.w.item()


@WEIGHTS
@pytest.mark.parametrize("mean", ["exact", "allreduce"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_equal_numbers_of_steps_are_the_plain_mean(weights, dtype, mean):
    options = {"dtype": dtype, "mean": mean}
    plain = run(Algorithm(5, 3, 0.05, AVERAGING), **options)
    assert same_bits(plain, run(own((3,) * 5, weights, gamma=0.05), **options))
    assert same_bits(plain, run(slow(K_slow=3, weights=weights), **options))


def test_everyone_slow_has_fewer_steps_and_its_own_momentum():
    ball = optimizers.HeavyBall(0.7, "reset")
    few = run(Algorithm(5, 1, 0.05, AVERAGING, optimizer=ball), rounds=1)
    assert same_bits(few, run(slow(count=5, K=1, optimizer=ball), rounds=1))
    late = run(slow(count=5, K=3, optimizer=ball), rounds=1)
    assert np.array_equal(few.w, late.w)


@WEIGHTS
def test_runs_end_at_the_exact_fixed_point(weights):
    """f_j = w^2/2 + b_j w, that is c_j = -b_j: without noise the run ends where theory says."""
    b, Ks, gamma = (1.0, -2.0, 4.0), (1, 3, 6), 0.2
    end = run(own(Ks, weights, gamma), bowl_of(b), rounds=150).w[0, 0]
    exact = own_steps_fixed_point(1.0, -np.array(b), gamma, Ks, weights)
    assert end == pytest.approx(exact, rel=1e-12)
    assert abs(end - -1.0) > 0.05  # the optimum is -mean(b)


@WEIGHTS
def test_own_k_of_one_learner_is_its_own_affair(weights):
    """A learner that is done goes on beside the others, and may diverge there."""
    steep = kavg.Problem(kavg.objectives.Quadratic((1.0,)), NOISY.oracle, 1e150)
    Ks = (1, 2, 1, 2)
    found = run(own(Ks, weights, gamma=0.5), steep, tile=4)
    assert same_bits(found, run(own(Ks, weights, gamma=0.5), steep, tile=1))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: own((1, 2), K=3), r"the largest of Ks, got K=3 and max\(Ks\)=2; use K=2"),
        (lambda: own((2, 0)), r"Ks\[1\] must be a whole number of at least 1"),
        (
            lambda: Algorithm(3, 2, 0.1, AVERAGING, aggregation=aggregations.OwnSteps((1, 2))),
            "Ks must be one number of steps for each of the P=3 learners, got 2",
        ),
        (lambda: own((1, 2), K=periods.PiecewisePeriod((2, 2), (1,))), "K must be the largest"),
        (lambda: slow(count=6), "slow must be at most P=5, got slow=6"),
        (lambda: slow(K_slow=4), "K_slow must be at most a constant K, got K_slow=4 and K=3"),
        (lambda: slow(K=periods.PiecewisePeriod((2, 3), (1,))), "must be at most a constant K"),
        (
            lambda: slow(weights="fednova", optimizer=optimizers.HeavyBall(0.5)),
            "FedNova's weights here are those of local steps without momentum",
        ),
        (
            lambda: slow(optimizer=optimizers.HeavyBall(0.5, "kept")),
            "learners take different numbers of local steps, got at_average='kept'",
        ),
    ],
)
def test_contradictions_are_refused(make, words):
    with pytest.raises(KavgError, match=words):
        make()
