"""A two-layer network forwards and backwards, a stack of them at a time.

Shapes: c networks, m examples each (or the same m, broadcast), ``features (c or 1, m, p)``.
"""

from __future__ import annotations

import numpy as np

from kavg.base import Floats

Sizes = tuple[int, int, int]
"""``(p, H, C)``: features, hidden units, classes."""


def layers(x: Floats, sizes: Sizes) -> tuple[Floats, Floats, Floats, Floats]:
    """Views of ``x (c, d)``: ``W1 (c, p, H), b1 (c, H), W2 (c, H, C), b2 (c, C)``.

    >>> [part.shape for part in layers(np.zeros((7, 23)), (1, 4, 3))]
    [(7, 1, 4), (7, 4), (7, 4, 3), (7, 3)]
    """
    c = len(x)
    p, H, C = sizes
    i, j, k = p * H, p * H + H, p * H + H + H * C
    return (
        x[:, :i].reshape(c, p, H, copy=False),
        x[:, i:j],
        x[:, j:k].reshape(c, H, C, copy=False),
        x[:, k:],
    )


def forward(features: Floats, x: Floats, sizes: Sizes, hidden: Floats, scores: Floats) -> None:
    """``hidden (c, m, H) = tanh(a W1 + b1)`` and ``scores (c, m, C) = hidden W2 + b2``."""
    W1, b1, W2, b2 = layers(x, sizes)
    np.matmul(features, W1, out=hidden)
    hidden += b1[:, None]
    np.tanh(hidden, out=hidden)
    np.matmul(hidden, W2, out=scores)
    scores += b2[:, None]


def softmax_less_target(scores: Floats, one_hot: Floats, row: Floats) -> None:
    """``scores <- softmax(scores) - one_hot``, the cross-entropy's slope; ``row (c, m, 1)``."""
    # Less the largest score no exponential can overflow, and the quotient is the same.
    np.maximum.reduce(scores, axis=-1, keepdims=True, out=row)
    scores -= row
    np.exp(scores, out=scores)
    np.add.reduce(scores, axis=-1, keepdims=True, out=row)
    scores /= row
    scores -= one_hot


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
    """Gradient ``out (c, d)`` from ``slope (c, m, C)``; ``back`` as ``hidden``, which is spent.

    ``ones (c, m)``: a product with ones sums over the examples in an order of its own row's,
    which a sum over a middle axis does not promise.
    """
    _, _, W2, _ = layers(x, sizes)
    gW1, gb1, gW2, gb2 = layers(out, sizes)
    np.matmul(hidden.mT, slope, out=gW2)
    np.vecmat(ones, slope, out=gb2)
    np.matmul(slope, W2.mT, out=back)
    hidden *= hidden
    np.subtract(1.0, hidden, out=hidden)
    back *= hidden
    np.matmul(features.mT, back, out=gW1)
    np.vecmat(ones, back, out=gb1)


def cross_entropy(scores: Floats, one_hot: Floats) -> Floats:
    """``log sum_c exp(s_c) - s_label`` of every example, ``(c, m)``."""
    top = np.maximum.reduce(scores, axis=-1, keepdims=True)
    total: Floats = np.add.reduce(np.exp(scores - top), axis=-1)
    label: Floats = np.add.reduce((scores - top) * one_hot, axis=-1)
    return np.log(total) - label


def random_weights(count: int, sizes: Sizes) -> Floats:
    """``(count, d)``: weights ``N(0, 1 / fan-in)``, biases 0; always the same."""
    p, H, _ = sizes
    d = p * H + H + H * sizes[2] + sizes[2]
    x = np.random.Generator(np.random.Philox(key=1)).standard_normal((count, d))
    W1, b1, W2, b2 = layers(x, sizes)
    W1 /= np.sqrt(p)
    W2 /= np.sqrt(H)
    b1[...] = b2[...] = 0.0
    return x
