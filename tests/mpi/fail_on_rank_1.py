"""The command line with a fault planted on rank 1, in round 3."""

from mpi4py import MPI

from kavg.cli import main
from kavg.local import LocalSteps

displacement = LocalSteps.displacement


def fails_in_round_3(self, learners, start, gamma, n):
    if MPI.COMM_WORLD.Get_rank() == 1 and n == 3:
        raise RuntimeError("a fault planted by a test")
    return displacement(self, learners, start, gamma, n)


LocalSteps.displacement = fails_in_round_3
main()
