"""Warnings of a sweep whose comparison is not a fair one."""

from __future__ import annotations

from collections import defaultdict

from kavg.sweeps.sweep import Sweep


def list_sweep_warnings(sweep: Sweep) -> list[str]:
    r"""Return what makes the comparison of a tuned sweep unequal or too good, a line each.

    Methods that were tuned with unlike numbers of trials or gradients; winners that are judged on
    the noise they were chosen by.

    >>> from kavg.config.settings_file import EXAMPLE
    >>> from kavg.sweeps import parse_sweep
    >>> table = "[sweep.tune]\n'algorithm.M-AVG.outer.mu' = [0.3, 0.7]"
    >>> print(*list_sweep_warnings(parse_sweep(EXAMPLE + table)))
    the algorithms are tuned with unlike numbers of trials in a cell: K-AVG 1, M-AVG 2
    """
    if not sweep.is_tuned:
        return []
    found = [_compare_trials(sweep), _compare_gradients(sweep), *_judge_stages(sweep)]
    return [line for line in found if line is not None]


def _compare_trials(sweep: Sweep) -> str | None:
    trials: dict[str, set[int]] = defaultdict(set)
    for (algorithm, _), count in sweep.trials.items():
        trials[algorithm].add(count)
    return _describe_unlike("trials in a cell", trials)


def _compare_gradients(sweep: Sweep) -> str | None:
    """The gradients of a trial in the first stage, where each algorithm has one number of them."""
    costs: dict[str, set[int]] = defaultdict(set)
    for point in sweep.points:
        (method,), stage = point.config.algorithms, sweep.stages[0]
        costs[point.algorithm].add(stage.count_rounds(point.config.rounds) * method.P * method.K)
    # Where P or K are varied, cells differ by themselves.
    return _describe_unlike("steps of all learners", costs) if _are_single(costs) else None


def _are_single(costs: dict[str, set[int]]) -> bool:
    return all(len(found) == 1 for found in costs.values())


def _describe_unlike(what: str, counts: dict[str, set[int]]) -> str | None:
    if len({frozenset(found) for found in counts.values()}) < 2:
        return None
    each = ", ".join(f"{name} {_format_counts(found)}" for name, found in counts.items())
    return f"the algorithms are tuned with unlike numbers of {what}: {each}"


def _format_counts(counts: set[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def _judge_stages(sweep: Sweep) -> list[str]:
    last, earlier = sweep.stages[-1], sweep.stages[:-1]
    lines = []
    if last.seed in {stage.seed for stage in earlier}:
        lines.append(
            f"the last stage has seed {last.seed} of an earlier one: its winners are judged on the "
            "noise they were chosen by, so they look better than they are; take another seed"
        )
    if last.keep is not None and last.keep > 1:
        lines.append(
            f"the last stage runs {last.keep} points of each cell: the best of them is chosen and "
            "judged on one noise, so it looks better than it is; add a stage with keep = 1"
        )
    return lines
