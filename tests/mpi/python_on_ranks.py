"""Run under mpiexec, in plain Python: programs of which one rank is not as the others.

``python python_on_ranks.py CASE ...`` runs one case after another, and prints one line a rank for
each: the case, the rank, and what the call returned or raised there.
"""

from __future__ import annotations

import sys
from itertools import islice

import numpy as np

import kavg

PROBLEM = kavg.Problem(kavg.objectives.Cosine(dim=3), kavg.oracles.Gaussian(sigma2=1.0), start=2.0)
METHOD = kavg.Algorithm(P=5, K=2, gamma=0.05, outer=kavg.outer.Averaging())


def simulate(comm, **options):
    options = {"rounds": 5, "replicas": 2, "comm": comm} | options
    return kavg.simulate(options.pop("problem", PROBLEM), METHOD, **options)


def fail(n, rank):
    if (n, rank) == (3, 1):
        raise ValueError("of a test")


def as_told(comm):
    return simulate(comm).F[-1, 0].hex()


def seeds(comm):
    return simulate(comm, seed=comm.Get_rank())


def take_rounds(comm):
    rounds = kavg.meta_iterations(PROBLEM, METHOD, comm=comm, replicas=1 + comm.Get_rank() // 2)
    return list(islice(rounds, 3))


def measure_is_nan(comm):
    def test(n, w):
        return np.full(len(w), np.nan if (n, comm.Get_rank()) == (3, 1) else 1.0)

    return np.isnan(simulate(comm, record={"test": test}).test).sum()


def measure_fails(comm):
    return simulate(comm, record={"test": lambda n, w: (fail(n, comm.Get_rank()), w[:, 0])[1]})


def reader_fails(comm):
    return simulate(comm, on_round=lambda now: fail(now.n, comm.Get_rank()))


def last_reader_fails(comm):
    return simulate(comm, on_round=lambda now: fail(now.n - 2, comm.Get_rank()))


def request_fails(comm):
    asked = []

    def request():
        asked.append(None)
        fail(len(asked), comm.Get_rank())
        return 0

    return list(islice(kavg.meta_iterations(PROBLEM, METHOD, comm=comm, request=request), 6))


def tiny_noise(comm):
    slope = kavg.Problem(kavg.objectives.Linear(dim=4), kavg.oracles.Gaussian(sigma2=1e-20))
    return simulate(comm, problem=slope, mean="exact").dispersion[-1, 0].hex()


def no_noise(comm):
    quiet = kavg.Problem(PROBLEM.objective, kavg.oracles.Noiseless(), 2.0)
    return simulate(comm, problem=quiet, mean="allreduce").dispersion.any()


def null(comm):
    from mpi4py import MPI

    return simulate(comm.Split(MPI.UNDEFINED if comm.Get_rank() else 0))


def freed(comm):
    other = comm.Dup()
    other.Free()
    return simulate(other)


def between(comm):
    half = comm.Split(int(comm.Get_rank() > 0))
    return simulate(half.Create_intercomm(0, comm, int(comm.Get_rank() == 0)))


def main(cases) -> None:
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    for case in cases:
        try:
            found = f"returned {globals()[case](comm)}"
        except Exception as error:
            found = f"raised {type(error).__name__}: {error}"
        lines = comm.gather(found.replace("\n", " "))
        for rank, line in enumerate(lines or ()):
            print(case, rank, line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
