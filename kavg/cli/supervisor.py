"""Progress, checkpoints and the response to signals while the algorithms of a command run."""

from __future__ import annotations

from typing import Final, final

from kavg.base import AdaptivePeriod, Communicator
from kavg.cli.progress import Progress
from kavg.engine.run import Run
from kavg.mpi.collective import run_on_rank_0
from kavg.mpi.signals import PendingSignal, SignalExit, agree_on_signal, signal_name
from kavg.storage.checkpoint_manager import CheckpointManager
from kavg.storage.output_folder import resume_command
from kavg.trajectory import Trajectory

DUE: Final = 2**16
"""What rank 0 adds to its request for a checkpoint; the signals of all ranks are below it."""


@final
class Supervisor:
    """Shows progress, saves checkpoints and handles signals between rounds, on every rank.

    The number of ranks that caught a signal travels in the buffer that a round sums up anyway, so
    all ranks stop after the same round and agree on the signal.  Rank 0 then writes a checkpoint,
    and all ranks exit with the code of the signal.  ``manager`` is rank 0's; it is None elsewhere,
    and for commands that write no checkpoints.  Where learners keep arrays of their own, rank 0
    asks for a checkpoint by the same number, as all ranks take part in gathering them.
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
        self.run: Run | None = None
        self.steps_in_all: int | None = None
        self.place = "before the first round"

    def request(self) -> int:
        """Return 1 if this rank caught a signal, else 0; a round sums this over ranks.

        ``DUE`` more if rank 0 wants what all learners keep, for a checkpoint.
        """
        signal, run = int(self.caught.number != 0), self.run
        if run is None or not run.keeps_slots or self.manager is None:
            return signal
        n = run.last.n + 1 if run.last else 1
        return signal + DUE * self.manager.is_due(n)

    def on_round(self, run: Run) -> None:
        """Show progress, write a checkpoint if one is due, and end if any rank caught a signal."""
        assert run.last is not None
        n, algorithm = run.last.n, run.algorithm.name
        if run is not self.run:
            self.run, self.steps_in_all = run, _sum_unlike_rounds(run)
        total = self.steps_in_all
        work = None if total is None else (run.last.state.steps or 0, total)
        self.progress(algorithm, n, run.rounds, work)
        self.place = f"after round {n} of {algorithm}"
        asked, signals = divmod(run.last.requested, DUE)
        requested = signals > 0
        due = self.manager is not None and self.manager.is_due(n)
        if run.keeps_slots:
            due = asked > 0
        slots = run.gather_slots(self.comm) if requested or due else None
        if self.manager and (requested or due):
            self.manager.update(self.finished, run.to_trajectory(slots))
        if requested:
            self.stop_if_requested()
        # Last, so that a signal's checkpoint is not written twice.
        if self.manager and due:
            self.manager.save()

    def finish(self, run: Trajectory) -> None:
        """Enter the run of a completed algorithm in later checkpoints."""
        if self.manager:
            self.manager.update(self.finished, run)
        self.finished += 1

    def stop_if_requested(self) -> None:
        """End if any rank caught a signal.  One ``Allgather``.

        Also called after the last algorithm: a signal may come after the last round was summed.
        """
        number = agree_on_signal(self.comm, self.caught.number)
        if number:
            self.stop(number)

    def stop(self, number: int) -> None:
        """Write a checkpoint, wait for it on all ranks, and raise ``SignalExit`` for the signal.

        All wait, since a launcher may kill the remaining ranks when one exits.
        """
        run_on_rank_0(self.comm, self._write_checkpoint)
        message = f"stopped by {signal_name(number)} {self.place}; {self._advice()}"
        raise SignalExit(number, message, collective=True)

    def _write_checkpoint(self) -> None:
        if self.manager:
            self.manager.save()

    def _advice(self) -> str:
        if self.manager is None:
            return "this command writes no checkpoints"
        if not self.manager.policy.is_on:
            return "checkpoint.every is 'never', so no checkpoint was written"
        return f"{resume_command(self.manager.folder)} continues"


def _sum_unlike_rounds(run: Run) -> int | None:
    """Return the local steps of a run whose rounds have unlike K, None where a round is a round."""
    K = run.algorithm.K
    is_known = callable(K) and not isinstance(K, AdaptivePeriod)
    return run.algorithm.sum_local_steps(run.rounds) if is_known else None
