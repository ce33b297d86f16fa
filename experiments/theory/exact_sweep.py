"""Every theorem against exact second moments on random quadratics (docs/theory.md, 6.1).

There is no sampling error: one ratio above 1 would be a counterexample.  Run it with
``python experiments/theory/exact_sweep.py [settings] [seed]``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np

from kavg.analysis.bounds import BOUNDS, Bound, Setting
from kavg.analysis.bounds.slowmo_squared import SlowMoSquared
from kavg.analysis.bounds.theorem_1 import Theorem1
from kavg.analysis.bounds.theorem_1s import Theorem1S
from kavg.base import Floats

DIMENSIONS = 5
MOMENTA = (0.0, 0.2, 0.5, 0.8, 0.9, 0.95)
SHARES = (1.0, 0.9, 0.5, 0.1, 0.01)
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Quadratics:
    """Settings with their quadratics: ``h, w_1, s2 (settings, d)``, ``share (settings,)``.

    Eigenvalues, start and one example's noise variance stand along each eigenvector; rows of fewer
    dimensions are filled with zeros.  ``share`` is gamma over the largest that a theorem allows.
    """

    settings: tuple[Setting, ...]
    h: Floats
    w_1: Floats
    s2: Floats
    share: Floats


def random_quadratics(count: int, seed: int) -> Quadratics:
    """Up to 5 dimensions, condition up to 1000, noise over 4 decades, one in eight without."""
    rng = np.random.Generator(np.random.PCG64(seed))
    L = 10 ** rng.uniform(-1, 1, count)
    there = np.arange(DIMENSIONS) < rng.integers(1, DIMENSIONS + 1, count)[:, None]
    h = there * L[:, None] * 10 ** rng.uniform(-3, 0, (count, DIMENSIONS))
    h[:, 0] = L
    w_1 = there * rng.standard_normal((count, DIMENSIONS)) * 10 ** rng.uniform(-1, 1, (count, 1))
    gap = np.sum(h * w_1**2, axis=1) / 2
    s2 = there * rng.dirichlet(np.ones(DIMENSIONS), count)
    s2 *= (L * gap * 10 ** rng.uniform(-3, 1, count) * (rng.random(count) > 1 / 8))[:, None]
    settings = tuple(
        Setting(
            P=int(rng.choice([1, 2, 3, 4, 8, 16, 64])),
            K=int(rng.choice([1, 2, 3, 4, 8, 16, 32])),
            B=int(rng.choice([1, 4])),
            N=int(10 ** rng.uniform(0, np.log10(400))),
            gamma=1.0,
            mu=float(rng.choice(MOMENTA)),
            L=float(L[i]),
            Delta=float(gap[i]),
            sigma2=float(np.sum(s2[i])),
            M_v=float(rng.choice([0.0, 0.3, 3.0])),
            pl=float(h[i][there[i]].min()),
        )
        for i in range(count)
    )
    return Quadratics(settings, h, w_1, s2, rng.choice(SHARES, count))


def grid(
    K: int, mu: float, rounds: Iterable[int] = (1, 2, 5, 10, 30, 100, 300, 1000)
) -> Quadratics:
    """All of gamma, N, noise and P for one curvature L = 1 and one K and mu."""
    rows = [
        (Setting(P, K, 1, N, gamma=1.0, mu=mu, L=1.0, Delta=0.5, sigma2=sigma2, pl=1.0), share)
        for P, N, sigma2, share in product((1, 8), rounds, (0, 1e-3, 0.1, 10.0), SHARES)
    ]
    one = np.ones((len(rows), 1))
    s2 = np.array([[s.sigma2] for s, _ in rows])
    return Quadratics(tuple(s for s, _ in rows), one, one, s2, np.array([x for _, x in rows]))


def asked(bound: Bound, quadratics: Quadratics) -> tuple[Setting, ...]:
    """The settings as a theorem is asked: its kind of momentum and noise, its share of gamma.

    A theorem that does not cover K local steps is asked for one.
    """
    settings = []
    for setting, share in zip(quadratics.settings, quadratics.share, strict=True):
        mu = setting.mu if "block_momentum" in bound.outer_rules else 0.0
        s = setting.replace(mu=mu, M_v=setting.M_v if bound.name == "affine_variance" else 0.0)
        s = s.replace(K=1) if bound.exclusion(s) else s
        settings.append(s.replace(gamma=share * bound.largest_gamma(s)))
    return tuple(settings)


def second_moments(quadratics: Quadratics, settings: tuple[Setting, ...]) -> tuple[Floats, Floats]:
    """``(1/N) sum_{n=1..N} E w_n^2`` and ``E w_{N+1}^2`` along each eigenvector, exact.

    The recursion (3) of docs/theory.md, section 4.1, with the noise of section 4.6, whose growth
    with the gradient is exact in one dimension.
    """
    P, K, B, N, gamma, mu, M_v = (
        np.array([[getattr(s, letter)] for s in settings], dtype=float)
        for letter in ("P", "K", "B", "N", "gamma", "mu", "M_v")
    )
    h, s2 = quadratics.h, quadratics.s2
    r = 1 - gamma * h
    rho, a2 = r**K, r**2 + gamma**2 * M_v / B * h**2
    a = rho + mu
    q_0 = gamma**2 * s2 / (B * P) * powers(a2, K)
    q_1 = (a2**K - rho**2) / P
    now = before = lagged = quadratics.w_1**2
    total, last = np.zeros_like(now), np.zeros_like(now)
    for n in range(1, int(N.max()) + 1):
        total += np.where(n <= N, now, 0.0)
        following = a**2 * now - 2 * a * mu * lagged + mu**2 * before + q_0 + q_1 * now
        now, before, lagged = following, now, a * now - mu * lagged
        last = np.where(n == N, now, last)
    return total / N, last


def powers(base: Floats, K: Floats) -> Floats:
    """``1 + base + ... + base^(K-1)``, term by term: the closed form loses digits near 1."""
    terms = (np.where(t < K, base**t, 0.0) for t in range(int(K.max())))
    return np.asarray(sum(terms))


def measured(bound: Bound, quadratics: Quadratics, settings: tuple[Setting, ...]) -> Floats:
    """What the theorem bounds, exact, ``(settings,)``."""
    mean, last = second_moments(quadratics, settings)
    h = quadratics.h
    if bound.quantity == "final_gap":
        return np.sum(h * last, axis=1) / 2
    if bound.quantity == "mean_grad_norm2_local":
        mean = along_the_way(mean, quadratics, settings)
    return np.sum(h**2 * mean, axis=1)


def along_the_way(mean: Floats, quadratics: Quadratics, settings: tuple[Setting, ...]) -> Floats:
    """The mean of ``E x_{n,k}^2`` over rounds and local steps, x the mean of the learners.

    ``E x_{n,k}^2 = r^(2k) E w_n^2 + gamma^2 (s2/(B P)) (1 + r^2 + ... + r^(2(k-1)))``.
    """
    P, K, B, gamma = (
        np.array([[getattr(s, letter)] for s in settings], dtype=float)
        for letter in ("P", "K", "B", "gamma")
    )
    r2 = (1 - gamma * quadratics.h) ** 2
    noise = gamma**2 * quadratics.s2 / (B * P)
    steps = range(int(K.max()))
    local = (np.where(k < K, r2**k * mean + noise * powers(r2, k + 0 * K), 0.0) for k in steps)
    return np.asarray(sum(local)) / K


def ratios(bound: Bound, quadratics: Quadratics) -> Floats:
    """Measured over bound; every setting is within the theorem's scope and conditions."""
    if bound.name == "affine_variance":
        quadratics = first_dimension(quadratics)
    settings = asked(bound, quadratics)
    for setting in settings:
        assert not bound.exclusion(setting), bound.exclusion(setting)
        assert all(condition.met for condition in bound.conditions(setting))
    allowed = np.array([bound.value(setting).total for setting in settings])
    found = measured(bound, quadratics, settings)
    # A step of exactly 1/h without noise ends at the minimum: 0 of 0 allowed.
    return np.divide(found, allowed, out=np.zeros_like(found), where=found > 0)


