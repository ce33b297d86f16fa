"""The step size that an outer rule makes of the local one."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, final

import numpy as np

from kavg.base import Floats, Outer, RoundView
from kavg.base.outer_rules import memory_shape
from kavg.elementary.powers import raise_to_power


@final
@dataclass(frozen=True)
class EffectiveStep:
    """The effective step ``gamma(n)`` times the outer gain, ``gamma alpha / (1 - mu)``.

    The outer gain is the move of ``w`` a round once it moves steadily, where every mean
    displacement is 1: ``1/(1 - mu)`` for block momentum and both forms of Nesterov, ``alpha`` times
    as much with an outer step.  Where the memory restarts a move is never steady, and the gain is
    the mean over the rounds from one restart to the next.  Momentum of the learners' own optimizers
    is no part of it.  NaN at the start, and for rules without a gain: those that are not linear,
    such as Adam's.
    ``Alignment`` has the gain that a run shows.

    >>> from kavg import Algorithm, Problem, objectives, oracles, outer, simulate
    >>> problem = Problem(objectives.Linear(dim=1), oracles.Noiseless(), start=0.0)
    >>> method = Algorithm(P=2, K=3, gamma=0.25, outer=outer.BlockMomentum(mu=0.5))
    >>> simulate(problem, method, rounds=1, record=["effective_step"]).effective_step[:, 0]
    array([nan, 0.5])
    """

    kind = "effective_step"
    same_bits = "any machine"
    names = ("effective_step",)

    def plan(self, problem: Any, algorithm: Any, *, R: int, seed: int) -> PlannedEffectiveStep:
        """Return the measure of one run."""
        return PlannedEffectiveStep(algorithm.outer, algorithm.restart)


@final
class PlannedEffectiveStep:
    """The measure of one run; it remembers nothing."""

    width = 0
    reads_displacement = False

    def __init__(self, rule: Outer, restart: int | None) -> None:
        self.rule, self.restart = rule, restart

    def update(self, now: RoundView, memory: Floats) -> None:
        """Remember nothing."""

    def measure(self, now: RoundView, memory: Floats) -> Floats:
        """Return the effective step of the round, ``(1, R)``."""
        gain = outer_gain(self.rule, now.gamma, self.restart) if now.n else nan
        return np.full((1, len(now.w)), now.gamma * gain)


def outer_gain(rule: Outer, gamma: float, restart: int | None = None) -> float:
    """Return the steady move of ``w`` a round for mean displacements of 1; NaN if it has none.

    With ``v' = a v + b d`` and ``w' = w + c v + e d`` it is ``e + c b / (1 - a)``.  With a restart
    in every so many rounds it is the mean move of these: ``c b / (1 - a)`` times
    ``1 - (1 - a^restart) / (restart (1 - a))`` in place of 1.

    >>> from kavg.outer import Averaging, BlockMomentum, NesterovMomentum
    >>> rules = Averaging(), BlockMomentum(0.5), NesterovMomentum(0.75)
    >>> [outer_gain(rule, 0.1) for rule in rules]
    [1.0, 2.0, 4.0]
    >>> outer_gain(BlockMomentum(0.5), 0.1, restart=2)
    1.25
    """
    if not rule.memory:
        w, _ = _apply(rule, 0.0, 0.0, 1.0, gamma)
        return w if _is_linear(rule, gamma) else nan
    if int(rule.memory) > 1 or not _is_linear(rule, gamma):
        return nan
    (e, b), (c, a) = _apply(rule, 0.0, 0.0, 1.0, gamma), _apply(rule, 0.0, 1.0, 0.0, gamma)
    if a == 1.0:
        return nan
    share = 1.0
    if restart is not None:
        share -= (1.0 - raise_to_power(a, restart)) / (restart * (1.0 - a))
    return e + c * b / (1.0 - a) * share


def _is_linear(rule: Outer, gamma: float) -> bool:
    """True if a mixture, and 1024 times as much, go where a linear rule takes them."""
    parts = np.array([_apply(rule, *each, gamma) for each in ((1, 0, 0), (0, 1, 0), (0, 0, 1))])
    w, v, d = 1.5, -0.75 if rule.memory else 0.0, 0.625
    # Term by term, as BLAS would decide the order of a product.
    expected = w * parts[0] + v * parts[1] + d * parts[2]
    room = 1e-12 * (1.0 + np.abs(parts).max())
    found = (np.array(_apply(rule, k * w, k * v, k * d, gamma)) / k for k in (1.0, 1024.0))
    return all(bool((np.abs(each - expected) <= room).all()) for each in found)


def _apply(rule: Outer, w: float, v: float, d: float, gamma: float) -> tuple[float, float]:
    """Return ``w`` and ``v`` after a step of one coordinate, 0 for the ``v`` of no memory."""
    shape = memory_shape(rule, 1, 1)
    after, memory = np.full((1, 1), float(w)), np.zeros(shape)
    memory[..., :1] = v
    # A rule may overwrite the displacement.
    rule.step(after, memory, np.full((1, 1), float(d)), gamma)
    return after.item(), float(memory[0, 0]) if shape == (1, 1) else 0.0
