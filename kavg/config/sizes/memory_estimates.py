"""Estimates of the memory that settings need, and errors before the run if it is too much.

They follow from the shapes in the classes named here and are right to a factor of about two, which
is enough to tell gibibytes from pebibytes.  ``d`` coordinates, ``n`` examples of ``p`` features,
``R`` replicas, ``T`` recorded rounds; a number has 8 bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kavg.base import (
    Asynchronous,
    AveragesGroups,
    MixesIterates,
    Objective,
    Precision,
    WeighsLearners,
)
from kavg.config.config import Record
from kavg.config.sizes.array_counts import (
    BYTES_PER_NUMBER,
    count_kept_bytes,
    count_round_numbers,
    count_rows,
)
from kavg.engine.local.local_steps import choose_tile
from kavg.errors import KavgError
from kavg.mpi.local_ranks import count_local_ranks
from kavg.objectives import Network, Quadratic
from kavg.objectives.data.synthetic import Synthetic
from kavg.objectives.finite_sums.empirical_risk import EmpiricalRisk
from kavg.objectives.spectrum import LogSpectrum
from kavg.oracles import MiniBatch, RandomDesign
from kavg.problem import Algorithm, Problem
from kavg.storage.limits import format_bytes, list_memory_limits

POINT_ARRAYS: Final = 6
"""Arrays of the size of w that an evaluation holds at once."""
GATHERED_ARRAYS: Final = 3
"""Arrays of the size of what all learners keep that a rank holds where it gathers that."""
MEASURE_ARRAYS: Final = 4
"""Arrays of the size of w, (R, d), that a measure of rounds works with."""
MEMORY_ARRAYS: Final = 3
"""Arrays of the size of what measures remember that are held at once."""
GROUP_NUMBERS: Final = 40
"""The size of what a rank knows of a group, in numbers."""
DRAW_ARRAYS: Final = 4
"""Arrays of the size of all learners and replicas, (P, R): words, their order, factors, masks."""
DESIGN_ARRAYS: Final = 3
"""Arrays of the size of the normals of a tile's fresh examples, (tile, R, B (d + 1))."""
BATCH_ARRAYS: Final = 5
"""Arrays of the size of the indices of a tile's batches, (tile, R, B)."""
SERIES_RECORDED: Final = 3
"""Series that every run records; each is held twice while its rounds are concatenated."""
ARRAY_HEADER: Final = 150 // BYTES_PER_NUMBER
"""The size of an array beside its numbers, in numbers."""


def check_data_memory(objective: Objective) -> None:
    """Raise KavgError if the data, spectrum or rotation of an objective do not fit in memory.

    Nothing is drawn or read for this.
    """
    data, spectrum = getattr(objective, "data", None), getattr(objective, "spectrum", None)
    if isinstance(data, Synthetic):
        table = 3 * data.examples * (data.features + 2)
        _check_memory(
            table, f"a table of {data.examples} by {data.features}", "take fewer examples"
        )
    if isinstance(spectrum, LogSpectrum):
        _check_memory(4 * spectrum.dim, f"a spectrum of {spectrum.dim} eigenvalues", "reduce dim")
    if isinstance(objective, Quadratic) and objective.rotation_seed is not None:
        matrix = 5 * objective.dim**2
        _check_memory(
            matrix, f"a rotation of {objective.dim} coordinates", "leave rotation_seed out"
        )


def check_point_memory(objective: Objective) -> None:
    """Raise KavgError if an evaluation at a single point ``(d,)`` does not fit in memory."""
    d = objective.dim
    _check_memory(POINT_ARRAYS * d, f"one point of {d} coordinates", "make it smaller")
    if isinstance(objective, Network):
        units = objective.examples * (objective.hidden + len(objective.classes))
        what = f"{objective.hidden} hidden units for {objective.examples} examples"
        _check_memory(2 * units, what, "reduce hidden")