def first_dimension(quadratics: Quadratics) -> Quadratics:
    """Only the largest eigenvalue's direction, where growing variance is solved exactly."""
    h, w_1, s2 = (part[:, :1] for part in (quadratics.h, quadratics.w_1, quadratics.s2))
    settings = tuple(
        s.replace(Delta=float(h[i, 0] * w_1[i, 0] ** 2 / 2), sigma2=float(s2[i, 0]), pl=s.L)
        for i, s in enumerate(quadratics.settings)
    )
    return Quadratics(settings, h, w_1, s2, quadratics.share)


def on_quadratics(bounds: Iterable[Bound] = BOUNDS) -> tuple[Bound, ...]:
    """The bounds, SlowMo's with a base effect of 0, which is exact on quadratics."""
    exact = SlowMoSquared(base_effect=0.0)
    return tuple(exact if bound.name == exact.name else bound for bound in bounds)


def main(count: int = 6000, seed: int = 1) -> int:
    """Print the tables of docs/theory.md, section 6.1; the number of violations."""
    quadratics, broken = random_quadratics(count, seed), 0
    print(f"exact sweep: {count} random quadratics, seed {seed}; measured over bound\n")
    print(f"{'bound':28} {'largest':>9} {'median':>8} {'above 1':>8}  at")
    for bound in on_quadratics():
        found = ratios(bound, quadratics)
        i, above = int(found.argmax()), int(np.sum(found > 1 + ROUNDING))
        s = asked(bound, quadratics)[i]
        where = f"K={s.K} mu={s.mu:g} P={s.P} N={s.N} L gamma K={s.x:.4g}"
        print(f"{bound.name:28} {found[i]:9.6f} {np.median(found):8.4f} {above:8d}  {where}")
        broken += above
    for bound in (Theorem1(), Theorem1S()):
        print(f"\n{bound.name}: largest ratio at curvature L over gamma, N, noise and P")
        print("        " + "".join(f"mu={mu:<6g}" for mu in MOMENTA))
        for K in (1, 4, 32):
            row = [ratios(bound, grid(K, mu)) for mu in MOMENTA]
            print(f"  K={K:<3} " + "".join(f"{worst.max():8.3f} " for worst in row))
            broken += sum(int(np.sum(worst > 1 + ROUNDING)) for worst in row)
    print(f"\n{broken} above 1")
    return broken


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])) > 0)
