"""Protocols of objectives and starting points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from kavg.base.values import Constant, Floats, Indices, Precision


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


@runtime_checkable
class AnalyticObjective(Objective, Protocol):
    """An objective that is not over data, such as what learners may differ by in settings."""


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


class LabelGradient(Protocol):
    """A planned gradient at disturbed labels: calls allocate nothing."""

    def __call__(self, x: Floats, noise: Floats, out: Floats) -> object:
        """Write the gradient of ``||m(x) - y - noise||^2 / 2`` and all else of F to ``out``.

        Shapes: ``x, out (t, R, d)``, ``noise (t, R, outputs)``.
        """
        ...


@runtime_checkable
class HasLabels(Objective, Protocol):
    """A regression ``F(w) = ||m(w) - y||^2 / 2``, perhaps with a penalty, of a model m on labels y.

    It is optional: the oracle ``LabelNoise`` needs it.
    """

    @property
    def outputs(self) -> int:
        """The number of labels."""
        ...

    def plan_label_gradient(self, tile: int, R: int, dtype: Precision) -> LabelGradient:
        """Allocate for up to ``(tile, R)`` rows; without noise it is the gradient of F."""
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


@runtime_checkable
class HasMinimiser(Protocol):
    """An objective whose only minimiser is known, for ``kavg.measures.Distance``."""

    @property
    def minimiser(self) -> Floats | None:
        """The point ``w* (d,)`` where F is least; None if there are several, or none."""
        ...


class Start(Protocol):
    """A law of random starting points, one for each replica."""

    def draw(self, seed: int, R: int, dim: int) -> Floats:
        """Return ``w_1 (R, dim)``; the first r replicas must not depend on ``R``."""
        ...
