"""A two-layer network forwards and backwards, a stack of them at a time.

Shapes: c networks, m examples each (or the same m, broadcast).  The features have a last column of
ones, ``(c or 1, m, p + 1)``, so that b1 is one more row of W1; scores stand class by class, ``(c,
C, m)``, so that what runs over the few classes is vectorised over the examples.
"""

from __future__ import annotations

import numpy as np

from kavg.base import Floats

Sizes = tuple[int, int, int]
"""``(p, H, C)``: features, hidden units, classes."""


def layers(x: Floats, sizes: Sizes) -> tuple[Floats, Floats, Floats]:
    """Views of ``x (c, d)``: ``W1 over b1 (c, p + 1, H), W2 (c, H, C), b2 (c, C)``.

    >>> [part.shape for part in layers(np.zeros((7, 23)), (1, 4, 3))]
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
    """The features with the column that meets b1, ``(n, p + 1)``."""
    return np.concatenate([features, np.ones((len(features), 1))], axis=1)


def forward(features: Floats, x: Floats, sizes: Sizes, hidden: Floats, scores: Floats) -> None:
    """``hidden (c, m, H) = tanh(a W1 + b1)`` and ``scores (c, C, m)``, of ``hidden W2 + b2``."""
    W1, W2, b2 = layers(x, sizes)
    np.matmul(features, W1, out=hidden)
    np.tanh(hidden, out=hidden)
    np.matmul(W2.mT, hidden.mT, out=scores)
    scores += b2[..., None]


def softmax_less_target(scores: Floats, one_hot: Floats, row: Floats, ones: Floats) -> None:
    """``scores <- softmax(scores) - one_hot``, the cross-entropy's slope; ``row (c, 1, m)``.

    ``ones (c, C)``: a product with ones sums over the classes in an order of its own network's,
    which a sum over a middle axis does not promise.
    """
    # Less the largest score no exponential can overflow, and the quotient is the same.
    np.maximum.reduce(scores, axis=-2, keepdims=True, out=row)
    scores -= row
    np.exp(scores, out=scores)
    np.vecmat(ones, scores, out=row[:, 0])
    scores /= row
    scores -= one_hot.mT


def backward(
    features: Floats,
    x: Floats,
    sizes: Sizes,
    hidden: Floats,
    slope: Floats,
    out: Floats,
    back: Floats,
    ones: Floats,
) -> None:
    """Gradient ``out (c, d)`` from ``slope (c, C, m)``; ``back`` as ``hidden``, which is spent."""
    _, W2, _ = layers(x, sizes)
    gW1, gW2, gb2 = layers(out, sizes)
    np.matmul(hidden.mT, slope.mT, out=gW2)
    np.matvec(slope, ones, out=gb2)
    np.matmul(slope.mT, W2.mT, out=back)
    hidden *= hidden
    np.subtract(1.0, hidden, out=hidden)
    back *= hidden
    np.matmul(features.mT, back, out=gW1)


def cross_entropy(scores: Floats, one_hot: Floats) -> Floats:
    """``log sum_c exp(s_c) - s_label`` of every example, ``(c, m)``."""
    s = np.ascontiguousarray(scores.mT)
    s -= np.maximum.reduce(s, axis=-1, keepdims=True)
    total: Floats = np.add.reduce(np.exp(s), axis=-1)
    label: Floats = np.add.reduce(s * one_hot, axis=-1)
    return np.log(total) - label


def random_weights(count: int, sizes: Sizes) -> Floats:
    """``(count, d)``: weights ``N(0, 1 / fan-in)``, biases 0; always the same."""
    p, H, _ = sizes
    d = p * H + H + H * sizes[2] + sizes[2]
    x = np.random.Generator(np.random.Philox(key=1)).standard_normal((count, d))
    W1, W2, b2 = layers(x, sizes)
    W1 /= np.sqrt(p)
    W2 /= np.sqrt(H)
    W1[:, p] = b2[...] = 0.0
    return x
