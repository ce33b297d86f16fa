"""Protocols of the parts of a problem and of an algorithm, and the constants that theory needs.

It imports ``errors`` and ``ranges`` alone, so almost every module may import it.  The letters are
the papers': ``P`` learners take ``K`` local steps of size ``gamma`` on mini-batches of ``B``; ``R``
replicas of the whole run are computed side by side; ``d`` is the dimension; ``n = 1..N`` counts
rounds; ``w`` is the meta-iterate, ``v`` the block momentum and ``x`` the learners' own iterates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isnan
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kavg.errors import KavgError
from kavg.ranges import BatchSize, check_ranges

Floats = NDArray[np.floating[Any]]
"""float64, or float32 in the local steps of a run with that precision."""
Indices = NDArray[np.intp]
Precision = Literal["float64", "float32"]
Certainty = Literal["exact", "upper bound", "estimated", "unknown"]
Measure = Callable[[int, Floats], Floats]
"""A recorded quantity: a function of the round ``n`` and ``w (R, d)`` that returns ``(R,)``."""


@dataclass(frozen=True)
class Constant:
    """A number of the theory together with how it was obtained.

    ``how`` is ``"exact"``, ``"upper bound"`` (true, perhaps not attained), ``"estimated"`` (a
    measurement: a verdict that rests on it must say so) or ``"unknown"`` (``value`` is then NaN).
    ``source`` says where the number comes from, or why there is none.

    Raises ``KavgError`` if ``how`` is none of the four, or if a value is NaN and not "unknown".

    >>> Constant(2.0, "exact", "largest eigenvalue")
    Constant(value=2.0, how='exact', source='largest eigenvalue')
    """

    value: float
    how: Certainty
    source: str = ""

    def __post_init__(self) -> None:
        check_ranges(self)
        if isnan(self.value) != (self.how == "unknown"):
            raise KavgError(
                "a constant is NaN if it is unknown, and only then, got "
                f"value={self.value!r} and how={self.how!r}; use unknown_constant(why)"
            )


def unknown_constant(source: str) -> Constant:
    """Return a constant without a value; ``source`` says why there is none.

    >>> unknown_constant("depends on w")
    Constant(value=nan, how='unknown', source='depends on w')
    """
    return Constant(float("nan"), "unknown", source)


@runtime_checkable
class Objective(Protocol):
    """A function ``F`` to minimise, with the constants theory needs.

    ``value`` and ``grad`` are vectorised over leading axes: ``x (..., d)``.  The operations on a
    row must not depend on the other rows, so that any slice of the rows has the same bits: the
    result of a run then depends neither on tiles nor on ranks.
    """

    @property
    def dim(self) -> int:
        """The dimension ``d``."""
        ...

    @property
    def L(self) -> Constant:
        """``||grad F(a) - grad F(b)|| <= L ||a - b||``; infinite where F is not globally smooth."""
        ...

    @property
    def f_star(self) -> Constant:
        """The infimum of F; minus infinity where F is not bounded below."""
        ...

    def value(self, x: Floats) -> Floats:
        """Return F at every row: ``(..., d) -> (...)``."""
        ...

    def grad(self, x: Floats, out: Floats) -> Floats:
        """Write the gradient at every row of ``x (..., d)`` to ``out`` and return it.

        ``out`` never overlaps ``x``, which is read-only.  To return nothing works as well.
        """
        ...


class PlannedGradient(Protocol):
    """A gradient as a function that writes; one that was planned allocates nothing.

    ``plan_gradient`` of an objective makes one, and ``grad`` itself is one
    (``kavg.gradients.choose_gradient``).
    """

    def __call__(self, x: Floats, out: Floats) -> object:
        """Write the gradient at every row of ``x (t, R, d)``, which is read-only, to ``out``."""
        ...


@runtime_checkable
class HasGradientPlan(Objective, Protocol):
    """An objective whose gradient needs workspace, which can be allocated once for a run.

    It is optional: oracles call ``grad`` of other objectives, and of those whose plan is of another
    gradient than their own (``kavg.gradients.has_gradient_plan``).
    """

    def plan_gradient(self, tile: int, R: int, dtype: Precision) -> PlannedGradient:
        """Allocate for up to ``(tile, R)`` rows of that precision.

        The gradient has the bits of ``grad`` and keeps nothing but workspace.
        """
        ...


class BatchGradient(Protocol):
    """A planned mini-batch gradient: its workspace is allocated once, and calls allocate nothing.

    ``FiniteSum.plan_batches`` makes one; ``StochasticGradient`` draws the indices and calls it.
    """

    def __call__(self, x: Floats, indices: Indices, out: Floats) -> None:
        """Write each row's mean gradient over its batch to ``out``.

        Shapes: ``x, out (t, R, d)``, ``indices (t, R, B)`` from 0 to ``examples - 1``.
        """
        ...


@runtime_checkable
class FiniteSum(Objective, Protocol):
    """``F(w) = (1/n) sum_i f_i(w)``, whose mini-batches of examples can be drawn.

    Here ``n`` is ``examples``.  The oracle ``MiniBatch`` needs one; all others take any objective.
    """

    @property
    def examples(self) -> int:
        """The number of examples."""
        ...

    @property
    def labels(self) -> NDArray[Any]:
        """One label (or target) an example, ``(examples,)``: what label skew sorts by."""
        ...

    def plan_batches(self, tile: int, R: int, B: int, dtype: Precision = ...) -> BatchGradient:
        """Allocate for batches of ``B`` at up to ``(tile, R)`` rows, "float64" by default."""
        ...


@runtime_checkable
class HasMeasures(Protocol):
    """An objective with further quantities to record, such as accuracy on held-out examples.

    ``kavg.simulate`` records them beside ``F`` and ``grad_norm2``.
    """

    @property
    def measures(self) -> Mapping[str, Callable[[Floats], Floats]]:
        """Functions ``(R, d) -> (R,)`` by name."""
        ...


@dataclass(frozen=True)
class NoiseConstants:
    """The constants of an oracle's noise that theorems assume.

    One mini-batch gradient ``g`` of learner j has ``E g = grad f_j`` and
    ``E ||g - grad f_j||^2 <= (M + M_v ||grad f_j||^2) / B``; learners differ by
    ``(1/P) sum_j ||grad f_j - grad F||^2 <= zeta2``.  With ``M_v = 0``, ``M`` is the theory's
    ``sigma2``: the variance of the WHOLE gradient vector, not of one coordinate.
    """

    M: Constant
    M_v: Constant
    zeta2: Constant
    B: BatchSize = 1

    def __post_init__(self) -> None:
        check_ranges(self)


class StochasticGradient(Protocol):
    """A planned oracle: select a tile of learners, then call it for one step after another.

    What it draws depends on seed, learner, replica and step alone, in whatever order it is called.
    """

    def select(self, learners: range) -> None:
        """Select the learners that later calls draw for (at most ``tile``)."""
        ...

    def __call__(self, x: Floats, step: int, out: Floats) -> None:
        """Write the stochastic gradients at ``x (t, R, d)`` of local step ``step`` to ``out``.

        ``t = len(learners)``; ``step`` counts from 0 over the whole run.
        """
        ...


class Oracle(Protocol):
    """The law of stochastic gradients of an objective; ``plan`` makes the sampler.

    Draws are addressed, not sequential: a number follows from seed, learner, replica and step,
    however the learners are divided among tiles and ranks.  A run checks that before its first
    round, unless the oracle has the attribute ``addressed = False``.
    """

    def constants(self, objective: Objective) -> NoiseConstants:
        """Return the constants of these stochastic gradients of ``objective``."""
        ...

    def plan(
        self,
        objective: Objective,
        *,
        seed: int,
        P: int,
        R: int,
        tile: int,
        dtype: Precision = "float64",
    ) -> StochasticGradient:
        """Allocate for tiles of up to ``tile`` of ``P`` learners with ``R`` replicas each.

        ``dtype`` is the precision of iterates and gradients.  Raises ``KavgError`` if the
        objective or ``P`` does not suit the oracle.
        """
        ...


class Schedule(Protocol):
    """The local step size as a function of the round, ``gamma(n)`` for ``n = 1, 2, ...``.

    All K local steps of a round have the same size.
    """

    def __call__(self, n: int) -> float:
        """Return ``gamma(n) > 0``."""
        ...


class Outer(Protocol):
    """The outer rule: how the mean displacement of a round updates the meta-iterate.

    ``kavg.outer`` compares the rules.  Rules are frozen values: ``w`` and ``v`` are all state.
    Replicas are rows, and any number of them may be passed: the rule is tried on one or two first.
    """

    @property
    def memory(self) -> bool:
        """True if the rule carries ``v`` of the shape of ``w``; otherwise ``v`` has shape (0,)."""
        ...

    def start(self, w: Floats, v: Floats, out: Floats) -> None:
        """Write the point where all learners begin the round to ``out (R, d)``."""
        ...

    def step(self, w: Floats, v: Floats, displacement: Floats, gamma: float) -> None:
        """Update ``w`` and ``v`` in place by the mean displacement ``(R, d)`` of a round.

        ``displacement`` is the mean over learners of end minus start.  The rule may overwrite it:
        it is the buffer of the mean, and the caller must not read it afterwards.  ``gamma`` is the
        step size of the round.
        """
        ...


class Start(Protocol):
    """A law of random starting points, one for each replica."""

    def draw(self, seed: int, R: int, dim: int) -> Floats:
        """Return ``w_1 (R, dim)``; the first r replicas must not depend on ``R``."""
        ...


class Communicator(Protocol):
    """The calls of mpi4py's ``Comm`` that kavg makes; ``kavg.SerialComm`` has them too.

    Buffers are NumPy arrays: mpi4py's calls with a capital letter pickle nothing.  Every rank must
    make the same calls in the same order.
    """

    def Get_rank(self) -> int:
        """Return this rank, from 0."""
        ...

    def Get_size(self) -> int:
        """Return the number of ranks."""
        ...

    def Allreduce(self, sendbuf: Any, recvbuf: Any) -> None:
        """Write the sum of all ranks' ``sendbuf`` to every rank's ``recvbuf``."""
        ...

    def Allgather(self, sendbuf: Any, recvbuf: Any) -> None:
        """Write every rank's ``sendbuf``, in the order of ranks, to every rank's ``recvbuf``."""
        ...
