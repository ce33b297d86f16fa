"""Products of small matrices, one for each row, in an order of their own: no BLAS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np

from kavg.base import Floats, Precision


def multiply_layers(layers: Sequence[Floats]) -> Floats:
    """Return ``W_D ... W_1`` of ``layers``, the first of them W_1: arrays ``(..., m, m)``.

    An entry of a product of two is ``(a_1 b_1 + a_2 b_2) + ...``, with the same bits in any row.

    >>> multiply_layers([np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])])
    array([[3., 4.],
           [1., 2.]])
    """
    product = layers[0]
    for layer in layers[1:]:
        terms = [layer[..., :, j, None] * product[..., None, j, :] for j in range(layer.shape[-1])]
        product = terms[0]
        for term in terms[1:]:
            product = product + term
    return product


@final
class LayerBlock:
    """The gradient of a deep linear network at a block of rows, by a pass forward and one back.

    Entries of matrices come first, ``(m, m, t, R)``, so that all operations are on contiguous
    arrays.  It is a ``GradientBlock``.
    """

    def __init__(
        self,
        targets: Sequence[float],
        depth: int,
        l2: float,
        rows: tuple[int, int],
        dtype: Precision,
    ) -> None:
        m, shape = len(targets), (len(targets), len(targets), *rows)
        self.layers, self.gradients = np.empty((2, depth, *shape), dtype)
        # products[i] is W_{i+1} ... W_1; the last becomes the residual.
        self.products = np.empty((depth, *shape), dtype)
        self.back, self.other, self.left, self.right = np.empty((4, *shape), dtype)
        self.targets, self.noise = np.zeros((2, *shape), dtype)
        self.targets[...] = np.diag(targets)[..., None, None]
        self.l2 = np.array(l2, dtype)
        self.x, self.g = (
            part.reshape(depth * m * m, *rows).transpose(1, 2, 0)
            for part in (self.layers, self.gradients)
        )
        self.labels = self.noise.reshape(m * m, *rows).transpose(1, 2, 0)

    def compute(self) -> None:
        """Compute the gradients of the layers."""
        # Far out products overflow, and the run is then said to have diverged.
        with np.errstate(over="ignore", invalid="ignore"):
            self._go_forward()
            self._go_back()

    def _go_forward(self) -> None:
        np.copyto(self.products[0], self.layers[0])
        for i in range(1, len(self.layers)):
            self._multiply(self.layers[i], self.products[i - 1], self.products[i])
        residual = self.products[-1]
        np.subtract(residual, self.targets, out=residual)
        np.subtract(residual, self.noise, out=residual)

    def _go_back(self) -> None:
        back, other = self.back, self.other
        np.copyto(back, self.products[-1])
        for i in range(len(self.layers) - 1, 0, -1):
            self._multiply(back, self.products[i - 1].swapaxes(0, 1), self.gradients[i])
            self._multiply(self.layers[i].swapaxes(0, 1), back, other)
            back, other = other, back
        np.copyto(self.gradients[0], back)
        np.multiply(self.layers, self.l2, out=self.products)
        np.add(self.gradients, self.products, out=self.gradients)

    def _multiply(self, A: Floats, B: Floats, out: Floats) -> None:
        """Write ``A B`` of each row to ``out``, none of which overlap."""
        left, right = self.left, self.right
        for j in range(len(A)):
            # Written out, as NumPy would allocate a buffer to broadcast them.
            np.copyto(left, A[:, j, None])
            np.copyto(right, B[None, j])
            if j == 0:
                np.multiply(left, right, out=out)
            else:
                np.multiply(left, right, out=left)
                np.add(out, left, out=out)
