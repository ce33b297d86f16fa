"""Summary of a run: the estimates of its last recorded round, as values and as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kavg.analysis.estimate import Estimate, paired_difference
from kavg.analysis.quantities import quantity_interval
from kavg.errors import KavgError
from kavg.reports.json_values import json_estimate
from kavg.reports.labels import (
    format_estimate,
    format_period,
    quantity_title,
    recorded_quantities,
    run_labels,
)
from kavg.reports.text import align_columns, wrap_text
from kavg.text import format_count
from kavg.trajectory import Trajectory


def summary(trajectories: Sequence[Trajectory], level: float = 0.95) -> dict[str, Any]:
    """Return estimates at the last recorded round, ready for ``json.dumps(..., allow_nan=False)``.

    For each algorithm, by name: its settings, ``diverged_at``, ``not_finite``, the ``final`` mean
    and confidence interval of every series, and ``minus_first``: the same for its difference from
    the first algorithm, paired by replica (null where there is none to give).  Numbers not finite
    are null: the interval of a single replica, the means of a diverged run.

    >>> import numpy as np
    >>> F = np.array([[4.0, 4.0], [1.0, 1.5]])
    >>> run = Trajectory("K-AVG", 2, 8, 1, np.arange(2), {"F": F}, F, F, np.zeros(2))
    >>> summary([run])["algorithms"]["K-AVG"]["final"]["F"]["mean"]
    1.25
    """
    names = run_labels(trajectories)
    first, *others = trajectories
    algorithms = [_summarize_run(run, level) for run in trajectories]
    for algorithm, run in zip(algorithms[1:], others, strict=True):
        algorithm["minus_first"] = _differences_from(first, run, level)
    return {
        "level": level,
        "first": names[0],
        "algorithms": dict(zip(names, algorithms, strict=True)),
    }


def table(trajectories: Sequence[Trajectory], level: float = 0.95, width: int = 80) -> str:
    """Return estimates at the last recorded round as plain text, one section a quantity.

    Each section has ``mean [low, high]`` for every algorithm, then the differences from the first
    algorithm, paired by replica.  Two digits of the confidence interval's half-width are shown.  No
    line is longer than ``width`` (72 at least) and nothing is cut off, so it reads the same in a
    log, a pipe and a terminal.

    Raises:
        KavgError: if ``trajectories`` is no list of one or more, or ``width`` is below 72.

    >>> import numpy as np
    >>> F = np.array([[4.0, 4.0, 4.0], [1.0, 1.5, 1.4]])
    >>> run = Trajectory("K-AVG", 2, 8, 1, np.arange(2), {"F": F}, F.T, F.T, np.zeros(2))
    >>> print(table([run]))
    Last recorded round: mean [95 % confidence interval] over the replicas.
    <BLANKLINE>
      K-AVG  1 round, 3 replicas
    <BLANKLINE>
    F
      K-AVG  1.30 [0.64, 1.96]
    """
    if width < 72:
        raise KavgError(f"a table needs 72 columns or more, got width={width}; use 80")
    names = run_labels(trajectories)
    first, *others = trajectories

    def section(names: Sequence[str], cells: Sequence[str]) -> list[str]:
        return align_columns(zip(names, cells, strict=True), width, flexible=0)

    interval = f"[{100 * level:g} % confidence interval]"
    lines = [f"Last recorded round: mean {interval} over the replicas.", ""]
    lines += section(names, [_format_extent(run) for run in trajectories])
    for quantity in recorded_quantities(trajectories):
        lines += ["", *wrap_text(quantity_title(quantity), width)]
        lines += section(names, [_format_final(run, quantity, level) for run in trajectories])
        if others:
            differences = [_format_difference(run, first, quantity, level) for run in others]
            lines += wrap_text(f"minus {names[0]}, paired by replica:", width, indent=2)
            lines += section(names[1:], differences)
    return "\n".join(lines)


def _summarize_run(run: Trajectory, level: float) -> dict[str, Any]:
    final = {name: quantity_interval(name, x[-1], level) for name, x in run.series.items()}
    return {
        "P": run.P,
        "K": run.K,
        **_describe_periods(run),
        "B": run.B,
        "rounds": int(run.rounds[-1]),
        "gradients": int(run.gradients[-1]),
        "replicas": run.replicas,
        "diverged_at": None if run.diverged_at is None else int(run.diverged_at),
        "not_finite": run.not_finite,
        "final": {name: json_estimate(estimate) for name, estimate in final.items()},
        "minus_first": None,
    }


def _describe_periods(run: Trajectory) -> dict[str, int]:
    """Return what JSON has beside the last K where K changes: its range, and the local steps."""
    if not run.Ks.size:
        return {}
    return {
        "least_K": int(run.Ks.min()),
        "most_K": int(run.Ks.max()),
        "local_steps": int(run.steps[-1]),
    }


def _differences_from(first: Trajectory, run: Trajectory, level: float) -> dict[str, Any]:
    return {
        name: None
        if _why_unpaired(run, first, name)
        else json_estimate(_final_difference(run, first, name, level))
        for name in run.series
    }


def _final_difference(run: Trajectory, first: Trajectory, quantity: str, level: float) -> Estimate:
    return paired_difference(run.series[quantity][-1], first.series[quantity][-1], level)


def _why_unpaired(run: Trajectory, first: Trajectory, quantity: str) -> str | None:
    """Return the reason why two runs have no paired difference, None if they have one."""
    # Divergence first: the last recorded rounds of such runs may not be the same round.
    for each in (run, first):
        if each.diverged_at is not None:
            return "diverged" if each is run else "the first diverged"
        if quantity not in each.series:
            return "not recorded" if each is run else "not recorded by the first"
    if run.replicas != first.replicas:
        return f"not paired: {format_count(run.replicas, 'replica')} against {first.replicas}"
    return None


def _format_extent(run: Trajectory) -> str:
    rounds = format_count(int(run.rounds[-1]), "round")
    end = ""
    if run.diverged_at is not None:
        what = f": {run.not_finite} is not finite" if run.not_finite else ""
        end = f", diverged at round {run.diverged_at}{what}"
    period = f", K {format_period(run)}" if run.Ks.size else ""
    return f"{rounds}{period}, {format_count(run.replicas, 'replica')}{end}"


def _format_final(run: Trajectory, quantity: str, level: float) -> str:
    if run.diverged_at is not None:
        return f"diverged at round {run.diverged_at}"
    if quantity not in run.series:
        return "not recorded"
    return format_estimate(quantity_interval(quantity, run.series[quantity][-1], level))


def _format_difference(run: Trajectory, first: Trajectory, quantity: str, level: float) -> str:
    reason = _why_unpaired(run, first, quantity)
    if reason is not None:
        return reason
    estimate = _final_difference(run, first, quantity, level)
    if not math.isfinite(estimate.low):
        return format_estimate(estimate)
    outside = estimate.low > 0 or estimate.high < 0
    return f"{format_estimate(estimate)}  zero {'outside' if outside else 'inside'}"
