"""A method of a comparison: its run, its settings, and what its noise is a function of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

from kavg.analysis.differences import compare_mappings
from kavg.analysis.targets import find_infimum
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.outer import KINDS, FedAdagrad, FedAdam, QuasiHyperbolic
from kavg.problem import Algorithm, Problem
from kavg.text import shorten_repr
from kavg.trajectory import Trajectory


@final
@dataclass(frozen=True)
class TuningCost:
    """The work by which the settings of a method were chosen, the judging of the choice included.

    ``trials`` counts the settings that were tried, ``gradients`` those of all learners and
    replicas together.  ``rivals`` is the number of settings among which the noise that the method
    is judged on decided; 1 where it was chosen on other noise.
    """

    trials: int
    gradients: int
    rivals: int = 1


@final
@dataclass(frozen=True, eq=False)
class Method:
    """A finished run to be compared with others, under a label of its own.

    ``noise`` holds, by place, all that the draws of a replica are a function of: seed, objective,
    data, oracle, start and arithmetic.  ``settings`` are those to be shown (gamma, mu, ...), and
    ``tuning`` is None for a run whose settings nobody chose among others.  ``floors`` are the
    stationary values by quantity that a sweep's target refers to, for all methods of its cell.
    """

    label: str
    run: Trajectory
    problem: Problem
    algorithm: Algorithm
    noise: Mapping[str, object]
    settings: Mapping[str, object] = field(default_factory=dict)
    tuning: TuningCost | None = None
    floors: Mapping[str, float] = field(default_factory=dict)

    @property
    def mu(self) -> float:
        """The momentum of the outer rule; 0 where it has none."""
        return float(getattr(self.algorithm.outer, "mu", 0.0))

    @property
    def gamma(self) -> float | None:
        """The step size; None for a schedule."""
        gamma = self.algorithm.gamma
        return gamma if isinstance(gamma, float) else None

    @property
    def effective_step(self) -> float | None:
        """The step by which a constant gradient moves w in the end, ``gamma/(1 - mu)``.

        An outer step ``alpha`` multiplies it, and rules whose weights sum to 1 leave mu out.  None
        for a schedule, where the memory restarts, and for adaptive rules, whose steps do not grow
        with gamma.
        """
        outer, restarts = self.algorithm.outer, self.algorithm.restart is not None
        if self.gamma is None or restarts or isinstance(outer, FedAdam | FedAdagrad):
            return None
        # A rule of a user may call something else alpha.
        is_known = isinstance(outer, tuple(KINDS.values()))
        alpha = float(getattr(outer, "alpha", 1.0)) if is_known else 1.0
        mu = 0.0 if isinstance(outer, QuasiHyperbolic) else self.mu
        return alpha * self.gamma / (1 - mu)


def list_noise_differences(a: Method, b: Method) -> list[str]:
    """Return what the noise of two methods differs in, such as ``["seed"]``; empty if it is shared.

    Replica r of both then has the same start and the same draws at learner j and step t (law 3 of
    docs/design.md), whatever P, K and the number of replicas are.
    """
    changed = (place for place, *_ in compare_mappings(a.noise, b.noise))
    return list(dict.fromkeys(place.split(".")[0] for place in changed))


def select_series(method: Method, quantity: str) -> Floats:
    """Return what a method recorded of a quantity, ``(T, R)``.

    Raises:
        KavgError: if it did not record it.
    """
    series = method.run.series
    if quantity not in series:
        raise KavgError(
            f"{method.label!r} did not record {shorten_repr(quantity)}; it has {', '.join(series)}"
        )
    return series[quantity]


def find_lowest(method: Method, quantity: str) -> float:
    """Return the value that a ratio of the quantity is counted from (``find_infimum``)."""
    return find_infimum(method.problem.objective.f_star, quantity)
