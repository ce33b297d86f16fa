"""Validation of a trajectory: the types and shapes that a run leaves, and whose run it is.

Storage validates trajectories that it has read, and the engine those it is given to extend; code
that gets a validated trajectory need not check it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from math import isclose, isfinite
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kavg.arrays import refuse_masked
from kavg.base import Floats
from kavg.base.method_parts import describe_parts
from kavg.base.outer_rules import describe_outer_rule, drop_unit_step, memory_shape
from kavg.budgets.work import count_active_learners
from kavg.problem import Algorithm, Problem
from kavg.recorded_periods import find_other_period, period_of
from kavg.text import shorten
from kavg.trajectory import NOT_FINITE, Trajectory

COUNTS: Final = ("P", "K", "B", "arithmetic")
COUNTABLE: Final = 2**63
"""Counts stay below it, as NumPy stores them in int64."""
SAME_GAMMA: Final = 1e-12
"""Relative difference of step sizes up to which another machine's functions may explain it."""
SAME: Final = 1e-6
"""Relative difference of F up to which another machine, or another BLAS, may explain it."""


def validate_trajectory(run: Trajectory) -> Trajectory:
    """Return a trajectory if its types and shapes are those that a run leaves.

    Raises ``ValueError`` with the reason otherwise.  Only that arrays are arrays is assumed: counts
    may be of any type, and arrays of any type and shape.

    >>> z = np.zeros((1, 1))
    >>> run = Trajectory("K-AVG", 2, 8, 1, np.arange(1), {"F": z}, z, np.empty(0), np.zeros(1))
    >>> validate_trajectory(run) is run
    True
    """
    if not isinstance(run.name, str):
        raise ValueError(f"its name must be text, got {run.name!r:.60}")
    _validate_counts(run)
    _validate_rule(run)
    _validate_parts(run)
    _validate_rounds(run)
    _validate_shapes(run)
    _validate_states(run)
    return run


def _validate_counts(run: Trajectory) -> None:
    for name in COUNTS:
        value = getattr(run, name)
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or not 1 <= value < COUNTABLE:
            raise ValueError(f"its {name} is {value!r:.60}")
    active = run.active
    if active is not None and not (type(active) in (int, float) and 0 < active <= run.P):
        raise ValueError(f"its active learners are {active!r:.60}, of P = {run.P}")
    at = run.diverged_at
    if at is not None and not (type(at) is int and 0 <= at < COUNTABLE):
        raise ValueError(f"it diverged at {at!r:.60}")
    if run.not_finite not in (None, *NOT_FINITE):
        raise ValueError(f"what was not finite in it is {run.not_finite!r:.60}")


def _validate_rule(run: Trajectory) -> None:
    """Raise ``ValueError`` unless the outer rule is a kind and finite numbers by their names."""
    rule: object = run.outer
    values = list(rule.items()) if isinstance(rule, dict) else [(rule, None)]
    for name, value in values:
        fits = type(value) is str if name == "kind" else type(value) is float and isfinite(value)
        if not isinstance(name, str) or not fits:
            raise ValueError(f"its outer rule is {rule!r:.60}")


def _validate_parts(run: Trajectory) -> None:
    """Raise ``ValueError`` unless optimizer and aggregation are texts by their names."""
    parts: object = run.parts
    pairs = parts.items() if isinstance(parts, dict) else [(parts,)]
    if not all(type(text) is str for pair in pairs for text in pair):
        raise ValueError(f"its parts are {parts!r:.60}")


def _validate_rounds(run: Trajectory) -> None:
    rounds = run.rounds
    if rounds.ndim != 1 or rounds.dtype != np.int64 or not rounds.size:
        raise ValueError(f"its rounds are of type {rounds.dtype} and shape {rounds.shape}")
    if rounds[0] < 0 or (np.diff(rounds) <= 0).any():
        raise ValueError("its rounds do not rise from 0 or later")


def _validate_shapes(run: Trajectory) -> None:
    T, w = len(run.rounds), run.w
    arrays = {"w": w, "v": run.v, "seconds": run.seconds, "gammas": run.gammas} | run.series
    for name, values in arrays.items():
        refuse_masked(values, f"its {name[:60]!r}")
        if values.dtype != np.float64:
            raise ValueError(f"its {name[:60]!r} is of type {values.dtype}")
    wide = w.ndim == 2 and run.v.ndim == 2 and run.v.size and run.v.size % w.size == 0
    if w.ndim != 2 or not w.size or not (run.v.shape == (0,) or (wide and len(run.v) == len(w))):
        raise ValueError(f"its w and v are of shapes {w.shape} and {run.v.shape}")
    if run.seconds.shape != (T,) or run.gammas.shape not in ((T,), (0,)):
        raise ValueError(f"its seconds and gammas are not of shape {(T,)}")
    exponents = run.exponents
    if exponents.dtype != np.int64 or exponents.ndim != 1 or len(exponents) % len(w):
        raise ValueError(f"its exponents are of type {exponents.dtype}, shape {exponents.shape}")
    _validate_local_steps(run, T)
    memory = run.measure_memory
    fits = memory.shape == (0,) or (memory.ndim == 2 and len(memory) == len(w))
    if memory.dtype != np.float64 or not fits:
        raise ValueError(f"its measures remember {memory.dtype} numbers of shape {memory.shape}")
    if any(values.shape != (T, len(w)) for values in run.series.values()):
        raise ValueError(f"its series are not of shape {(T, len(w))}")


