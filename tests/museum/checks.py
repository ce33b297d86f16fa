"""Named checks: each a function that raises AssertionError when the program is at fault.

Laws are exact.  Exact moments are seeded and stay 5 standard errors away from a false alarm,
verdicts have level 1e-5; a fault of the museum is far beyond either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import numpy as np
from helpers.own_shifts import bowl_of
from helpers.reference import rounds as pseudocode
from helpers.same import same_bits
from helpers.spy import SpyOracle

import kavg
from kavg.analysis.decision import Outcome, check_bounds

SIGMAS = 5.0
RULES = {
    "averaging": kavg.outer.Averaging(),
    "block_momentum": kavg.outer.BlockMomentum(0.5),
    "nesterov": kavg.outer.NesterovMomentum(0.5),
    "slowmo": kavg.outer.SlowMo(0.5, alpha=0.75),
    "nesterov_look_ahead": kavg.outer.NesterovLookAhead(0.5, alpha=0.75),
    "quasi_hyperbolic": kavg.outer.QuasiHyperbolic(0.5, nu=0.25, alpha=2.0),
}
STEPS = kavg.schedules.Piecewise((0.2, 0.1, 0.05), (1, 3))
QUADRATIC = kavg.objectives.Quadratic((0.5, 1.0, 2.0))
NOISY = kavg.Problem(QUADRATIC, kavg.oracles.Gaussian(sigma2=2.0, B=2), start=1.0)
SLOPE = kavg.Problem(kavg.objectives.Linear(dim=1), kavg.oracles.Noiseless(), start=0.0)


def run(problem, algorithm, **settings):
    return kavg.simulate(problem, algorithm, **{"rounds": 4, "replicas": 2, "seed": 5} | settings)


def walk(problem, algorithm, rounds, **settings):
    """The rounds n = 0..rounds."""
    iterations = kavg.meta_iterations(problem, algorithm, **{"seed": 5} | settings)
    return list(islice(iterations, rounds + 1))


def methods(P=3, K=4, gamma=STEPS):
    return [kavg.Algorithm(P, K, gamma, rule) for rule in RULES.values()]


# --- laws


def tiles_keep_the_bits():
    for method in methods(P=5):
        whole = run(NOISY, method)
        assert same_bits(whole, run(NOISY, method, tile=1))
        assert same_bits(whole, run(NOISY, method, tile=2))


def one_seed_one_run():
    for method in methods():
        assert same_bits(run(NOISY, method), run(NOISY, method))


def noise_is_all_different():
    """Law 4: no two draws of a run are the same, and another method sees the same draws."""
    spies = []
    for method in (kavg.Algorithm(3, 4, 0.1, RULES["averaging"]), methods(K=3)[1]):
        spies.append(SpyOracle(NOISY.oracle))
        run(kavg.Problem(NOISY.objective, spies[-1], NOISY.start), method)
        draws = [tuple(np.round(row, 9)) for rows in spies[-1].noise.values() for row in rows]
        assert len(set(draws)) == len(draws) == 2 * len(spies[-1].noise)
    for place in spies[0].noise.keys() & spies[1].noise.keys():
        np.testing.assert_allclose(spies[0].noise[place], spies[1].noise[place], atol=1e-12)


def every_block_has_k_steps():
    for K in (1, 4):
        spy = SpyOracle(NOISY.oracle)
        method = kavg.Algorithm(3, K, 0.1, RULES["averaging"])
        walk(kavg.Problem(QUADRATIC, spy), method, 4)
        for j in range(3):
            # The pilot of the first round may repeat learner 0's first block.
            assert spy.steps[j][-4 * K :] == list(range(4 * K))
            assert set(spy.steps[j]) == set(range(4 * K))
    pieces = kavg.periods.PiecewisePeriod((1, 4, 2), (2, 4))
    path = walk(SLOPE, kavg.Algorithm(3, pieces, 1.0, RULES["averaging"]), 5)
    assert [done.w.item() for done in path] == [0.0, -1.0, -2.0, -6.0, -10.0, -12.0]


def without_noise_p_learners_are_one():
    quiet = kavg.Problem(QUADRATIC, kavg.oracles.Noiseless(), start=1.0)
    for one, many in zip(methods(P=1), methods(P=4), strict=True):
        np.testing.assert_allclose(run(quiet, one).w, run(quiet, many).w, rtol=1e-12)


def resuming_changes_nothing():
    for method in methods():
        whole = walk(NOISY, method, 4)
        rest = kavg.meta_iterations(NOISY, method, seed=5, state=whole[2].state)
        assert [np.array_equal(next(rest).w, done.w) for done in whole[3:]] == [True, True]


def the_hand_path():
    """F' = 1, gamma = 1, K = 3, mu = 1/2 from 0: the look-ahead changes nothing on a slope."""
    for P in (1, 2):
        for rule in (RULES["block_momentum"], RULES["nesterov"]):
            path = walk(SLOPE, kavg.Algorithm(P, 3, 1.0, rule), 3)
            assert [done.w.item() for done in path] == [0.0, -3.0, -7.5, -12.75]


