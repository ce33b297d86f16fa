"""Methods of the field, transcribed from their papers: one object a learner, one loop a line.

Slow on purpose, and without a line of the engine: numbers are those of one replica, in lists of
learners.  What is drawn by address (who takes part, who is slow, how stale an update is) is asked
of the aggregation; the noise is given, as in ``reference.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from math import floor

import numpy as np

import kavg
from helpers.spy import SpyOracle
from kavg import Algorithm
from kavg.base import RoundDraw

StochasticGradientAt = Callable[[np.ndarray, int, int], np.ndarray]
"""``(x, learner, step) -> g``."""


@dataclass
class Learner:
    """A learner with its model, the slots of its optimizer and their age."""

    j: int
    x: np.ndarray
    slots: dict = field(default_factory=dict)
    age: int = 0
    last: np.ndarray | None = None
    """Where the first gradient of a round is taken, if that is not x."""

    def slot(self, name):
        return self.slots.get(name, np.zeros_like(self.x))


# --- local steps, by the kind of the optimizer


def sgd(learner, g, gamma, o):
    learner.x = learner.x - gamma * g


def heavy_ball(learner, g, gamma, o):
    learner.slots["m"] = o.beta * learner.slot("m") + g
    learner.x = learner.x - gamma * learner.slots["m"]


def nesterov(learner, g, gamma, o):
    learner.slots["m"] = o.beta * learner.slot("m") + g
    learner.x = learner.x - gamma * (g + o.beta * learner.slots["m"])


def adam(learner, g, gamma, o):
    beta1, beta2 = o.beta1, o.beta2
    m = learner.slots["m"] = beta1 * learner.slot("m") + (1 - beta1) * g
    s = learner.slots["s"] = beta2 * learner.slot("s") + (1 - beta2) * g * g
    m_hat = m / (1 - beta1**learner.age)
    s_hat = s / (1 - beta2**learner.age)
    learner.x = learner.x - gamma * m_hat / (np.sqrt(s_hat) + o.eps)


def adamw(learner, g, gamma, o):
    learner.x = learner.x - gamma * o.weight_decay * learner.x
    adam(learner, g, gamma, o)


LOCAL_STEPS = {
    "sgd": sgd,
    "accumulation": sgd,
    "heavy_ball": heavy_ball,
    "nesterov_steps": nesterov,
    "adam": adam,
    "adamw": adamw,
}


def changed(g, x, o):
    """The gradient clipped by its norm, then with the decay of weights that is not decoupled."""
    if getattr(o, "clip", None) is not None:
        g = g * min(1.0, o.clip / (np.sqrt(np.sum(g * g)) + 1e-6))
    return g if o.kind == "adamw" else g + getattr(o, "weight_decay", 0.0) * x


@dataclass
class Place:
    """Where a run is: the replica, the round, and what its learners need for the local steps."""

    method: Algorithm
    gradient: StochasticGradientAt
    r: int
    learners: list
    n: int = 0
    taken: int = 0
    steps: range = range(0)
    gamma: float = 0.0
    past: list = field(default_factory=list)

    def take(self, learner, steps=None):
        """The local steps of a learner, by default all of the round."""
        optimizer = self.method.optimizer
        start = first = learner.x if learner.last is None else learner.last
        for step in self.steps if steps is None else steps:
            learner.age += 1
            x = start if optimizer.kind == "accumulation" else learner.x
            x, first = (x if first is None else first), None
            g = changed(self.gradient(x, learner.j, step), x, optimizer)
            LOCAL_STEPS[optimizer.kind](learner, g, self.gamma, optimizer)


def settle(learners, optimizer):
    """What becomes of the slots when models are averaged."""
    if optimizer.at_average == "reset":
        for learner in learners:
            learner.slots, learner.age = {}, 0
    elif optimizer.at_average == "averaged":
        for name in learners[0].slots:
            mean = sum(learner.slots[name] for learner in learners) / len(learners)
            for learner in learners:
                learner.slots[name] = mean


# --- a round of the learners from the point where they start, by the kind of the aggregation


def spread_of(models):
    mean = mean_of(models)
    return sum(np.sum((x - mean) ** 2) for x in models) / len(models)


def mean_of(models):
    return sum(models) / len(models)


def all_learners(run, start):
    for learner in run.learners:
        learner.x = start
        run.take(learner)
    settle(run.learners, run.method.optimizer)
    models = [learner.x for learner in run.learners]
    return mean_of(models) - start, spread_of(models)


def elastic(run, start):
    for learner in run.learners:
        run.take(learner)
    settle(run.learners, run.method.optimizer)
    models = [learner.x for learner in run.learners]
    law = run.method.aggregation
    for learner in run.learners:
        learner.last = learner.x if law.first_gradient == "last" else None
        learner.x = learner.x - law.alpha * (learner.x - start)
    return mean_of(models) - start, spread_of(models)


def mixing_matrix(mixing, P):
    if not isinstance(mixing, str):
        return np.array(mixing)
    W = np.zeros((P, P))
    for j in range(P):
        who = {"ring": {j - 1, j, j + 1}, "complete": range(P), "identity": {j}}[mixing]
        for i in {i % P for i in who}:
            W[j, i] = 1.0
    return W / W.sum(axis=1, keepdims=True)


def gossip(run, start):
    for learner in run.learners:
        run.take(learner)
    settle(run.learners, run.method.optimizer)
    models = [learner.x for learner in run.learners]
    W = mixing_matrix(run.method.aggregation.mixing, len(models))
    for j, learner in enumerate(run.learners):
        learner.x = sum(W[j, i] * x for i, x in enumerate(models))
    return mean_of(models) - start, spread_of(models)


def stale_gradients(run, start):
    P, spread = run.method.P, 0.0
    run.past = run.past or [start]
    tau = run.method.aggregation.draw_staleness(SEED, run.n, R, P)[run.r]
    for j, learner in enumerate(run.learners):
        t = (run.n - 1) * P + j
        x_0 = run.past[max(0, t - tau[j])]
        learner.x = x_0
        run.take(learner)
        settle([learner], run.method.optimizer)
        run.past.append(run.past[t] + (learner.x - x_0))
        spread += np.sum((learner.x - run.past[t + 1]) ** 2) / P
    return run.past[-1] - start, spread


def groups(run, start):
    law, P = run.method.aggregation, run.method.P
    sizes = law.groups if isinstance(law.groups, tuple) else [P // law.groups] * law.groups
    blocks = [run.steps[i : i + law.K1] for i in range(0, len(run.steps), law.K1)]
    for learner in run.learners:
        learner.x = start
    for i, block in enumerate(blocks):
        for learner in run.learners:
            run.take(learner, block)
        if i == len(blocks) - 1:
            break
        first = 0
        for size in sizes:
            members = run.learners[first : first + size]
            settle(members, run.method.optimizer)
            point = mean_of([learner.x for learner in members])
            for learner in members:
                learner.x = point
            first += size
    settle(run.learners, run.method.optimizer)
    models = [learner.x for learner in run.learners]
    return mean_of(models) - start, spread_of(models)


def drawn_shares(run):
    law, P = run.method.aggregation, run.method.P
    return law.share(range(P), P, len(run.steps), RoundDraw(SEED, run.n, R))


def sampled(run, start):
    law, P = run.method.aggregation, run.method.P
    takes_part = drawn_shares(run).takes_part
    S = [j for j in range(P) if takes_part is None or takes_part[j, run.r]]
    weights = law.weights or [1.0] * P
    terms = []
    for j in S:
        learner = run.learners[j]
        learner.x = start
        run.take(learner)
        settle([learner], run.method.optimizer)
        if law.scaling == "unbiased":
            factor = P * weights[j] / sum(weights)
        else:
            factor = law.m * weights[j] / sum(weights[i] for i in S)
        terms.append(factor * (learner.x - start))
    return mean_of(terms), spread_of(terms)


def with_own_steps(run, start, Ks):
    tau, terms = mean_of(Ks), []
    for learner, K in zip(run.learners, Ks, strict=True):
        learner.x = start
        run.take(learner, run.steps[:K])
        settle([learner], run.method.optimizer)
        factor = tau / K if run.method.aggregation.weights == "fednova" else 1.0
        terms.append(factor * (learner.x - start))
    return mean_of(terms), spread_of(terms)


def own_steps(run, start):
    return with_own_steps(run, start, run.method.aggregation.Ks)


def stragglers(run, start):
    law, K = run.method.aggregation, len(run.steps)
    own = drawn_shares(run).K[:, run.r].tolist()
    assert sorted(own) == sorted([law.K_slow] * law.slow + [K] * (run.method.P - law.slow))
    return with_own_steps(run, start, own)


ROUNDS = {
    "all": all_learners,
    "elastic": elastic,
    "gossip": gossip,
    "stale_gradients": stale_gradients,
    "groups": groups,
    "sampled": sampled,
    "own_steps": own_steps,
    "stragglers": stragglers,
}


# --- the outer rule


class Averaging:
    """Begin at w; move by the mean displacement.  ``memory`` is empty where v is zero."""

    def __init__(self, rule, d):
        self.rule, self.zero, self.memory = rule, np.zeros(d), {}

    def old(self, name):
        return self.memory.get(name, self.zero)

    def start(self, w):
        return w

    def step(self, w, d, gamma):
        return w + self.rule.alpha * d


class BlockMomentum(Averaging):
    def step(self, w, d, gamma):
        v = self.memory["v"] = self.rule.mu * self.old("v") + d
        return w + self.rule.alpha * v


class Nesterov(Averaging):
    """Learners begin at the look-ahead y; the anchor goes from w to y + alpha d."""

    def start(self, w):
        return w + self.rule.alpha * self.rule.mu * self.old("v")

    def step(self, w, d, gamma):
        after = self.start(w) + self.rule.alpha * d
        self.memory["v"] = (after - w) / self.rule.alpha
        return after


class NesterovLookAhead(Averaging):
    """The same, of which y is told: y' = w' + alpha mu v', with w the anchor of y."""

    def step(self, y, d, gamma):
        mu, alpha = self.rule.mu, self.rule.alpha
        anchor = y - alpha * mu * self.old("v")
        after = y + alpha * d
        v = self.memory["v"] = (after - anchor) / alpha
        return after + alpha * mu * v