def _validate_local_steps(run: Trajectory, T: int) -> None:
    """Raise ``ValueError`` unless counts of local steps rise, and slots have the shape of w."""
    counted, slots, Ks = run.counted, run.slots, run.Ks
    is_count = counted.dtype == np.int64 and counted.shape in ((0,), (T,))
    if not is_count or (np.diff(counted, prepend=-1) <= 0).any():
        raise ValueError(f"its counted steps are of type {counted.dtype}, shape {counted.shape}")
    # In Python integers, as NumPy's product would wrap around.
    steps = int(counted[-1]) if counted.size else int(run.rounds[-1]) * int(run.K)
    if steps * int(run.P) * int(run.B) >= COUNTABLE:
        raise ValueError("it has more gradients than can be counted")
    fits = slots.ndim == 4 and slots.shape[2:] == run.w.shape and len(slots) in (1, run.P)
    if slots.size and not fits:
        raise ValueError(f"its slots are of shape {slots.shape}")
    if slots.dtype not in (np.float64, np.float32):
        raise ValueError(f"its slots are of type {slots.dtype}")
    if Ks.dtype != np.int64 or Ks.shape != counted.shape or (Ks < 1).any():
        raise ValueError(f"its Ks are of type {Ks.dtype}, shape {Ks.shape}, or below 1")
    for name, least in (("next_K", 1), ("done_steps", 0)):
        value = getattr(run, name)
        if value is not None and not (type(value) is int and least <= value < COUNTABLE):
            raise ValueError(f"its {name} is {value!r:.60}")


def _validate_states(run: Trajectory) -> None:
    """Raise ``ValueError`` unless snapshots have rising rounds below ``done`` and like arrays."""
    numbers = [state.n for state in run.states]
    whole = all(type(n) is int for n in (*numbers, run.done or 0))
    # ``or 1``: a run that has done no rounds has no states.
    if not whole or any(a >= b for a, b in pairwise([0, *numbers, run.done or 1])):
        raise ValueError(f"its states are of the rounds {numbers!s:.60}")
    for state in run.states:
        arrays = ((state.w, run.w), (state.v, run.v), (state.exponents, run.exponents))
        if any(_type_and_shape(one) != _type_and_shape(last) for one, last in arrays):
            raise ValueError(f"its state after round {state.n} is not like the last")


def _type_and_shape(array: NDArray[Any] | None) -> object:
    return None if array is None else (array.dtype, array.shape)


def find_mismatch(problem: Problem, algorithm: Algorithm, run: Trajectory) -> str | None:
    """Return the first respect in which a run is not one of these settings; None if it may be.

    Compared is what a run carries: its name, P, K and B, the shapes of w and v, the outer rule and
    its numbers (which runs of kavg 0.3 and before do not carry), optimizer and aggregation (nor do
    those of 0.5), the periods and step sizes, and F at the last w.
    """
    if algorithm.name and run.name and algorithm.name != run.name:
        return f"it is a run of {run.name!r}, not of {algorithm.name!r}"
    K = period_of(algorithm, run)
    wanted, got = (algorithm.P, K, problem.noise.B), (run.P, run.K, run.B)
    if wanted != got:
        return f"its (P, K, B) must be {wanted}, got {got}"
    active = count_active_learners(algorithm)
    if run.active_learners != active:
        return f"{active:g} of its learners must take a step, got {run.active_learners:g}"
    shape = (run.replicas, problem.dim)
    if run.w.shape != shape:
        return f"its w must be of shape {shape}, got {run.w.shape}"
    if run.done is not None and run.v.shape != memory_shape(algorithm.outer, *shape):
        return "its v does not have the shape that the outer rule needs"
    # Only where it is known: kavg did not always record it.
    rule = describe_outer_rule(algorithm.outer, algorithm.restart)
    if (found := drop_unit_step(run.outer)) and found != rule:
        return f"its outer rule was {_format_rule(found)}, not {_format_rule(rule)}"
    for name, part in describe_parts(algorithm.optimizer, algorithm.aggregation).items():
        if (was := run.parts.get(name, part)) != part:
            return f"its {name} was {was}, not {part}"
    for n, gamma in zip(run.rounds.tolist(), run.gammas.tolist(), strict=False):
        if n > 0 and not isclose(gamma, algorithm.step_size(n), rel_tol=SAME_GAMMA):
            return f"its gamma in round {n} was {gamma}, not {algorithm.step_size(n)}"
    return find_other_period(algorithm, run) or _find_other_values(problem, run)


def _format_rule(rule: Mapping[str, str | float]) -> str:
    """``block_momentum(mu=0.5)``."""
    numbers = ", ".join(f"{name}={value}" for name, value in rule.items() if name != "kind")
    return shorten(f"{rule.get('kind', '')}({numbers})")


def _find_other_values(problem: Problem, run: Trajectory) -> str | None:
    """Return where F of the problem is not F as recorded: at a fixed start, or at the last w."""
    points: list[tuple[str, int, Floats]] = []
    if "F" not in run.series:
        return None
    if run.rounds[0] == 0 and isinstance(problem.start, (float, tuple)):
        points.append(("the start", 0, problem.first_iterate(0, run.replicas)))
    # A run whose last round was measured; one that diverged may have no row for its last w.
    if run.done is not None and run.done == run.rounds[-1]:
        points.append(("the last w", -1, run.w))
    for where, row, w in points:
        with np.errstate(all="ignore"):
            F, recorded = problem.objective.value(w), run.F[row]
            room = SAME * (np.abs(recorded) + np.abs(run.F).max(axis=0))
        if not (np.abs(F - recorded) <= room).all():
            return f"F at {where} is {recorded[0]:.6g} there, and {F[0]:.6g} by this problem"
    return None