def local_optimizers_by_hand():
    """F' = 1, gamma = 1, K = 3 from 0: a mean of equal gradients is 1 at any age."""

    def ends(optimizer, rounds=2):
        method = kavg.Algorithm(2, 3, 1.0, RULES["averaging"], optimizer=optimizer)
        return [done.w.item() for done in walk(SLOPE, method, rounds)[1:]]

    assert ends(kavg.optimizers.HeavyBall(0.5, "reset")) == [-4.25, -8.5]
    assert ends(kavg.optimizers.HeavyBall(0.5, "kept")) == [-4.25, -10.03125]
    for state in ("reset", "kept", "averaged"):
        assert ends(kavg.optimizers.Adam(0.5, 0.5, 1.0, state)) == [-1.5, -3.0]
    assert ends(kavg.optimizers.AdamW(0.5, 0.5, 1.0, 0.25), rounds=1) == [-1.15625]


def accumulation_by_hand():
    """F' = w, gamma = 1/4, K = 3 from 16: a round of gradients at its start leaves a quarter."""
    bowl = kavg.Problem(kavg.objectives.Quadratic((1.0,)), kavg.oracles.Noiseless(), start=16.0)
    optimizer = kavg.optimizers.Accumulation()
    method = kavg.Algorithm(2, 3, 0.25, RULES["averaging"], optimizer=optimizer)
    assert [done.w.item() for done in walk(bowl, method, 2)] == [16.0, 4.0, 1.0]


