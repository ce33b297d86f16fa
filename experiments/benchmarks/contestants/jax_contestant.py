"""JAX as its users would write it: ``vmap`` over learners, ``scan`` over steps, ``jit`` over all.

Keys are split for each learner and step (threefry, the default).  All rounds of a call are one
compiled loop, so Python is entered once a call.  Where there was a choice the quicker was taken:
gradients of losses written out rather than by ``jax.grad``, and replicas of an elementwise gradient
laid end to end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import jax
import jax.numpy as jnp
import numpy as np

from experiments.benchmarks.contestants.contestant import Repeat
from experiments.benchmarks.contestants.workload_numbers import (
    Wave,
    batch,
    deviation,
    joined,
    momentum,
    one_hot,
    split,
    unknown,
    wave,
)
from experiments.benchmarks.workloads import Workload
from kavg.base import Floats
from kavg.objectives import LogisticRegression, Network

Tree = Any
Gradient = Callable[[Tree, Any], Tree]
"""``(parameters of a learner, (R, ...) each; its key)`` to a stochastic gradient."""


@final
class Jax:
    """Rounds in JAX, compiled once; ``by_round`` returns to Python after each, as kavg does."""

    def __init__(
        self, workload: Workload, *, normals: str = "", by_round: bool = False, seed: int = 1
    ) -> None:
        self.by_round = by_round
        jax.config.update("jax_enable_x64", True)
        first = workload.problem.first_iterate(1, workload.R)
        parts = split(workload, first.ravel() if workload.additive else first)
        w = tuple(jnp.asarray(part, workload.dtype) for part in parts)
        self.state = (w, jax.tree.map(jnp.zeros_like, w), jax.random.PRNGKey(seed))
        g = gradient(workload, normals or workload.dtype)
        self.R, self.run = workload.R, jax.jit(many_rounds(workload, g))

    def __call__(self, rounds: int) -> None:
        """Run so many more rounds, and wait for them."""
        for _ in range(rounds if self.by_round else 1):
            self.state = self.run(self.state, 1 if self.by_round else rounds)
        jax.block_until_ready(self.state)

    def w(self) -> Floats:
        """The meta-iterate."""
        return joined([np.asarray(part).reshape(self.R, -1) for part in self.state[0]])


def many_rounds(workload: Workload, g: Gradient) -> Callable[[Tree, int], Tree]:
    """A loop over rounds: K steps of P learners from w, their mean, block momentum."""
    P, K = workload.algorithm.P, workload.algorithm.constant_K
    gamma, mu = workload.algorithm.step_size(1), momentum(workload)

    def step(x: Tree, keys: Any) -> tuple[Tree, None]:
        gradients = jax.vmap(g)(x, keys)
        return jax.tree.map(lambda x, g: x - gamma * g, x, gradients), None

    def one(_: int, state: Tree) -> Tree:
        w, v, key = state
        key, sub = jax.random.split(key)
        x = jax.tree.map(lambda w: jnp.broadcast_to(w, (P, *w.shape)), w)
        x, _ = jax.lax.scan(step, x, jax.random.split(sub, (K, P)))
        v = jax.tree.map(lambda v, x, w: mu * v + (x.mean(0) - w), v, x, w)
        return jax.tree.map(jnp.add, w, v), v, key

    return lambda state, rounds: jax.lax.fori_loop(0, rounds, one, state)


def gradient(workload: Workload, normals: str) -> Gradient:
    """The stochastic gradient of a workload, for one learner."""
    objective = workload.problem.objective
    elementwise = wave(objective)
    if elementwise:
        return of_wave(elementwise, deviation(workload), normals)
    if isinstance(objective, LogisticRegression):
        data = objective.split.train
        return of_batches(logistic, data.features, data.labels, workload)
    if isinstance(objective, Network):
        return of_batches(network, objective.split.train.features, one_hot(objective), workload)
    raise unknown(workload)


def of_wave(wave: Wave, scale: float, normals: str) -> Gradient:
    """``w + height f(omega w)`` plus normals of this type."""
    height, omega, f = wave.height, wave.omega, getattr(jnp, wave.f)

    def g(parameters: Tree, key: Any) -> Tree:
        (x,) = parameters
        e = jax.random.normal(key, x.shape, normals).astype(x.dtype)
        return (x + height * f(omega * x) + scale * e,)

    return g


def of_batches(
    mean: Callable[[Tree, Any, Any], Tree], features: Floats, targets: Floats, workload: Workload
) -> Gradient:
    """The mean gradient over batches, one batch a replica."""
    rows, aims, size = jnp.asarray(features), jnp.asarray(targets), (workload.R, batch(workload))

    def g(parameters: Tree, key: Any) -> Tree:
        chosen = jax.random.randint(key, size, 0, len(features), jnp.int32)
        return mean(parameters, rows[chosen], aims[chosen])

    return g


def logistic(parameters: Tree, a: Any, y: Any) -> Tree:
    """``-(1/B) sum y a sigmoid(-y a.x)``: ``x (R, p), a (R, B, p), y (R, B)``."""
    (x,) = parameters
    slope = -y * jax.nn.sigmoid(-y * jnp.einsum("rbp,rp->rb", a, x))
    return (jnp.einsum("rb,rbp->rp", slope / y.shape[-1], a),)


def network(parameters: Tree, a: Any, target: Any) -> Tree:
    """Backpropagation: ``a (R, B, p), target (R, B, C)``."""
    W1, b1, W2, b2 = parameters
    h = jnp.tanh(a @ W1 + b1[:, None])
    slope = (jax.nn.softmax(h @ W2 + b2[:, None]) - target) / a.shape[1]
    back = (slope @ W2.mT) * (1 - h * h)
    return a.mT @ back, back.sum(1), h.mT @ slope, slope.sum(1)


def normals(size: int, precision: str) -> Repeat:
    """``jax.random.normal``, a key a draw, all draws of a call in one compiled loop."""
    jax.config.update("jax_enable_x64", True)
    key, first = jax.random.PRNGKey(1), jnp.zeros(size, precision)

    def draws(values: Any, times: int) -> Any:
        def one(i: int, _: Any) -> Any:
            return jax.random.normal(jax.random.fold_in(key, i), (size,), precision)

        return jax.lax.fori_loop(0, times, one, values)

    compiled = jax.jit(draws)

    def repeat(times: int) -> None:
        jax.block_until_ready(compiled(first, times))

    return repeat
