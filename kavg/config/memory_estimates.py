"""How much memory settings ask for, so that what no machine could hold is refused at once.

Estimates to a factor of two or so, from the shapes in the classes that are named: they tell
gibibytes from pebibytes before a byte is taken.  ``d`` coordinates, ``n`` examples of ``p``
features, ``R`` replicas, ``T`` recorded rounds; a number has 8 bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kavg.base import Objective
from kavg.engine.local_steps import choose_tile
from kavg.errors import KavgError
from kavg.objectives import Network, Quadratic
from kavg.objectives.data.synthetic import Synthetic
from kavg.objectives.finite_sums.empirical_risk import EmpiricalRisk
from kavg.objectives.quadratic import LogSpectrum
from kavg.oracles import MiniBatch
from kavg.problem import Algorithm, Problem
from kavg.storage.limits import format_bytes, memory_limit

NUMBER: Final = 8
POINT: Final = 6
"""Arrays of the size of w that an evaluation holds at once."""
ROUND: Final = 13
"""Arrays of the size of w, (R, d), that a round holds: states, sums in two limbs, measures."""
LEARNER: Final = 7
"""Arrays of the size of a tile, (tile, R, d): iterates, gradients, random words, draws."""
BATCH: Final = 5
"""Arrays of the size of the indices of a tile's batches, (tile, R, B)."""
SERIES: Final = 3
"""Series that are recorded at least, each of them kept twice while it is put together."""
ARRAY: Final = 150
"""Bytes of an array beside its numbers."""
COUNTABLE: Final = 2**63


def check_built(objective: Objective) -> None:
    """Refuse an objective that could not even be made; its data are not drawn for this."""
    data, spectrum = getattr(objective, "data", None), getattr(objective, "spectrum", None)
    if isinstance(data, Synthetic):
        table = 3 * data.examples * (data.features + 2)
        check_room(table, f"a table of {data.examples} by {data.features}", "take fewer examples")
    if isinstance(spectrum, LogSpectrum):
        check_room(4 * spectrum.dim, f"a spectrum of {spectrum.dim} eigenvalues", "reduce dim")
    if isinstance(objective, Quadratic) and objective.rotation_seed is not None:
        matrix = 5 * objective.dim**2
        check_room(matrix, f"a rotation of {objective.dim} coordinates", "leave rotation_seed out")


def check_point(objective: Objective) -> None:
    """Refuse an objective that could not be evaluated at a single point."""
    d = objective.dim
    check_room(POINT * d, f"one point of {d} coordinates", "make it smaller")
    if isinstance(objective, Network):
        units = objective.examples * (objective.hidden + len(objective.classes))
        what = f"{objective.hidden} hidden units for {objective.examples} examples"
        check_room(2 * units, what, "reduce hidden")


def check_learners(objective: Objective, P: int, R: int) -> None:
    """Refuse replicas that a round could not be held for."""
    d = objective.dim
    numbers = (ROUND + LEARNER * choose_tile(R, d, P)) * R * d
    check_room(numbers, f"{R} replicas of {d} coordinates", "take fewer")


def check_batches(problem: Problem, P: int, R: int) -> None:
    """Refuse batches that could not be drawn for a tile, or not worked on for one learner."""
    objective, oracle = problem.objective, problem.oracle
    if not (isinstance(oracle, MiniBatch) and isinstance(objective, EmpiricalRisk)):
        return
    B, n = oracle.B, objective.examples
    one = B * (objective.split.train.features.shape[1] + 8)
    if isinstance(objective, Network):
        one += B * (2 * objective.hidden + 2 * len(objective.classes))
    rows = choose_tile(R, objective.dim, P) * R
    drawn = BATCH * rows * (n if oracle.sampling == "reshuffle" else B)
    check_room(one + drawn, f"batches of {B} for {rows} learners and replicas", "reduce B")


def check_record(rounds: int, every: int, algorithms: int, R: int) -> None:
    """Refuse more recorded rounds than could be kept."""
    T = rounds // every + 2
    each = SERIES * (2 * R + ARRAY // NUMBER)
    what = f"{T} recorded rounds of {algorithms} algorithms and {R} replicas"
    check_room(algorithms * T * each, what, "raise record.every")


def check_moments(objective: Objective, rounds: int) -> None:
    """Refuse exact moments, which are kept of every round: E, Cov and what is made of them."""
    numbers = rounds * (14 * objective.dim + 4 * ARRAY // NUMBER)
    what = f"exact moments of {rounds} rounds in {objective.dim} directions"
    check_room(numbers, what, "take fewer rounds")


def check_counts(algorithms: Sequence[Algorithm], rounds: int, B: int) -> None:
    """Refuse what would be more gradients than a number counts."""
    for one in algorithms:
        if rounds * one.P * one.K * B >= COUNTABLE:
            raise KavgError(
                f"{one.name}: rounds={rounds}, P={one.P}, K={one.K} and B={B} are 2^63 gradients "
                "or more, which cannot be counted; reduce one of them"
            )


def check_room(numbers: int, what: str, advice: str) -> None:
    """Refuse more numbers than this machine has room for."""
    size, most = float(NUMBER * numbers), memory_limit()
    if size > most:
        raise KavgError(
            f"is too large: {what} would take about {format_bytes(size)} of memory, and there are "
            f"{format_bytes(most)}; {advice}"
        )
