"""The fingerprint of a run: short texts by which ranks find that they were given different runs.

Numbers, texts, arrays and dataclasses are described by what they hold.  Any other object, such as a
user's objective or schedule, may hold what belongs to its rank alone (a file, a communicator,
workspace), so it is described by what it does: its value and gradient near the start, the first
gradient of learner 0 there, the step sizes of some rounds, one outer step.  Functions that differ
only elsewhere are not told apart, nor are measures.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from itertools import takewhile
from numbers import Integral, Real
from typing import Final

import numpy as np

from kavg.base import Floats
from kavg.base.outer_rules import memory_shape
from kavg.engine.blas_threads import limit_blas_to_one_thread
from kavg.engine.contracts import move_away
from kavg.engine.options import RunOptions
from kavg.problem import Algorithm, Problem
from kavg.version import __version__

LENGTH: Final = 70
"""Characters of a fact; of a longer one the beginning and a digest are left."""
OPAQUE: Final = "<"
"""The beginning of the description of an object of which only the type is known."""
LAST_ROUND: Final = 10_000
"""The last round whose step size is compared; they double from 1."""
DEEPEST: Final = 10


def describe_run(
    problem: Problem, algorithm: Algorithm, options: RunOptions, **further: object
) -> dict[str, str]:
    """Return the facts that must be the same on all ranks, by name.

    ``further`` are other arguments of the call.  Raises what the user's parts raise, and
    ``KavgError`` if the start does not fit.

    >>> from kavg import Algorithm, Problem, objectives, oracles, outer
    >>> problem = Problem(objectives.Quadratic((1.0,)), oracles.Noiseless(), start=2.0)
    >>> method = Algorithm(2, 1, 0.5, outer.Averaging())
    >>> facts = describe_run(problem, method, RunOptions(), rounds=3)
    >>> facts["gamma"], facts["F near the start"], facts["rounds"]
    ('0.5', '2.003', '3')
    """
    w = problem.first_iterate(options.seed, options.replicas)
    # Bits depend on BLAS threads, and ranks may have different numbers of processors.
    with limit_blas_to_one_thread(), np.errstate(all="ignore"):
        facts = {
            "kavg and numpy": f"{__version__}, {np.__version__}",
            "objective": describe(problem.objective),
            **_describe_values(problem, w),
            "oracle": describe(problem.oracle) + _describe_gradient(problem, algorithm, options, w),
            "start": describe(w),
            **_describe_algorithm(algorithm, problem.dim),
        }
    names = ["replicas", "seed", "mean", "dtype"]
    # No bit depends on the tile, so ranks may have their own, unless draws follow from the calls.
    if not getattr(problem.oracle, "addressed", True):
        names.append("tile")
    facts |= {name: describe(getattr(options, name)) for name in names}
    facts |= {name: describe(value) for name, value in further.items()}
    return {name: _shorten(fact) for name, fact in facts.items()}


def describe_algorithms(algorithms: Sequence[Algorithm], d: int) -> dict[str, str]:
    """Return the facts of several algorithms that must be the same on all ranks, by name."""
    with np.errstate(all="ignore"):
        texts = [" ".join(_describe_algorithm(each, d).values()) for each in algorithms]
    return {f"algorithms[{i}]": _shorten(text) for i, text in enumerate(texts)}


def _describe_algorithm(algorithm: Algorithm, d: int) -> dict[str, str]:
    return {
        "P": describe(algorithm.P),
        "K": _describe_period(algorithm),
        "optimizer": describe(algorithm.optimizer),
        "aggregation": describe(algorithm.aggregation),
        "gamma": _describe_schedule(algorithm),
        "outer": describe(algorithm.outer) + _describe_outer(algorithm, d),
        "restart": describe(algorithm.restart),
    }


def describe(value: object, depth: int = 0) -> str:
    """Return a text for what a value holds; the type alone, in ``<>``, of an object that is opaque.

    Numbers are equal whatever their type is.  Where a file lies is left out: its content counts.

    >>> describe((2, 2.0, np.float32(0.5), "exact")), describe(print)
    ("(2, 2, 0.5, 'exact')", '<builtins.builtin_function_or_method>')
    """
    if isinstance(value, os.PathLike) or (isinstance(value, str) and os.sep in value):
        return "<a path>"
    if value is None or isinstance(value, (bool, np.bool_, str, bytes)):
        return repr(value)
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        number = float(value)
        return str(int(number)) if number.is_integer() else repr(number)
    if isinstance(value, np.ndarray) and value.dtype != object:
        content = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return f"array {value.shape} of {value.dtype} #{content[:12]}"
    if depth < DEEPEST:
        return _describe_parts(value, depth + 1)
    return _describe_type(value)


def _describe_parts(value: object, depth: int) -> str:
    if isinstance(value, (tuple, list)):
        return f"({', '.join(describe(part, depth) for part in value)})"
    if isinstance(value, Mapping):
        parts = (f"{key!r}: {describe(part, depth)}" for key, part in value.items())
        return f"{{{', '.join(parts)}}}"
    if is_dataclass(value) and not isinstance(value, type):
        parts = (
            f"{each.name}={describe(getattr(value, each.name), depth)}" for each in fields(value)
        )
        return f"{type(value).__name__}({', '.join(parts)})"
    return _describe_type(value)


def _describe_type(value: object) -> str:
    return f"{OPAQUE}{type(value).__module__}.{type(value).__qualname__}>"


def _describe_values(problem: Problem, w: Floats) -> dict[str, str]:
    """Describe the objective near the start, as its data may come from different files."""
    x = move_away(w, "float64")
    # Zeros, so that a gradient that does not write is the same on all ranks, and refused later.
    gradient = np.zeros_like(x)
    problem.objective.grad(x.copy(), gradient)
    # To six digits: the last places may differ between processors, and all where a gradient is 0.
    return {
        "F near the start": f"{np.mean(problem.objective.value(x.copy())):.6g}",
        "||grad F||^2 near the start": f"{np.mean(np.vecdot(gradient, gradient)):.6g}",
    }


def _describe_gradient(
    problem: Problem, algorithm: Algorithm, options: RunOptions, w: Floats
) -> str:
    """Describe the first gradient of learner 0, if the oracle is opaque."""
    if OPAQUE not in describe(problem.oracle):
        return ""
    gradient = problem.oracle.plan(
        problem.objective,
        seed=options.seed, P=algorithm.P, R=options.replicas, tile=1, dtype=options.dtype,
    )  # fmt: skip
    x = move_away(w[None], options.dtype).astype(options.dtype)
    out = np.zeros_like(x)
    gradient.select(range(1))
    gradient(x, 0, out)
    digits = 6 if options.dtype == "float64" else 3
    return f" {np.sum(out * out):.{digits}g}"


def _describe_schedule(algorithm: Algorithm) -> str:
    form = describe(algorithm.gamma)
    if OPAQUE not in form:
        return form
    return f"{form} {' '.join(f'{algorithm.step_size(n):.6g}' for n in _some_rounds())}"


def _describe_period(algorithm: Algorithm) -> str:
    form = describe(algorithm.K)
    if OPAQUE not in form:
        return form
    return f"{form} {' '.join(str(algorithm.count_local_steps(n)) for n in _some_rounds())}"


def _some_rounds() -> Iterator[int]:
    return takewhile(lambda n: n <= LAST_ROUND, (2**i for i in range(LAST_ROUND)))


def _describe_outer(algorithm: Algorithm, d: int) -> str:
    """Describe one outer step on numbers of no meaning, if the rule is opaque."""
    outer = algorithm.outer
    if OPAQUE not in describe(outer):
        return ""
    w = np.linspace(1.0, 2.0, d)[None]
    v = np.resize(w / 4, memory_shape(outer, *w.shape))
    start = np.zeros_like(w)
    outer.start(w, v, start)
    outer.step(w, v, w / 8, 0.5)
    return f" {np.sum(start):.6g}, {np.sum(w):.6g}, {np.sum(v):.6g}"


def _shorten(fact: str) -> str:
    line = " ".join(fact.split())
    if len(line) <= LENGTH:
        return line
    digest = hashlib.sha256(fact.encode(errors="backslashreplace")).hexdigest()
    return f"{line[: LENGTH - 16]}... #{digest[:10]}"
