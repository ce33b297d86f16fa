"""The command line; each rank first says on which host it is."""

import os
import sys

from mpi4py import MPI

from kavg.cli.entry_point import main

if __name__ == "__main__":
    rank, host = MPI.COMM_WORLD.Get_rank(), MPI.Get_processor_name()
    os.write(sys.__stderr__.fileno(), f"rank {rank} is on {host}\n".encode())
    main()
