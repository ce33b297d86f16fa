"""SlowMo's step condition, as printed and with the bracket squared (docs/theory.md, 6.4).

On a quadratic the base optimizer has no effect and everything is exact: a ratio above 1 refutes the
condition that let it through.  Run it with
``python experiments/theory/slowmo.py [settings] [seed]``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np

from kavg.analysis.bounds import Condition, Setting
from kavg.analysis.bounds.slowmo_squared import SlowMoSquared, printed_condition, step_bracket

ROUNDING = 1e-9


@dataclass(frozen=True)
class Case:
    """``F = (h/2) w^2`` from ``w_1 = 1``; the L of the theorem is at least h."""

    setting: Setting
    h: float
    alpha: float = 1.0


def printed(case: Case) -> Condition:
    """The condition of the review copy."""
    return printed_condition(case.setting, case.alpha)


def squared(case: Case) -> Condition:
    """The condition with the bracket squared, as its square root."""
    return SlowMoSquared(case.alpha, base_effect=0.0).conditions(case.setting)[0]


def counterexample(condition: Callable[[Case], Condition], sigma2: float = 0.0) -> Case:
    """The case m = 4, tau = 8, beta = 0.8, T = 1024 with the condition met with equality."""
    case = Case(Setting(4, 8, 1, 1024, gamma=1.0, mu=0.8, L=1.0, Delta=0.5, sigma2=sigma2), h=1.0)
    return at_equality(case, condition)


def at_equality(case: Case, condition: Callable[[Case], Condition]) -> Case:
    """The same with gamma at the condition's end."""
    root = sqrt(step_bracket(case.setting, case.alpha))
    scaled = root if condition is printed else root * root
    gamma = (1 - case.setting.mu) / (case.alpha * scaled * case.setting.L)
    return Case(case.setting.replace(gamma=gamma), case.h, case.alpha)


def ratio(case: Case) -> float:
    """The exact mean of ``E||grad F||^2`` over all local steps over SlowMo's bound.

    With momentum and alpha ``w_{n+1} = (1 + alpha(rho-1) + mu) w_n - mu w_{n-1} + alpha eps_n``,
    whose second moments follow (3) of docs/theory.md, section 4.1; between averagings
    ``E x_{n,k}^2 = r^(2k) E w_n^2 + gamma^2 (s2/P) (1 + r^2 + ... + r^(2(k-1)))``.
    """
    s, alpha = case.setting, case.alpha
    r = 1 - s.gamma * case.h
    noise = s.gamma**2 * s.sigma2 / (s.P * s.B)
    kept = [r ** (2 * k) for k in range(s.K)]
    added = [noise * sum(kept[:k]) for k in range(s.K + 1)]
    a = 1 + alpha * (r**s.K - 1) + s.mu
    now = before = lagged = 1.0
    total = 0.0
    for _ in range(s.N):
        total += now * sum(kept) + sum(added[:-1])
        following = a * a * now - 2 * a * s.mu * lagged + s.mu**2 * before + alpha**2 * added[-1]
        now, before, lagged = following, now, a * now - s.mu * lagged
        if now > 1e300:  # the recursion blew up: no bound holds
            return inf
    return case.h**2 * total / (s.N * s.K) / SlowMoSquared(alpha, 0.0).value(s).total


def random_cases(count: int, seed: int) -> Iterator[Case]:
    """Settings over the whole range of SlowMo's theorem; half of them at ``h = L``."""
    rng = np.random.Generator(np.random.PCG64(seed))
    for _ in range(count):
        h = float(rng.choice([1.0, 10 ** rng.uniform(-3, 0)]))
        s = Setting(
            P=int(rng.choice([1, 2, 4, 8, 32])),
            K=int(rng.choice([1, 2, 4, 8, 16, 48])),
            B=1,
            N=int(10 ** rng.uniform(0, 3.3)),
            gamma=1.0,
            mu=float(rng.choice([0.0, 0.2, 0.4, 0.6, 0.8, 0.9])),
            L=1.0,
            Delta=h / 2,
            sigma2=float(rng.choice([0.0, 10 ** rng.uniform(-6, 1)])),
        )
        yield Case(s, h, alpha=float(rng.choice([0.25, 0.5, 1.0, 1.0])))


def worst(condition: Callable[[Case], Condition], count: int, seed: int) -> tuple[Case, float, int]:
    """The worst of random settings at a condition's end: the case, its ratio, how many above 1."""
    cases = [at_equality(case, condition) for case in random_cases(count, seed)]
    assert all(condition(case).met for case in cases)
    found = np.array([ratio(case) for case in cases])
    i = int(found.argmax())
    return cases[i], float(found[i]), int(np.sum(found > 1 + ROUNDING))


def main(count: int = 4000, seed: int = 1) -> int:
    """Print both conditions' worst ratios and the counterexample; violations of the squared one."""
    print(f"SlowMo on {count} random quadratics, seed {seed}, each at the condition's end\n")
    print(f"{'condition':12} {'largest':>8} {'above 1':>8}  at")
    above = {}
    for name, condition in (("as printed", printed), ("squared", squared)):
        case, largest, above[name] = worst(condition, count, seed)
        s = case.setting
        where = (
            f"tau={s.K} beta={s.mu:g} alpha={case.alpha:g} m={s.P} T={s.N} sigma2={s.sigma2:.2g}"
        )
        print(f"{name:12} {largest:8.4f} {above[name]:8d}  {where}")
    print("\nm=4 tau=8 beta=0.8 alpha=1 T=1024, each condition met with equality:")
    for name, condition in (("as printed", printed), ("squared", squared)):
        without, with_noise = (ratio(counterexample(condition, sigma2)) for sigma2 in (0.0, 1e-3))
        print(f"{name:12} {without:8.4f} without noise, {with_noise:.4f} with sigma2 = 0.001")
    return above["squared"]


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])) > 0)
