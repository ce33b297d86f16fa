"""What becomes of local momentum at the average: three algorithms, on one problem.

Eight learners whose gradients differ, on a quadratic, with the heavy ball, Nesterov's steps and
Adam inside: the exact noise floor where there is one, and what runs show.  Run it with
``python experiments/methods/state_at_average.py``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

from kavg import Algorithm, KavgError, Problem, optimizers, outer, simulate
from kavg.analysis.exact.stationary_values import stationary_values
from kavg.base import LocalOptimizer
from kavg.objectives import Quadratic
from kavg.oracles import Gaussian, Shifted
from kavg.trajectory import Trajectory

PROBLEM: Final = Problem(
    Quadratic((0.1, 0.2, 0.5, 1.0)), Shifted(zeta2=1.0, noise=Gaussian(sigma2=4.0)), start=1.0
)
P, K, ROUNDS, LAST, R = 8, 8, 300, 100, 64
HEAD: Final = """\
| optimizer | at the average | exact F | F of runs | exact dispersion | dispersion of runs |
|---|---|--:|--:|--:|--:|"""


def methods() -> Iterator[tuple[str, LocalOptimizer, float]]:
    """Yield a name, an optimizer and its step size, for each treatment of its state."""
    for state in ("reset", "kept", "averaged"):
        yield "heavy ball, 0.9", optimizers.HeavyBall(0.9, state), 0.01
    for state in ("reset", "kept", "averaged"):
        yield "Nesterov, 0.9", optimizers.NesterovSteps(0.9, state), 0.01
    for state in ("reset", "kept", "averaged"):
        yield "Adam", optimizers.Adam(at_average=state), 0.01


def exact_values(method: Algorithm) -> dict[str, str]:
    """Return the exact noise floor as texts, empty where it has no exact form."""
    try:
        found = stationary_values(PROBLEM, method)
    except KavgError:
        return dict.fromkeys(("F", "dispersion"), "")
    return {name: f"{value:.3g}" for name, value in found.items()}


def late_mean(run: Trajectory, name: str) -> str:
    """Return the mean over the last rounds and all replicas, with its standard error."""
    each = run.series[name][-LAST:].mean(axis=0)
    return f"{each.mean():.3g} ± {each.std(ddof=1) / len(each) ** 0.5:.1g}"


def table() -> str:
    """Return the table of all methods."""
    lines = [HEAD]
    for name, optimizer, gamma in methods():
        method = Algorithm(P, K, gamma, outer.Averaging(), optimizer=optimizer)
        run = simulate(PROBLEM, method, rounds=ROUNDS, replicas=R, seed=1)
        exact = exact_values(method)
        cells = [name, optimizer.at_average]
        for quantity in ("F", "dispersion"):
            cells += [exact[quantity], late_mean(run, quantity)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
