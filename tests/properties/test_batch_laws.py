"""Every trajectory of a batch is, to the last bit, that of its algorithm alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.ranks import run_ranks
from helpers.same import same_run
from helpers.strategies import additive_noise, analytic, outer_rules, problems, step_sizes
from helpers.user_code import Bowl, Rule
from hypothesis import given, settings
from hypothesis import strategies as st

import kavg
from kavg.engine.batch import plan_batches, run_batch
from kavg.engine.options import RunOptions
from kavg.oracles import Gaussian, MiniBatch, Partition, Shifted

PRECISIONS = st.sampled_from(["float64", "float32"])
MEANS = st.sampled_from(["exact", "allreduce"])
STEPS = step_sizes()
LARGE = st.sampled_from([2.0, 30.0, 1e4, 1e100])
"""Step sizes with which almost every problem diverges, at once or after some rounds."""


@st.composite
def points(draw, sizes=STEPS) -> list[kavg.Algorithm]:
    """Algorithms of which most have equal P and K, so that they run together."""
    shapes = st.sampled_from([(draw(st.integers(1, 5)), draw(st.integers(1, 4))), (2, 3)])
    rules = st.one_of(outer_rules(), st.builds(Rule, st.floats(0, 0.75)))
    each = st.tuples(shapes, sizes, rules)
    drawn = draw(st.lists(each, min_size=2, max_size=6))
    restart = draw(st.sampled_from([None, 1, 2, 3]))
    return [
        kavg.Algorithm(*shape, gamma, rule, f"{i}", restart=restart if rule.memory else None)
        for i, (shape, gamma, rule) in enumerate(drawn)
    ]


def alone(problem, algorithms, comm=None, **options):
    return [kavg.simulate(problem, each, comm=comm, **options) for each in algorithms]


def check(problem, algorithms, comm=None, **options):
    options = {"rounds": 4, "replicas": 2, "seed": 3} | options
    runs = kavg.simulate_batch(problem, algorithms, comm=comm, **options)
    for run, expected in zip(runs, alone(problem, algorithms, comm, **options), strict=True):
        assert same_run(run, expected)


@settings(max_examples=20)
@given(problems(), points(), PRECISIONS, MEANS, st.integers(1, 3), st.integers(1, 3))
def test_a_batch_has_the_bits_of_its_points_alone(problem, several, dtype, mean, replicas, every):
    check(problem, several, dtype=dtype, mean=mean, replicas=replicas, every=every)


@settings(max_examples=20)
@given(analytic(), additive_noise(), points(), st.floats(0.1, 2.0))
def test_learners_that_differ_have_their_shifts(problem, noise, several, zeta2):
    if not isinstance(noise, kavg.oracles.additive.AdditiveNoise):
        noise = kavg.oracles.Noiseless()
    several = [replace(each, P=max(2, each.P)) for each in several]
    check(kavg.Problem(problem.objective, Shifted(zeta2, noise), problem.start), several)


@settings(max_examples=20)
@given(problems(), points(st.one_of(STEPS, LARGE)), PRECISIONS, st.integers(1, 3))
def test_a_point_that_diverges_ends_and_changes_nothing_else(problem, several, dtype, every):
    check(problem, several, rounds=7, dtype=dtype, every=every)


@settings(max_examples=20)
@given(problems(), points(st.one_of(STEPS, LARGE)), st.integers(2, 3), MEANS)
def test_a_batch_has_its_bits_on_any_number_of_ranks(problem, several, size, mean):
    options = {"rounds": 5, "replicas": 2, "seed": 3, "mean": mean}

    def on_rank(comm):
        return kavg.simulate_batch(problem, several, comm=comm, **options)

    def alone_on_rank(comm):
        return alone(problem, several, comm, **options)

    together = run_ranks(size, on_rank)
    for runs, expected in zip(together, run_ranks(size, alone_on_rank), strict=True):
        assert all(same_run(*pair) for pair in zip(runs, expected, strict=True))


@settings(max_examples=15)
@given(problems(), points(), st.integers(1, 7), st.integers(1, 4), st.randoms())
def test_neither_tiles_nor_order_nor_company_change_a_bit(problem, several, tile, most, random):
    options = RunOptions(replicas=2, seed=3, tile=tile)
    expected = alone(problem, several, rounds=3, replicas=2, seed=3)
    order = list(range(len(several)))
    random.shuffle(order)
    batches = plan_batches(problem, [several[i] for i in order], 3, options, most=most)
    assert sorted(i for batch in batches for i in batch.indices) == list(range(len(order)))
    for batch in batches:
        for i, run in zip(batch.indices, run_batch(batch), strict=True):
            assert same_run(run, expected[order[i]])


@settings(max_examples=20)
@given(problems(), points(st.one_of(STEPS, LARGE)), st.integers(1, 4), st.integers(0, 3))
def test_a_point_of_a_batch_can_be_extended(problem, several, done, more):
    options = {"replicas": 2, "seed": 3}
    short = kavg.simulate_batch(problem, several, rounds=done, **options)
    for run, algorithm in zip(short, several, strict=True):
        whole = kavg.simulate(problem, algorithm, rounds=done + more, **options)
        extended = kavg.simulate(problem, algorithm, rounds=done + more, extends=run, **options)
        assert same_run(whole, extended)


@settings(max_examples=20)
@given(st.sampled_from(["with_replacement", "without_replacement", "reshuffle"]), st.floats(0, 1))
def test_parts_of_the_data_are_those_of_a_run_alone(sampling, skew):
    data = kavg.Synthetic("classification", examples=24, features=3)
    objective = kavg.objectives.LogisticRegression(data, alpha=0.1, held_out=0.5)
    problem = kavg.Problem(objective, MiniBatch(2, sampling, Partition(skew)), 0.1)
    rules = [kavg.outer.BlockMomentum(0.5), kavg.outer.Averaging(), kavg.outer.SlowMo(0.3, 0.5)]
    check(problem, [kavg.Algorithm(3, 2, 0.3, rule) for rule in rules])


@settings(max_examples=20)
@given(points(), PRECISIONS)
def test_users_objectives_oracles_and_rules_have_the_same_bits(several, dtype):
    for oracle in (Gaussian(1.0), OwnNoise()):
        check(kavg.Problem(Bowl(), oracle, 2.0), several, dtype=dtype)


class OwnNoise:
    """A user's oracle, which cannot plan for copies."""

    def constants(self, objective):
        return Gaussian(1.0).constants(objective)

    def plan(self, objective, *, seed, P, R, tile, dtype="float64"):
        class Planned:
            def select(self, learners):
                self.learners = learners

            def __call__(self, x, step, out):
                objective.grad(x, out)
                for place, j in enumerate(self.learners):
                    for r in range(R):
                        address = np.random.Philox(key=[seed, j], counter=[r, step, 0, 0])
                        draws = np.random.Generator(address).standard_normal(x.shape[-1])
                        out[place, r] += draws.astype(out.dtype)

        return Planned()


@pytest.mark.parametrize("mean", ["exact", "allreduce"])
def test_many_points_in_several_batches(mean):
    """More points than one batch holds, with schedules of their own and of all rules."""
    problem = kavg.Problem(kavg.objectives.DoubleWell(dim=200), Gaussian(4.0), 0.1)
    several = [
        kavg.Algorithm(8, 3, kavg.schedules.InverseSqrt(gamma, rounds=2), rule, f"{gamma} {rule}")
        for gamma in (0.01, 0.1, 3.0)
        for mu in (0.1, 0.5, 0.8)
        for rule in (kavg.outer.BlockMomentum(mu), kavg.outer.NesterovMomentum(mu))
    ]
    assert len(plan_batches(problem, several, 9, RunOptions(replicas=8))) > 1
    check(problem, several, rounds=9, replicas=8, mean=mean)
