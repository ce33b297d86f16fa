"""The vocabulary of kavg: what a problem, an algorithm and their parts are.

It imports nothing of kavg but ``kavg.errors``, so every other module may import it.  The letters
are the papers': ``P`` learners take ``K`` local steps of size ``gamma`` on mini-batches of ``B``;
``R`` replicas of the whole run stand side by side; ``d`` is the dimension; ``n = 1..N`` counts
rounds; ``w`` is the meta-iterate, ``v`` the block momentum and ``x`` the learners' own iterates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
"""float64, or float32 in the local steps of a run that asks for it."""
Indices = NDArray[np.intp]
Precision = Literal["float64", "float32"]
How = Literal["exact", "upper bound", "estimated", "unknown"]
Measure = Callable[[int, Floats], Floats]
"""A recorded quantity: a function of the round ``n`` and ``w (R, d)`` that returns ``(R,)``."""


@dataclass(frozen=True)
class Constant:
    """A number of the theory together with how it was obtained.

    ``how`` is ``"exact"``, ``"upper bound"`` (true, perhaps not attained), ``"estimated"`` (a
    measurement: a verdict that rests on it must say so) or ``"unknown"`` (``value`` is then NaN).

    >>> Constant(2.0, "exact", "largest eigenvalue")
    Constant(value=2.0, how='exact', source='largest eigenvalue')
    """

    value: float
    how: How
    source: str = ""


def unknown_constant(source: str) -> Constant:
    """A constant nobody has a number for; ``source`` says why."""
    return Constant(float("nan"), "unknown", source)


@runtime_checkable
class Objective(Protocol):
    """A function ``F`` to minimise, with the constants theory needs.

    ``value`` and ``grad`` are vectorised over leading axes: ``x (..., d)``.  Each row is computed
    by the same operations whatever rows stand beside it, so slicing the rows keeps the bits.
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
        """F at every row: ``(..., d) -> (...)``."""
        ...

    def grad(self, x: Floats, out: Floats) -> Floats:
        """Write the gradient at every row of ``x (..., d)`` to ``out`` and return it.

        ``out`` never overlaps ``x``; nothing else is written.
        """
        ...


class BatchGradient(Protocol):
    """A planned mini-batch gradient: it owns its workspace and allocates nothing."""

    def __call__(self, x: Floats, indices: Indices, out: Floats) -> None:
        """Mean gradient over each row's batch: ``x, out (t, R, d)``, ``indices (t, R, B)``."""
        ...


@runtime_checkable
class FiniteSum(Objective, Protocol):
    """``F(w) = (1/n) sum_i f_i(w)``, an objective over ``examples`` whose batches can be drawn."""

    @property
    def examples(self) -> int:
        """How many examples the sum runs over."""
        ...

    @property
    def labels(self) -> NDArray[Any]:
        """One label (or target) an example, ``(examples,)``: what label skew sorts by."""
        ...

    def plan_batches(self, tile: int, R: int, B: int, dtype: Precision = ...) -> BatchGradient:
        """Allocate for batches of ``B`` at up to ``(tile, R)`` rows; "float64" unless told."""
        ...


@runtime_checkable
class HasMeasures(Protocol):
    """An objective with quantities of its own worth recording, such as held-out accuracy."""

    @property
    def measures(self) -> Mapping[str, Callable[[Floats], Floats]]:
        """Name to function ``(R, d) -> (R,)``."""
        ...


@dataclass(frozen=True)
class NoiseConstants:
    """What theory may assume of an oracle.

    One mini-batch gradient ``g`` of learner j has ``E g = grad f_j`` and
    ``E ||g - grad f_j||^2 <= (M + M_v ||grad f_j||^2) / B``; learners differ by
    ``(1/P) sum_j ||grad f_j - grad F||^2 <= zeta2``.  With ``M_v = 0``, ``M`` is the theory's
    ``sigma2``: the variance of the WHOLE gradient vector, not of one coordinate.
    """

    M: Constant
    M_v: Constant
    zeta2: Constant
    B: int = 1


class StochasticGradient(Protocol):
    """A planned oracle: choose a tile of learners, then ask for one step after another."""

    def select(self, learners: range) -> None:
        """Stand at these learners (at most ``tile`` of them) until told otherwise."""
        ...

    def __call__(self, x: Floats, step: int, out: Floats) -> None:
        """Write the stochastic gradients at ``x (t, R, d)`` of local step ``step`` to ``out``.

        ``t = len(learners)``; ``step`` counts from 0 over the whole run.
        """
        ...


class Oracle(Protocol):
    """Turns an objective into stochastic gradients whose draws are addressed, not sequential."""

    def constants(self, objective: Objective) -> NoiseConstants:
        """What theory may assume of these gradients."""
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
        """Allocate for tiles of ``tile`` learners with ``R`` replicas each, in this precision."""
        ...


class Schedule(Protocol):
    """The local step size of round ``n = 1, 2, ...``."""

    def __call__(self, n: int) -> float:
        """``gamma(n) > 0``."""
        ...


class Outer(Protocol):
    """What is done with the mean displacement: the outer rule.

    ``memory`` says whether the rule carries an array ``v`` of the shape of ``w`` from round to
    round (otherwise ``v`` has shape ``(0,)``).
    """

    @property
    def memory(self) -> bool:
        """Does the rule carry ``v``?"""
        ...

    def start(self, w: Floats, v: Floats, out: Floats) -> None:
        """Write the point where all learners begin the round to ``out (R, d)``."""
        ...

    def step(self, w: Floats, v: Floats, displacement: Floats, gamma: float) -> None:
        """Update ``w`` and ``v`` in place; ``displacement`` is mean minus start, ``(R, d)``."""
        ...


class Start(Protocol):
    """A random starting point, one for each replica."""

    def draw(self, seed: int, R: int, dim: int) -> Floats:
        """``w_1``, shape ``(R, dim)``; the first r replicas do not depend on ``R``."""
        ...


class Communicator(Protocol):
    """The calls of mpi4py's ``Comm`` that kavg makes; ``kavg.comm.SerialComm`` answers them too."""

    def Get_rank(self) -> int:
        """This rank."""
        ...

    def Get_size(self) -> int:
        """How many ranks."""
        ...

    def Allreduce(self, sendbuf: Any, recvbuf: Any) -> None:
        """Sum over ranks, to every rank."""
        ...

    def Allgather(self, sendbuf: Any, recvbuf: Any) -> None:
        """Every rank's buffer, in rank order, to every rank."""
        ...
