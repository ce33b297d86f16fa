"""Results in words: what each algorithm reached, and by how much two of them differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kavg.analysis.estimate import Estimate, mean_interval, paired_difference
from kavg.errors import KavgError
from kavg.reports.text import labels, number, recorded, rows, title, wrap
from kavg.trajectory import Trajectory


def summary(trajectories: Sequence[Trajectory], level: float = 0.95) -> dict[str, Any]:
    """What is left at the last recorded round, ready for ``json.dumps(..., allow_nan=False)``.

    For each algorithm, by name: its settings, ``diverged_at``, the ``final`` mean and limits of
    every series, and ``minus_first``: the same for its difference from the first algorithm, paired
    by replica (null where there is none to give).  Numbers that are not finite are null: the
    limits of a single replica, the means of a diverged run.

    >>> import numpy as np
    >>> F = np.array([[4.0, 4.0], [1.0, 1.5]])
    >>> run = Trajectory("K-AVG", 2, 8, 1, np.arange(2), {"F": F}, F, F, np.zeros(2))
    >>> summary([run])["algorithms"]["K-AVG"]["final"]["F"]["mean"]
    1.25
    """
    names = labels(trajectories)
    first, *others = trajectories
    facts = [_facts(run, level) for run in trajectories]
    for fact, run in zip(facts[1:], others, strict=True):
        fact["minus_first"] = _against(run, first, level)
    return {
        "level": level,
        "first": names[0],
        "algorithms": dict(zip(names, facts, strict=True)),
    }


def table(trajectories: Sequence[Trajectory], level: float = 0.95, width: int = 80) -> str:
    """The same as plain text, one section a quantity: ``mean [low, high]``, then differences.

    The limits decide the digits: two of the half-width are shown.  No line is longer than
    ``width`` (72 at least) and nothing is cut off, so it reads the same in a log, a pipe and a
    terminal.  The difference is that algorithm minus the first, paired by replica.

    >>> import numpy as np
    >>> F = np.array([[4.0, 4.0, 4.0], [1.0, 1.5, 1.4]])
    >>> run = Trajectory("K-AVG", 2, 8, 1, np.arange(2), {"F": F}, F.T, F.T, np.zeros(2))
    >>> print(table([run]))
    Last recorded round: mean [low, high], 95 % limits over the replicas.
    <BLANKLINE>
      K-AVG  1 round, 3 replicas
    <BLANKLINE>
    F
      K-AVG  1.30 [0.64, 1.96]
    """
    if width < 72:
        raise KavgError(f"a table needs 72 columns or more, got width={width}; use 80")
    names = labels(trajectories)
    lines = [
        f"Last recorded round: mean [low, high], {100 * level:g} % limits over the replicas.",
        "",
        *rows(names, [_extent(run) for run in trajectories], width),
    ]
    for quantity in recorded(trajectories):
        cells = [_final_words(run, quantity, level) for run in trajectories]
        lines += ["", title(quantity), *rows(names, cells, width)]
        if len(names) > 1:
            first, *others = trajectories
            cells = [_difference_words(run, first, quantity, level) for run in others]
            heading = f"minus {names[0]}, paired by replica:"
            lines += [*wrap(heading, width, "  "), *rows(names[1:], cells, width)]
    return "\n".join(lines)


def _facts(run: Trajectory, level: float) -> dict[str, Any]:
    return {
        "P": run.P,
        "K": run.K,
        "B": run.B,
        "rounds": int(run.rounds[-1]),
        "gradients": int(run.gradients[-1]),
        "replicas": run.replicas,
        "diverged_at": None if run.diverged_at is None else int(run.diverged_at),
        "final": {name: _plain(mean_interval(x[-1], level)) for name, x in run.series.items()},
        "minus_first": None,
    }


def _against(run: Trajectory, first: Trajectory, level: float) -> dict[str, Any]:
    return {
        name: None if _unpaired(run, first, name) else _plain(_difference(run, first, name, level))
        for name in run.series
    }


def _plain(estimate: Estimate) -> dict[str, float | None]:
    parts = {"mean": estimate.mean, "low": estimate.low, "high": estimate.high}
    return {key: float(x) if math.isfinite(x) else None for key, x in parts.items()}


def _difference(run: Trajectory, first: Trajectory, quantity: str, level: float) -> Estimate:
    return paired_difference(run.series[quantity][-1], first.series[quantity][-1], level)


def _unpaired(run: Trajectory, first: Trajectory, quantity: str) -> str:
    """Why there is no difference to give; empty if there is one."""
    for each in (run, first):
        if each.diverged_at is not None:
            return "diverged" if each is run else "the first diverged"
        if quantity not in each.series:
            return "not recorded" if each is run else "not recorded by the first"
    if run.replicas != first.replicas:
        return f"not paired: {run.replicas} replicas against {first.replicas}"
    return ""


def _extent(run: Trajectory) -> str:
    rounds, R = int(run.rounds[-1]), run.replicas
    end = "" if run.diverged_at is None else f", diverged at round {run.diverged_at}"
    return f"{_of(rounds, 'round')}, {_of(R, 'replica')}{end}"


def _of(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _final_words(run: Trajectory, quantity: str, level: float) -> str:
    if run.diverged_at is not None:
        return f"diverged at round {run.diverged_at}"
    if quantity not in run.series:
        return "not recorded"
    return number(mean_interval(run.series[quantity][-1], level))


def _difference_words(run: Trajectory, first: Trajectory, quantity: str, level: float) -> str:
    reason = _unpaired(run, first, quantity)
    if reason:
        return reason
    estimate = _difference(run, first, quantity, level)
    if not math.isfinite(estimate.low):
        return number(estimate)
    outside = estimate.low > 0 or estimate.high < 0
    return f"{number(estimate)}  zero {'outside' if outside else 'inside'}"
