"""Forward and backward passes of two-layer networks, for several weight vectors at a time.

Shapes: c weight vectors, m examples each (or the same m, broadcast).  The features have a last
column of ones, ``(c or 1, m, p + 1)``, so that b1 is one more row of W1.  Scores have the classes
before the examples, ``(c, C, m)``: operations over the few classes are then vectorised over the
many examples.
"""

from __future__ import annotations

import numpy as np

from kavg.base import Floats

LayerSizes = tuple[int, int, int]
"""``(p, H, C)``: features, hidden units, classes."""


def layer_views(x: Floats, sizes: LayerSizes) -> tuple[Floats, Floats, Floats]:
    """Return views of ``x (c, d)``: ``W1 over b1 (c, p + 1, H), W2 (c, H, C), b2 (c, C)``.

    >>> [part.shape for part in layer_views(np.zeros((7, 23)), (1, 4, 3))]
    [(7, 2, 4), (7, 4, 3), (7, 3)]
    """
    c = len(x)
    p, H, C = sizes
    j, k = p * H + H, p * H + H + H * C
    return (
        x[:, :j].reshape(c, p + 1, H, copy=False),
        x[:, j:k].reshape(c, H, C, copy=False),
        x[:, k:],
    )


def with_ones(features: Floats) -> Floats:
    """Append a column of ones, which b1 is multiplied by: ``(n, p) -> (n, p + 1)``.

    >>> with_ones(np.array([[3.0], [4.0]])).tolist()
    [[3.0, 1.0], [4.0, 1.0]]
    """
    return np.concatenate([features, np.ones((len(features), 1))], axis=1)


def forward(features: Floats, x: Floats, sizes: LayerSizes, hidden: Floats, scores: Floats) -> None:
    """Write ``hidden (c, m, H) = tanh(a W1 + b1)`` and the scores ``hidden W2 + b2``.

    ``features (c or 1, m, p + 1)``, ``x (c, d)``; ``scores (c, C, m)``.
    """
    W1, W2, b2 = layer_views(x, sizes)
    np.matmul(features, W1, out=hidden)
    np.tanh(hidden, out=hidden)
    np.matmul(W2.mT, hidden.mT, out=scores)
    scores += b2[..., None]


def softmax_minus_target(scores: Floats, one_hot: Floats, row: Floats, ones: Floats) -> None:
    """Replace ``scores (c, C, m)`` by ``softmax(scores) - one_hot``, the cross-entropy's slope.

    ``row (c, 1, m)`` is workspace; ``ones (c, C)`` are ones.
    """
    # Less the largest score no exponential can overflow, and the quotient is the same.
    np.maximum.reduce(scores, axis=-2, keepdims=True, out=row)
    scores -= row
    np.exp(scores, out=scores)
    # A product with ones has one order of addition for each network; np.add.reduce over a middle
    # axis may change its order with c.
    np.vecmat(ones, scores, out=row[:, 0])
    scores /= row
    scores -= one_hot.mT


def backward(
    features: Floats,
    x: Floats,
    sizes: LayerSizes,
    slope: Floats,
    out: Floats,
    work: tuple[Floats, Floats, Floats],
) -> None:
    """Write the gradient ``out (c, d)``, given the loss's ``slope (c, C, m)`` by the scores.

    ``work`` holds the hidden units ``(c, m, H)`` from ``forward``, which are overwritten, an array
    of the same shape, and ones ``(c, m)``.
    """
    hidden, back, ones = work
    _, W2, _ = layer_views(x, sizes)
    gW1, gW2, gb2 = layer_views(out, sizes)
    np.matmul(hidden.mT, slope.mT, out=gW2)
    np.matvec(slope, ones, out=gb2)
    np.matmul(slope.mT, W2.mT, out=back)
    # tanh' = 1 - tanh^2.
    hidden *= hidden
    np.subtract(1.0, hidden, out=hidden)
    back *= hidden
    np.matmul(features.mT, back, out=gW1)


def cross_entropy(scores: Floats, one_hot: Floats) -> Floats:
    """Return ``log sum_c exp(s_c) - s_label`` of every example: ``(c, C, m) -> (c, m)``.

    >>> cross_entropy(np.zeros((1, 2, 1)), np.array([[[1.0, 0.0]]])).round(6)
    array([[0.693147]])
    """
    # The last axis is the one whose sums have the same bits for each network.
    s = np.ascontiguousarray(scores.mT)
    s -= np.maximum.reduce(s, axis=-1, keepdims=True)
    total: Floats = np.add.reduce(np.exp(s), axis=-1)
    label: Floats = np.add.reduce(s * one_hot, axis=-1)
    return np.log(total) - label


def random_weights(count: int, sizes: LayerSizes) -> Floats:
    """Return weights ``N(0, 1 / fan-in)`` and biases 0, ``(count, d)``, the same at every call.

    The fan-in is p for W1 and H for W2, so that units and scores have a variance of order 1.
    """
    p, H, C = sizes
    d = p * H + H + H * C + C
    x = np.random.Generator(np.random.Philox(key=1)).standard_normal((count, d))
    W1, W2, b2 = layer_views(x, sizes)
    W1 /= np.sqrt(p)
    W2 /= np.sqrt(H)
    W1[:, p] = b2[...] = 0.0
    return x
