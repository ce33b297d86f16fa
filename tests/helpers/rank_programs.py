"""Runs from Python on ranks of threads, and what each rank returns or raises."""

from __future__ import annotations

from itertools import islice

import numpy as np

import kavg
from helpers.ranks import run_ranks
from kavg.errors import CollectiveError

PROBLEM = kavg.Problem(kavg.objectives.Cosine(dim=3), kavg.oracles.Gaussian(sigma2=1.0), start=2.0)
METHOD = kavg.Algorithm(P=4, K=2, gamma=0.05, outer=kavg.outer.Averaging())


def outcomes(size, f):
    """What ``f(comm)`` returned or raised on each rank; one that waits for ever fails the test."""

    def rank(comm):
        try:
            return f(comm)
        except Exception as error:
            return error

    return run_ranks(size, rank)


def simulate(comm, problem=PROBLEM, method=METHOD, **options):
    return kavg.simulate(problem, method, comm=comm, **{"rounds": 4, "replicas": 2} | options)


def take(comm, problem=PROBLEM, method=METHOD, rounds=4, **options):
    """``simulate`` with ``meta_iterations``."""
    iterations = kavg.meta_iterations(problem, method, comm=comm, **{"replicas": 2} | options)
    return list(islice(iterations, rounds + 1))


def refused(size, f):
    """The words of the error that all ranks raise, which is one."""
    found = outcomes(size, f)
    assert {type(error) for error in found} == {CollectiveError}, found
    (words,) = {str(error) for error in found}
    return words


class Bowl:
    """A user's objective over data of its own."""

    dim = 2
    L = kavg.Constant(1.0, "exact")
    f_star = kavg.Constant(0.0, "exact")

    def __init__(self, centre):
        self.centre = centre

    def value(self, x):
        return 0.5 * np.square(x - self.centre).sum(axis=-1)

    def grad(self, x, out):
        return np.subtract(x, self.centre, out=out)


class Heavy:
    """A user's outer rule."""

    memory = True

    def __init__(self, mu):
        self.mu = mu

    def start(self, w, v, out):
        out[...] = w

    def step(self, w, v, displacement, gamma):
        v *= self.mu
        v += displacement
        w += v


def norm(n, w):
    return np.abs(w).max(axis=-1)
