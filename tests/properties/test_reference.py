"""The engine against the pseudocode, round by round, with the same noise handed to both."""

from itertools import islice

import numpy as np
from helpers.reference import RULES, rounds
from helpers.spy import SpyOracle
from helpers.strategies import algorithms, analytic, instances
from hypothesis import given
from hypothesis import strategies as st

import kavg


def transcribed_rules():
    """Those of the papers that ``helpers.reference`` transcribes."""
    return st.one_of(*(instances(kavg.outer.KINDS[kind]) for kind in RULES))


@given(analytic(), algorithms(P=st.integers(1, 7), outer=transcribed_rules()), st.integers(1, 8))
def test_engine_agrees_with_the_pseudocode(problem, algorithm, tile):
    spy = SpyOracle(problem.oracle)
    spied = kavg.Problem(problem.objective, spy, problem.start)
    engine = list(islice(kavg.meta_iterations(spied, algorithm, replicas=2, seed=9, tile=tile), 6))
    for r in range(2):

        def gradient(w, j, step, r=r):
            return problem.objective.grad(w, np.empty_like(w)) + spy.noise[j, step][r]

        pseudocode = rounds(
            gradient,
            engine[0].w[r],
            P=algorithm.P,
            K=algorithm.K,
            gamma=algorithm.step_size,
            rule=algorithm.outer.kind,
            mu=getattr(algorithm.outer, "mu", 0.0),
            alpha=getattr(algorithm.outer, "alpha", 1.0),
            nu=getattr(algorithm.outer, "nu", 1.0),
        )
        for done, (w, spread) in zip(engine[1:], pseudocode, strict=False):
            np.testing.assert_allclose(done.w[r], w, rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(done.dispersion[r], spread, rtol=1e-8, atol=1e-10)
