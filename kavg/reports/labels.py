"""Labels: printable names of runs and quantities, and estimates to significant digits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import count
from typing import Final

from kavg.analysis.estimate import Estimate
from kavg.errors import KavgError
from kavg.text import escape_unprintable
from kavg.trajectory import Trajectory

DIGITS: Final = 7
"""Digits of a printed number at most."""
WHOLE: Final = 5
"""Digits of numbers that are printed in full, though their last ones are not known."""
TITLES: Final = {"grad_norm2": "||grad F||^2"}


def run_labels(trajectories: Sequence[Trajectory]) -> list[str]:
    """Return a printable, distinct, non-empty name for each algorithm.

    An algorithm without a name is called by its P and K (``format_period``); equal names are
    numbered.

    Raises:
        KavgError: if there is no trajectory, or a trajectory in place of a list.

    >>> import numpy as np
    >>> z = np.zeros((1, 1))
    >>> run = Trajectory("", 2, 8, 1, np.arange(1), {"F": z}, z, z, np.zeros(1))
    >>> run_labels([run, run])
    ['P=2 K=8', 'P=2 K=8 (2)']
    """
    if isinstance(trajectories, Trajectory) or not trajectories:
        raise KavgError("give a list of one or more trajectories, [trajectory] for one of them")
    taken: list[str] = []
    for run in trajectories:
        name = escape_unprintable(run.name).strip() or f"P={run.P} K={format_period(run)}"
        # Tried one by one, as a user may have named another algorithm "K-AVG (2)".
        tries = (name if i == 1 else f"{name} ({i})" for i in count(1))
        taken.append(next(candidate for candidate in tries if candidate not in taken))
    return taken


def format_period(run: Trajectory) -> str:
    """Return the K of a run as text, the least and the largest where it changes.

    >>> import numpy as np
    >>> z, Ks = np.zeros((3, 1)), np.array([1, 1, 8])
    >>> run = Trajectory("", 2, 8, 1, np.arange(3), {"F": z}, z, z, z[:, 0], Ks=Ks)
    >>> format_period(run)
    '1 to 8'
    """
    least, most = int(run.periods.min()), int(run.periods.max())
    return str(most) if least == most else f"{least} to {most}"


def recorded_quantities(trajectories: Sequence[Trajectory]) -> list[str]:
    """Return the names of all recorded series, in the order of recording, each once."""
    return list(dict.fromkeys(name for run in trajectories for name in run.series))


def quantity_title(quantity: str) -> str:
    """Return the heading of a recorded quantity, such as ``||grad F||^2`` for ``grad_norm2``."""
    return TITLES.get(quantity, escape_unprintable(quantity).replace("_", " "))


def format_estimate(estimate: Estimate) -> str:
    """Format ``mean [low, high]`` to two digits of the half-width, ``DIGITS`` in all at most.

    >>> from kavg.analysis.estimate import mean_interval
    >>> format_estimate(mean_interval([0.1231, 0.1252, 0.1249, 0.1240]))
    '0.1243 [0.1228, 0.1258]'
    >>> format_estimate(mean_interval([2.5]))
    '2.5 (one replica: no interval)'

    An interval may have one end only: a time to target that may not be reached at all.
    """
    mean, low, high = float(estimate.mean), float(estimate.low), float(estimate.high)
    if not math.isfinite(mean):
        return "not finite"
    if math.isfinite(low) != math.isfinite(high) and not math.isnan(low + high):
        return f"{mean:.4g} [{low:.4g}, {high:.4g}]"
    if not (math.isfinite(low) and math.isfinite(high)):
        reason = "one replica: no interval" if estimate.replicas == 1 else "no interval"
        return f"{mean:.6g} ({reason})"
    half = high / 2 - low / 2  # high - low may overflow
    # An interval without width limits no digits; -400 is beyond the smallest float.
    place = math.floor(math.log10(half)) - 1 if half > 0 else -400
    return f"{_round_to(mean, place)} [{_round_to(low, place)}, {_round_to(high, place)}]"


def _round_to(value: float, place: int) -> str:
    # The size is that of the rounded value: 9.96 to one decimal is 10.0, one digit longer.
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if exponent - place >= DIGITS:
        return f"{value:.{DIGITS}g}"
    rounded = round(value, -place) if abs(place) < 300 else value  # round overflows beyond
    if rounded == 0:
        return "0"
    exponent = math.floor(math.log10(abs(rounded)))
    if -5 < exponent < DIGITS and place <= 0:
        return f"{rounded:.{-place}f}"
    if WHOLE > exponent >= place > 0:
        return f"{rounded:.0f}"
    return f"{rounded:.{max(exponent - place, 0)}e}"
