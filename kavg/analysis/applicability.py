"""What a theorem is told of a problem and an algorithm, and whether it speaks of them."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite, nan
from typing import Final

from kavg.analysis.bounds.bound import Bound, Quantity
from kavg.analysis.bounds.setting import Condition, Setting
from kavg.base import Constant, NoiseConstants, Objective, Outer, unknown
from kavg.outer import KINDS, SlowMo
from kavg.problem import Algorithm

LARGE: Final = 1e50
DIVISORS: Final = ("gamma", "L", "pl")


def make_setting(
    objective: Objective, noise: NoiseConstants, algorithm: Algorithm, N: int, Delta: float
) -> Setting | str:
    """The letters of the theorems for a run of ``N`` rounds, or why no theorem here is about it.

    Block momentum, averaging (``mu = 0``) and SlowMo with ``alpha = 1``, which is block momentum
    as long as gamma is constant; a constant gamma; ``Delta = F(w_1) - f_star``.  A ``pl`` above L
    is left out: one of the two is wrong, and the theorems without it can tell which.

    >>> from kavg import Algorithm, objectives, oracles, outer
    >>> bowl, noise = objectives.Quadratic(spectrum=(1.0,)), oracles.Gaussian(sigma2=2.0)
    >>> method = Algorithm(P=4, K=2, gamma=0.1, outer=outer.NesterovMomentum(mu=0.5))
    >>> make_setting(bowl, noise.constants(bowl), method, N=9, Delta=1.0)
    'no theorem here is about the outer rule nesterov'
    """
    rule = rule_name(algorithm.outer)
    if rule not in ("averaging", "block_momentum", "slowmo"):
        return f"no theorem here is about the outer rule {rule}"
    if isinstance(algorithm.outer, SlowMo) and algorithm.outer.alpha != 1:
        return f"the theorems are about slowmo with alpha = 1, not {algorithm.outer.alpha:g}"
    gamma = algorithm.step_size(1)
    if callable(algorithm.gamma) and any(algorithm.gamma(n) != gamma for n in range(2, N + 1)):
        return "gamma changes from round to round; the theorems are for a constant step"
    if Delta < 0:
        return f"F(w_1) - f_star = {Delta:.4g} is negative: f_star is wrong"
    pl = gather_constants(objective, noise)["pl"].value
    told = Setting(
        P=algorithm.P,
        K=algorithm.K,
        B=noise.B,
        N=N,
        gamma=gamma,
        mu=float(getattr(algorithm.outer, "mu", 0.0)),
        L=objective.L.value,
        Delta=Delta,
        sigma2=noise.M.value,
        M_v=noise.M_v.value,
        zeta2=noise.zeta2.value,
        pl=pl if 0 < pl <= objective.L.value else nan,
    )
    return _reason_out_of_range(told) or told


def _reason_out_of_range(s: Setting) -> str:
    """Which number is so large or small that products of a few of them leave the floats."""
    for name in ("gamma", "L", "pl", "Delta", "sigma2", "M_v", "zeta2"):
        value = getattr(s, name)
        if LARGE < value < inf or (name in DIVISORS and 0 < value < 1 / LARGE):
            return (
                f"{name} = {value:.4g} is beyond what bounds are computed for; rescale the problem"
            )
    return ""


def gather_constants(objective: Objective, noise: NoiseConstants) -> Mapping[str, Constant]:
    """Every constant a theorem may rest on, by its letter."""
    pl: Constant = getattr(objective, "pl", unknown(""))
    return {
        "L": objective.L,
        "f_star": objective.f_star,
        "sigma2": noise.M,
        "M_v": noise.M_v,
        "zeta2": noise.zeta2,
        "pl": pl,
    }


def estimated_constants(bound: Bound, constants: Mapping[str, Constant]) -> tuple[str, ...]:
    """The constants that are measurements, among those this bound rests on."""
    needed = (name for name in constants if name != "pl" or bound.quantity == "final_gap")
    return tuple(name for name in needed if constants[name].how == "estimated")


def rule_name(outer: Outer) -> str:
    """The name of an outer rule in a settings file, or that of its class."""
    names = {cls: kind for kind, cls in KINDS.items()}
    return names.get(type(outer), type(outer).__name__)


def check_applicability(
    bound: Bound, algorithm: Algorithm, setting: Setting, constants: Mapping[str, Constant]
) -> tuple[tuple[Condition, ...], str]:
    """The conditions of a bound (none where it is about other things), and why it does not apply.

    ``mu = 0`` is averaging under whatever name.
    """
    rule = rule_name(algorithm.outer)
    if rule not in bound.outer_rules and not (setting.mu == 0 and "averaging" in bound.outer_rules):
        return (), f"it is about {' and '.join(bound.outer_rules)}, not {rule}"
    why = bound.scope(setting)
    if why:
        letter = why.split()[0]
        source = constants[letter].source if letter in constants else ""
        blank = letter in constants and constants[letter].how == "unknown" and source
        return (), f"{why} ({source})" if blank else why
    conditions = bound.conditions(setting)
    failed = [f"{c.name}: {c.left:.4g} > {c.right:.4g}" for c in conditions if not c.met]
    if failed:
        return conditions, f"{'; '.join(failed)}; {_nearest_gamma(bound.largest_gamma(setting))}"
    return conditions, "" if isfinite(bound.value(setting).total) else "its value is not finite"


def _nearest_gamma(gamma: float) -> str:
    """The nearest gamma that would do."""
    return f"gamma <= {gamma:.4g} meets it" if gamma > 0 else "no gamma meets it"


def smoothness_bound(setting: Setting, quantity: Quantity) -> float:
    """What is known of the quantity at the start, before any theorem: section 3.0.

    ``||grad F(w_1)||^2 <= 2 L Delta``, and the gap is ``Delta``.
    """
    return setting.Delta if quantity == "final_gap" else 2 * setting.L * setting.Delta