class QuasiHyperbolic(Averaging):
    """In the paper's form: g is the exponential average of the displacements."""

    def step(self, w, d, gamma):
        mu, nu = self.rule.mu, self.rule.nu
        g = self.memory["g"] = mu * self.old("g") + (1 - mu) * d
        return w + self.rule.alpha * ((1 - nu) * d + nu * g)


class SlowMo(Averaging):
    def step(self, w, d, gamma):
        u = self.memory["u"] = self.rule.mu * self.old("u") - d / gamma
        return w - self.rule.alpha * gamma * u


class FedAdagrad(Averaging):
    def step(self, w, d, gamma):
        beta1 = self.rule.beta1
        m = self.memory["m"] = beta1 * self.old("m") + (1 - beta1) * d
        s = self.memory["s"] = self.add_square(self.old("s"), d * d)
        return w + self.rule.alpha * m / (np.sqrt(s) + self.rule.tau)

    def add_square(self, s, square):
        return s + square


class FedAdam(FedAdagrad):
    def add_square(self, s, square):
        return self.rule.beta2 * s + (1 - self.rule.beta2) * square


OUTER = {
    "averaging": Averaging,
    "block_momentum": BlockMomentum,
    "nesterov": Nesterov,
    "nesterov_look_ahead": NesterovLookAhead,
    "quasi_hyperbolic": QuasiHyperbolic,
    "slowmo": SlowMo,
    "fed_adagrad": FedAdagrad,
    "fed_adam": FedAdam,
}


