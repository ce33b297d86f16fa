"""The command line with a fault planted on rank 1, in round 3."""

from kavg.cli.entry_point import main
from kavg.engine.local.local_steps import LocalSteps

displacement = LocalSteps.displacement


def fails_in_round_3(self, learners, start, steps, *rest, **named):
    from mpi4py import MPI

    if MPI.COMM_WORLD.Get_rank() == 1 and steps.n == 3:
        raise RuntimeError("a fault planted by a test")
    return displacement(self, learners, start, steps, *rest, **named)


if __name__ == "__main__":
    LocalSteps.displacement = fails_in_round_3
    main()
