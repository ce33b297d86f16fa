"""Run under mpiexec: every method of ``helpers/methods.py`` on ``COMM_WORLD``; digests by rank 0.

``python methods_on_ranks.py`` prints one line a method: its name and the digest of its run, which
every rank has been found to hold.  ``python methods_on_ranks.py --save FOLDER`` runs fewer rounds
of each and stores the trajectories as a run stores them; ``--resume FOLDER`` reads them, on another
number of ranks, goes on to the end and prints the digests of the whole runs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from helpers.methods import FURTHER_CALLS, METHODS
from helpers.ranks import CountingComm

import kavg
from kavg.mpi.collective import agree_on
from kavg.storage import digest
from kavg.storage.trajectories import write_trajectories

ROUNDS, STOPPED = 5, 2
PROBLEM = kavg.Problem(
    kavg.objectives.Cosine(dim=3), kavg.oracles.Gaussian(sigma2=1.0), (2.0, -1.0, 0.5)
)


def run(name, comm, **options):
    defaults = {"rounds": ROUNDS, "replicas": 2, "seed": 5, "comm": comm}
    return kavg.simulate(PROBLEM, METHODS[name], **(defaults | options))


def count_calls(name, comm):
    """The collective calls of three rounds in the middle of a run."""
    counting = CountingComm(comm)
    found = kavg.meta_iterations(PROBLEM, METHODS[name], comm=counting)
    for each in found:
        if each.n == 2:
            counting.calls.clear()
        if each.n == 5:
            return sum(counting.calls.values())
    raise AssertionError("a run ended")


def whole_runs(comm) -> Iterator[tuple[str, kavg.Trajectory]]:
    for name in METHODS:
        yield name, run(name, comm)
        assert count_calls(name, comm) == 3 * (1 + FURTHER_CALLS.get(name, 0)), name


def save(comm, folder: Path) -> None:
    stopped = [run(name, comm, rounds=STOPPED) for name in METHODS]
    if comm.Get_rank() == 0:
        write_trajectories(folder / "trajectory.npz", stopped)


def resumed_runs(comm, folder: Path) -> Iterator[tuple[str, kavg.Trajectory]]:
    for name, before in zip(METHODS, kavg.load_trajectories(folder), strict=True):
        yield name, run(name, comm, extends=before)


def main(words) -> None:
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    if words[:1] == ["--save"]:
        save(comm, Path(words[1]))
        return
    found = resumed_runs(comm, Path(words[1])) if words else whole_runs(comm)
    for name, trajectory in found:
        same = agree_on(comm, name, lambda run=trajectory: digest(run), str)
        if comm.Get_rank() == 0:
            print(name, same, sep=": ", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
