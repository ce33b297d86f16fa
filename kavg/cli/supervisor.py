"""What looks after the runs of a command: progress, checkpoints, and an orderly end on a signal."""

from __future__ import annotations

from typing import final

import numpy as np

from kavg.base import Communicator
from kavg.cli.progress import Progress
from kavg.engine.run import Run
from kavg.mpi.collective import run_on_rank_0
from kavg.mpi.signals import PendingSignal, SignalExit, requested_signal, signal_name
from kavg.storage.checkpoint_manager import CheckpointManager
from kavg.storage.output_folder import resume_command
from kavg.trajectory import Trajectory


@final
class Supervised:
    """One algorithm after another, on every rank.

    A signal that any rank caught travels in the buffer that a round sums up anyway, so all ranks
    know of it after the same round.  Rank 0 then writes a checkpoint, and all end with the signal's
    code.  ``manager`` is rank 0's; None elsewhere, and for commands that keep no checkpoints.
    """

    def __init__(
        self,
        comm: Communicator,
        progress: Progress,
        caught: PendingSignal,
        manager: CheckpointManager | None,
    ) -> None:
        self.comm, self.progress, self.caught, self.manager = comm, progress, caught, manager
        self.finished = 0
        self.place = "before the first round"

    def request(self) -> int:
        """Return the signal that this rank caught, as a number to be summed."""
        return self.caught.request(self.comm.Get_size())

    def on_round(self, run: Run) -> None:
        """After a round: say how far it is, keep it if it is time, end if any rank is told to."""
        assert run.last is not None
        n, algorithm = run.last.n, run.algorithm.name
        self.progress(algorithm, n, run.rounds)
        self.place = f"after round {n} of {algorithm}"
        number = requested_signal(run.last.requested, self.comm.Get_size())
        due = self.manager is not None and self.manager.is_due(n)
        if self.manager and (number or due):
            self.manager.update(self.finished, run.to_trajectory())
        if number:
            self.stop(number)
        if self.manager and due:
            self.manager.save()

    def finish(self, run: Trajectory) -> None:
        """An algorithm is at its end."""
        if self.manager:
            self.manager.update(self.finished, run)
        self.finished += 1

    def stop_if_requested(self) -> None:
        """The signals that came too late for the last round.  One ``Allreduce``."""
        total = np.empty(1)
        self.comm.Allreduce(np.array([float(self.request())]), total)
        number = requested_signal(int(total[0]), self.comm.Get_size())
        if number:
            self.stop(number)

    def stop(self, number: int) -> None:
        """Write a checkpoint and end; all wait: a launcher may kill those that are left."""
        run_on_rank_0(self.comm, self.manager.save if self.manager else nothing)
        words = f"stopped by {signal_name(number)} {self.place}; {self.what_is_kept}"
        raise SignalExit(number, words, collective=True)

    @property
    def what_is_kept(self) -> str:
        """How to go on."""
        if self.manager is None:
            return "this command keeps no checkpoints"
        if not self.manager.policy.is_on:
            return "checkpoint.every is 'never', so nothing is kept"
        return f"{resume_command(self.manager.folder)} continues"


def nothing() -> None:
    """Keep nothing."""