def check_round_memory(objective: Objective, algorithm: Algorithm, R: int) -> None:
    """Raise KavgError if a round of ``R`` replicas does not fit in memory.

    ``P`` hardly matters, as one tile of learners is in memory at a time, with the slots of their
    optimizer.  Slots that are averaged are further rows of all that is summed.
    """
    d = objective.dim
    numbers = count_round_numbers(d, algorithm, R)
    _check_memory(numbers, f"{R} replicas of {d} coordinates", "take fewer")
    law, P = algorithm.aggregation, algorithm.P
    if isinstance(law, AveragesGroups):
        groups = law.count_groups(P)
        points = groups * (GROUP_NUMBERS + count_rows(algorithm) * R * d // count_local_ranks())
        _check_memory(points, f"points of {groups} groups", "make groups larger")
    if isinstance(law, WeighsLearners):
        _check_memory(DRAW_ARRAYS * P * R, f"draws for {P} learners and {R} replicas", "take fewer")


def check_kept_memory(objective: Objective, algorithm: Algorithm, R: int, dtype: Precision) -> None:
    """Raise KavgError if what learners keep from round to round does not fit in memory.

    A rank has it before and after a round.  Several ranks gather that of all learners for a
    checkpoint and at the end, and where iterates are mixed every rank does, in each round.
    """
    if isinstance(algorithm.aggregation, Asynchronous):
        _check_past_memory(algorithm.shared_slots, algorithm.P, R, objective.dim)
    if not algorithm.learner_slots:
        return
    numbers = count_kept_bytes(objective.dim, algorithm, R, dtype) // BYTES_PER_NUMBER
    ranks = count_local_ranks()
    # As those on other ranks are neighbours too.
    is_mixed = isinstance(algorithm.aggregation, MixesIterates)
    gathered = GATHERED_ARRAYS * numbers if ranks > 1 or is_mixed else 0
    _check_memory(
        gathered + 2 * numbers // ranks,
        f"{algorithm.learner_slots} arrays of {R} by {objective.dim} that each of {algorithm.P} "
        "learners keeps",
        _advise_on_kept(algorithm),
    )


def _advise_on_kept(algorithm: Algorithm) -> str:
    fewer = "take fewer learners or replicas"
    if algorithm.optimizer.slots and algorithm.optimizer.at_average == "kept":
        return f"{fewer}, or let the optimizer keep nothing (at_average = 'reset')"
    return f"{fewer}, or an aggregation whose learners keep no iterates"


def _check_past_memory(past: int, P: int, R: int, d: int) -> None:
    # The iterates of a round follow the earlier ones, and its ages are drawn at once.
    numbers = (GATHERED_ARRAYS * past + P) * R * d + DRAW_ARRAYS * P * R
    what = f"{past:.6g} earlier iterates and {P} updates of {R} replicas and {d} coordinates"
    advice = "give the staleness a smaller mean or longest, or take fewer learners or replicas"
    _check_memory(numbers, what, advice)


def check_batch_memory(problem: Problem, P: int, R: int) -> None:
    """Raise KavgError if the mini-batches of a round do not fit in memory.

    These are the indices ``(tile, R, B)`` of a tile, or all ``n`` of them where epochs are
    reshuffled, and the examples of one learner's batch; or the normals of examples drawn anew.
    """
    objective, oracle = problem.objective, problem.oracle
    if isinstance(oracle, RandomDesign):
        rows, B = choose_tile(R, objective.dim, P) * R, oracle.B
        normals = DESIGN_ARRAYS * rows * B * (objective.dim + 1)
        what = f"batches of {B} examples for {rows} learners and replicas"
        _check_memory(normals, what, "reduce B")
    if not (isinstance(oracle, MiniBatch) and isinstance(objective, EmpiricalRisk)):
        return
    B, n = oracle.B, objective.examples
    one = B * (objective.split.train.features.shape[1] + 8)
    if isinstance(objective, Network):
        one += B * (2 * objective.hidden + 2 * len(objective.classes))
    rows = choose_tile(R, objective.dim, P) * R
    drawn = BATCH_ARRAYS * rows * (n if oracle.sampling == "reshuffle" else B)
    _check_memory(one + drawn, f"batches of {B} for {rows} learners and replicas", "reduce B")


def check_record_memory(rounds: int, every: int, algorithms: int, R: int, further: int = 0) -> None:
    """Raise KavgError if the recorded rounds of all algorithms do not fit in memory.

    ``further`` counts the series of measures of rounds.
    """
    T = rounds // every + 2  # the first and the last round too
    each = (SERIES_RECORDED + further) * (2 * R + ARRAY_HEADER)
    what = f"{T} recorded rounds of {algorithms} algorithms and {R} replicas"
    _check_memory(algorithms * T * each, what, "raise record.every")


def check_measures(
    problem: Problem, algorithms: Sequence[Algorithm], record: Record, R: int
) -> None:
    """Raise KavgError if a measure of rounds has no meaning in a run, or remembers too much.

    Each is planned for one replica.  What measures need comes on top of a round.
    """
    measures, d = record.round_measures, problem.dim
    what = f"rounds of {R} replicas with measures"
    if not measures:
        return
    # First, as a plan has an array of the size of w for each direction.
    arrays = MEASURE_ARRAYS * len(measures) * R + sum(len(each.names) for each in measures)
    for algorithm in algorithms:
        numbers = count_round_numbers(d, algorithm, R) + arrays * d
        _check_memory(numbers, what, "leave some out")
        planned = (each.plan(problem, algorithm, R=1, seed=0) for each in measures)
        numbers += MEMORY_ARRAYS * sum(each.width for each in planned) * R
        _check_memory(numbers, what, "leave some out")


def check_moment_memory(objective: Objective, rounds: int) -> None:
    """Raise KavgError if the exact moments of all rounds do not fit in memory.

    ``E`` and ``Cov`` in each of the ``d`` directions are held for every round.
    """
    numbers = rounds * (14 * objective.dim + 4 * ARRAY_HEADER)
    what = f"exact moments of {rounds} rounds in {objective.dim} directions"
    _check_memory(numbers, what, "take fewer rounds")


def _check_memory(numbers: int, what: str, advice: str) -> None:
    # Linux grants memory that it does not have, so MemoryError would come late or never.
    size, limits = float(BYTES_PER_NUMBER * numbers), list_memory_limits(count_local_ranks())
    if limits and size > limits[0].share:
        raise KavgError(
            f"is too large: {what} would take about {format_bytes(size)} of memory, and there are "
            f"{limits[0]}; {advice}"
        )
