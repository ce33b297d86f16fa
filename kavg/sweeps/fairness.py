"""Warnings of a sweep whose comparison is not a fair one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from kavg.base import AdaptivePeriod
from kavg.budgets.work import count_active_learners
from kavg.outer import QuasiHyperbolic
from kavg.sweeps.designs.axes import EFFECTIVE_STEP
from kavg.sweeps.points import Point
from kavg.sweeps.stage import Stage
from kavg.sweeps.sweep import Sweep


def list_sweep_warnings(sweep: Sweep) -> list[str]:
    r"""Return what makes the comparison of a sweep unequal, or a result too good, a line each.

    Methods that were tuned with unlike numbers of trials or gradients; methods with unlike momentum
    that are compared at one gamma; winners that are judged on the noise they were chosen by.

    >>> from kavg.config.settings_file import EXAMPLE
    >>> from kavg.sweeps import parse_sweep
    >>> tune = "[sweep.tune]\n'algorithm.*.gamma' = [0.1, 0.2]\n'algorithm.1.outer.mu' = [0.3, 0.7]"
    >>> print(*list_sweep_warnings(parse_sweep(EXAMPLE + tune)))
    tuned with unlike numbers of trials in a cell: K-AVG 2, M-AVG 4
    """
    chooses = max(sweep.trials.values()) > 1
    rest = _warn_of_tuning(sweep) if chooses else _warn_of_unlike_ends(sweep)
    return [*_compare_step_sizes(sweep), *rest]


def _compare_step_sizes(sweep: Sweep) -> Iterator[str]:
    """At one gamma, momentum is faster because its effective step is larger."""
    momenta: dict[str, float] = {}
    for point in sweep.points:
        (method,) = point.config.algorithms
        mu = float(getattr(method.outer, "mu", 0.0))
        # The weights of this rule sum to 1, so that mu does not lengthen its steps.
        momenta.setdefault(
            point.algorithm, 0.0 if isinstance(method.outer, QuasiHyperbolic) else mu
        )
    if len({*momenta.values()}) > 1 and not {"gamma", EFFECTIVE_STEP} & {*sweep.places}:
        found = ", ".join(f"{name} mu={mu:g}" for name, mu in momenta.items())
        yield (
            f"gamma is not varied, and the algorithms have unlike momentum ({found}): a method "
            "with mu steps gamma/(1 - mu); tune algorithm.*.effective_step"
        )


def _warn_of_tuning(sweep: Sweep) -> Iterator[str]:
    trials: dict[str, set[int]] = defaultdict(set)
    for (algorithm, _), count in sweep.trials.items():
        trials[algorithm].add(count)
    yield from _compare_counts("tuned with unlike numbers of trials in a cell", trials)
    what = "tuned with unlike numbers of gradients a trial and replica"
    yield from _compare_counts(what, _list_gradients(sweep))
    yield from _judge_stages(sweep)


def _warn_of_unlike_ends(sweep: Sweep) -> Iterator[str]:
    """Of runs without a target the ends are compared, whatever each has used until then."""
    if sweep.target is None and sweep.budget is None:
        what = "compared at their ends with unlike numbers of gradients a replica"
        for line in _compare_counts(what, _list_gradients(sweep)):
            yield f"{line}; [sweep.budget] gives all points the same"


def _list_gradients(sweep: Sweep) -> Mapping[str, set[int]]:
    gradients: dict[str, set[int]] = defaultdict(set)
    for point in sweep.points:
        # What an adaptive K costs is known after the run alone.
        if not isinstance(point.config.algorithms[0].K, AdaptivePeriod):
            gradients[point.algorithm].add(_count_gradients(point, sweep.stages[0]))
    return gradients


def _count_gradients(point: Point, stage: Stage) -> int:
    (method,), rounds = point.config.algorithms, stage.count_rounds(point.config.rounds)
    # Of an oracle without B too, as only unlike numbers matter: B belongs to the problem.
    steps = round(method.sum_local_steps(rounds) * count_active_learners(method))
    return steps * int(getattr(point.config.oracle, "B", 1))


def _compare_counts(what: str, counts: Mapping[str, set[int]]) -> Iterator[str]:
    # Cells may differ by themselves; then all algorithms have the same set of numbers.
    if len({frozenset(found) for found in counts.values()}) > 1:
        each = ", ".join(f"{name} {_format_counts(found)}" for name, found in counts.items())
        yield f"{what}: {each}"


def _format_counts(counts: set[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def _judge_stages(sweep: Sweep) -> Iterator[str]:
    last, earlier = sweep.stages[-1], sweep.stages[:-1]
    if last.seed in {stage.seed for stage in earlier}:
        yield (
            f"the last stage has seed {last.seed} of an earlier one: its winners are judged on the "
            "noise they were chosen by, so they look better than they are; take another seed"
        )
    if last.keep != 1:
        count = "all" if last.keep is None else str(last.keep)
        yield (
            f"the last stage runs {count} points of each cell: the best of them is chosen and "
            "judged on one noise, so it looks better than it is; add a stage with keep = 1"
        )
