"""The constants that theorems need, and whether a theorem applies to a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite, nan
from typing import Final, final

from kavg.analysis.bounds.bound import Bound, Quantity
from kavg.analysis.bounds.setting import Condition, Setting
from kavg.base import AdaptivePeriod, Constant, NoiseConstants, Objective, unknown_constant
from kavg.objectives import Linear, Quadratic
from kavg.problem import Algorithm
from kavg.ranges import check_range

_LARGE: Final = 1e50
"""Constants up to this size leave products of a few of them finite."""
_DIVISORS: Final = ("gamma", "L", "pl")
"""Constants that bounds divide by, which may not be too small either."""


@final
@dataclass(frozen=True)
class NotApplicable:
    """The absence of a setting, with the ``reason`` why no theorem applies to a run."""

    reason: str


@final
@dataclass(frozen=True)
class Applicability:
    """Whether a bound applies to a setting: it does if ``reason`` is None.

    ``conditions`` are those on the step, met or not; none where the theorem is about other methods
    or its assumptions exclude the setting, so that no step would do.
    """

    conditions: tuple[Condition, ...]
    reason: str | None


def make_setting(
    objective: Objective, noise: NoiseConstants, algorithm: Algorithm, N: int, Delta: float
) -> Setting | NotApplicable:
    """Return the constants of a run of ``N`` rounds, or the reason why no theorem applies to it.

    ``Delta = F(w_1) - f_star``.  Covered are averaging (``mu = 0``), block momentum, and SlowMo,
    which is block momentum where gamma is constant; all with ``alpha = 1`` and a constant gamma.
    A ``pl`` above L is left out and not rejected.

    >>> from kavg import Algorithm, objectives, oracles, outer
    >>> bowl, noise = objectives.Quadratic(spectrum=(1.0,)), oracles.Gaussian(sigma2=2.0)
    >>> method = Algorithm(P=4, K=2, gamma=0.1, outer=outer.NesterovMomentum(mu=0.5))
    >>> make_setting(bowl, noise.constants(bowl), method, N=9, Delta=1.0)
    NotApplicable(reason='no theorem here covers the outer rule nesterov')
    """
    if reason := _reason_method_not_covered(algorithm, N):
        return NotApplicable(reason)
    if Delta < 0:
        return NotApplicable(f"F(w_1) - f_star = {Delta:.4g} is negative: f_star is wrong")
    pl = gather_constants(objective, noise)["pl"].value
    # pl <= L follows from smoothness, so pl is dropped rather than the run: a wrong L is then found
    # by the theorems that do not need pl.
    setting = Setting(
        P=algorithm.P,
        K=algorithm.count_local_steps(1),
        B=noise.B,
        N=N,
        gamma=algorithm.step_size(1),
        mu=float(getattr(algorithm.outer, "mu", 0.0)),
        L=objective.L.value,
        Delta=Delta,
        sigma2=noise.M.value,
        M_v=noise.M_v.value,
        zeta2=noise.zeta2.value,
        pl=pl if 0 < pl <= objective.L.value else nan,
        is_affine=isinstance(objective, (Quadratic, Linear)),
    )
    reason = _reason_out_of_range(setting)
    return NotApplicable(reason) if reason else setting


def _reason_method_not_covered(algorithm: Algorithm, N: int) -> str | None:
    rule = _kind(algorithm.outer)
    if rule not in ("averaging", "block_momentum", "slowmo"):
        return f"no theorem here covers the outer rule {rule}"
    alpha = float(getattr(algorithm.outer, "alpha", 1.0))
    if alpha != 1:
        return f"the theorems cover {rule} with alpha = 1, not {alpha:g}"
    # A run that ends before its first restart has none.
    if algorithm.restart is not None and algorithm.restart < N:
        return f"the outer memory restarts every {algorithm.restart} rounds; no theorem covers that"
    if not getattr(algorithm.optimizer, "is_plain", False):
        kind = _kind(algorithm.optimizer)
        what = "sgd with clip or weight_decay" if kind == "sgd" else kind
        return f"the theorems are for local steps of plain SGD, not {what}"
    if not algorithm.is_plain:
        return f"the theorems are for the mean of all learners, not {_kind(algorithm.aggregation)}"
    if isinstance(algorithm.K, AdaptivePeriod):
        return "K adapts to the run; the theorems are for a constant K"
    gamma, K = algorithm.step_size(1), algorithm.count_local_steps(1)
    # A schedule is called for every round; a number is constant however large N is.
    if callable(algorithm.gamma) and any(algorithm.step_size(n) != gamma for n in range(2, N + 1)):
        return "gamma changes from round to round; the theorems are for a constant step"
    # After gamma, from which K may follow: with QSR it is constant where gamma is.
    if callable(algorithm.K) and any(algorithm.count_local_steps(n) != K for n in range(2, N + 1)):
        return "K changes from round to round; the theorems are for a constant K"
    return None


def _reason_out_of_range(s: Setting) -> str | None:
    # Infinite and unknown (NaN) constants pass: each theorem decides about those itself.
    for name in ("gamma", "L", "pl", "Delta", "sigma2", "M_v", "zeta2"):
        value = getattr(s, name)
        if _LARGE < value < inf or (name in _DIVISORS and 0 < value < 1 / _LARGE):
            return f"{name} = {value:.4g} is out of the range of the bounds; rescale the problem"
    return None


def gather_constants(objective: Objective, noise: NoiseConstants) -> Mapping[str, Constant]:
    """Return every constant that theorems use, by its letter.

    >>> from kavg import objectives, oracles
    >>> bowl, noise = objectives.Quadratic(spectrum=(1.0, 4.0)), oracles.Gaussian(sigma2=2.0)
    >>> {name: c.value for name, c in gather_constants(bowl, noise.constants(bowl)).items()}
    {'L': 4.0, 'f_star': 0.0, 'sigma2': 2.0, 'M_v': 0.0, 'zeta2': 0.0, 'pl': 1.0}
    """
    # Not part of the Protocol, as few objectives have such a constant.
    own = {"L": objective.L, "f_star": objective.f_star}
    own["pl"] = getattr(objective, "pl", unknown_constant(""))
    for name, constant in own.items():
        check_range(Constant, f"objective.{name}", constant)
    pl = own.pop("pl")
    return own | {"sigma2": noise.M, "M_v": noise.M_v, "zeta2": noise.zeta2, "pl": pl}


def estimated_constants(bound: Bound, constants: Mapping[str, Constant]) -> tuple[str, ...]:
    """Return the names of the constants behind this bound that are estimates.

    Only bounds on the final gap use ``pl``.
    """
    needed = (name for name in constants if name != "pl" or bound.quantity == "final_gap")
    return tuple(name for name in needed if constants[name].how == "estimated")


def _kind(part: object) -> str:
    """Return the name of a part of a method in a settings file, or that of its class.

    >>> from kavg.outer import Averaging
    >>> _kind(Averaging())
    'averaging'
    """
    return str(getattr(part, "kind", type(part).__name__))


def check_applicability(
    bound: Bound, algorithm: Algorithm, setting: Setting, constants: Mapping[str, Constant]
) -> Applicability:
    """Check the outer rule, the assumptions, the step conditions and the value of a bound.

    ``mu = 0`` counts as averaging, whatever the rule is called.
    """
    rule = _kind(algorithm.outer)
    if rule not in bound.outer_rules and not (setting.mu == 0 and "averaging" in bound.outer_rules):
        return Applicability((), f"it covers {' and '.join(bound.outer_rules)}, not {rule}")
    alpha = getattr(bound, "alpha", 1.0)
    if alpha != 1:  # make_setting lets no other alpha of a run through
        return Applicability((), f"it is stated for alpha = {alpha:g}, and the run has alpha = 1")
    if reason := bound.exclusion(setting):
        return Applicability((), reason + _source_of_unknown(reason, constants))
    conditions = bound.conditions(setting)
    failed = [f"{c.name}: {c.left:.4g} > {c.right:.4g}" for c in conditions if not c.met]
    if failed:
        advice = _nearest_gamma(bound.largest_gamma(setting))
        return Applicability(conditions, f"{'; '.join(failed)}; {advice}")
    finite = isfinite(bound.value(setting).total)
    return Applicability(conditions, None if finite else "its value is not finite")


def _source_of_unknown(reason: str, constants: Mapping[str, Constant]) -> str:
    # Reasons about a constant begin with its letter; an unknown one has its cause as source.
    constant = constants.get(reason.split()[0])
    if constant is None or constant.how != "unknown" or not constant.source:
        return ""
    return f" ({constant.source})"


def _nearest_gamma(gamma: float) -> str:
    return f"gamma <= {gamma:.4g} meets it" if gamma > 0 else "no gamma meets it"


def smoothness_bound(setting: Setting, quantity: Quantity) -> float:
    """Return the bound at the start that smoothness alone gives (docs/theory.md, section 3.0).

    ``||grad F(w_1)||^2 <= 2 L Delta``, and the gap is ``Delta``.

    >>> setting = Setting(P=4, K=2, B=1, N=9, gamma=0.1, mu=0.0, L=2.0, Delta=3.0, sigma2=1.0)
    >>> smoothness_bound(setting, "mean_grad_norm2"), smoothness_bound(setting, "final_gap")
    (12.0, 3.0)
    """
    return setting.Delta if quantity == "final_gap" else 2 * setting.L * setting.Delta
