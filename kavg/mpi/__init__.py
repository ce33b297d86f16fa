"""MPI ranks: their common start, agreement on inputs, time limits and common end."""

from kavg.mpi.collective import agree_on, run_on_rank_0
from kavg.mpi.comm_world import join_world
from kavg.mpi.watched_comm import WatchedComm

__all__ = ["WatchedComm", "agree_on", "join_world", "run_on_rank_0"]