# --- the period


def constant(period, n, gamma, before):
    return period


def piecewise(period, n, gamma, before):
    below = [boundary for boundary in period.boundaries if boundary < n]
    return period.Ks[len(below)]


def warm_up(period, n, gamma, before):
    return 1 if n <= period.rounds else find_period(period.then, n, gamma, before)


def qsr(period, n, gamma, before):
    # In rational numbers; up to 1e-12 below a whole number counts as rounding.
    grown = (Fraction(period.alpha) / Fraction(gamma)) ** period.power
    K = max(period.least, floor(grown * (1 + Fraction(1, 10**12))))
    return K if period.most is None else max(period.least, min(K, period.most))


def dispersion(period, n, gamma, before):
    if before is None:
        return period.first
    K, spread = before
    if 4 * spread < period.spread:
        return min(2 * K, period.most)
    return max(K // 2, 1) if spread > period.spread else K


PERIODS = {
    "constant": constant,
    "piecewise": piecewise,
    "warm_up": warm_up,
    "qsr": qsr,
    "dispersion": dispersion,
}


def find_period(period, n, gamma, before):
    """``before`` are K and the dispersion of the round before, None in the first."""
    return PERIODS[getattr(period, "kind", "constant")](period, n, gamma, before)


def rounds(run: Place, w1: np.ndarray, Ks: dict[int, int]) -> Iterator[tuple[np.ndarray, float]]:
    """Yield ``(w_{n+1}, dispersion)`` for n = 1, 2, ...

    The replica that comes first decides the periods, which ``Ks`` has for the others.
    """
    method = run.method
    rule = OUTER[method.outer.kind](method.outer, len(w1))
    w, before = w1, None
    while True:
        run.n += 1
        if method.restart is not None and run.n % method.restart == 1 % method.restart:
            rule.memory = {}
        run.gamma = method.step_size(run.n)
        K = Ks.setdefault(run.n, find_period(method.K, run.n, run.gamma, before))
        run.steps = range(run.taken, run.taken + K)
        run.taken += K
        d, spread = ROUNDS[method.aggregation.kind](run, rule.start(w))
        w = rule.step(w, d, run.gamma)
        before = K, spread
        yield w, spread


# --- the engine beside it

OBJECTIVE = kavg.objectives.Cosine(dim=3)
NOISE = kavg.oracles.Gaussian(sigma2=1.0)
N, R, SEED = 8, 2, 9


def largest_difference(method: Algorithm, transcribed: Algorithm | None = None) -> float:
    """The largest difference in N rounds from the engine: of a coordinate, or of a dispersion.

    Relative to the largest coordinate, or to the dispersion, where these are above 1.
    """
    spy = SpyOracle(NOISE)
    problem = kavg.Problem(OBJECTIVE, spy, (2.0, -1.0, 0.5))
    found = kavg.meta_iterations(problem, method, replicas=R, seed=SEED, tile=2)
    start, *engine = islice(found, N + 1)
    differences, Ks = [], {}
    for r in range(R):

        def gradient(x, j, step, r=r):
            return OBJECTIVE.grad(x, np.empty_like(x)) + spy.noise[j, step][r]

        other = transcribed or method
        learners = [Learner(j, start.w[r]) for j in range(other.P)]
        reference = rounds(Place(other, gradient, r, learners), start.w[r], Ks)
        for done, (w, spread) in zip(engine, reference, strict=False):
            differences.append(np.abs(done.w[r] - w).max() / max(1.0, np.abs(w).max()))
            differences.append(abs(done.dispersion[r] - spread) / max(1.0, spread))
    return float(max(differences))
