"""Run under mpiexec: the laws where ranks matter, on ``COMM_WORLD``; rank 0 prints digests.

``python laws_on_ranks.py`` prints one line a case: its name and the digest of its run.  Before it
prints, every rank has been found to hold the same.
"""

from __future__ import annotations

from itertools import islice

import numpy as np
from helpers.ranks import CountingComm

import kavg
from kavg.mpi.collective import agree_on
from kavg.objectives.data import Synthetic
from kavg.oracles import Gaussian, MiniBatch, Partition, Shifted, StudentT
from kavg.outer import Averaging, BlockMomentum, NesterovMomentum, SlowMo
from kavg.storage import digest

LEARNERS = (1, 3, 12, 64)


def cases():
    """Name, problem, algorithm."""
    cosine, well = kavg.objectives.Cosine(dim=7), kavg.objectives.DoubleWell(dim=5)
    data = Synthetic("classification", examples=192, features=4)
    logistic = kavg.objectives.LogisticRegression(data, alpha=0.1)
    for P in LEARNERS:
        momentum = kavg.Algorithm(P, 4, 0.05, BlockMomentum(0.5))
        yield f"cosine {P}", kavg.Problem(cosine, Gaussian(1.0), 2.0), momentum
        nesterov = kavg.Algorithm(P, 3, 0.1, NesterovMomentum(0.3))
        yield f"heavy tails {P}", kavg.Problem(well, StudentT(1.0), 0.1), nesterov
        batches = MiniBatch(B=2, sampling="without_replacement", partition=Partition(0.5))
        slow = kavg.Algorithm(P, 2, kavg.schedules.InverseSqrt(0.2), SlowMo(0.5))
        yield f"parts {P}", kavg.Problem(logistic, batches, kavg.starts.Normal()), slow
        if P > 1:
            plain = kavg.Algorithm(P, 5, 0.05, Averaging())
            yield f"shifted {P}", kavg.Problem(well, Shifted(1.0, Gaussian(0.5)), 0.3), plain


def run(comm, problem, algorithm):
    counting = CountingComm(comm)
    settings = {"replicas": 3, "seed": 11, "comm": counting}
    trajectory = kavg.simulate(problem, algorithm, rounds=6, **settings)
    # Several ranks agree and meet before the first round, and meet after the last.
    several = int(comm.Get_size() > 1)
    widened = counting.calls["Allgather"] - several
    assert counting.calls["Allreduce"] == 6 + 2 * several + widened, counting.calls
    resumed_from_halfway(counting, problem, algorithm, trajectory)
    return trajectory


def resumed_from_halfway(comm, problem, algorithm, trajectory):
    """Law 8: a state that one process made is continued on all ranks."""
    settings = {"replicas": 3, "seed": 11}
    alone = list(islice(kavg.meta_iterations(problem, algorithm, **settings), 4))
    rest = kavg.meta_iterations(problem, algorithm, state=alone[-1].state, comm=comm, **settings)
    *_, last = islice(rest, 3)
    assert np.array_equal(last.w, trajectory.w)
    assert np.array_equal(last.v, trajectory.v)


def batches(comm):
    """Points as one array axis, of which one diverges: the digests of each alone."""
    problem = kavg.Problem(kavg.objectives.Quadratic((1.0, 3.0)), Gaussian(1.0), 0.5)
    rules = (BlockMomentum(0.5), Averaging(), SlowMo(0.5, 0.5), BlockMomentum(0.3))
    points = [
        kavg.Algorithm(5, 2, g, rule) for g, rule in zip((0.1, 0.2, 1e60, 0.3), rules, strict=True)
    ]
    options = {"rounds": 7, "replicas": 3, "seed": 11}
    runs = kavg.simulate_batch(problem, points, comm=comm, **options)
    assert [run.diverged_at is None for run in runs] == [True, True, False, True]
    for point, run in zip(points, runs, strict=True):
        assert digest(run) == digest(kavg.simulate(problem, point, **options))


def hand_path(comm):
    """Law 10."""
    problem = kavg.Problem(kavg.objectives.Linear(dim=1), kavg.oracles.Noiseless(), 0.0)
    for P in LEARNERS:
        method = kavg.Algorithm(P, 3, 1.0, BlockMomentum(0.5))
        rounds = kavg.meta_iterations(problem, method, comm=comm)
        assert [done.w.item() for done in islice(rounds, 4)] == [0.0, -3.0, -7.5, -12.75]


def main() -> None:
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    hand_path(comm)
    batches(comm)
    for name, problem, algorithm in cases():
        found = agree_on(comm, name, lambda p=problem, a=algorithm: digest(run(comm, p, a)), str)
        if comm.Get_rank() == 0:
            print(name, found, sep=": ", flush=True)


if __name__ == "__main__":
    main()
