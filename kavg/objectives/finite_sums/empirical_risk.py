"""The abstract base of objectives over a data set, the empirical risks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property, partial

from kavg.base import BatchGradient, Constant, Floats, Precision
from kavg.objectives.data.dataset import Data
from kavg.objectives.data.preparation import (
    DataSplit,
    HeldOut,
    Preparation,
    Source,
    UsedExamples,
    prepare_data,
)
from kavg.objectives.finite_sums.blocked_sums import (
    BatchPlan,
    ExampleMean,
    Examples,
    full_gradient,
    mean_at_rows,
)
from kavg.ranges import DataSeed, check_count, check_ranges


class EmpiricalRisk(ABC):
    """``F(w) = (1/n) sum_i f_i(w)`` over the training examples of a data set, with ``f_i >= 0``.

    A new one is a final, frozen dataclass with the first five fields and its own (each with its
    range, see ``kavg.ranges``), ``dim``, ``L``, and the four methods on arrays below.
    ``kavg.objectives.finite_sums.robust_regression`` is the shortest.  It has the same bits on one
    kind of machine: products with the data, and synthetic data, rest on BLAS and the C library.

    A regulariser is part of every f_i, so the mean over any batch contains all of it.
    """

    # Each leaf declares all its fields: a dataclass puts inherited ones first, and the fields of a
    # settings file would be in another order.

    data: Source
    """The name of a data set, the path of a file, a ``DataFile``, ``Data`` or ``Synthetic``."""
    held_out: HeldOut
    """Share of the examples that is held out of training, in [0, 1)."""
    split_seed: DataSeed
    """Seed of the shuffle before the split."""
    use: UsedExamples | None
    """Number of training examples used; None for all."""
    standardise: bool | None
    """Whether features are centred and divided by their standard deviation.

    None: if the data are read from a file or by name, and scales differ by more than 100.
    """
    intercept: bool | None
    """Whether features get a column of ones, for objectives that have this field.

    None: if the data are read from a file or by name, and have no constant column.
    """

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    @abstractmethod
    def dim(self) -> int:
        """The dimension ``d`` of w; reads the data."""

    @property
    @abstractmethod
    def L(self) -> Constant:
        """The Lipschitz constant of the gradient, and how it was obtained."""

    @abstractmethod
    def encode(self, data: Data) -> Examples:
        """Return the arrays ``(n, ...)`` that losses and gradients read, one row an example.

        Training examples are encoded once, held-out ones at each use of ``measures``.
        """

    @abstractmethod
    def mean_loss(self, examples: Examples, x: Floats) -> Floats:
        """Return ``(1/m) sum_i f_i(x)`` of ``examples (1, m, ...)`` at each row of ``x (c, d)``."""

    @abstractmethod
    def accuracy(self, data: Data) -> ExampleMean | None:
        """Return a function of ``data``, encoded, and ``x (c, d)``: the share classified correctly.

        None for a regression.
        """

    @abstractmethod
    def workspace(self, rows: int, m: int, dtype: Precision = "float64") -> tuple[Floats, ...]:
        """Allocate arrays for ``rows`` rows of ``m`` examples each, the rows on the first axis.

        A plan works on as many rows at a time as let these arrays stay in the cache.
        """

    @abstractmethod
    def mean_gradient(
        self, examples: Examples, x: Floats, out: Floats, work: tuple[Floats, ...]
    ) -> None:
        """Write ``(1/m) sum_i grad f_i(x)`` at each row of ``x (c, d)`` to ``out (c, d)``.

        ``examples (c or 1, m, ...)``; ``work`` is from ``workspace``.  Nothing is allocated.
        """

    @cached_property
    def split(self) -> DataSplit:
        """The training and held-out examples.

        The data are read when first needed, so that settings can be checked without them.  Raises
        KavgError if they cannot be read, or are too few for ``held_out`` and ``use``.
        """
        # cached_property writes to __dict__, past the check of a frozen dataclass.
        # Not every leaf has this field: a network has biases.
        intercept: bool | None = getattr(self, "intercept", False)
        choices = Preparation(self.held_out, self.split_seed, self.use, self.standardise, intercept)
        return prepare_data(self.data, choices)

    @cached_property
    def _train(self) -> Examples:
        return self.encode(self.split.train)

    @property
    def examples(self) -> int:
        """The number n of training examples."""
        return len(self.split.train)

    @property
    def labels(self) -> Floats:
        """The labels or targets of the training examples as the data have them, ``(n,)``."""
        return self.split.train.labels

    @property
    def f_star(self) -> Constant:
        """0, a lower bound of F, as no f_i is negative.

        An upper bound in the sense that theorems need: ``F(w) - f_star`` is never too small.
        """
        return Constant(0.0, "upper bound", "0 is a lower bound of F: no term is negative")

    def value(self, x: Floats) -> Floats:
        """Return F at every row: ``(..., d) -> (...)``, over the training examples."""
        return mean_at_rows(self.mean_loss, self, self._train, x)

    def grad(self, x: Floats, out: Floats) -> Floats:
        """Write the full gradient at every row of ``x (..., d)`` to ``out`` and return it."""
        return full_gradient(self, self._train, x, out)

    def plan_batches(
        self, tile: int, R: int, B: int, dtype: Precision = "float64"
    ) -> BatchGradient:
        """Allocate for batches of ``B`` at up to ``(tile, R)`` rows, in this precision.

        Raises KavgError if one of the three is below 1.
        """
        advice = "a plan needs room for one example"
        rows = check_count("tile", tile, advice) * check_count("R", R, advice)
        return BatchPlan(self, self._train, rows, check_count("B", B, advice), dtype)

    @property
    def measures(self) -> Mapping[str, Callable[[Floats], Floats]]:
        """Functions ``(R, d) -> (R,)`` that runs record beside F.

        ``train_accuracy`` of a classifier; where examples are held out, ``held_out_accuracy`` of a
        classifier and ``held_out_F``, the mean of the f_i over them, regulariser included.
        """
        functions = self._accuracies("train", self.split.train, self._train)
        if self.split.held_out is not None:
            examples = self.encode(self.split.held_out)
            functions |= self._accuracies("held_out", self.split.held_out, examples)
            functions["held_out_F"] = partial(mean_at_rows, self.mean_loss, self, examples)
        return functions

    def _accuracies(
        self, name: str, data: Data, examples: Examples
    ) -> dict[str, Callable[[Floats], Floats]]:
        accuracy = self.accuracy(data)
        if accuracy is None:
            return {}
        return {f"{name}_accuracy": partial(mean_at_rows, accuracy, self, examples)}
