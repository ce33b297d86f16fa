"""The claims about scaling, each with its limits and whether it stands.

``python experiments/theory/scaling.py [REPLICAS]`` prints the table; 256 replicas by default.  A
slope is that of ``log m`` against ``log x`` over a ladder, with a confidence interval at ``LEVEL``
(kavg.analysis.rates); "floor" is the mean of ``||grad F(w_n)||^2`` over the later rounds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

import kavg
from kavg.analysis.estimate import paired_difference
from kavg.analysis.exact import best_momentum, eigen_problem
from kavg.analysis.exact.heavy_ball import contraction, variance_inflation
from kavg.analysis.rates import Slope, slope
from kavg.base import Floats

LEVEL = 0.999
"""Of every interval below: of some 16, one misses its value in one seed of 60."""
PS = (1, 2, 4, 8, 16)
H = np.array([0.3, 1.0])
QUADRATIC = kavg.Problem(kavg.objectives.Quadratic(tuple(H)), kavg.oracles.Gaussian(sigma2=1.0))
WELL = kavg.objectives.DoubleWell(dim=2, b=1.3)
IN_A_WELL = kavg.Problem(WELL, kavg.oracles.Gaussian(sigma2=0.3), start=WELL.well)


@dataclass(frozen=True)
class Claim:
    """What was claimed, what was measured, what it should be, and whether that agrees."""

    words: str
    measured: str
    expected: str
    stands: bool


def method(P: int, K: int, gamma: float, mu: float = 0.0) -> kavg.Algorithm:
    """Block momentum, or averaging at ``mu = 0``."""
    return kavg.Algorithm(P, K, gamma, kavg.outer.BlockMomentum(mu))


def floor(
    problem: kavg.Problem, algorithm: kavg.Algorithm, rounds: int, R: int, burn: float = 0.4
) -> Floats:
    """Mean of ``||grad F||^2`` over the rounds after ``burn``, for each replica, ``(R,)``."""
    run = kavg.simulate(problem, algorithm, rounds=rounds, replicas=R, seed=1)
    return np.asarray(run.grad_norm2[int(burn * rounds) :].mean(axis=0))


def slope_claim(words: str, found: Slope, beta: float, note: str = "") -> Claim:
    """The slope is ``beta``."""
    return Claim(words, str(found), f"{beta:.3f}{note}", found.contains(beta))


def falls_like_1_over_P(R: int) -> list[Claim]:
    """The noise floor, on a quadratic and in a well of a nonconvex function."""
    claims = []
    for name, problem in (("a quadratic", QUADRATIC), ("a double well", IN_A_WELL)):
        for mu in (0.0, 0.5):
            gamma = 0.1 if problem is QUADRATIC else 0.02
            floors = [floor(problem, method(P, 4, gamma, mu), 300, R) for P in PS]
            words = f"floor against P on {name}, mu = {mu}"
            claims.append(slope_claim(words, slope(PS, floors, LEVEL), -1.0))
    return claims


def grows_like_1_over_1_minus_mu(R: int) -> list[Claim]:
    """At small gamma h K the slope is 1; on quadratics at larger ones it is that of VIF."""
    mus = np.array([0.0, 0.3, 0.5, 0.7, 0.8])
    claims = []
    for gamma, rounds in ((0.01, 2500), (0.3, 300)):
        floors = [floor(QUADRATIC, method(4, 4, gamma, mu), rounds, R) for mu in mus]
        found = slope(1 / (1 - mus), floors, LEVEL)
        weights = H / (2 - gamma * H)
        exact = [
            [np.sum(weights * variance_inflation(contraction(gamma * H, 4), mu))] for mu in mus
        ]
        beta = slope(1 / (1 - mus), exact).value
        words = f"floor against 1/(1-mu), gamma K = {4 * gamma:g}"
        claims.append(slope_claim(words, found, beta, " (VIF, 4.3)"))
        claims.append(
            Claim(f"{words}: at most 1", str(found), "low < 1", found.low < 1)
            if gamma < 0.1
            else Claim(f"{words}: less than 1", str(found), "high < 1", found.high < 1)
        )
    return claims


def does_not_depend_on_K(R: int) -> list[Claim]:
    """On quadratics with mu = 0 the floor is ``gamma s^2/(P h (2 - gamma h))``, whatever K."""
    Ks = (1, 2, 4, 8, 16)
    floors = [floor(QUADRATIC, method(4, K, 0.1), max(60, 2400 // K), R) for K in Ks]
    return [slope_claim("floor against K on a quadratic, mu = 0", slope(Ks, floors, LEVEL), 0.0)]


def drift(problem: kavg.Problem, K: int, R: int, steps: int = 48) -> Floats:
    """``||w - w'||^2`` after the same steps with the same noise, averaged every K steps or each."""

    def end(every: int) -> Floats:
        algorithm = method(4, every, 0.1)
        return kavg.simulate(problem, algorithm, rounds=steps // every, replicas=R, seed=3).w

    return np.square(end(K) - end(1)).sum(axis=-1)


def drift_grows_with_K(R: int) -> list[Claim]:
    """Zero on quadratics (to rounding); elsewhere it grows with K."""
    Ks = (2, 4, 8, 16)
    largest = max(float(drift(QUADRATIC, K, R).max()) for K in Ks)
    claims = [Claim("drift on a quadratic", f"{largest:.1e}", "0 to rounding", largest < 1e-25)]
    bowl = kavg.Problem(kavg.objectives.Logarithm(dim=2), kavg.oracles.Gaussian(1.0), start=1.0)
    for name, problem in (("log(1 + w^2)", bowl), ("a double well", IN_A_WELL)):
        found = slope(Ks, [drift(problem, K, R) for K in Ks], LEVEL)
        claims.append(Claim(f"drift against K, {name}", str(found), "low > 0", found.low > 0))
    return claims


def speed_up_until_drift(R: int) -> list[Claim]:
    """In a skew well the floor falls like 1/P, then levels out at a drift that K = 1 has not."""
    few, many = (2, 4, 8), (128, 256, 512)

    def found(Ps: Sequence[int], K: int, R: int) -> Slope:
        rounds = 60 if K > 1 else 400
        return slope(Ps, [floor(IN_A_WELL, method(P, K, 0.2), rounds, R) for P in Ps], LEVEL)

    # Few learners are cheap, and their slope is to be told from -0.9.
    first, last = found(few, 16, 4 * R), found(many, 16, R)
    without = found((2, 8, 32, 128), 1, R)
    return [
        # Near -1 and not -1: drift adds a constant, and the slope of the rest is -0.98 still.
        Claim("speed-up in P, K = 16, P = 2..8", str(first), "high < -0.9", first.high < -0.9),
        Claim("the same, P = 128..512", str(last), "low > -0.8: drift", last.low > -0.8),
        slope_claim("the same without drift, K = 1, P = 2..128", without, -1.0),
    ]


CELLS = [(0.05, 30, K) for K in (1, 4, 16)] + [(0.05, 200, K) for K in (1, 4, 16)]
CELLS += [(0.2, 30, 1), (0.2, 30, 4)]
BOWL = kavg.objectives.Quadratic(kavg.objectives.LogSpectrum(0.01, 1.0, dim=20))
PS_OF_TABLE = (1, 4, 16, 64)


def best_mu_table() -> dict[tuple[float, int, int], Floats]:
    """Section 6.5: (gamma, N, K) to the best mu for P = 1, 4, 16, 64, on a grid of .01."""
    problem = eigen_problem(BOWL.eigenvalues, m_0=1.0, mean=1.0)
    return {
        (gamma, N, K): best_momentum(problem, P=PS_OF_TABLE, K=K, gamma=gamma, N=N).mu
        for gamma, N, K in CELLS
    }


def best_mu_moves() -> list[Claim]:
    """Up with P; down with K, with N and with gamma, all else equal."""
    table = best_mu_table()

    def ordered(pairs: list[tuple[Floats, Floats]]) -> tuple[str, bool]:
        rises = np.concatenate([more - less for less, more in pairs])
        words = f"{np.sum(rises > 0)} so, {np.sum(rises == 0)} level, {np.sum(rises < 0)} against"
        return words, bool((rises >= 0).all() and (rises > 0).any())

    pairs = {
        "rises with P": [(row[:-1], row[1:]) for row in table.values()],
        "falls with K": [
            (table[gamma, N, 4 * K], table[gamma, N, K])
            for gamma, N, K in CELLS
            if (gamma, N, 4 * K) in table
        ],
        "falls with N": [(table[0.05, 200, K], table[0.05, 30, K]) for K in (1, 4, 16)],
        "falls with gamma": [(table[0.2, 30, K], table[0.05, 30, K]) for K in (1, 4)],
    }
    found = {name: ordered(them) for name, them in pairs.items()}
    return [
        Claim(f"the best mu {name} (exact)", words, "none against", stands)
        for name, (words, stands) in found.items()
    ]


def best_mu_by_simulation(R: int) -> list[Claim]:
    """Two cells of 6.5: F at the best mu is below F at the mu's around it, same noise."""
    problem = kavg.Problem(BOWL, kavg.oracles.Gaussian(sigma2=20.0), start=1.0)
    claims = []
    for N, K, P, best in ((30, 4, 16, 0.70), (30, 16, 64, 0.64)):

        def F(mu: float, N: int = N, K: int = K, P: int = P) -> Floats:
            return kavg.simulate(
                problem, method(P, K, 0.05, mu), rounds=N, replicas=R, seed=1, every=N
            ).F[-1]

        there, gaps = F(best), []
        for mu in (0.0, best - 0.2, best + 0.15):
            gap = paired_difference(F(mu), there, LEVEL)
            gaps.append((f"{gap.mean:.4f} > {gap.low:.4f}", float(gap.low)))
        words = f"F at mu = 0, {best - 0.2:.2f}, {best + 0.15:.2f} less F at {best} (K={K}, P={P})"
        stands = all(low > 0 for _, low in gaps)
        claims.append(Claim(words, "; ".join(text for text, _ in gaps), "low > 0", stands))
    return claims


MEASURED: tuple[Callable[[int], list[Claim]], ...] = (
    falls_like_1_over_P,
    grows_like_1_over_1_minus_mu,
    does_not_depend_on_K,
    drift_grows_with_K,
    speed_up_until_drift,
    best_mu_by_simulation,
)


def main(replicas: int = 256) -> None:
    """Print the tables."""
    claims = best_mu_moves() + [claim for claims in MEASURED for claim in claims(replicas)]
    print("| claim | measured | expected | stands |\n|---|---|---|---|")
    for claim in claims:
        stands = "yes" if claim.stands else "NO"
        print(f"| {claim.words} | {claim.measured} | {claim.expected} | {stands} |")
    print("\n| gamma | N | K | " + " | ".join(f"P={P}" for P in PS_OF_TABLE) + " |")
    print("|---|---|---|" + "---|" * len(PS_OF_TABLE))
    for (gamma, N, K), mus in best_mu_table().items():
        print(f"| {gamma} | {N} | {K} | " + " | ".join(f"{mu:.2f}" for mu in mus) + " |")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