def own_iterates_by_hand():
    """Learners that keep iterates: what mixing makes of them, and the pull of the old centre."""
    bowl = kavg.Problem(kavg.objectives.Quadratic((1.0,)), kavg.oracles.Noiseless(), start=8.0)
    elastic = kavg.aggregations.ElasticAveraging(0.25)
    method = kavg.Algorithm(2, 1, 0.5, RULES["averaging"], aggregation=elastic)
    assert [done.w.item() for done in walk(bowl, method, 3)] == [8.0, 4.0, 2.5, 1.4375]
    # As published: 4 + (8 - 4)/4 - 4/2, and 3 + (4 - 3)/4 - 3/2.
    published = kavg.aggregations.ElasticAveraging(0.25, "last")
    method = kavg.Algorithm(2, 1, 0.5, RULES["averaging"], aggregation=published)
    assert [done.w.item() for done in walk(bowl, method, 3)] == [8.0, 4.0, 3.0, 1.75]
    shifted = kavg.Problem(QUADRATIC, kavg.oracles.Shifted(3.0, kavg.oracles.Noiseless()), 1.0)
    one_way = [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5]]
    for mixing in (one_way, [[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]):
        try:
            laws = kavg.aggregations.Gossip("identity"), kavg.aggregations.Gossip(mixing)
        except kavg.KavgError:
            continue
        apart, mixed = (
            walk(shifted, kavg.Algorithm(3, 2, 0.1, RULES["averaging"], aggregation=law), 1)[1]
            for law in laws
        )
        x = np.tensordot(mixing, apart.state.slots[:, 0], axes=1)
        np.testing.assert_allclose(mixed.state.slots[:, 0], x, rtol=1e-12)
        np.testing.assert_allclose(x.mean(axis=0), mixed.w, rtol=1e-12)


def updates_in_turn_by_hand():
    """u = u - u_before/2 from 8 on: two learners in turn, each one update behind."""
    bowl = kavg.Problem(kavg.objectives.Quadratic((1.0,)), kavg.oracles.Noiseless(), start=8.0)
    law = kavg.aggregations.StaleGradients("constant", mean=1)
    method = kavg.Algorithm(2, 1, 0.5, RULES["averaging"], aggregation=law)
    assert [done.w.item() for done in walk(bowl, method, 3)] == [8.0, 0.0, -2.0, 0.0]


def the_hand_path_with_a_restart():
    """The same, with a memory of zero again at the beginning of round 3."""
    for rule in (RULES["block_momentum"], RULES["nesterov"]):
        method = kavg.Algorithm(2, 3, 1.0, rule, restart=2)
        path = walk(SLOPE, method, 4)
        assert [done.w.item() for done in path] == [0.0, -3.0, -7.5, -10.5, -15.0]
        rest = kavg.meta_iterations(SLOPE, method, seed=5, state=path[2].state)
        assert [next(rest).w.item() for _ in range(2)] == [-10.5, -15.0]


def unequal_shares_by_hand():
    """Gradients w + b_j in steps of 1/2 from 0: groups of 1 and 3, two of four, 1 and 2 steps."""

    def end(b, law, K, start=0.0):
        method = kavg.Algorithm(len(b), K, 0.5, RULES["averaging"], aggregation=law)
        return walk(bowl_of(b, start), method, 1)[1].w.item()

    groups = kavg.aggregations.GroupedLearners(K1=1, groups=(1, 3))
    assert end((0.0, 2.0, 4.0, 6.0), groups, 2) == -2.25
    for scaling in ("unbiased", "normalised"):
        law = kavg.aggregations.SampledLearners(2, (1.0, 2.0, 2.0, 3.0), scaling)
        draw = kavg.base.RoundDraw(seed=5, n=1, R=1)
        p = np.where(law.share(range(4), 4, 1, draw).takes_part[:, 0], law.weights, 0.0)
        whole = 4.0 if scaling == "unbiased" else p.sum()
        moved = -(p @ np.array((0.0, 1.0, 2.0, 5.0))) / whole
        assert abs(end((0.0, 2.0, 4.0, 10.0), law, 1) - moved) < 1e-12
    nova = kavg.aggregations.OwnSteps((1, 2), weights="fednova")
    assert end((0.0, 0.0), nova, 2, start=8.0) == 2.75


def measures_by_hand():
    """Sharpness at a saddle, learners that differ by b = +-1, and an average that is resumed."""
    method = kavg.Algorithm(2, 2, 0.5, RULES["averaging"])
    saddle = kavg.Problem(kavg.objectives.Quadratic((1.0, -4.0)), kavg.oracles.Noiseless(), 0.0)
    found = run(saddle, method, record=["sharpness"])
    np.testing.assert_allclose(found.sharpness, 1.0, rtol=1e-3)
    slope = kavg.Problem(SLOPE.objective, kavg.oracles.Shifted(zeta2=1.0), start=0.0)
    np.testing.assert_array_equal(run(slope, method, record=["spread"]).spread_0[1:], 1.0)
    for name in ("ema", "uniform", "alignment"):
        whole, short = (run(NOISY, method, rounds=n, record=[name]) for n in (4, 2))
        assert same_bits(whole, run(NOISY, method, record=[name], extends=short))


def the_pseudocode():
    """Every rule against the papers' loops, under a schedule, with the same noise."""
    for name, rule in RULES.items():
        spy = SpyOracle(NOISY.oracle)
        method = kavg.Algorithm(3, 4, STEPS, rule)
        path = walk(kavg.Problem(QUADRATIC, spy, start=1.0), method, 4)

        def gradient(w, j, step, spy=spy):
            assert (j, step) in spy.noise
            return QUADRATIC.grad(w, np.empty_like(w)) + spy.noise[j, step][0]

        settings = {"mu": getattr(rule, "mu", 0.0), "alpha": getattr(rule, "alpha", 1.0)}
        settings |= {"nu": getattr(rule, "nu", 1.0)}
        loops = pseudocode(gradient, path[0].w[0], P=3, K=4, gamma=STEPS, rule=name, **settings)
        for done, (w, spread) in zip(path[1:], loops, strict=False):
            np.testing.assert_allclose(done.w[0], w, rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(done.dispersion[0], spread, rtol=1e-8, atol=1e-12)


# --- exact moments (docs/theory.md, section 4), on F = h/2 w^2


def moments_of_a_few_rounds():
    """4.1: mean, variance and learner spread, d = 3 equal eigenvalues, rounds 1..6."""
    h, gamma, K, P, mu, B, d, sigma2, R = 1.0, 0.15, 3, 3, 0.5, 2, 3, 6.0, 1500
    oracle = kavg.oracles.Gaussian(sigma2, B)
    problem = kavg.Problem(kavg.objectives.Quadratic((h,) * d), oracle, start=2.0)
    method = kavg.Algorithm(P, K, gamma, kavg.outer.BlockMomentum(mu))
    r = 1 - gamma * h
    rho, q = r**K, gamma**2 * sigma2 / (B * d * P) * sum(r ** (2 * t) for t in range(K))
    mean, psi, variance = [2.0, 2.0], [0.0, 1.0], 0.0
    for done in walk(problem, method, 6, replicas=R)[1:]:
        mean = [mean[1], (rho + mu) * mean[1] - mu * mean[0]]
        variance += q * psi[1] ** 2
        psi = [psi[1], (rho + mu) * psi[1] - mu * psi[0]]
        count = done.w.size
        assert abs(done.w.mean() - mean[1]) < SIGMAS * (variance / count) ** 0.5
        assert abs(done.w.var() / variance - 1) < SIGMAS * (2 / count) ** 0.5
        error = (2 / (P - 1) / count) ** 0.5
        assert abs(done.dispersion.mean() / (d * (P - 1) * q) - 1) < SIGMAS * error


def the_stationary_law():
    """4.3: the variance long after the start, with its inflation by block momentum."""
    h, gamma, K, P, mu, R = 1.0, 0.3, 4, 4, 0.6, 3000
    problem = kavg.Problem(kavg.objectives.Quadratic((h,)), kavg.oracles.Gaussian(1.0), start=0.0)
    method = kavg.Algorithm(P, K, gamma, kavg.outer.BlockMomentum(mu))
    rho = (1 - gamma * h) ** K
    inflation = (1 + mu) * (1 + rho) / ((1 - mu) * (1 + rho + 2 * mu))
    variance = gamma / (P * h * (2 - gamma * h)) * inflation
    w = walk(problem, method, 25, replicas=R)[-1].w
    assert abs(w.var() / variance - 1) < SIGMAS * (2 / R) ** 0.5


def the_energy_without_noise():
    """4.4: the sum of (E w_n)^2 over all rounds, with the mean of many learners."""
    h, gamma, K, P, mu = 1.0, 0.2, 3, 2, 0.5
    problem = kavg.Problem(kavg.objectives.Quadratic((h,)), kavg.oracles.Noiseless(), start=1.0)
    method = kavg.Algorithm(P, K, gamma, kavg.outer.BlockMomentum(mu))
    rho = (1 - gamma * h) ** K
    above = (1 - mu) ** 2 * (1 + mu) + 2 * mu * (1 - rho)
    energy = above / ((1 - mu) * (1 - rho) * (1 + rho + 2 * mu))
    total = sum(done.w.item() ** 2 for done in walk(problem, method, 120))
    assert abs(total / energy - 1) < 1e-12


def the_polynomial_of_nesterov():
    """4.8: ``w_{n+1} = rho ((1 + mu) w_n - mu w_{n-1})``, with the learners' mean."""
    h, gamma, K, P, mu = 1.0, 0.2, 3, 2, 0.5
    problem = kavg.Problem(kavg.objectives.Quadratic((h,)), kavg.oracles.Noiseless(), start=1.0)
    method = kavg.Algorithm(P, K, gamma, kavg.outer.NesterovMomentum(mu))
    rho, path = (1 - gamma * h) ** K, [1.0, 1.0]
    for done in walk(problem, method, 8):
        assert abs(done.w.item() - path[1]) < 1e-13
        path = [path[1], rho * ((1 + mu) * path[1] - mu * path[0])]


# --- verdicts: a measured run held against the theorems


def not_violated(problem, method, *, rounds, replicas):
    """No bound is violated and at least one holds, or is attained too closely to say."""
    measured = kavg.simulate(problem, method, rounds=rounds, replicas=replicas, seed=5)
    given = check_bounds(problem, [method], [measured], rounds=rounds, level=1e-5)
    outcomes = {verdict.outcome for verdict in given}
    assert Outcome.VIOLATED not in outcomes
    assert outcomes & {Outcome.HOLDS, Outcome.INCONCLUSIVE}


def verdict_on_noise():
    """Near the stationary law of a quadratic, where the sharp bound leaves little room."""
    problem = kavg.Problem(
        kavg.objectives.Quadratic((1.0,) * 3),
        kavg.oracles.Gaussian(sigma2=6.0, B=3),
        kavg.starts.Normal(scale=0.05),
    )
    method = kavg.Algorithm(4, 2, 0.004, kavg.outer.BlockMomentum(0.5))
    not_violated(problem, method, rounds=250, replicas=120)


def verdict_on_progress():
    """Without noise and from afar: the optimization term alone."""
    problem = kavg.Problem(kavg.objectives.Logarithm(dim=2), kavg.oracles.Noiseless(), start=1.0)
    not_violated(problem, kavg.Algorithm(3, 2, 0.04, RULES["averaging"]), rounds=200, replicas=1)
    momentum = kavg.Algorithm(3, 2, 0.02, kavg.outer.BlockMomentum(0.5))
    not_violated(problem, momentum, rounds=200, replicas=1)


def verdict_where_attained():
    """K = 1, mu = 0, L gamma = 1 on the triangular wave: Theorem 1 leaves no room at all."""
    noise = kavg.oracles.Gaussian(sigma2=0.04, B=2)
    problem = kavg.Problem(kavg.objectives.TriangularWave(dim=2), noise, start=0.5)
    method = kavg.Algorithm(4, 1, 1.0, RULES["averaging"])
    not_violated(problem, method, rounds=40, replicas=100)


@dataclass(frozen=True)
class Check:
    name: str
    kind: str
    run: Callable[[], None]


CHECKS = (
    Check("tiles", "law 2", tiles_keep_the_bits),
    Check("one seed", "law 3", one_seed_one_run),
    Check("noise", "law 4", noise_is_all_different),
    Check("P = 1", "law 5", without_noise_p_learners_are_one),
    Check("K steps", "law 6", every_block_has_k_steps),
    Check("resume", "law 8", resuming_changes_nothing),
    Check("hand path", "law 10", the_hand_path),
    Check("optimizers", "law", local_optimizers_by_hand),
    Check("accumulation", "law", accumulation_by_hand),
    Check("own iterates", "law", own_iterates_by_hand),
    Check("in turn", "law", updates_in_turn_by_hand),
    Check("restart", "law 10", the_hand_path_with_a_restart),
    Check("unequal shares", "law", unequal_shares_by_hand),
    Check("measures", "law", measures_by_hand),
    Check("pseudocode", "law", the_pseudocode),
    Check("moments", "exact", moments_of_a_few_rounds),
    Check("stationary", "exact", the_stationary_law),
    Check("energy", "exact", the_energy_without_noise),
    Check("Nesterov", "exact", the_polynomial_of_nesterov),
    Check("noise floor", "verdict", verdict_on_noise),
    Check("progress", "verdict", verdict_on_progress),
    Check("attained", "verdict", verdict_where_attained),
)
